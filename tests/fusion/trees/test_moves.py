"""R-moves and F-moves: they keep the dense coupling, are coherent, and refuse to lose a label.

Identities are numbered as in ``nbody_cormorant_fusion`` 1.4: I1 exchange, I2 F-move, I3 orthogonality of F, I4 9j move.
The pentagon and the hexagon say that two ways from one tree to another give the same combination.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from math import prod, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep, Irreps
from fusion.rules import coupled
from fusion.symbols import ninej
from fusion.trees import (
    Combination,
    FusionTree,
    RecouplingError,
    Shape,
    balanced,
    enumerate_trees,
    f_move,
    inverse_f_move,
    left_comb,
    r_move,
)

Move = Callable[[FusionTree], Combination]
leg, join = FusionTree.leg, FusionTree.vertex


def comb(a: str, b: str, c: str, inner: str, total: str) -> FusionTree:
    """((a b)_inner c)_total."""
    return join(join(leg(0, a), leg(1, b), inner), leg(2, c), total)


def dense(trees: Combination) -> NDArray[np.float64]:
    return np.sum([coefficient * tree.tensor() for tree, coefficient in trees.items()], axis=0)


def after(trees: Combination, *moves: Move) -> dict[FusionTree, float]:
    """Apply moves one after the other to every tree of a combination."""
    current = dict(trees)
    for move in moves:
        found: dict[FusionTree, float] = {}
        for tree, coefficient in current.items():
            for other, factor in move(tree).items():
                found[other] = found.get(other, 0.0) + coefficient * factor
        current = found
    return current


def difference(one: Mapping[FusionTree, float], other: Mapping[FusionTree, float]) -> float:
    return max((abs(one.get(tree, 0.0) - other.get(tree, 0.0)) for tree in {*one, *other}), default=0.0)


def trees_up_to(l_max: int, shape: Shape, legs: int) -> list[FusionTree]:
    """Return the trees over every set of labels: legs and root up to ``l_max``, inner lines as large as they get."""
    found: list[FusionTree] = []
    for labels in itertools.product(range(l_max + 1), repeat=legs):
        found.extend(enumerate_trees(shape, [Irrep(l, 0) for l in labels], "+".join(map(str, range(l_max + 1)))))
    return found


def test_a_chosen_move_of_each_kind() -> None:
    tree = comb("1o", "1o", "1o", "1e", "1o")
    assert r_move(tree) == {join(leg(2, "1o"), join(leg(0, "1o"), leg(1, "1o"), "1e"), "1o"): -1.0}
    assert r_move(tree, (0,)) == {join(join(leg(1, "1o"), leg(0, "1o"), "1e"), leg(2, "1o"), "1o"): -1.0}
    expected = {"0e": -1 / sqrt(3), "1e": 1 / 2, "2e": sqrt(15) / 6}
    found = {str(other.at((1,)).irrep): factor for other, factor in f_move(tree).items()}
    assert found == pytest.approx(expected, abs=1e-15)
    assert all(other.shape == (0, (1, 2)) for other in f_move(tree))
    assert difference(after(f_move(tree), inverse_f_move), {tree: 1.0}) < 1e-15


@pytest.mark.parametrize("legs", [("1o", "2e", "1e"), ("2", "1", "2"), ("0e", "1o", "2o"), ("3o", "2e", "1o")])
def test_i1_i2_i3_on_dense_couplings(legs: tuple[str, ...]) -> None:
    for tree in enumerate_trees(((0, 1), 2), legs):
        for moved in (r_move(tree), r_move(tree, (0,)), f_move(tree)):
            assert np.abs(dense(moved) - tree.tensor()).max() < 1e-14
            assert sum(factor**2 for factor in moved.values()) == pytest.approx(1.0, abs=1e-14)
    for tree in enumerate_trees((0, (1, 2)), legs):
        moved = inverse_f_move(tree)
        assert np.abs(dense(moved) - tree.tensor()).max() < 1e-14
        assert difference(after(moved, f_move), {tree: 1.0}) < 1e-14


def test_i4_is_five_moves() -> None:
    """((12)_a (34)_b)_L in ((13)_c (24)_e)_L: sqrt of the dimensions times a 9j symbol."""
    every = [enumerate_trees(balanced(4), [*legs]) for legs in ("1111", "2111", "1221", "1210", "2212")]
    cases = [tree for trees in every for tree in trees]
    for tree in cases:
        found = after(
            {tree: 1.0},
            f_move,  # (1 (2 (3 4)))
            lambda one: inverse_f_move(one, (1,)),  # (1 ((2 3) 4))
            lambda one: r_move(one, (1, 0)),  # (1 ((3 2) 4))
            lambda one: f_move(one, (1,)),  # (1 (3 (2 4)))
            inverse_f_move,  # ((1 3) (2 4))
        )
        l1, l2, l3, l4 = (leaf.irrep.l for leaf in tree.leaves)
        (a, b), total = (line.l for line in tree.inner), tree.irrep.l
        for other in enumerate_trees(((0, 1), (2, 3)), [str(l1), str(l3), str(l2), str(l4)], tree.irrep):
            c, e = (line.l for line in other.inner)
            weight = sqrt(prod(2 * l + 1 for l in (a, b, c, e)))
            left = join(leg(0, str(l1)), leg(2, str(l3)), str(c))
            right = join(leg(1, str(l2)), leg(3, str(l4)), str(e))
            coefficient = found.pop(join(left, right, tree.irrep), 0.0)
            assert coefficient == pytest.approx(weight * ninej(l1, l2, a, l3, l4, b, c, e, total), abs=1e-14)
        assert all(abs(coefficient) < 1e-14 for coefficient in found.values())
    assert len(cases) == 145


def test_pentagon_for_every_label_set_up_to_two() -> None:
    cases = trees_up_to(2, left_comb(4), 4)
    assert len(cases) == 91 + 232 + 280  # the table of 4.3, without parity
    for tree in cases:
        short = after({tree: 1.0}, f_move, f_move)
        long = after({tree: 1.0}, lambda one: f_move(one, (0,)), f_move, lambda one: f_move(one, (1,)))
        assert difference(short, long) < 1e-14
        assert all(other.shape == (0, (1, (2, 3))) for other in short)


def test_hexagon_for_every_label_set_up_to_two() -> None:
    """Carrying leg 0 past legs 1 and 2 one after the other, or past both at once; the braiding is its own inverse."""
    cases = trees_up_to(2, left_comb(3), 3)
    assert len(cases) == 15 + 36 + 40  # the table of 4.3, without parity
    for tree in cases:
        one_by_one = after({tree: 1.0}, lambda one: r_move(one, (0,)), f_move, lambda one: r_move(one, (1,)))
        at_once = after({tree: 1.0}, f_move, r_move, f_move)
        assert difference(one_by_one, at_once) < 1e-14
        assert all(other.shape == (1, (2, 0)) for other in at_once)
        assert after({tree: 1.0}, r_move, r_move) == {tree: 1.0}


def test_moves_act_below_the_root_and_keep_paths() -> None:
    tree = join(leg(4, "1o", 7), comb("1o", "2e", "1o", "2o", "2e"), "2o")
    moved = f_move(tree, (1,))
    assert all(other.shape == (4, (0, (1, 2))) for other in moved)
    assert all(other.leaves[0] == leg(4, "1o", 7) for other in moved)
    assert {other.at((1,)): factor for other, factor in moved.items()} == f_move(tree.at((1,)))
    assert np.abs(dense(moved) - tree.tensor()).max() < 1e-14


def test_a_move_that_would_lose_a_label_is_refused() -> None:
    tree = comb("1o", "1o", "1o", "0e", "1o")
    with pytest.raises(RecouplingError) as caught:
        f_move(tree, inner="0e+1o+2o")
    assert caught.value.missing == (Irrep(1, 1), Irrep(2, 1))
    assert str(caught.value) == (
        "((a:1o b:1o)0e c:1o)1o cannot be recoupled within inner lines 0e+1o+2o: 1e, 2e would be lost; "
        "allow 1e, 2e, or keep the tree as it is"
    )
    assert f_move(tree, inner="0e+1e+2e") == f_move(tree)
    (other,) = (other for other in f_move(tree) if other.inner == (Irrep(2, 1),))
    with pytest.raises(RecouplingError) as caught:
        inverse_f_move(other, inner=Irreps.parse("1e+2e"))
    assert caught.value.missing == (Irrep(0, 1),)
    # With SO(3), and below the root.
    deep = join(comb("1", "1", "1", "0", "1"), leg(3, "1"), "2")
    with pytest.raises(RecouplingError) as caught:
        f_move(deep, (0,), inner="0+1")
    assert caught.value.missing == (Irrep(2, 0),)


def test_a_label_with_coefficient_zero_is_not_needed() -> None:
    """{2 2 1; 2 2 3} = 0."""
    tree = comb("2", "2", "2", "1", "2")
    assert [other.inner[0].l for other in f_move(tree)] == [0, 1, 2, 4]
    assert f_move(tree, inner="0+1+2+4") == f_move(tree)
    assert np.abs(dense(f_move(tree)) - tree.tensor()).max() < 1e-14


def test_no_vertex_at_that_place() -> None:
    tree = comb("1o", "1o", "1o", "1e", "1o")
    with pytest.raises(NotationError, match="c:1o is a leg; only a vertex can be exchanged"):
        r_move(tree, (1,))
    with pytest.raises(NotationError, match=r"an F-move needs \(\(A B\) C\); the left branch of .* is a leg"):
        f_move(tree, (0,))
    with pytest.raises(NotationError, match=r"an inverse F-move needs \(A \(B C\)\); the right branch of .* is a leg"):
        inverse_f_move(tree)
    with pytest.raises(NotationError, match="an F-move needs"):
        f_move(leg(0, "1o"))
    for move in (r_move, f_move, inverse_f_move):
        with pytest.raises(NotationError, match=r"has no place \(1, 0\)"):
            move(tree, (1, 0))


def test_degrees_above_the_limit_are_not_dropped_in_silence() -> None:
    tree = comb("16", "9", "9", "16", "16")
    message = r"a move needs \(b:9 c:9\) with l = 17, above 16, and cannot leave it out"
    for inner in (None, "+".join(map(str, range(17)))):
        with pytest.raises(LimitError, match=message):
            f_move(tree, inner=inner)
    tree = comb("16", "8", "8", "16", "16")
    found = f_move(tree)
    assert [other.inner[0].l for other in found] == list(range(17))
    assert sum(factor**2 for factor in found.values()) == pytest.approx(1.0, abs=1e-13)
    with pytest.raises(LimitError, match=r"a move needs \(a:16 b:8\) with l = 17, above 16"):
        inverse_f_move(next(iter(found)))


@st.composite
def random_trees(draw: st.DrawFn) -> FusionTree:
    """Two to five legs up to l = 2, of O(3) or SO(3), joined in any order; inner lines and root up to l = 3."""
    parities = draw(st.sampled_from([(0,), (1, -1)]))
    legs = draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(parities)), min_size=2, max_size=5))
    parts = [leg(number, Irrep(l, p), draw(st.integers(0, 2))) for number, (l, p) in enumerate(legs)]
    while len(parts) > 1:
        left = parts.pop(draw(st.integers(0, len(parts) - 1)))
        right = parts.pop(draw(st.integers(0, len(parts) - 1)))
        outs = [out for out in coupled(left.irrep, right.irrep) if out.l <= 3]
        parts.append(join(left, right, draw(st.sampled_from(outs))))
    return parts[0]


def places(tree: FusionTree) -> list[tuple[Callable[[FusionTree, tuple[int, ...]], Combination], tuple[int, ...]]]:
    """Return every move that the shape of a tree allows, with its address."""
    found: list[tuple[Callable[[FusionTree, tuple[int, ...]], Combination], tuple[int, ...]]] = []

    def visit(part: FusionTree, at: tuple[int, ...]) -> None:
        if part.branches is None:
            return
        found.append((r_move, at))
        if part.branches[0].branches is not None:
            found.append((f_move, at))
        if part.branches[1].branches is not None:
            found.append((inverse_f_move, at))
        for step, branch in enumerate(part.branches):
            visit(branch, (*at, step))

    visit(tree, ())
    return found


@given(random_trees(), st.data())
@settings(max_examples=100)
def test_any_sequence_of_moves_keeps_the_coupling(tree: FusionTree, data: st.DataObject) -> None:
    current: Combination = {tree: 1.0}
    for _ in range(data.draw(st.integers(1, 6))):
        move, at = data.draw(st.sampled_from(places(next(iter(current)))))
        current = after(current, lambda one, move=move, at=at: move(one, at))
    assert len({other.shape for other in current}) == 1
    paths = {leaf.leaf: leaf for leaf in tree.leaves}
    assert all({leaf.leaf: leaf for leaf in other.leaves} == paths for other in current)
    assert np.abs(dense(current) - tree.tensor()).max() < 1e-12
    assert sum(factor**2 for factor in current.values()) == pytest.approx(1.0, abs=1e-12)
