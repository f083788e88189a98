"""Counts of generated layers: the columns of ``nbody_cormorant_fusion`` 1.5 and 4.3, and counts by brute force."""

from __future__ import annotations

from collections import Counter

import pytest

from fusion import Irrep, Irreps, Wire, leg
from fusion.generation import Generated, generate
from fusion.generation.classes import shape_classes, shape_text, spelled
from fusion.irreps import irreps_of
from fusion.trees import FusionTree, enumerate_trees, shapes

# (l_max, legs, with parity): "trees/sym" for L = 0, 1, 2, 3 of natural parity
SPECIFIED = {
    (1, 2, True): "2/2 2/1 1/1 0/0",
    (1, 3, True): "4/2 6/2 3/1 1/1",
    (2, 2, True): "3/3 4/2 4/3 2/1",
    (2, 3, True): "11/5 21/5 23/6 16/4",
    (2, 4, True): "55/9 124/9 148/13 124/9",
    (3, 2, True): "4/4 6/3 7/5 6/3",
    (3, 3, True): "23/8 51/12 65/14 65/15",
    (3, 4, True): "204/23 520/31 720/46 768/44",
    (4, 3, True): "42/14 99/21 139/29 155/31",
    (1, 2, False): "2/2 3/1 1/1 0/0",
    (1, 3, False): "5/2 9/2 5/1 1/1",
    (2, 2, False): "3/3 6/2 6/4 3/1",
    (2, 3, False): "15/5 36/6 40/8 29/6",
    (2, 4, False): "91/9 232/11 280/19 238/13",
    (3, 2, False): "4/4 9/3 11/7 10/4",
    (3, 3, False): "34/8 90/16 120/21 120/23",
    (3, 4, False): "364/26 1000/45 1400/75 1505/74",
    (4, 3, False): "65/15 180/30 260/46 295/52",
}
CASES = [
    ("0e+1o", 2, None),
    ("0e+1o", 3, None),
    ("0e+1o", 4, None),
    ("1o+1e", 3, None),
    ("2x1", 3, None),
    ("0e+1o+2e", 3, "0e+1o"),
    ("0e+1o", 4, "0e+1o+2e"),
]


def natural(l_max: int, parity: bool) -> Irreps:
    return irreps_of(Irrep(l, (-1) ** l if parity else 0) for l in range(l_max + 1))


def outs(l_max: int, legs: int, parity: bool) -> Irreps:
    return natural(min(3, l_max * legs), parity)


def written(layer: Generated, shape: int) -> str:
    found = {count.irrep.l: f"{count.by_shape[shape]}/{count.independent}" for count in layer.counts}
    return " ".join(found.get(l, "0/0") for l in range(4))


@pytest.mark.parametrize(("key", "expected"), SPECIFIED.items())
def test_identical_legs_have_the_counts_of_the_specification(key: tuple[int, int, bool], expected: str) -> None:
    l_max, order, parity = key
    wire = leg("A", natural(l_max, parity))
    for kind in ("comb", "balanced", "all"):
        layer = generate(wire, outs(*key), order, shape=kind)
        for shape in range(len(layer.shapes)):  # every shape alone spans what all of them span
            assert written(layer, shape) == expected
        kept = [(count.distinct, count.irrep) for count in layer.counts if count.distinct]
        assert layer.diagram.space.irreps == Irreps(tuple(kept))


@pytest.mark.parametrize("key", [(1, 4, True), (2, 3, False), (3, 2, True), (3, 3, True), (3, 4, True)])
def test_different_legs_are_all_independent(key: tuple[int, int, bool]) -> None:
    l_max, order, parity = key
    legs = [leg(name, natural(l_max, parity)) for name in "abcd"[:order]]
    comb = generate(legs, outs(*key), basis="full")
    every = generate(legs, outs(*key), shape="all", basis="reduced")
    for count, other in zip(comb.counts, every.counts, strict=True):
        assert count.trees == count.distinct == count.independent == count.kept
        assert other.by_shape == (count.trees,) * len(every.shapes)
        assert other.independent == other.kept == count.trees
    assert len(every.shapes) == {2: 1, 3: 3, 4: 15}[order]
    assert every.trees == comb.trees  # the comb comes first and is complete


