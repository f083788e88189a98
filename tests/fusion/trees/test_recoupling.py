"""Recoupling: the matrix between any two shapes is orthogonal and equals that of the dense couplings."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep, Irreps
from fusion.symbols import f_matrix
from fusion.trees import (
    FusionTree,
    RecouplingError,
    Shape,
    balanced,
    count_trees,
    enumerate_trees,
    f_move,
    left_comb,
    recoupled,
    recoupling,
    shapes,
)

Array = NDArray[np.float64]
TOLERANCE = 1e-12
leg, join = FusionTree.leg, FusionTree.vertex


def couplings(trees: tuple[FusionTree, ...]) -> Array:
    """Return the dense couplings, one row per tree."""
    return np.stack([tree.tensor().reshape(-1) for tree in trees])


def dense(source: tuple[FusionTree, ...], target: tuple[FusionTree, ...]) -> Array:
    """Solve for the rows of one shape in the rows of the other, with no use of recoupling theory."""
    return np.asarray(np.linalg.lstsq(couplings(target).T, couplings(source).T, rcond=None)[0].T, dtype=np.float64)


def check(legs: tuple[str, ...], total: str, source: Shape, target: Shape) -> None:
    found = recoupling(legs, total, source, target)
    size = len(found.source)
    assert size == len(found.target) == count_trees(source, legs, total)[Irrep.parse(total)]
    assert found.source == enumerate_trees(source, legs, total)
    assert found.target == enumerate_trees(target, legs, total)
    assert np.abs(found.matrix @ found.matrix.T - np.eye(size)).max() < TOLERANCE
    assert np.abs(found.matrix - dense(found.source, found.target)).max() < TOLERANCE
    assert np.abs(found.matrix @ couplings(found.target) - couplings(found.source)).max() < TOLERANCE


FOUR = [
    (("1o", "1o", "1o", "1o"), "0e"),
    (("1o", "2e", "1o", "1e"), "1e"),
    (("1", "2", "1", "2"), "1"),
    (("2e", "0o", "1o", "2o"), "2o"),
]


@pytest.mark.parametrize(("legs", "total"), FOUR)
def test_every_pair_of_shapes_of_four_legs(legs: tuple[str, ...], total: str) -> None:
    every = list(shapes(4))
    tables = {shape: couplings(enumerate_trees(shape, legs, total)) for shape in every}
    degree = 2 * Irrep.parse(total).l + 1
    for source, target in itertools.product(every, every):
        matrix = recoupling(legs, total, source, target).matrix
        # The rows of one shape are orthogonal with square 2L + 1, so that products give the dense recoupling.
        assert np.abs(matrix - tables[source] @ tables[target].T / degree).max() < TOLERANCE
        assert np.abs(matrix @ matrix.T - np.eye(len(matrix))).max() < TOLERANCE
        assert np.abs(matrix @ tables[target] - tables[source]).max() < TOLERANCE
        assert np.abs(matrix - recoupling(legs, total, target, source).matrix.T).max() < TOLERANCE


PAIRS: list[tuple[tuple[str, ...], str, Shape, Shape]] = [
    (("1o", "1o"), "1e", (0, 1), (1, 0)),
    (("2e", "1o", "3o"), "2e", ((0, 1), 2), ((2, 0), 1)),
    (("3", "2", "3", "1"), "2", ((0, 1), (2, 3)), ((3, 1), (2, 0))),
    (("1o", "1o", "1o", "1o", "1o"), "1o", left_comb(5), balanced(5)),
    (("1o", "2e", "1o", "1o", "1e"), "1o", left_comb(5), left_comb((4, 2, 0, 3, 1))),
    (("1", "2", "1", "1", "1"), "2", balanced((3, 0, 4, 1, 2)), left_comb(5)),
    (("1o", "0o", "2e", "1o", "1o"), "1e", (((4, 1), 0), (3, 2)), (0, (1, (2, (3, 4))))),
    (("1", "1", "1", "1", "1"), "0", ((0, (1, 2)), (3, 4)), (((4, 0), (3, 1)), 2)),
]


@pytest.mark.parametrize(("legs", "total", "source", "target"), PAIRS)
def test_chosen_pairs_with_permuted_legs(legs: tuple[str, ...], total: str, source: Shape, target: Shape) -> None:
    check(legs, total, source, target)
    check(legs, total, target, source)


def test_recoupling_goes_through_any_third_shape() -> None:
    legs, total = ("1o", "2e", "1o", "1o", "1e"), "1o"
    first, second, third = left_comb(5), balanced((4, 2, 0, 3, 1)), ((0, (4, 1)), (2, 3))
    one = recoupling(legs, total, first, second).matrix
    two = recoupling(legs, total, second, third).matrix
    assert np.abs(one @ two - recoupling(legs, total, first, third).matrix).max() < TOLERANCE


def test_one_f_move_is_the_f_matrix() -> None:
    found = recoupling(("2", "1", "3"), "2", ((0, 1), 2), (0, (1, 2)))
    rows, columns, matrix = f_matrix(2, 1, 3, 2)
    assert [tree.inner[0].l for tree in found.source] == list(rows)
    assert [tree.inner[0].l for tree in found.target] == list(columns)
    assert np.abs(found.matrix - matrix).max() < 1e-15
    tree = found.source[1]
    assert recoupled(tree, (0, (1, 2))) == pytest.approx(f_move(tree), abs=1e-15)


def test_the_same_shape_is_the_identity() -> None:
    for shape in (left_comb(4), balanced((2, 0, 3, 1))):
        found = recoupling(("1o", "2e", "1o", "1e"), "1e", shape, shape)
        assert np.abs(found.matrix - np.eye(len(found.source))).max() < 1e-14
        for tree in found.source:
            assert recoupled(tree, shape) == pytest.approx({tree: 1.0}, abs=1e-14)
    assert recoupled(leg(3, "1o", 2), 3) == {leg(3, "1o", 2): 1.0}


def test_the_matrix_is_read_only() -> None:
    found = recoupling(("1", "1"), "1", (0, 1), (1, 0))
    assert found.matrix.tolist() == [[-1.0]]
    with pytest.raises(ValueError, match="read-only"):
        found.matrix[0, 0] = 1.0


def test_paths_and_numbers_of_legs_are_kept() -> None:
    inner = join(leg(10**12, "1o", 3), leg(7, "2e", 1), "1o")
    tree = join(inner, leg(2, "1o", 5), "2e")
    found = recoupled(tree, (7, (2, 10**12)))
    assert len(found) == 3
    for other in found:
        assert other.shape == (7, (2, 10**12))
        assert {leaf.leaf: leaf.path for leaf in other.leaves} == {2: 5, 7: 1, 10**12: 3}
    total = sum(coefficient * other.tensor() for other, coefficient in found.items())
    assert np.abs(total - tree.tensor()).max() < TOLERANCE


# caps


def test_caps_that_would_lose_a_label() -> None:
    tree = join(join(leg(0, "1o"), leg(1, "1o"), "0e"), join(leg(2, "1o"), leg(3, "1o"), "0e"), "0e")
    crossed = ((0, 2), (1, 3))
    with pytest.raises(RecouplingError) as caught:
        recoupled(tree, crossed, "0e+1o")
    assert caught.value.missing == (Irrep(1, 1), Irrep(2, 1))
    assert str(caught.value) == (
        "((a:1o b:1o)0e (c:1o d:1o)0e)0e cannot be recoupled within inner lines 0e+1o: 1e, 2e would be lost; "
        "allow 1e, 2e, or keep the tree as it is"
    )
    assert recoupled(tree, crossed, "0e+1e+2e") == recoupled(tree, crossed)
    assert len(recoupled(tree, crossed)) == 3
    # The way there leads over other trees, with inner lines that only they have: these need not be allowed.
    assert {line for other in recoupled(tree, crossed) for line in other.inner} == {Irrep(l, 1) for l in range(3)}


def test_caps_of_a_matrix() -> None:
    legs, total = ("1o", "1o", "1o"), "1o"
    with pytest.raises(RecouplingError) as caught:
        recoupling(legs, total, ((0, 1), 2), (0, (1, 2)), "0e+1e")
    assert caught.value.missing == (Irrep(2, 1),)
    enough = recoupling(legs, total, ((0, 1), 2), (0, (1, 2)), "0e+1e+2e")
    assert np.array_equal(enough.matrix, recoupling(legs, total, ((0, 1), 2), (0, (1, 2))).matrix)
    with pytest.raises(RecouplingError) as caught:
        recoupling(("1", "1", "1"), "2", ((0, 1), 2), ((1, 2), 0), "1")
    assert caught.value.missing == (Irrep(2, 0),)


# errors


@pytest.mark.parametrize("shape", [(0, 1), left_comb(4), ((0, 1), 1), ((0, 1), 3)])
def test_a_shape_over_other_legs(shape: Shape) -> None:
    tree = join(join(leg(0, "1o"), leg(1, "1o"), "0e"), leg(2, "1o"), "1o")
    with pytest.raises(NotationError, match=r"a tree of legs \[0, 1, 2\] cannot take the shape .*: it needs the same"):
        recoupled(tree, shape)
    for source, target in ((left_comb(3), shape), (shape, left_comb(3))):
        with pytest.raises(NotationError, match="needs each of its legs once, numbered from 0 to 2"):
            recoupling(("1o", "1o", "1o"), "1o", source, target)


def test_a_tree_that_uses_a_leg_twice() -> None:
    square = join(leg(0, "1o"), leg(0, "1o"), "0e")
    with pytest.raises(NotationError, match=r"a tree of legs \[0, 0\] cannot take the shape \(0, 0\)"):
        recoupled(square, (0, 0))


def test_too_many_trees() -> None:
    legs = ("2",) * 7
    with pytest.raises(LimitError, match="a recoupling of 1085 trees is above the limit of 1024"):
        recoupling(legs, "2", left_comb(7), balanced(7))


def test_degrees_above_the_limit() -> None:
    """What is needed above the largest degree is refused; what is not needed is not in the way."""
    sum_of_degrees = join(leg(0, "9"), join(leg(1, "9"), leg(2, "9"), "9"), "9")
    with pytest.raises(LimitError, match="above"):
        recoupled(sum_of_degrees, ((0, 1), 2))
    small = join(leg(0, "9"), join(leg(1, "9"), leg(2, "1"), "8"), "1")
    found = recoupled(small, ((0, 1), 2))
    assert sorted(other.inner[0].l for other in found) == [0, 1, 2]
    total = sum(coefficient * other.tensor() for other, coefficient in found.items())
    assert np.abs(total - small.tensor()).max() < TOLERANCE
    with pytest.raises(LimitError, match="9 x 9 reaches l = 18, above 16"):
        recoupling(("9", "9", "9"), "9", (0, (1, 2)), ((0, 1), 2))


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[str, ...], Shape, Shape]:
    letters = draw(st.sampled_from(["", "eo"]))
    names = st.tuples(st.sampled_from("0112"), st.sampled_from(letters or [""])).map("".join)
    legs = tuple(draw(st.lists(names, min_size=2, max_size=5)))

    def shape() -> Shape:
        parts: list[Shape] = list(draw(st.permutations(range(len(legs)))))
        while len(parts) > 1:
            place = draw(st.integers(0, len(parts) - 2))
            parts[place : place + 2] = [(parts[place], parts[place + 1])]
        return parts[0]

    return legs, shape(), shape()


@given(cases(), st.integers(0, 10**6))
@settings(max_examples=60)
def test_random_shapes(case: tuple[tuple[str, ...], Shape, Shape], pick: int) -> None:
    legs, source, target = case
    totals = [irrep for irrep in count_trees(source, legs) if irrep.l < 3]
    total = totals[pick % len(totals)]
    check(legs, str(total), source, target)
    trees = enumerate_trees(source, legs, total)
    tree = trees[pick % len(trees)]
    found = recoupled(tree, target)
    summed = sum(coefficient * other.tensor() for other, coefficient in found.items())
    assert np.abs(summed - tree.tensor()).max() < TOLERANCE
    lines = Irreps.parse("+".join(sorted({str(line) for other in found for line in other.inner})) or "0x0e")
    assert recoupled(tree, target, lines) == found
    for gone in lines.kinds():
        rest = Irreps(tuple(item for item in lines if item[1] != gone))
        with pytest.raises(RecouplingError) as caught:
            recoupled(tree, target, rest)
        assert caught.value.missing == (gone,)
