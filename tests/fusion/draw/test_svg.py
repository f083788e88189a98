"""SVG: valid, safe, byte-stable, small, and with the marks that it should have."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusion
from fusion import Diagram, Finding, Network, Space, Violation, Wire, apply, findings, leg, walk_nodes
from fusion.diagram import Leg
from fusion.draw import dot, svg, text
from fusion.draw.style import (
    BOX,
    ERROR,
    FAINT,
    INK,
    INKS,
    NOTE,
    NOTICE,
    PAPER,
    SHEET,
    SHEET_CLASS,
    STRANDS,
    SURFACES,
    clean,
    degree_colour,
    wrap,
)
from fusion.sampling import random_diagrams

Drawn = Wire | Diagram | Network
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {f"{SVG}{name}" for name in ("svg", "g", "path", "rect", "circle", "polygon", "text", "title", "style")}
ATTRIBUTES = {
    "width",
    "height",
    "viewBox",
    "x",
    "y",
    "rx",
    "cx",
    "cy",
    "r",
    "points",
    "d",
    "class",
    "role",
    "aria-label",
}
ATTRIBUTES |= {"fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "text-anchor"}
ATTRIBUTES |= {"class", "font-family", "font-size", "font-weight", "font-style"}
HOSTILE = [
    '"><script>alert(1)</script>',
    "]]>&amp;<!-- &x; -->",
    "<image href='http://example.org/x.png' onload=alert(1)/>",
    "\x00\x01\x08\x0b\ud800\ufffe\u202e\u2066 text \x7f\x85",
    "漢字かな" * 400,
    "a" * 100_000,
    "\n" * 1000 + "\t\r",
    "",
]


def parsed(text: str) -> ElementTree.Element:
    """Parse SVG and check that it has only harmless parts."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == f"{SVG}svg"
    for element in root.iter():
        assert element.tag in ELEMENTS
        assert element.tag != f"{SVG}style" or element.text == SHEET
        assert set(element.attrib) <= ATTRIBUTES, element.attrib
        assert not any("(" in value or ":" in value for value in element.attrib.values())
    assert "<!" not in text and "<?" not in text
    return root


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_examples_are_valid_and_named(example: Drawn) -> None:
    root = parsed(svg(example))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    for element in root.iter(f"{SVG}text"):
        assert 0 <= float(element.attrib["x"]) <= width
        assert 0 <= float(element.attrib["y"]) <= height
    if isinstance(example, Wire | Diagram):
        written = texts(root)
        for node in walk_nodes(example):
            if isinstance(node, Leg):
                assert node.name in written
        for name, _ in Diagram.of(example).outputs:
            assert name in written


@pytest.mark.parametrize("name", ["nbody", "freecg", "acdc", "sixj"])
def test_golden(name: str, build: Callable[[str], Drawn], golden: Callable[[str, str], None]) -> None:
    value = build(name)
    golden(f"{name}.svg", svg(value) if isinstance(value, Network) else svg(value, findings=()))


def test_bytes_do_not_depend_on_the_process(build: Callable[[str], Drawn]) -> None:
    names = ("cormorant", "attention", "several", "illegal", "applied")
    sources = {name: str(build(name)) for name in names}
    script = (
        "import hashlib, sys, fusion, fusion.draw as d\n"
        f"texts = [f(fusion.parse(s)) for s in {list(sources.values())!r} for f in (d.svg, d.text, d.dot)]\n"
        "print(hashlib.sha256('|'.join(texts).encode()).hexdigest())"
    )
    here = str(Path(fusion.__file__).parents[1])
    seen = set[str]()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": here}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        seen.add(done.stdout.strip())
    own = [write(fusion.parse(source)) for source in sources.values() for write in (svg, text, dot)]
    seen.add(hashlib.sha256("|".join(own).encode()).hexdigest())
    assert len(seen) == 1


