"""Drawings in characters: golden texts, ASCII, and wires that join what they should."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from fusion import Diagram, Network, Wire, findings, leg, outputs, walk_nodes
from fusion.draw import text
from fusion.draw.style import columns

Drawn = Wire | Diagram | Network
WIRES = "│┊─┄├┤┼╰╯┴"


@pytest.mark.parametrize("name", ["mace", "cormorant", "attention", "sixj", "applied"])
def test_golden(name: str, build: Callable[[str], Drawn], golden: Callable[[str, str], None]) -> None:
    value = build(name)
    golden(f"{name}.txt", text(value) if isinstance(value, Network) else text(value, findings=()))


def test_golden_ascii(build: Callable[[str], Drawn], golden: Callable[[str, str], None]) -> None:
    golden("cormorant_ascii.txt", text(build("cormorant"), findings=(), ascii=True))


def test_every_node_has_a_row_and_columns_align(example: Drawn) -> None:
    drawn = text(example)
    assert drawn.endswith("\n") and not any(line != line.rstrip() for line in drawn.splitlines())
    if isinstance(example, Network):
        assert len(drawn.splitlines()) >= 1 + len(example.vertices)
        return
    nodes = walk_nodes(example)
    assert [int(line.split()[0]) for line in drawn.splitlines() if line.split()[0].isdigit()] == list(
        range(1, len(nodes) + 1)
    )
    for name, _ in Diagram.of(example).outputs:
        assert any(line.endswith(f"out {name}") for line in drawn.splitlines())


def test_wires_have_two_ends(example: Drawn) -> None:
    """Below every cell with a wire leaving downwards, something continues it."""
    if isinstance(example, Network):
        return
    rows = text(example, findings=()).splitlines()
    start = len(rows[0]) - len(rows[0].lstrip("0123456789 "))
    down, up = "│┊├┤┼", "│┊├┤┼╰╯┴"
    for above, below in pairwise(rows):
        graph = above[start:]
        for column, cell in enumerate(graph[: graph.find("  ") if "  " in graph else None]):
            if cell in down:
                under = below[start + column : start + column + 1]
                assert under and under != " ", (above, below)
        for column, cell in enumerate(below[start:]):
            if cell in up and cell in WIRES:
                over = above[start + column : start + column + 1]
                assert over and over not in " ─┄", (above, below)


def test_ascii_is_ascii(example: Drawn) -> None:
    drawn = text(example, ascii=True)
    assert drawn.isascii()
    assert len(drawn.splitlines()) == len(text(example).splitlines())


def test_findings_and_notes_stand_below_their_row(build: Callable[[str], Drawn]) -> None:
    value = build("illegal")
    assert isinstance(value, Wire)
    drawn = text(value, notes={value: "1 flop\n2 bytes"})
    for finding in findings(value):
        assert f"! {finding.violation.severity}: {finding.violation.headline}"[:100] in drawn
    lines = drawn.splitlines()
    assert lines[-3].endswith("# 1 flop") and lines[-2].endswith("# 2 bytes") and lines[-1].endswith("out out")
    assert "!" not in text(value, findings=())


def test_hostile_notes_stay_on_their_line() -> None:
    x = leg("x", "0e", channels=4)
    drawn = text(x, notes={x: "\x1b[31mred\r\u202eback" + "long " * 1000})
    assert "\x1b" not in drawn and "\r" not in drawn and "\u202e" not in drawn
    assert max(map(columns, drawn.splitlines())) < 200


def test_two_outputs_of_one_wire() -> None:
    x = leg("x", "0e", channels=4)
    assert text(outputs(a=x, b=x)) == "1 ●   leg x  0e [u=4] on atom\n  ├─▶ out a\n  ▶   out b\n"
