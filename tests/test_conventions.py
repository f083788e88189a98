"""Run every block of docs/conventions.md, in order and in one namespace, and compare what it prints with the page."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from fusion import diagram

PAGE = Path(__file__).parents[1] / "docs" / "conventions.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(
    r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """What every block prints; blocks after one that fails are not run."""
    namespace: dict[str, Any] = {}
    found: list[str] = []
    for code, _ in BLOCKS:
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            exec(compile(code, str(PAGE), "exec"), namespace)
        found.append(stream.getvalue())
    return found


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_prints_what_the_page_says(number: int, printed: list[str]) -> None:
    assert printed[number] == BLOCKS[number][1]
    assert printed[number].strip()


def test_every_block_of_code_has_its_output() -> None:
    assert len(BLOCKS) == TEXT.count("```python") == TEXT.count("```text") > 10
    assert max(map(len, TEXT.splitlines())) <= 150


def test_every_node_has_a_number() -> None:
    """Each node is written as an operator or method somewhere in the code of the page."""
    ways = {"Leg": "leg(", "Label": "label(", "Fuse": " @ ", "Add": "add(", "DirectSum": " + ", "Apply": "apply("}
    ways |= {"Geometry": ".harmonics("}
    ways |= {name: f".{name.lower()}(" for name in ("Power", "Mix", "Scale", "Map", "Pull", "Sum", "Select")}
    ways |= {name: f".{name.lower()}(" for name in ("Split", "Merge", "Reorder", "Shuffle")}
    kinds = {name for name, item in vars(diagram).items() if isinstance(item, type) and issubclass(item, diagram.Node)}
    assert set(ways) == kinds - {"Node", "Wire"}
    code = "\n".join(code for code, _ in BLOCKS)
    assert not [name for name, way in ways.items() if way not in code]
