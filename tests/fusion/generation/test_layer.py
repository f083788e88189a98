"""Generated layers: values against dense contractions of every tree, independence, and what is refused."""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion import (
    ChannelError,
    DiagramError,
    IndexSpaceError,
    Irrep,
    Irreps,
    Leg,
    LimitError,
    NotationError,
    SelectionRuleError,
    Wire,
    evaluate,
    leg,
    parameters,
    parse,
    walk_nodes,
)
from fusion.diagram import Fuse
from fusion.generation import Generated, generate
from fusion.powers import combs, independent
from fusion.trees import FusionTree

Array = NDArray[np.float64]
A, B, C, D = (leg(name, "0e+1o+2e") for name in "ABCD")
SMALL = [leg(name, "0e+1o") for name in "abcd"]
S, T = SMALL[:2]
MANY = [leg("a", "40x0e"), leg("b", "40x0e"), leg("c", "39x0e+1o")]
PAIRS = leg("P", "2x1o+1e", channels=2)
CASES: list[tuple[list[Wire], str, str | None]] = [
    ([A, A], "0e+1o+2e+3o", None),
    ([A, A, A], "0e+1o", None),
    ([A, B, A], "0e+1o", "0e+1o+2e"),
    ([A, B, C], "1o+1e", None),
    ([S, S, S, S], "0e+1o+1e", None),
    ([S, T, T, S], "0e+2e", "0e+1o"),
    (list(SMALL), "1o", None),
    ([PAIRS, PAIRS], "0e+0o+1e", None),
    ([PAIRS, PAIRS, leg("Q", "1o", channels=2)], "0o+1o", "1e+1o"),
    ([leg("x", "1+2"), leg("y", "1")], "0+1", None),
    ([leg("h", "0e+1o", channels=3), leg("Y", "0e+1o", on="edge").sum("receiver")], "0e+1o", None),
]


@pytest.mark.parametrize("basis", ["full", "distinct", "reduced"])
@pytest.mark.parametrize("shape", ["comb", "balanced", "all"])
@pytest.mark.parametrize(("legs", "out", "inner"), CASES)
def test_every_path_is_its_tree(legs: list[Wire], out: str, inner: str | None, shape: str, basis: str) -> None:
    layer = generate(legs, out, inner=inner, shape=shape, basis=basis)
    given = inputs_of(legs)
    values = [evaluate(wire, inputs_of([wire]), None, {"atom": 2})["out"].value for wire in layer.wires]
    found = evaluate(layer.diagram, given, None, {"atom": 2})["out"]
    assert found.error(np.concatenate([contraction(tree, layer, values) for tree in layer.trees], axis=-1)) < 1e-12
    assert list(layer.trees) == sorted(layer.trees, key=lambda tree: tree.irrep)
    for count in layer.counts:
        assert count.kept == sum(tree.irrep == count.irrep for tree in layer.trees)
        assert count.kept == {"full": count.trees, "distinct": count.distinct, "reduced": count.independent}[basis]
    assert parse(str(layer.diagram)) == layer.diagram


def inputs_of(wires: Sequence[Wire]) -> dict[str, Any]:
    """Return a random tensor for every leg below these wires, the same for the same leg, and the map where needed."""
    given: dict[str, Any] = {}
    for wire in wires:
        for node in walk_nodes(wire):
            if isinstance(node, Leg):
                random = np.random.default_rng(list(node.name.encode()))
                rows = 3 if node.space.on == "edge" else 2
                given[node.source] = random.normal(size=(rows, *node.space.sizes, node.space.dim))
                if node.space.on == "edge":
                    given["receiver"] = [0, 1, 1]
    return given


