"""The forms in which a vertex is carried out: each gives the dense value, and each is taken where it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from compiler.running import case
from fusion import Diagram, Wire, leg
from fusion_compiler import search, steps
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.prune import prune
from fusion_compiler.program import Contract, Products
from fusion_compiler.steps import Dense, Outer, Pieces, Selected, Step


def forms(wire: Wire) -> list[Step]:
    return [step for plan in contract(prune(expand(Diagram.of(wire)))).contractions for step in plan.steps()]


def clear() -> None:
    for cached in (steps.vertex_form, search.best_order, search.declared_order):
        cached.cache_clear()


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every vertex is carried out in pieces where it can be."""
    clear()
    monkeypatch.setattr(steps, "PIECES_GAIN", float("inf"))
    yield
    clear()


def many(number: int, channels: int | None = None) -> Wire:
    wire = leg(f"x{number}", "0e+1o+2e")
    return wire if channels is None else leg(f"x{number}", "0e+1o+2e", channels=channels)


WIRES: dict[str, Callable[[], Wire]] = {
    "plain": lambda: many(0, channels=3) @ many(1, channels=3),
    "left without channels": lambda: many(0) @ many(1, channels=3),
    "right without channels": lambda: many(0, channels=3) @ many(1),
    "outer channels": lambda: (many(0, channels=3) @ many(1, channels=2)).on("u,v->uv"),
    "summed channels": lambda: (many(0, channels=3) @ many(1, channels=3)).on("u,u->")["0e+1o"],
    "three": lambda: (many(0, channels=2) @ many(1, channels=2) @ many(2, channels=2))["1o+2e"],
    "part of the paths": lambda: (many(0, channels=2) @ many(1, channels=2) @ many(2)).select(
        {"1o": [0, 4], "2e": [3]}
    ),
    "exchange-odd paths": lambda: leg("A", "0e+1o+2e", channels=2).power(4)["0e+1o"],
    "unnatural parity": lambda: leg("x", "1o+1e", channels=2) @ leg("y", "0o+1e", channels=2) @ leg("z", "2o"),
    "weighted": lambda: (many(0, channels=2) @ many(1, channels=3)).on("u,v->w", w=4),
}


@pytest.mark.parametrize("name", WIRES)
def test_pieces_give_the_dense_value(name: str, in_pieces: None) -> None:
    wire = WIRES[name]()
    assert any(isinstance(step, Pieces) for step in forms(wire))
    assert case(wire, rows=(3,)).error() < 1e-12
    assert case(wire, rows=(3,), emitter="interpret").error() < 1e-12


@pytest.mark.parametrize("name", WIRES)
def test_other_forms_give_the_dense_value(name: str) -> None:
    assert case(WIRES[name](), rows=(3,)).error() < 1e-12


def test_every_way_through_a_piece_occurs(in_pieces: None) -> None:
    found = {
        part.first
        for name in ("three", "left without channels", "right without channels", "plain")
        for step in forms(WIRES[name]())
        if isinstance(step, Pieces)
        for part in step.parts
    }
    assert found == {"left", "right", "both"}


def test_small_squares_are_selected_products() -> None:
    (step,) = forms(leg("v", "0e+1o+2e", channels=4).power(2)["0e"])
    assert isinstance(step, Selected)
    assert len(step.products.rows) == 1 + 3 + 5


def test_fuses_with_scalars_multiply_only() -> None:
    wire = leg("v", "1o+2e", channels=4) @ leg("s", "2x0e", channels=4)
    (step,) = forms(wire)
    assert isinstance(step, Outer)
    found = case(wire, rows=(3,))
    assert found.error() < 1e-15
    assert not any(isinstance(i, Products) for i in found.block.program.instructions)
    assert sum(isinstance(i, Contract) for i in found.block.program.instructions) == 1
    assert sum(table.size for table in found.block.program.constants.values()) == 0


def test_a_small_vertex_stays_whole() -> None:
    """Two instructions on whole blocks are faster than dozens of pieces."""
    assert all(isinstance(step, Dense) for step in forms(leg("x", "0e+1o", channels=8) @ leg("y", "0e+1o", channels=8)))


def test_a_table_too_large_is_never_formed() -> None:
    """A table of 1.7 x 10^7 entries, 130 MB: its vertex goes in pieces whatever its work."""
    a, b, c = (leg(name, "0e+1o+2e+3o") for name in "abc")
    found = forms(a @ b @ c)
    assert isinstance(found[-1], Pieces)
    program = case((a @ b @ c)["0e"], rows=(1,)).block.program
    assert max(table.size for table in program.constants.values()) <= steps.TABLE_LIMIT