@pytest.mark.parametrize(
    ("l_max", "parity", "paths", "terms"),
    [(1, False, 5, 16), (2, False, 15, 137), (3, False, 34, 611), (3, True, 23, 353), (4, True, 42, 1158)],
)
def test_the_terms_of_one_vertex_are_the_non_zero_couplings(l_max: int, parity: bool, paths: int, terms: int) -> None:
    layer = generate(leg("A", natural(l_max, parity)), natural(l_max, parity), 2, basis="full")
    assert (len(layer.trees), layer.terms) == (paths, terms)


def test_common_subtrees_are_counted_once() -> None:
    x = leg("x", "1o")
    assert generate(x, "0e", 2).terms == 3  # a dot product
    assert generate(x, "1o", 3, inner="0e").terms == 3 + 3  # times a vector
    assert generate(x, "0e", 4, inner="0e", shape="balanced").terms == 3 + 1  # the square of x.x
    assert generate(x, "1o", 1).terms == 0


def test_inner_lines_of_natural_parity_at_order_four() -> None:
    layer = generate(leg("A", natural(3, True)), "0e+1o+2e", 4, inner=natural(12, True), basis="full")
    assert [count.trees for count in layer.counts] == [158, 284, 358]


@pytest.mark.parametrize(("text", "order", "inner"), CASES)
@pytest.mark.parametrize("places", ["one wire", "two wires", "different wires"])
def test_distinct_trees_by_brute_force(text: str, order: int, inner: str | None, places: str) -> None:
    a, b = leg("a", text), leg("b", text)
    choices: dict[str, list[Wire]] = {
        "one wire": [a] * order,
        "two wires": [b if number == 1 else a for number in range(order)],
        "different wires": [leg(f"x{number}", text) for number in range(order)],
    }
    wires = choices[places]
    irreps = Irreps.parse(text)
    trees = [tree for shape in shapes(order) for tree in enumerate_trees(shape, [irreps] * order, None, inner)]
    keys = {up_to_exchange(tree, [wires.index(wire) for wire in wires]) for tree in trees} - {""}
    expected = Counter(key.split("=")[0] for key in keys)
    layer = generate(wires, irreps_of({tree.irrep for tree in trees}), inner=inner, shape="all")
    assert {str(count.irrep): count.distinct for count in layer.counts if count.distinct} == expected


def up_to_exchange(tree: FusionTree, wires: list[int]) -> str:
    """Write a tree with its branches sorted; empty when it is zero by exchange. Leaves are known by their wire."""
    if tree.left is None or tree.right is None:
        return f"{tree.irrep}={wires[tree.leaf]}.{tree.path}"
    left, right = up_to_exchange(tree.left, wires), up_to_exchange(tree.right, wires)
    if not left or not right or (left == right and tree.irrep.l % 2):
        return ""
    return f"{tree.irrep}=<{min(left, right)}|{max(left, right)}>"


@pytest.mark.parametrize(
    ("wires", "numbers"),
    [
        ((0, 0, 0, 0, 0, 0), (1, 1, 1, 2, 3, 6)),  # Wedderburn and Etherington
        ((0, 1, 2, 3, 4), (1, 1, 3, 15, 105)),  # (2k - 3)!!
        ((0, 0, 1, 1), (1, 1, 2, 6)),
    ],
)
def test_numbers_of_classes(wires: tuple[int, ...], numbers: tuple[int, ...]) -> None:
    for count, expected in enumerate(numbers, 1):
        found = shape_classes("all", wires[:count])
        assert len(found) == len(set(found)) == expected
        assert all(spelled(shape) == shape for shape in found)


def test_combs_and_balanced_shapes_are_spelled_as_they_are_meant() -> None:
    assert shape_text(shape_classes("comb", (0, 1, 2, 3))[0]) == "(((a b) c) d)"
    assert shape_text(shape_classes("balanced", (0, 1, 2, 3))[0]) == "((a b) (c d))"
    assert shape_text(shape_classes("comb", (0, 1, 0))[0], ["h", "Y"]) == "((h Y) h)"
    assert [shape_text(shape) for shape in shape_classes("all", (0, 1, 1))] == ["((a b) b)", "((b b) a)"]
    assert [shape_text(shape) for shape in shape_classes("all", (0, 0, 0, 0))] == ["(((a a) a) a)", "((a a) (a a))"]