def contraction(tree: FusionTree, layer: Generated, values: Sequence[Array]) -> Array:
    """Contract the dense coupling of a tree with the components on its leaves, row by row, channel by channel."""
    factors: list[Array] = []
    for leaf in tree.leaves:
        (segment,) = [part for part in layer.wires[leaf.leaf].space.segments if part.irrep == leaf.irrep]
        start = segment.offset + leaf.path * leaf.irrep.dim
        factors.append(values[leaf.leaf][..., start : start + leaf.irrep.dim])
    if len({factor.ndim for factor in factors}) > 1:  # a wire without channels meets one with channels
        factors = [factor[:, None] if factor.ndim == 2 else factor for factor in factors]
    letters = string.ascii_lowercase[: len(factors)]
    terms = ",".join(f"...{letter}" for letter in letters)
    return np.einsum(f"{terms},{letters}z->...z", *factors, ordered(tree).tensor())


def ordered(tree: FusionTree) -> FusionTree:
    """Return the tree with its leaves numbered from left to right."""
    numbers = iter(range(len(tree.leaves)))

    def renumbered(part: FusionTree) -> FusionTree:
        if part.left is None or part.right is None:
            return FusionTree(part.irrep, next(numbers), part.path)
        return FusionTree(part.irrep, left=renumbered(part.left), right=renumbered(part.right))

    return renumbered(tree)


RANKS: list[tuple[list[Wire], str, str | None]] = [
    ([S, S, S], "0e+1o+2e", None),
    ([S, S, S, S], "0e+1o", None),
    ([S, S, S, S], "0e+1o", "0e+1o"),
    ([S, S, S, S], "0e+2e", "1o"),
    ([S, T, S, T], "0e+1o", "0e+1o"),
    (list(SMALL), "0e+1o", "0e+1o"),
    (list(SMALL), "0e+1e", "2e+1o"),
    ([leg("p", "2x1"), leg("q", "0+1"), leg("q", "0+1")], "0+1", "0+1"),
]


@pytest.mark.parametrize("shape", ["comb", "balanced", "all"])
@pytest.mark.parametrize(("legs", "out", "inner"), RANKS)
def test_the_reduced_basis_is_independent_and_spans_all_trees(
    legs: list[Wire], out: str, inner: str | None, shape: str
) -> None:
    full, distinct, reduced = (
        generate(legs, out, inner=inner, shape=shape, basis=basis) for basis in ("full", "distinct", "reduced")
    )
    for count in reduced.counts:
        every, some, few = (symmetrised(layer, count.irrep, legs) for layer in (full, distinct, reduced))
        rank = np.linalg.matrix_rank(every, tol=1e-9) if every.size else 0
        assert count.independent == rank == len(few)
        for table in (some, few):
            assert (np.linalg.matrix_rank(table, tol=1e-9) if table.size else 0) == rank


def symmetrised(layer: Generated, irrep: Irrep, legs: Sequence[Wire]) -> Array:
    """Return one row per tree: its coupling over whole legs, averaged over permutations of identical ones."""
    order = [layer.wires.index(wire) for wire in legs]
    rows: list[Array] = []
    for tree in layer.trees:
        if tree.irrep != irrep:
            continue
        leaves = tree.leaves
        whole = np.zeros([*(layer.wires[leaf.leaf].space.dim for leaf in leaves), irrep.dim])
        places: list[slice] = []
        for leaf in leaves:
            (segment,) = [part for part in layer.wires[leaf.leaf].space.segments if part.irrep == leaf.irrep]
            start = segment.offset + leaf.path * leaf.irrep.dim
            places.append(slice(start, start + leaf.irrep.dim))
        whole[tuple(places)] = ordered(tree).tensor()
        wires = [leaf.leaf for leaf in leaves]
        total = sum(
            whole.transpose(*move, len(leaves))
            for move in permutations(range(len(leaves)))
            if [wires[place] for place in move] == order
        )
        rows.append(np.ravel(total))
    return np.array(rows).reshape(len(rows), -1)


