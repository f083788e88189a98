"""The report is one file that refers to nothing, escapes everything, and shows the parts it is given."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from fusion import FusionError, leg
from fusion.draw import svg
from fusion_models.report import (
    CostRow,
    CurvePoint,
    Drawing,
    Drift,
    ErrorRow,
    Parity,
    ReportData,
    report_html,
    write_report,
)

RNG = np.random.default_rng(1)
FORCES = RNG.normal(size=(90, 3))
ENERGIES = -17.0 + RNG.normal(size=10)
DIAGRAM = leg("v", "1o", channels=2).power(1, 2)["0e"]
HOSTILE = '<script>alert("x")</script>&\'"'
DATA = ReportData(
    title="A run",
    about="First paragraph.\n\nSecond paragraph.",
    rule_error="no path couples the two wires to 4e",
    rule_repair='(v @ w)["3o"]',
    drawings=(Drawing("layer 1", svg(DIAGRAM), str(DIAGRAM)),),
    costs=(
        CostRow("layer 1", "%0", "products", "atom x 8", 160, 320, "atom", 96),
        CostRow("layer 1", "%1", "gather", "edge x 8", 0, 64, "edge"),
        CostRow("layer 2", "%0", "contract", "8 x 8", 1234567, 8, ""),
    ),
    sizes={"atom": 9, "edge": 72},
    curve=tuple(CurvePoint(10.0 * i, 5.0 * i, 400.0 / i, 40.0 / i) for i in range(1, 9)),
    tests=(
        ErrorRow("force MAE", "meV/Å", 21.4, 912.0),
        ErrorRow("force RMSE", "meV/Å", 33.0, float("nan")),
        ErrorRow("energy MAE", "meV/atom", 1.0, 24.0),
    ),
    parity=Parity(ENERGIES, ENERGIES + 1e-3, FORCES, FORCES + 0.02),
    drift=Drift(np.linspace(0, 1, 50), -4200 + 1e-4 * RNG.normal(size=50), 9, -0.0021, "1 ps"),
    stages={"compile": 1.25, "training": 290.0},
    settings={"channels": "32"},
    versions={"torch": "2.13.0"},
)
ANCHORS = ["about", "rules", "diagrams", "plan", "training", "test", "parity", "dynamics", "timings"]


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(text)
        assert not self.stack

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag != "meta":
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.extend((tag, name, value or "") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(report_html(DATA))


def test_every_section_is_there_and_reachable(page: Page) -> None:
    identifiers = page.values("id")
    assert [item for item in identifiers if item in ANCHORS] == ANCHORS
    links = [value.removeprefix("#") for tag, name, value in page.attributes if tag == "a" and name == "href"]
    assert links == ANCHORS


def test_identifiers_are_unique_and_every_reference_is_inside_the_page(page: Page) -> None:
    identifiers = page.values("id")
    assert len(set(identifiers)) == len(identifiers)
    for name in ("href", "xlink:href", "src"):
        for value in page.values(name):
            assert value.startswith("data:image/png;base64,") or value.removeprefix("#") in identifiers
    for tag, name, value in page.attributes:
        if not name.startswith("xmlns"):
            assert "http" not in value, f"<{tag} {name}={value!r}>"
        for target in re.findall(r"url\(([^)]*)\)", value):
            assert target.removeprefix("#") in identifiers


def test_numbers_and_texts_are_shown(page: Page) -> None:
    words = " ".join(page.words.split())
    for part in (
        "First paragraph. Second paragraph.",
        "no path couples the two wires to 4e",
        str(DIAGRAM),
        "21.4 meV/Å",
        "1.00 meV/atom",
        "−0.0021 meV/atom/ps",
        "4 min 51 s",
        "2.3 %",
        "1 234 567",
        "All blocks together for 9 atoms, 72 edges: 1 236 007 flops, 7 592 bytes.",
        "10 structures, 270 force components.",
        "torch",
    ):
        assert part in words, part


def test_every_text_is_escaped() -> None:
    hostile = ReportData(
        title=HOSTILE,
        about=HOSTILE,
        rule_error=HOSTILE,
        rule_repair=HOSTILE,
        drawings=(Drawing(HOSTILE, svg(DIAGRAM), HOSTILE),),
        costs=(CostRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, 1, HOSTILE),),
        sizes={HOSTILE: 2},
        curve=DATA.curve,
        curve_text=HOSTILE,
        tests=(ErrorRow(HOSTILE, HOSTILE, 1.0, 2.0),),
        tests_text=HOSTILE,
        drift=replace(DATA.drift, text=HOSTILE) if DATA.drift is not None else None,
        stages={HOSTILE: 1.0},
        settings={HOSTILE: HOSTILE},
        versions={HOSTILE: HOSTILE},
    )
    text = report_html(hostile)
    assert "<script" not in text
    assert HOSTILE in Page(text).words


def test_what_is_not_given_is_left_out() -> None:
    page = Page(report_html(ReportData("A run", "Nothing but this.")))
    assert [item for item in page.values("id") if item in ANCHORS] == ["about"]


@pytest.mark.parametrize(
    "drawing",
    [
        "",
        "<p>no drawing</p>",
        "<svg><script>x</script></svg>",
        '<svg onload="x()"/>',
        '<svg xmlns:x="http://www.w3.org/1999/xlink"><a x:href="https://example.org"/></svg>',
        '<svg><rect fill="url(https://example.org/a.svg)"/></svg>',
        "<svg><style>p{}</style></svg>",
        "<svg><foreignObject/></svg>",
        "<svg><g></svg>",
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
        "<svg/><svg/>",
    ],
)
def test_drawings_that_are_more_than_a_drawing_are_refused(drawing: str) -> None:
    with pytest.raises(FusionError, match=r"the drawing 'odd'"):
        report_html(replace(DATA, drawings=(Drawing("odd", drawing, ""),)))


def test_the_page_is_the_same_for_the_same_data() -> None:
    assert report_html(DATA) == report_html(DATA)


def test_write_report_replaces_the_file_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("older")
    with pytest.raises(FusionError):
        write_report(path, replace(DATA, drawings=(Drawing("odd", "", ""),)))
    assert path.read_text() == "older"
    write_report(path, DATA)
    assert path.read_text(encoding="utf-8") == report_html(DATA)
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
