"""Shapes of coupling trees: which legs meet where, without labels.

A shape is the number of a leg, or a pair of shapes: ``((0, 1), 2)`` joins legs 0 and 1, then leg 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fusion.errors import LimitError, NotationError

Shape = int | tuple["Shape", "Shape"]
"""The number of a leg, or two shapes that meet in a vertex."""

MAX_LEGS = 9
"""Most legs whose shapes are listed: 9 legs have 2,027,025."""


def legs_of(shape: Shape) -> tuple[int, ...]:
    """Return the numbers of the legs, from left to right."""
    return (shape,) if isinstance(shape, int) else (*legs_of(shape[0]), *legs_of(shape[1]))


def left_comb(order: Sequence[int] | int) -> Shape:
    """Return ``(((0, 1), 2), 3) ...`` for a number of legs, or for legs in the given order."""
    legs = _legs(order)
    shape: Shape = legs[0]
    for leg in legs[1:]:
        shape = (shape, leg)
    return shape


def balanced(order: Sequence[int] | int) -> Shape:
    """Return the shape of least depth, ``((0, 1), (2, 3))``; the left half is the larger one."""
    legs = _legs(order)
    if len(legs) == 1:
        return legs[0]
    half = (len(legs) + 1) // 2
    return (balanced(legs[:half]), balanced(legs[half:]))


def shapes(legs: int) -> Iterator[Shape]:
    """Yield every shape over ``legs`` distinguishable legs up to exchange at its vertices: (2 legs - 3)!! of them.

    The first one is the left comb. Each vertex has the lower leg on its left.

    Raises:
        LimitError: more than ``MAX_LEGS`` legs.
    """
    _legs(legs)
    if legs > MAX_LEGS:
        raise LimitError(f"{legs} legs have too many shapes to list; at most {MAX_LEGS} legs")
    if legs == 1:
        yield 0
        return
    for smaller in shapes(legs - 1):
        yield from _insertions(smaller, legs - 1)


def _insertions(shape: Shape, leg: int) -> Iterator[Shape]:
    """Yield the shapes that arise by attaching a leg with the highest number to one line of ``shape``."""
    yield (shape, leg)
    if not isinstance(shape, int):
        yield from ((left, shape[1]) for left in _insertions(shape[0], leg))
        yield from ((shape[0], right) for right in _insertions(shape[1], leg))


def _legs(order: Sequence[int] | int) -> tuple[int, ...]:
    legs = tuple(range(order)) if isinstance(order, int) else tuple(order)
    if not legs or len(set(legs)) != len(legs) or min(legs) < 0:
        raise NotationError(f"a tree needs at least one leg, each once and numbered from 0; got {order!r}")
    return legs
