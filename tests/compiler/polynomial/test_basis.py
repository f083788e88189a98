"""Trees read off nodes, and nodes made from trees."""

from __future__ import annotations

import numpy as np

from fusion import Wire, evaluate, leg
from fusion.diagram import Diagram
from fusion.irreps import Irrep
from fusion.pattern import Pattern
from fusion.sampling import random_tensors
from fusion_compiler.layout import Layout
from fusion_compiler.passes.expand import write_out
from fusion_compiler.polynomial.basis import MAX_LEGS, basis_of
from fusion_compiler.polynomial.nodes import Couple, Coupled
from fusion_compiler.polynomial.plain import plain
from fusion_compiler.polynomial.realise import Realised, counted

A, B, Y = (
    leg("a", "0e+1o", channels=2, on="atom"),
    leg("b", "2x0e+1o", channels=2, on="atom"),
    leg("y", "1o+2e", on="atom"),
)


def legs_in(wire: Wire) -> int:
    """Return the number of legs of the largest tree of a wire."""
    return max(len(tree.leaves) for tree, _ in basis_of(wire).trees.values())


def realised(wire: Wire) -> Wire:
    """Return nodes made from the trees of a wire, in the order of its paths."""
    basis = basis_of(wire)
    trees = [tree for tree, _ in basis.trees.values()]
    found, places = Realised(trees, basis.legs, basis.letters).sum(trees)
    assert [places[tree][0] for tree in trees] == [irrep for irrep, _ in basis.trees]
    return found


def test_trees_have_the_values_of_the_paths() -> None:
    """The dense value of a wire and that of the nodes made from its trees agree path by path, to 1e-12."""
    wires = [(A @ B)["0e+1o"], ((A @ B)["1o"] @ Y)["0e+2e"], ((Y @ A) @ (A @ B))["1e"], (A @ A).on("u,v->vu")["1o"]]
    for number, wire in enumerate(wires):
        written = plain(Diagram.of(realised(wire))).diagram
        inputs = random_tensors(wire, np.random.default_rng(number))
        first, second = (evaluate(d, inputs.tensors, {})["out"] for d in (Diagram.of(wire), written))
        basis = basis_of(wire)
        trees = [tree for tree, _ in basis.trees.values()]
        _, places = Realised(trees, basis.legs, basis.letters).sum(trees)
        full, other = Layout.full(wire.space), Layout.full(written.outputs[0][1].space)
        for path, (tree, factor) in basis.trees.items():
            mine, there = full.components([path]), other.components([places[tree]])
            assert np.allclose(first.value[..., mine], factor * second.value[..., there], rtol=0, atol=1e-12)


def test_equal_values_with_the_same_letters_are_one_leg() -> None:
    same = leg("c", "0e+1o", channels=2, on="atom", same="a")
    assert len(basis_of((A @ same)["0e"]).legs) == 1
    assert len(basis_of((A @ A).on("u,v->uv")["0e"]).legs) == 2
    assert [item.letters for item in basis_of((A @ Y)["0e"]).legs] == ["a", ""]


def test_contracted_channels_and_weights_end_a_tree() -> None:
    dot = (A @ B).on("u,u->")["1o"]
    weighted = (A @ B).on("u,v->w", w=3)["1o"]
    for wire in (dot, weighted, A.mix("u->v"), A):
        assert legs_in(wire) == 1


def test_a_tree_has_at_most_so_many_legs() -> None:
    scalar = leg("s", "0e", channels=2, on="atom")
    wire: Wire = scalar
    for _ in range(MAX_LEGS + 2):
        wire = wire @ scalar
    assert 1 < legs_in(wire) <= MAX_LEGS


def test_powers_are_read_as_combs() -> None:
    wire = write_out(Diagram.of(A.power(1, 2, 3, basis="reduced")["0e"])).outputs[0][1]
    basis = basis_of(wire)
    assert sorted(len(tree.leaves) for tree, _ in basis.trees.values()) == [1, 2, 2, 3, 3]
    assert len(basis.legs) == 1


def test_a_vertex_with_sums_is_a_leg() -> None:
    zero, one = (Irrep.parse("0e"), 0), (Irrep.parse("1o"), 0)
    summed = Couple(
        A, B, Pattern(("u", "u"), "u"), (Coupled(one, one, zero), Coupled(zero, zero, zero)), counted([zero])
    )
    assert legs_in(summed) == 1
    single = Couple(A, B, Pattern(("u", "u"), "u"), (Coupled(one, one, zero, -2.0),), counted([zero]))
    ((tree, factor),) = basis_of(single).trees.values()
    assert (len(tree.leaves), factor) == (2, -2.0)
