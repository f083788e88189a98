"""Recoupling: one tree as a combination of trees of any other shape, and the matrix between two shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.errors import LimitError
from fusion.irreps import Irrep, Irreps
from fusion.trees.enumeration import enumerate_trees
from fusion.trees.moves import exchanged, inverse_f_move, refuse_loss
from fusion.trees.shapes import Shape, left_comb, legs_of
from fusion.trees.tree import Combination, FusionTree, check_shape

MAX_RECOUPLED = 1024
"""Largest number of trees of one recoupling matrix."""

_ROUNDING = 1e-13
"""Coefficients below this are sums that cancel: each is a sum of a few products of orthogonal matrices."""


@dataclass(frozen=True)
class Recoupling:
    """``source[i] = sum_j matrix[i, j] target[j]``; the matrix is orthogonal when no cap leaves trees out.

    Attributes:
        source: trees of one shape.
        target: trees of the other.
        matrix: shape (source, target), read-only.
    """

    source: tuple[FusionTree, ...]
    target: tuple[FusionTree, ...]
    matrix: NDArray[np.float64]


def recoupled(tree: FusionTree, shape: Shape, inner: Irreps | str | None = None) -> Combination:
    """Return ``tree`` as a combination of trees of another shape over the same legs.

    Raises:
        NotationError: the shape has other legs.
        RecouplingError: a label that is needed is not among ``inner``.
        LimitError: a label above ``MAX_L`` is needed, by the result or by the left combs on the way to it.
    """
    check_shape(tree, shape)
    order = legs_of(shape)
    combs = _to_comb(tree, order)
    found: dict[FusionTree, float] = {}
    if shape == left_comb(order):
        found.update(combs)
    else:
        for comb, coefficient in combs.items():
            for other, back in _from_comb(comb, shape):
                found[other] = found.get(other, 0.0) + coefficient * back
        found = _nonzero(found)
    refuse_loss(tree, found, inner)
    return found


def recoupling(
    legs: Sequence[Irrep | str],
    total: Irrep | str,
    source: Shape,
    target: Shape,
    inner: Irreps | str | None = None,
) -> Recoupling:
    """Return the matrix between all trees of two shapes over legs of one irrep each.

    Raises:
        NotationError: a shape does not fit the legs, or the irreps are not of one group.
        LimitError: more than ``MAX_RECOUPLED`` trees, or a label above ``MAX_L`` is needed; see :func:`recoupled`.
        RecouplingError: with ``inner``, a label that is needed is not among them.
    """
    rows, columns = enumerate_trees(source, legs, total, inner), enumerate_trees(target, legs, total)
    if max(len(rows), len(columns)) > MAX_RECOUPLED:
        number = max(len(rows), len(columns))
        raise LimitError(f"a recoupling of {number} trees is above the limit of {MAX_RECOUPLED}")
    combs = [_to_comb(tree, legs_of(target)) for tree in (*rows, *columns)]
    places = {comb: place for place, comb in enumerate(dict.fromkeys(comb for found in combs for comb in found))}
    table = np.zeros((len(combs), len(places)))
    for number, found in enumerate(combs):
        for comb, coefficient in found.items():
            table[number, places[comb]] = coefficient
    # The way back from the combs is the transpose of the way there, because recoupling is orthogonal.
    matrix = table[: len(rows)] @ table[len(rows) :].T
    matrix[np.abs(matrix) < _ROUNDING] = 0.0
    if inner is not None:
        for tree, row in zip(rows, matrix, strict=True):
            refuse_loss(tree, [columns[place] for place in np.flatnonzero(row)], inner)
        number_of = {tree: place for place, tree in enumerate(columns)}
        columns = enumerate_trees(target, legs, total, inner)
        matrix = matrix[:, [number_of[tree] for tree in columns]]
    matrix.setflags(write=False)
    return Recoupling(rows, columns, matrix)


@lru_cache(maxsize=4096)
def _to_comb(tree: FusionTree, order: tuple[int, ...]) -> Combination:
    """Return a tree in left combs over its legs in ``order``: the last leg is moved to the root, then the next."""
    if len(order) == 1:
        return {tree: 1.0}
    found: dict[FusionTree, float] = {}
    for parted, coefficient in _last_outside(tree, order[-1]).items():
        rest, last = parted.branches or (parted, parted)
        for comb, inside in _to_comb(rest, order[:-1]).items():
            whole = FusionTree(tree.irrep, left=comb, right=last)
            found[whole] = found.get(whole, 0.0) + coefficient * inside
    return _nonzero(found)


def _last_outside(tree: FusionTree, leg: int) -> Combination:
    """Return a tree as a combination of ``(rest, leg)``."""
    branches = tree.branches
    if branches is None:
        return {tree: 1.0}
    left, right = branches
    if right.leaf == leg:
        return {tree: 1.0}
    sign = 1
    if any(leaf.leaf == leg for leaf in left.leaves):
        sign, tree = exchanged(tree)
        left, right = right, left
    found: dict[FusionTree, float] = {}
    for parted, coefficient in _last_outside(right, leg).items():
        whole = FusionTree(tree.irrep, left=left, right=parted)
        moved = {whole: 1.0} if parted.branches is None else inverse_f_move(whole)
        for other, factor in moved.items():
            found[other] = found.get(other, 0.0) + sign * coefficient * factor
    return found


@lru_cache(maxsize=4096)
def _from_comb(comb: FusionTree, shape: Shape) -> tuple[tuple[FusionTree, float], ...]:
    """Return a left comb in trees of ``shape``: the transpose of the way there, because recoupling is orthogonal."""
    legs = comb.leaves
    # The legs numbered along the comb, with one path each: the enumeration then runs over one label per leg.
    places = {leg.leaf: place for place, leg in enumerate(legs)}
    bare = _replaced(comb, {leg.leaf: FusionTree(leg.irrep, place) for place, leg in enumerate(legs)})
    order = tuple(range(len(legs)))
    found: list[tuple[FusionTree, float]] = []
    for tree in enumerate_trees(_renumbered(shape, places), [leg.irrep for leg in legs], comb.irrep):
        coefficient = _to_comb(tree, order).get(bare, 0.0)
        if coefficient:
            found.append((_replaced(tree, dict(enumerate(legs))), coefficient))
    return tuple(found)


def _replaced(tree: FusionTree, legs: dict[int, FusionTree]) -> FusionTree:
    """Return the tree with other legs in the places of its own."""
    if tree.left is None or tree.right is None:
        return legs[tree.leaf]
    return FusionTree(tree.irrep, left=_replaced(tree.left, legs), right=_replaced(tree.right, legs))


def _renumbered(shape: Shape, places: dict[int, int]) -> Shape:
    """Return the shape with other numbers on its legs."""
    if isinstance(shape, int):
        return places[shape]
    return (_renumbered(shape[0], places), _renumbered(shape[1], places))


def _nonzero(found: dict[FusionTree, float]) -> dict[FusionTree, float]:
    return {tree: coefficient for tree, coefficient in found.items() if abs(coefficient) > _ROUNDING}
