"""Sums that keep classes apart are taken over the factors that depend on them, as other sums are."""

from __future__ import annotations

import pytest
import torch

import fusion_compiler
from compiler.passes.measured import error_of
from fusion import Wire, add, label, leg, tuples
from fusion.diagram import Diagram, Sum, walk_nodes
from fusion_compiler import program as ops
from fusion_compiler.cost import totals
from fusion_compiler.passes.classes import MAX_CLASSES, taken_together, told_apart
from fusion_compiler.passes.distribute import distribute, distribute_all

FIRST, SECOND = tuples("receiver")
Z = label("z", 3)
X, Y, U, V = (leg(name, "0e+1o", channels=2, on="edge") for name in "xyuv")
R = leg("r", "1o", on="edge")
BARE = leg("s", "1o", on="edge")
TURNED = leg("t", "0+1", channels=(2, 3), on="edge")
CENTRE = leg("h", "0e+1o", channels=2)
OTHER, OWN = Z.pull("sender").pull(SECOND), Z.pull("sender").pull(FIRST)
PAIR = (X.pull(FIRST) @ Y.pull(SECOND))["0e+1o"]
SOLID = add(R.pull(FIRST), -1 * R.pull(SECOND)).solid_harmonics(2)


def sums() -> dict[str, Wire]:
    crossed = (PAIR @ (U.pull(FIRST) @ V.pull(SECOND))["0e+1o"])["0e+1o"]
    return {
        "of the one that is summed": PAIR.sum(FIRST, by=OTHER).sum("receiver"),
        "of the one that stays": PAIR.sum(FIRST, by=OWN).sum("receiver"),
        "of both": PAIR.sum(FIRST, by=OTHER).sum("receiver", by=Z.pull("sender")),
        "of the last sum": PAIR.sum(FIRST).sum("receiver", by=Z.pull("sender")),
        "of a product in another order": crossed.sum(FIRST, by=OTHER).sum("receiver"),
        "of solid harmonics": SOLID.scale(X["0e"].pull(FIRST)).sum(FIRST, by=OTHER).sum("receiver"),
        "without channels": (BARE.pull(FIRST) @ R.pull(SECOND))["0e+2e"].sum(SECOND, by=OWN).sum("receiver"),
        "of SO(3), two axes": (TURNED.pull(FIRST) @ TURNED.pull(SECOND))["1"].sum(FIRST, by=OTHER).sum("receiver"),
    }


@pytest.mark.parametrize("name", sums())
def test_no_tuple_is_formed(name: str) -> None:
    diagram = Diagram.of(sums()[name])
    for found in (distribute_all(diagram), distribute(diagram)):
        assert max(error_of(diagram, found, seed, rows) for seed in range(2) for rows in ((), (0,), (1,))) < 1e-12
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    assert {found for found, _, _ in program.maps} == {"receiver", "sender"}
    flops = {n: totals(program, {"atom": 1, "edge": n}).flops for n in (0, 50, 100)}
    assert flops[100] - flops[50] == flops[50] - flops[0]


@pytest.mark.parametrize("name", sums())
def test_there_and_back(name: str) -> None:
    diagram = Diagram.of(sums()[name])
    apart = told_apart(diagram)
    assert not any(isinstance(node, Sum) and node.by is not None for node in walk_nodes(apart))
    assert taken_together(apart) == diagram
    assert error_of(diagram, apart, 1) < 1e-12


def test_what_remains_is_a_sum_by_the_label() -> None:
    """The indicator of the class is multiplied with nothing."""
    found = distribute(Diagram.of(sums()["of the one that is summed"]))
    assert any(isinstance(node, Sum) and node.by is not None for node in walk_nodes(found))
    assert "mix(" not in str(found)


def test_the_centre_leaves_a_sum_by_classes() -> None:
    diagram = (X @ CENTRE.pull("receiver"))["0e+1o"].sum("receiver", by=Z.pull("sender"))
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    products = [item for item in program.instructions if isinstance(item, ops.Products | ops.Contract)]
    assert {program.shapes[item.out].on for item in products} == {"atom"}
    assert error_of(diagram, distribute(Diagram.of(diagram)), 0) < 1e-12


def test_what_stays_as_it_is() -> None:
    many = label("many", MAX_CLASSES + 1)
    for wire in (X.sum("receiver", by=Z.pull("sender")), PAIR.sum(FIRST, by=many.pull("sender").pull(FIRST))):
        diagram = Diagram.of(wire)
        assert taken_together(told_apart(diagram)) == diagram
        assert distribute(diagram) is diagram


@pytest.mark.parametrize("classes", [1, 3])
def test_weights_that_depend_on_the_class_keep_their_axis(classes: int) -> None:
    """A weighted fuse has weights for each class: the sum after it is no sum by the label of fewer weights."""
    z = label("z", classes).pull("sender").pull(FIRST)
    inner = BARE.pull(SECOND).sum(FIRST, by=z)
    diagram = Diagram.of((inner @ Y).on("u,v->uvw", w=2)["0e+1e"].sum("receiver"))
    for found in (distribute_all(diagram), distribute(diagram)):
        assert error_of(diagram, found, 3) < 1e-12
    assert error_of(diagram, None, 3) < 1e-12