def test_shapes_span_different_spaces_within_caps() -> None:
    legs = [leg(name, "1o") for name in "abcd"]
    counts = {
        shape: generate(legs, "0e", inner="0e+1o", shape=shape).counts[0].independent
        for shape in ("comb", "balanced", "all")
    }
    # (a.b)(c.d) alone; with (a.c)(b.d) and (a.d)(b.c) they are three, and no more are possible
    assert counts == {"comb": 1, "balanced": 1, "all": 3}
    assert generate(legs, "0e").counts[0].independent == 3


@pytest.mark.parametrize(("inner", "order"), [(None, 3), ("0e+1o", 3), ("0e+1o+1e+2e", 4)])
@pytest.mark.parametrize("basis", ["full", "reduced"])
def test_combs_of_one_wire_are_a_power(inner: str | None, order: int, basis: str) -> None:
    layer = generate(A, "0e+1o", order, inner=inner, basis=basis)
    assert layer.diagram == A.power(order, basis=basis, inner=inner)["0e+1o"]
    arguments = (A.space.irreps, order, Irreps.parse("0e+1o"), None if inner is None else Irreps.parse(inner))
    trees = combs(*arguments)
    kept = range(len(trees)) if basis == "full" else independent(*arguments)
    assert [((*tree.inner, tree.irrep), [(leaf.irrep, leaf.path) for leaf in tree.leaves]) for tree in layer.trees] == [
        ((*trees[place].inner, trees[place].out), list(trees[place].legs)) for place in kept
    ]


def test_a_layer_of_one_leg_selects() -> None:
    layer = generate(A, "1o", 1)
    assert str(layer.diagram) == "leg A: 0e+1o+2e, on atom; A[1o]"
    assert [str(tree) for tree in layer.trees] == ["a:1o"]
    assert layer.shapes == (0,)


def test_legs_that_are_one_tensor_are_identical() -> None:
    other = leg("B", "0e+1o", same="a")
    layer = generate([S, other, S], "0e+1o", basis="reduced")
    assert layer.wires == (S,)
    assert layer.diagram == generate(S, "0e+1o", 3, basis="reduced").diagram


def test_equal_parts_are_one_node() -> None:
    layer = generate(S, "0e", 4, shape="all")
    squares = [node for node in walk_nodes(layer.diagram) if isinstance(node, Fuse) and node.left == node.right == S]
    assert len(squares) == 1


def test_channels_end_in_a_mix_of_all_trees() -> None:
    wire = leg("A", "0e+1o", channels=4)
    bare = generate(wire, "0e+1o", 3, basis="reduced")
    layer = generate(wire, "0e+1o", 3, basis="reduced", channels=8)
    assert layer.diagram == bare.diagram.mix("u->v", v=8)
    assert layer.trees == bare.trees
    assert {found.name: found.shape for found in parameters(layer.diagram)} == {
        "mix1_0e": (1, bare.counts[0].kept, 4, 8),
        "mix1_1o": (1, bare.counts[1].kept, 4, 8),
    }
    assert generate(S, "0e", 2, channels=3).diagram.space.sizes == (3,)
    with pytest.raises(NotationError, match="channel axes u, v needs its own mix"):
        generate(leg("A", "0e", channels=(2, 2)), "0e", 2, channels=3)


def test_irreps_that_vanish_by_exchange_are_left_out() -> None:
    layer = generate(leg("v", "1o"), "0e+1e", 2)
    assert [(count.trees, count.distinct, count.kept) for count in layer.counts] == [(1, 1, 1), (1, 0, 0)]
    assert str(layer.diagram.space.irreps) == "0e"
    with pytest.raises(SelectionRuleError, match="all trees are zero, because legs are one tensor"):
        generate(leg("v", "1o"), "1e", 2)
    # no exchange of two branches shows that ((v v)2e v)2o is zero, but three equal vectors have no 2o
    zero = generate(leg("v", "1o"), "2o", 3)
    assert [(count.trees, count.distinct, count.independent) for count in zero.counts] == [(2, 1, 0)]
    with pytest.raises(SelectionRuleError, match="all trees are zero"):
        generate(leg("v", "1o"), "2o", 3, basis="reduced")


