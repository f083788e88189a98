"""The gallery shows what the program draws now; the test rebuilds it in memory and compares every file."""

from __future__ import annotations

import re

import pytest

from corpus import DIAGRAMS
from corpus.gallery import DOCS, IMAGES, PAGE, README_IMAGE, gallery

REBUILD = "run `make docs`, look at what changed, and commit it"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Every file of the gallery, by path below ``docs``."""
    return gallery()


def test_the_gallery_is_up_to_date(files: dict[str, str]) -> None:
    found = {f"{IMAGES}/{path.name}" for path in (DOCS / IMAGES).glob("*")} | {PAGE, README_IMAGE}
    assert found == set(files), f"drawings are missing or left over: {REBUILD}"
    changed = [name for name, text in files.items() if (DOCS / name).read_bytes() != text.encode()]
    assert not changed, f"docs/{', docs/'.join(changed)} differ from what is drawn now: {REBUILD}"


def test_every_diagram_is_shown_once_beside_its_expression(files: dict[str, str]) -> None:
    page = files[PAGE]
    shown = re.findall(r"```python\n.+?\n```\n\n!\[(\w+)\]\(images/gallery/(\w+)\.svg\)", page, re.DOTALL)
    assert all(title == image for title, image in shown)
    assert sorted(image for _, image in shown) == sorted([*DIAGRAMS, "broken"])


def test_every_link_of_the_contents_has_its_heading(files: dict[str, str]) -> None:
    page = files[PAGE]
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page, flags=re.DOTALL), re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors), "headings must differ, or anchors get numbers"
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= set(anchors)


def test_code_is_python(files: dict[str, str]) -> None:
    for code in re.findall(r"```python\n(.*?)```", files[PAGE], re.DOTALL):
        compile(code, PAGE, "exec")