@pytest.mark.parametrize("irreps", ["0e", "0e+1o+2e", "0e+0o+1o+1e+2e+2o+3o+3e"])
def test_200_nodes_stay_below_200_kilobytes(irreps: str, large: Callable[..., Diagram]) -> None:
    diagram = large(240, 3, irreps)
    assert len(walk_nodes(diagram)) >= 200
    text = svg(diagram)
    parsed(text)
    assert len(text.encode()) < 200_000


def test_random_diagrams_are_valid_and_small() -> None:
    for _, diagram in random_diagrams(30, seed=11):
        text = svg(diagram)
        parsed(text)
        assert len(text.encode()) < 20_000 + 1_000 * len(walk_nodes(diagram))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_notes_and_findings_are_text(text: str, build: Callable[[str], Drawn]) -> None:
    wire = build("freecg")
    assert isinstance(wire, Wire)
    node = wire.inputs[0]
    found = [Finding(Violation("selection", text, severity=kind), node, text, 0, 1) for kind in ("error", "notice")]
    drawn = svg(wire, findings=found, notes={node: text, wire: f"{text} & more"})
    parsed(drawn)
    assert len(drawn) < 20_000


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_that_bypass_the_checks_are_text(text: str) -> None:
    good = leg("x", "0e+1o", channels=4)
    bad = Leg(text, Space(good.space.irreps, ((text, 4),), text))
    drawn = svg((bad @ bad)["0e"].mix("u->v", v=2), findings=())
    parsed(drawn)
    assert len(drawn) < 20_000


