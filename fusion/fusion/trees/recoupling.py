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
from fusion.trees.shapes import Shape, legs_of
from fusion.trees.tree import Combination, FusionTree, check_shape

MAX_RECOUPLED = 4096
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
    """
    check_shape(tree, shape)
    order = legs_of(shape)
    found: dict[FusionTree, float] = {}
    for comb, coefficient in _to_comb(tree, order).items():
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
        LimitError: more than ``MAX_RECOUPLED`` trees.
        RecouplingError: with ``inner``, a label that is needed is not among them.
    """
    rows = enumerate_trees(source, legs, total, inner)
    columns = enumerate_trees(target, legs, total, inner)
    if max(len(rows), len(columns)) > MAX_RECOUPLED:
        raise LimitError(f"a recoupling of {len(rows)} trees is above the limit of {MAX_RECOUPLED}")
    place = {tree: number for number, tree in enumerate(columns)}
    matrix = np.zeros((len(rows), len(columns)))
    for number, tree in enumerate(rows):
        for other, coefficient in recoupled(tree, target, inner).items():
            matrix[number, place[other]] = coefficient
    matrix.setflags(write=False)
    return Recoupling(rows, columns, matrix)


@lru_cache(maxsize=65536)
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


@lru_cache(maxsize=65536)
def _from_comb(comb: FusionTree, shape: Shape) -> tuple[tuple[FusionTree, float], ...]:
    """Return a left comb in trees of ``shape``: the transpose of the way there, because recoupling is orthogonal."""
    order = tuple(leaf.leaf for leaf in comb.leaves)
    legs = {leaf.leaf: leaf for leaf in comb.leaves}
    # One path per leg, so that the enumeration runs over single labels; the paths are put back by relabelling.
    wires = [Irreps(((1, legs[number].irrep),)) if number in legs else Irreps(()) for number in range(max(order) + 1)]
    found: list[tuple[FusionTree, float]] = []
    bare = _relabelled(comb, dict.fromkeys(order, 0))
    for tree in enumerate_trees(shape, wires, comb.irrep):
        coefficient = _to_comb(tree, order).get(bare, 0.0)
        if coefficient:
            found.append((_relabelled(tree, {number: leaf.path for number, leaf in legs.items()}), coefficient))
    return tuple(found)


def _relabelled(tree: FusionTree, paths: dict[int, int]) -> FusionTree:
    """Return the tree with other paths on its legs."""
    if tree.left is None or tree.right is None:
        return FusionTree(tree.irrep, tree.leaf, paths[tree.leaf])
    return FusionTree(tree.irrep, left=_relabelled(tree.left, paths), right=_relabelled(tree.right, paths))


def _nonzero(found: dict[FusionTree, float]) -> dict[FusionTree, float]:
    return {tree: coefficient for tree, coefficient in found.items() if abs(coefficient) > _ROUNDING}
