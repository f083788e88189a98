"""distribute: sums over tuples of neighbours are taken over the factors that depend on them, exactly and for less."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import fusion_compiler
from compiler.passes.measured import error_of
from compiler.passes.neighbours import Neighbours
from fusion import Wire, add, label, leg, outputs, tuples
from fusion.diagram import Diagram
from fusion.index import IndexMap
from fusion.validate import findings
from fusion_compiler.cost import totals
from fusion_compiler.passes.distribute import distribute, distribute_all

X = leg("x", "0e+1o", channels=2, on="edge")
R = leg("r", "1o", on="edge")
Y = leg("y", "0e+1o", channels=2, on="edge")


def maps_of(diagram: Wire | Diagram) -> set[str]:
    """Return the index maps that a compiled diagram uses."""
    return {name for name, _, _ in fusion_compiler.compile(diagram, dtype=torch.float64).program.maps}


def body(order: int, channels: int = 2) -> Wire:
    """Products of ``order`` neighbours, all of them different wires, summed over all tuples."""
    maps = tuples("receiver", order)
    wires = [leg(f"x{i}", "0e+1o", channels=channels, on="edge").pull(maps[i]) for i in range(order)]
    product = wires[0]
    for wire in wires[1:]:
        product = (product @ wire)["0e+1o"]
    return product["0e"].sum(maps[0]).sum("receiver")


@pytest.mark.parametrize("order", [2, 3, 4])
def test_a_body_of_many_neighbours_costs_as_many_times_their_number(order: int) -> None:
    program = fusion_compiler.compile(body(order), dtype=torch.float64).program
    flops = {n: totals(program, {"atom": 1, "edge": n}).flops for n in (0, 50, 100)}
    assert flops[100] - flops[0] == 2 * (flops[50] - flops[0]) == 100 * order * 2 * 4  # one sum of 2 x 4 numbers each
    plain = fusion_compiler.compile(body(order), dtype=torch.float64, without="distribute").program
    rows = {n: {"atom": 1, "edge": n, f"receiver^{order}": n**order} for n in (50, 100)}
    declared = [totals(plain, counts).flops for counts in rows.values()]
    assert math.log2(declared[1] / declared[0]) == pytest.approx(order, abs=0.01)
    assert maps_of(body(order)) == {"receiver"}, "no row is made for a tuple"


@pytest.mark.parametrize("order", [2, 3, 4])
def test_one_density_is_made_once_for_all_positions(order: int) -> None:
    maps = tuples("receiver", order)
    product = X.pull(maps[0])
    for item in maps[1:]:
        product = (product @ X.pull(item))["0e+1o"]
    diagram = product["0e"].sum(maps[-1]).sum("receiver")
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    assert totals(program, {"atom": 0, "edge": 1}).flops == 2 * 4
    assert error_of(diagram, distribute(Diagram.of(diagram)), 0) < 1e-12


def hand_written() -> dict[str, Wire | Diagram]:
    first, second = tuples("receiver")
    a, b, c = tuples("receiver", 3)
    p, q, r, s = tuples("receiver", 4)
    centre, z = leg("h", "0e+1o", channels=2), label("z", 2)
    scalar, cut = leg("s", "0e", channels=2, on="edge"), leg("f", "0e", on="edge")
    pair = leg("pair", "0e+1o", channels=2, on="receiver^2")

    def two(one: IndexMap, other: IndexMap, name: str) -> Wire:
        """A function of two neighbours."""
        between = add(R.pull(one), (-0.5, R.pull(other)))
        return between.harmonics(1).mix("->u", u=2, name=name)

    chain = two(p, q, "pq"), two(q, r, "qr"), two(r, s, "rs")
    repeated = (X.pull(first) @ Y.pull(second))["0e+1o"]
    cuts = (X.pull(a) @ Y.pull(b))["0e+1o"].scale(cut.pull(a)).scale(scalar.pull(b))["1o"].scale(cut.pull(c))
    return {
        "pairs": repeated.sum(first).sum("receiver"),
        "onto the first": (repeated.sum(first) @ centre.pull("receiver"))["0e"],
        "onto the second": (repeated.sum(second) @ centre.pull("receiver"))["0e"],
        "centre": (X @ centre.pull("receiver"))["0e+1o"].sum("receiver"),
        "a cutoff on every edge": cuts.sum(c).sum("receiver"),
        "a position in no factor": (X.pull(a) @ Y.pull(b))["0e"].sum(a).sum("receiver"),
        "no position at all": centre.pull("receiver").pull(a).sum(b).sum("receiver"),
        "only one": (X.pull(a).sum(a) @ centre.pull("receiver"))["0e"],
        "added": add(X.pull(first), (2.0, Y.pull(second)), centre.pull("receiver").pull(first))
        .sum(first)
        .sum("receiver"),
        "side by side": (X.pull(a) + (Y.pull(b) @ X.pull(c))["0e"]).sum(b).sum("receiver"),
        "a constant added": add(scalar, leg("k", "0e", channels=2, on="constant")).sum("receiver"),
        "a leg of pairs": ((X.pull(first) @ pair)["0e+1o"] @ Y.pull(second))["0e"].sum(first).sum("receiver"),
        "per class of one": (X.pull(first) @ Y.pull(second))["0e+1o"]
        .mix("u->v", per=z.pull("sender").pull(first))
        .sum(first)
        .sum("receiver"),
        "per class of the centre": X.mix("u->v", per=z.pull("receiver")).sum("receiver"),
        "by class": (X.pull(first) @ Y.pull(second))["0e"].sum(first).sum("receiver", by=z.pull("sender")),
        "a function": (scalar.pull(first) @ scalar.pull(second))["0e"].map("tanh").sum(first).sum("receiver"),
        "a function of one": (scalar.map("tanh").pull(first) @ scalar.pull(second).map("sin"))["0e"]
        .sum(first)
        .sum("receiver"),
        "a softmax": scalar.pull(first).softmax(first).scale(scalar.pull(second)).sum(first).sum("receiver"),
        "a power": (X.pull(first) @ Y.pull(second))["1o"].power(2)["0e"].sum(first).sum("receiver"),
        "a chain": ((chain[0] @ chain[1])["0e+1o"] @ chain[2])["0e+1o"].sum(p).sum("receiver"),
        "a shared product": outputs(
            total=repeated.sum(first).sum("receiver"), each=repeated, half=repeated["0e"].sum(second)
        ),
        "a product between the sums": ((X.pull(a) @ Y.pull(b))["0e+1o"] @ X.pull(c))["0e+1o"]
        .sum(b)
        .scale(cut)
        .sum("receiver"),
        "a reverse edge": (X.pull("reverse").pull(first) @ X.pull(second))["0e+1o"].sum(first).sum("receiver"),
    }


@pytest.mark.parametrize("name", hand_written())
def test_values_do_not_change(name: str) -> None:
    diagram = Diagram.of(hand_written()[name])
    assert not [found for found in findings(diagram) if found.violation.severity == "error"]
    for seed in range(3):
        assert error_of(diagram, distribute_all(diagram), seed) < 1e-12
        assert error_of(diagram, distribute(diagram), seed) < 1e-12
    for rows in ((0,), (1,)):
        assert error_of(diagram, distribute_all(diagram), 0, rows) < 1e-12


@pytest.mark.parametrize("part", range(8))
def test_values_of_random_sums_do_not_change(part: int) -> None:
    """Products of factors of any positions of 1 to 4, with shared subtrees, against the sum over all tuples.

    Some with all the other passes, too.
    """
    rewritten = 0
    for number in range(25):
        diagram = Diagram.of(Neighbours(np.random.default_rng([7, part, number])).summed())
        assert not [found for found in findings(diagram) if found.violation.severity == "error"], diagram
        everywhere, chosen = distribute_all(diagram), distribute(diagram)
        rewritten += chosen is not diagram
        for found in dict.fromkeys((everywhere, chosen)):
            assert error_of(diagram, found, number, (1, 2, 3, 4)) < 1e-12, diagram
        if number % 5 == 0:
            assert error_of(diagram, None, number, (1, 2, 3, 4)) < 1e-12, diagram
    assert rewritten > 10


def test_a_leg_of_two_neighbours_blocks_its_own_sums_only() -> None:
    """Of three neighbours two are tied by a function of both: pairs are formed, triples are not."""
    a, b, c = tuples("receiver", 3)
    tied = add(R.pull(a), (-0.5, R.pull(b))).harmonics(1).mix("->u", u=2)
    product = ((X.pull(a) @ tied)["0e+1o"] @ Y.pull(b))["0e+1o"]
    diagram = (product @ X.pull(c))["0e"].sum(a).sum("receiver")
    assert maps_of(diagram) == {"receiver", "receiver^2.0", "receiver^2.1"}
    assert error_of(diagram, distribute(Diagram.of(diagram)), 1) < 1e-12


def test_a_chain_of_neighbours_is_summed_link_by_link() -> None:
    """A sum over four neighbours, of which only those next to each other are tied, never holds more than pairs."""
    assert {name for name in maps_of(hand_written()["a chain"]) if "^" in name} <= {"receiver^2.0", "receiver^2.1"}


def test_a_leg_on_tuples_keeps_them() -> None:
    assert "receiver^2.0" in maps_of(hand_written()["a leg of pairs"])


def test_scales_of_single_neighbours_go_with_them() -> None:
    assert maps_of(hand_written()["a cutoff on every edge"]) == {"receiver"}


def test_linear_maps_are_applied_after_the_sum() -> None:
    diagram = X.mix("u->v", v=5).sum("receiver")
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    assert totals(program, {"atom": 0, "edge": 1}).flops == 2 * 4


def test_nothing_changes_that_does_not_gain() -> None:
    """The product is an output: leaving it out of the sum would save nothing and cost another sum."""
    first, second = tuples("receiver")
    narrow = leg("a", "0e", on="edge").pull(first) @ leg("b", "0e", channels=64, on="edge").pull(second)
    whole = Diagram.of(outputs(each=narrow, total=narrow.mix("u->", constant=1.0).sum(first)))
    assert distribute(whole) is whole
    plain = Diagram.of(X.sum("receiver"))
    assert distribute(plain) is plain


def test_a_block_asks_for_nothing_new() -> None:
    """Without a row of the target anywhere, the base of the tuples need not be given, and is not asked for."""
    first, second = tuples("receiver")
    diagram = (X.pull(first) @ Y.pull(second))["0e"].sum(first)
    assert distribute(Diagram.of(diagram)) == Diagram.of(diagram)
    block = fusion_compiler.compile(diagram, dtype=torch.float64)
    x = torch.randn(2, 2, 4, dtype=torch.float64)
    pairs = {"receiver^2.0": torch.tensor([0, 0, 1, 1]), "receiver^2.1": torch.tensor([0, 1, 0, 1])}
    assert block(x=x, y=x, **pairs).shape == (2, 2, 2)


def test_deep_diagrams_are_left_alone() -> None:
    wire: Wire = X
    for _ in range(2000):
        wire = -wire
    diagram = Diagram.of(wire.sum("receiver"))
    assert distribute(diagram) is diagram