@given(st.text(max_size=80))
def test_clean_text_is_xml(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    escaped = cleaned.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert ElementTree.fromstring(f"<a>{escaped}</a>".encode()).text in (cleaned, None if cleaned == "" else cleaned)


@given(st.text(max_size=200), st.integers(4, 40), st.integers(1, 4))
def test_wrapped_lines_are_short_and_few(text: str, width: int, lines: int) -> None:
    found = wrap(text, width, lines)
    assert len(found) <= lines and all(len(line) <= width for line in found)
    if found and not found[-1].endswith("…"):
        assert "".join(found).replace(" ", "") == clean(text).replace(" ", "")


def test_errors_are_red_and_notices_amber(build: Callable[[str], Drawn]) -> None:
    value = build("illegal")
    assert isinstance(value, Wire)
    found = findings(value)
    wrong = {finding.node for finding in found if finding.violation.severity == "error"}
    odd = {finding.node for finding in found} - wrong
    assert len(wrong) == 2 and len(odd) == 1
    drawn = svg(value)
    root = parsed(drawn)
    marked = [element for element in root.iter(f"{SVG}g") if element.get("stroke-width") == "2.4"]
    assert [element.get("stroke") for element in marked].count(ERROR) == len(wrong)
    assert [element.get("stroke") for element in marked].count(NOTICE) == len(odd)
    written = " ".join(texts(root))
    for finding in found:  # every headline is written out below
        assert finding.violation.headline[:30] in written
    plain = svg(value, findings=()).replace(SHEET, "")
    assert ERROR not in plain and NOTICE not in plain
    only = svg(value, findings=[finding for finding in found if finding.node in odd]).replace(SHEET, "")
    assert ERROR not in only and NOTICE in only


def test_several_findings_at_one_node_share_its_badge(build: Callable[[str], Drawn]) -> None:
    value = build("nbody")
    assert isinstance(value, Wire)
    node = value.inputs[0]
    kinds = ("notice", "error", "error", "error")
    found = [Finding(Violation("selection", f"word{i}", severity=kind), node, "", 0, 1) for i, kind in enumerate(kinds)]
    drawn = svg(value, findings=found)
    written = texts(parsed(drawn))
    assert "1,2,3…" in written
    assert drawn.count(f'stroke="{ERROR}" stroke-width="2.4"') == 1 and NOTICE in drawn
    assert written.count("word1") == 2, "the first error is also written at the node"


def test_the_number_one_is_written() -> None:
    drawn = svg(apply(Network((), ())).mix("->v", v=2))
    assert "1" in texts(parsed(drawn)) and "0e" in texts(parsed(drawn))


def test_a_broken_vertex_of_a_network_is_red(build: Callable[[str], Drawn]) -> None:
    assert ERROR in svg(build("broken_network")).replace(SHEET, "")
    assert ERROR not in svg(build("sixj")).replace(SHEET, "")


def test_many_findings_are_counted(build: Callable[[str], Drawn]) -> None:
    value = build("squared")
    assert isinstance(value, Wire)
    finding = replace(findings(value)[0])
    assert "and 8 more" in texts(parsed(svg(value, findings=[finding] * 20)))


def test_notes_are_written_at_their_node(build: Callable[[str], Drawn]) -> None:
    value = build("freecg")
    assert isinstance(value, Wire)
    root = parsed(svg(value, notes={value.inputs[0]: "12 Mflop\n3 kB"}))
    assert {"12 Mflop", "3 kB"} <= set(texts(root))


def test_strands_show_degree_and_parity() -> None:
    proper, pseudo = svg(leg("x", "0e+1o+2e")), svg(leg("x", "0o+1e+2o"))
    for l in range(3):
        assert f'stroke="{degree_colour(l)}"' in proper
        assert re.search(rf'stroke="{degree_colour(l)}" stroke-dasharray="5 3"', pseudo)
    assert "dasharray" not in proper
    assert "dasharray" not in svg(leg("x", "0+1+2")), "SO(3) labels have no parity to mark"
    assert "pseudo (0o,1e,2o)" in texts(parsed(pseudo))


def test_a_wire_of_very_many_irreps_is_one_cable() -> None:
    drawn = svg(leg("x", "+".join(f"{l}e+{l}o" for l in range(9))))
    assert "any irreps" in texts(parsed(drawn))


def test_the_legend_explains_what_occurs(build: Callable[[str], Drawn]) -> None:
    written = set(texts(parsed(svg(build("mace")))))
    assert {"l=0", "l=1", "l=2", "l=3", "on atom", "on edge", "learned", "label"} <= written
    assert not {"l=4", "on pair", "any irreps"} & written


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.1), from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_colours_stand_out_on_light_and_dark_pages(dark: bool) -> None:
    def shown(colours: dict[str, str]) -> dict[str, str]:
        return colours if dark else {light: light for light in colours}

    surfaces, inks, strands = shown(SURFACES), shown(INKS), shown(STRANDS)
    assert (luminance(surfaces[PAPER]) < 0.02) == dark
    for strand in strands.values():
        for surface in surfaces.values():
            assert contrast(strand, surface) >= 2.7
        assert contrast(strand, surfaces[PAPER]) >= 3.9
    for surface in surfaces.values():
        assert contrast(inks[INK], surface) >= 8
    for ink in (INK, FAINT, ERROR, NOTICE, NOTE):
        assert contrast(inks[ink], surfaces[PAPER]) >= 4.5
    lanes = [surfaces[lane] for lane in SURFACES if lane not in (PAPER, BOX)]
    assert all(contrast(lane, surfaces[PAPER]) >= 1.1 for lane in lanes)


def test_every_colour_has_a_dark_counterpart(example: Drawn) -> None:
    rules = set(re.findall(rf'\.{SHEET_CLASS} \[(fill|stroke)="(#[0-9a-f]{{6}})"\]', SHEET))
    drawn = svg(example)
    used = set(re.findall(r' (fill|stroke)="(#[0-9a-f]{6})"', drawn.replace(SHEET, "")))
    assert used and used <= rules
    assert drawn.count(SHEET) == 1 and parsed(drawn).get("class") == SHEET_CLASS


def test_notebooks_show_the_drawing(build: Callable[[str], Drawn]) -> None:
    for name in ("mace", "cormorant"):
        value = build(name)
        assert isinstance(value, Wire | Diagram)
        assert value._repr_svg_() == svg(value)
