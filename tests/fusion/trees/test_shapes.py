"""Shapes of coupling trees: their number, their order and what is no shape."""

from __future__ import annotations

import itertools

import pytest

from fusion.errors import LimitError, NotationError
from fusion.trees import Shape, balanced, left_comb, shapes
from fusion.trees.shapes import MAX_LEGS, legs_of


def unordered(shape: Shape) -> object:
    """Return a shape that does not see the order of the branches."""
    return shape if isinstance(shape, int) else frozenset((unordered(shape[0]), unordered(shape[1])))


def every(legs: frozenset[int]) -> set[object]:
    """Return all shapes over some legs by parting them in two in every way."""
    if len(legs) == 1:
        return set(legs)
    found: set[object] = set()
    for size in range(1, len(legs)):
        for part in map(frozenset, itertools.combinations(sorted(legs), size)):
            found |= {frozenset(pair) for pair in itertools.product(every(part), every(legs - part))}
    return found


@pytest.mark.parametrize(("legs", "number"), [(1, 1), (2, 1), (3, 3), (4, 15), (5, 105), (6, 945)])
def test_the_number_of_shapes(legs: int, number: int) -> None:
    """(2 legs - 3)!! shapes (``nbody_cormorant_fusion`` 4.2), each once up to exchange at its vertices."""
    found = list(shapes(legs))
    assert len(found) == len(set(map(unordered, found))) == number
    assert all(sorted(legs_of(shape)) == list(range(legs)) for shape in found)
    assert found[0] == left_comb(legs)
    if legs < 6:
        assert set(map(unordered, found)) == every(frozenset(range(legs)))


def test_the_lower_leg_is_on_the_left() -> None:
    def ordered(shape: Shape) -> bool:
        if isinstance(shape, int):
            return True
        left, right = shape
        return min(legs_of(left)) < min(legs_of(right)) and ordered(left) and ordered(right)

    assert all(map(ordered, shapes(5)))


def test_combs_and_balanced_shapes() -> None:
    assert left_comb(1) == balanced(1) == 0
    assert left_comb(4) == (((0, 1), 2), 3)
    assert left_comb((2, 0, 1)) == ((2, 0), 1)
    assert balanced(2) == (0, 1)
    assert balanced(4) == ((0, 1), (2, 3))
    assert balanced(5) == (((0, 1), 2), (3, 4))
    assert balanced((3, 1, 2, 0)) == ((3, 1), (2, 0))
    assert legs_of(((3, 1), (2, 0))) == (3, 1, 2, 0)


@pytest.mark.parametrize("order", [0, (), (0, 0), (-1, 0)])
def test_what_is_no_order_of_legs(order: int | tuple[int, ...]) -> None:
    for shape in (left_comb, balanced):
        with pytest.raises(NotationError, match="at least one leg, each once and numbered from 0; got"):
            shape(order)


def test_too_many_shapes_to_list() -> None:
    with pytest.raises(NotationError, match="at least one leg"):
        next(shapes(0))
    with pytest.raises(LimitError, match="10 legs have too many shapes to list; at most 9 legs"):
        next(shapes(MAX_LEGS + 1))
    assert next(shapes(MAX_LEGS)) == left_comb(MAX_LEGS)