def test_the_table() -> None:
    layer = generate(leg("A", "0e+1o+2e+3o", channels=16), "0e+1o+2e", 3, basis="reduced", channels=16)
    assert str(layer).splitlines() == [
        "leg A: 0e+1o+2e+3o [u=16] on atom",
        "     trees  distinct  independent  kept",
        " 0e     23        15            8     8",
        " 1o     51        29           12    12",
        " 2e     65        36           14    14",
        "all    139        80           34    34",
        "shape ((A A) A): 23 0e, 51 1o, 65 2e",
        f"terms: {layer.terms} per row and channel",
    ]
    assert layer == generate(leg("A", "0e+1o+2e+3o", channels=16), "0e+1o+2e", 3, basis="reduced", channels=16)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((A, "0e"), {}, NotationError, "one wire needs the number of times it is taken"),
        ((A, "0e", 2.5), {}, NotationError, "must be an integer, got 2.5"),
        ((A, "0e", 0), {}, NotationError, "at least one leg"),
        (([], "0e"), {}, NotationError, "at least one leg"),
        (([A, B], "0e", 3), {}, NotationError, "2 legs do not make a layer of order 3"),
        ((A, "0e", 10**9), {}, LimitError, "1000000000 legs is above the limit of 6"),
        (([A, "B"], "0e"), {}, NotationError, "a leg of a layer is a wire, not str 'B'"),
        ((A, "0e", 2), {"shape": "star"}, NotationError, "comb, balanced, all, not 'star'"),
        ((A, "0e", 2), {"basis": "small"}, NotationError, "full, distinct, reduced, not 'small'"),
        ((A, "0x0e", 2), {}, NotationError, "at least one irrep"),
        ((A, "1q", 2), {}, NotationError, "expected"),
        ((S, "3o+4e", 2), {}, SelectionRuleError, "couples to 3o, 4e; reachable: 0e[+]1o[+]1e[+]2e"),
        ((S, "2e", 3), {"inner": "0e"}, SelectionRuleError, "couples to 2e within inner lines 0e; reachable: 0e[+]1o"),
        ((S, "0", 2), {}, SelectionRuleError, "couples to 0; reachable"),
        (([S, leg("x", "1")], "0e"), {}, SelectionRuleError, r"O\(3\) and SO\(3\)"),
        (([leg("x", "1o", channels=2), leg("y", "1o", channels=3)], "0e"), {}, ChannelError, "different channels"),
        (([S, leg("x", "1o", on="edge")], "0e"), {}, IndexSpaceError, "atom"),
        ((leg("x", "1o", on="edge")["3o"], "0e", 1), {}, DiagramError, "3o"),
        ((leg("x", "40x0e+40x1o"), "0e+1o", 3), {}, LimitError, "323200 trees is above the limit of 100000"),
        (([leg("x", "300x0e"), leg("y", "300x0e")], "0e"), {}, DiagramError, "300 with 300 paths is above the limit"),
        (([leg(x, "60x0e") for x in "abc"], "0e", 3), {}, LimitError, "216000 trees is above the limit of 100000"),
        ((MANY, "1o"), {}, LimitError, "1600 with 40 paths is above the limit of 100000; restrict the inner lines"),
        ((leg("x", "9o"), "5o", 5), {}, LimitError, "above 16"),
        ((A, "0e", 2), {"channels": 0}, NotationError, "needs at least one channel, got channels=0"),
    ],
)
def test_refusals(arguments: Any, options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        generate(*arguments, **options)


def test_large_degrees_are_fine_when_the_lines_are_restricted() -> None:
    layer = generate(leg("x", "9o"), "9o", 3, inner="0e")
    assert [count.independent for count in layer.counts] == [1]
    every = "+".join(f"{l}e" for l in range(17))
    assert str(generate([leg("x", "9o"), leg("y", "9o")], every).diagram.space.irreps) == every
    assert str(generate(leg("x", "9o"), "1o", 3, basis="reduced").diagram.space.irreps) == "1o"
