"""The trees of a shape: their number, against characters and the tables of ``nbody_cormorant_fusion`` 4.3."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.powers import combs
from fusion.rules import violation
from fusion.trees import FusionTree, Shape, balanced, count_trees, enumerate_trees, left_comb, shapes

# "trees/sym" for L = 0, 1, 2, 3 of natural parity; key (l_max, number of legs).
WITH_PARITY = {
    (1, 2): "2/2 2/1 1/1 0/0",
    (1, 3): "4/2 6/2 3/1 1/1",
    (2, 2): "3/3 4/2 4/3 2/1",
    (2, 3): "11/5 21/5 23/6 16/4",
    (2, 4): "55/9 124/9 148/13 124/9",
    (3, 2): "4/4 6/3 7/5 6/3",
    (3, 3): "23/8 51/12 65/14 65/15",
    (3, 4): "204/23 520/31 720/46 768/44",
    (4, 3): "42/14 99/21 139/29 155/31",
}
WITHOUT_PARITY = {
    (1, 2): "2/2 3/1 1/1 0/0",
    (1, 3): "5/2 9/2 5/1 1/1",
    (2, 2): "3/3 6/2 6/4 3/1",
    (2, 3): "15/5 36/6 40/8 29/6",
    (2, 4): "91/9 232/11 280/19 238/13",
    (3, 2): "4/4 9/3 11/7 10/4",
    (3, 3): "34/8 90/16 120/21 120/23",
    (3, 4): "364/26 1000/45 1400/75 1505/74",
    (4, 3): "65/15 180/30 260/46 295/52",
}
TABLE = [(key, 1, text) for key, text in WITH_PARITY.items()] + [(key, 0, text) for key, text in WITHOUT_PARITY.items()]

Weights = Counter[tuple[int, int]]
"""Character of a representation: how often each pair of (m, parity) occurs."""


def natural(l_max: int, parity: int) -> Irreps:
    """Return l = 0 .. l_max, with natural parity or (0) without."""
    return irreps_of(Irrep(l, parity and (-1) ** l) for l in range(l_max + 1))


def weights(irreps: Irreps) -> list[tuple[int, int]]:
    return [(m, irrep.p) for count, irrep in irreps for _ in range(count) for m in range(-irrep.l, irrep.l + 1)]


def tensor_power(irreps: Irreps, order: int) -> Weights:
    found: Weights = Counter({(0, 1): 1})
    for _ in range(order):
        step: Weights = Counter()
        for (m, p), number in found.items():
            for weight, parity in weights(irreps):
                step[m + weight, p * parity] += number
        found = step
    return found


def symmetric_power(irreps: Irreps, order: int) -> Weights:
    """Count the multisets of ``order`` components: the weights of the symmetric power."""
    found: list[Weights] = [Counter({(0, 1): 1}), *(Counter() for _ in range(order))]
    for weight, parity in weights(irreps):
        taken: list[Weights] = [Counter() for _ in range(order + 1)]
        for before in range(order + 1):
            for (m, p), number in found[before].items():
                for more in range(order + 1 - before):
                    taken[before + more][m + more * weight, p * parity**more] += number
        found = taken
    return found[order]


def multiplicity(character: Weights, irrep: Irrep) -> int:
    """Return how often an irrep occurs: its highest weight counted, without that of larger irreps."""
    return character[irrep.l, irrep.p] - character[irrep.l + 1, irrep.p]


def labels_of(shape: Shape, legs: Sequence[Irrep], total: Irrep, inner: Sequence[Irrep]) -> int:
    """Count the trees by trying every label on every inner line."""

    def roots(part: Shape, top: bool) -> Iterable[Irrep]:
        if isinstance(part, int):
            yield legs[part]
            return
        for a, b in itertools.product(roots(part[0], False), list(roots(part[1], False))):
            yield from (out for out in ((total,) if top else inner) if violation(a, b, out) is None)

    return sum(1 for _ in roots(shape, True))


@pytest.mark.parametrize(("key", "parity", "expected"), TABLE)
def test_the_table_of_trees_and_symmetric_couplings(key: tuple[int, int], parity: int, expected: str) -> None:
    l_max, legs = key
    wire, outs = natural(l_max, parity), natural(3, parity).kinds()
    trees = count_trees(left_comb(legs), [wire] * legs)
    symmetric, full = symmetric_power(wire, legs), tensor_power(wire, legs)
    assert [trees.get(out, 0) for out in outs] == [multiplicity(full, out) for out in outs]
    assert " ".join(f"{trees.get(out, 0)}/{multiplicity(symmetric, out)}" for out in outs) == expected
    for shape in (*shapes(legs), balanced(range(legs)[::-1])):
        assert count_trees(shape, [wire] * legs) == trees
    assert all(number == multiplicity(full, out) for out, number in trees.items())
    assert list(trees) == sorted(trees)


def test_counts_of_a_mace_product() -> None:
    wire = Irreps.parse("0e+1o+2e+3o")
    assert count_trees(left_comb(3), [wire] * 3, "0e+1o+2e") == {Irrep(0, 1): 23, Irrep(1, -1): 51, Irrep(2, 1): 65}
    found = count_trees(left_comb(4), [wire] * 4, "0e+1o+2e", natural(9, 1))
    assert list(found.values()) == [158, 284, 358]
    assert list(count_trees(left_comb(4), [wire] * 4, "0e+1o+2e").values()) == [204, 520, 720]


@pytest.mark.parametrize("shape", [left_comb(4), balanced(4), (3, ((0, 2), 1))])
@pytest.mark.parametrize("legs", [("1o", "1o", "2e", "1o"), ("2", "1", "2", "1")])
def test_enumeration_against_trying_every_label(shape: Shape, legs: tuple[str, ...]) -> None:
    wires = [Irrep.parse(leg) for leg in legs]
    every = [Irrep(l, p) for l in range(8) for p in ((0,) if wires[0].p == 0 else (1, -1))]
    trees = enumerate_trees(shape, legs)
    assert Counter(tree.irrep for tree in trees) == count_trees(shape, legs)
    assert len(set(trees)) == len(trees)
    for tree in trees:
        assert tree.shape == shape
        assert [leaf.irrep for leaf in tree.leaves] == [wires[leaf.leaf] for leaf in tree.leaves]
        assert FusionTree.vertex(*(tree.branches or (tree, tree)), tree.irrep) == tree
    for total in every:
        found = [tree for tree in trees if tree.irrep == total]
        assert len(found) == labels_of(shape, wires, total, every)
        assert enumerate_trees(shape, legs, total) == tuple(found)
        caps = [irrep for irrep in every if irrep.l < 3]
        capped = enumerate_trees(shape, legs, total, irreps_of(caps))
        assert len(capped) == labels_of(shape, wires, total, caps)
        assert capped == tuple(tree for tree in found if set(tree.inner) <= set(caps))


def test_the_order_is_that_of_a_chain_of_fuses() -> None:
    wire = Irreps.parse("0e+2x1o+2e")
    trees = enumerate_trees(left_comb(3), [wire] * 3, "0e+1o+1e")
    found = [(tuple((leaf.irrep, leaf.path) for leaf in tree.leaves), tree.inner, tree.irrep) for tree in trees]
    expected = combs(wire, 3, Irreps.parse("0e+1o+1e"), None)
    assert found == [(comb.legs, comb.inner, comb.out) for comb in expected]


def test_every_path_of_a_leg_counts() -> None:
    assert count_trees((0, 1), ["2x0e+1o", "3x1o"]) == {
        Irrep(0, 1): 3,
        Irrep(1, -1): 6,
        Irrep(1, 1): 3,
        Irrep(2, 1): 3,
    }
    trees = enumerate_trees((0, 1), ["2x1o", "3x1o"], "0e")
    paths = [tuple(leaf.path for leaf in tree.leaves) for tree in trees]
    assert paths == list(itertools.product(range(2), range(3)))
    # Entries of one irrep are numbered through, in the canonical order.
    assert enumerate_trees(0, ["1o+0e+1o"], "1o") == (FusionTree.leg(0, "1o"), FusionTree.leg(0, "1o", 1))


def test_nothing_to_list() -> None:
    assert count_trees(left_comb(2), ["1o", "1o"], "3e") == {}
    assert enumerate_trees(left_comb(2), ["1o", "0x0e"]) == ()
    assert enumerate_trees(left_comb(3), ["1o", "1o", "1o"], "1o", "3e") == ()


def test_degrees_above_the_limit_are_not_dropped_in_silence() -> None:
    for count in (count_trees, enumerate_trees):
        with pytest.raises(LimitError, match="9o x 9o reaches l = 18, above 16; restrict the root and the inner lines"):
            count((0, 1), ["9o", "9o"])
        with pytest.raises(LimitError, match="9e x 9e reaches l = 18, above 16"):
            count(((0, 1), 2), ["9e", "9e", "9e"], "9e")
        # 17 lies below the root of 16: that tree exists, and cannot be written.
        with pytest.raises(LimitError, match="9 x 9 reaches l = 17, above 16"):
            count(((0, 1), 2), ["9", "9", "1"], "16")
    # A line that cannot reach the root is needed by no tree.
    assert count_trees(((0, 1), 2), ["9e", "9e", "9e"], "1e") == {Irrep(1, 1): 3}
    assert count_trees(((0, 1), 2), ["9e", "9e", "1e"], "1e") == {Irrep(1, 1): 3}
    assert len(enumerate_trees((2, (0, 1)), ["9e", "9e", "1e"], "15e")) == 3
    assert count_trees(((0, 1), 2), ["9e", "9e", "9e"], "9e", "0e+1e") == {Irrep(9, 1): 2}


def test_too_many_trees_are_refused_before_they_are_listed() -> None:
    wire = Irreps.parse("40x1o")
    assert sum(count_trees(left_comb(4), [wire] * 4).values()) == 40**4 * 19
    with pytest.raises(LimitError, match="48640000 trees are above the limit of 100000; restrict the root"):
        enumerate_trees(left_comb(4), [wire] * 4)
    # Also when only a part of the shape is large.
    with pytest.raises(LimitError, match="trees are above the limit of 100000"):
        enumerate_trees(left_comb(4), ["300x1o", "300x1o", "300x1o", "0x0e"])


@pytest.mark.parametrize("shape", [left_comb(2), left_comb(4), ((0, 0), 1), ((0, 1), 3)])
def test_a_shape_joins_every_leg_once(shape: Shape) -> None:
    for count in (count_trees, enumerate_trees):
        with pytest.raises(NotationError, match="needs each of its legs once, numbered from 0 to 2"):
            count(shape, ["1o", "1o", "1o"])


def test_one_group() -> None:
    for options in ({"total": "1"}, {"inner": "0+1"}):
        with pytest.raises(NotationError, match=r"are of O\(3\) or of SO\(3\), not both: 1o, 1o, 1o, "):
            count_trees(left_comb(3), ["1o", "1o", "1o"], **options)
    with pytest.raises(NotationError, match=r"are of O\(3\) or of SO\(3\), not both: 1o, 1"):
        enumerate_trees(left_comb(2), ["1o", "1"])


def test_a_comb_of_vectors_has_motzkin_like_counts() -> None:
    """Invariants of k vectors of SO(3): the Riordan numbers 1, 0, 1, 1, 3, 6, 15, 36, 91."""
    found = [count_trees(left_comb(k), ["1"] * k, "0").get(Irrep(0, 0), 0) for k in range(2, 9)]
    assert found == [1, 1, 3, 6, 15, 36, 91]
    assert math.prod([3] * 4) == sum(
        number * irrep.dim for irrep, number in count_trees(balanced(4), ["1"] * 4).items()
    )
