"""Weighted sums of trees in other shapes: which shape is cheapest, and the weights behind its trees.

The trees of one shape over the same legs are an orthogonal basis of all couplings of these legs, so trees of any shape
are combinations of them, with coefficients made of 6j symbols (:mod:`fusion.trees.recoupling`). All labels that a new
shape needs are used: nothing is lost where the declared trees were capped, but more trees may be needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fusion.errors import LimitError
from fusion.irreps import Irrep
from fusion.trees import FusionTree, Shape, count_trees, enumerate_trees, recoupled, shapes
from fusion_compiler.polynomial.independent import independent
from fusion_compiler.polynomial.sharing import Sharing
from fusion_compiler.polynomial.weighted import Target, Weighted

ALL_SHAPES = 5
"""Up to this many legs every shape is looked at; beyond, single moves are made while they gain."""
MAX_LISTED = 600
"""Trees of a group in one shape at most; shapes with more are passed over."""
MAX_WORK = 20_000
"""Trees looked at for one group in all."""


@dataclass(frozen=True, slots=True)
class Group:
    """Trees of one shape over one sequence of legs; the shape is over places 0, 1, ... from left to right."""

    legs: tuple[int, ...]
    shape: Shape


def groups_of(found: Weighted) -> dict[Group, list[list[FusionTree]]]:
    """Return the trees of each group, one list for each target."""
    grouped: dict[Group, list[list[FusionTree]]] = {}
    for number, target in enumerate(found.targets):
        for tree in target.trees:
            lists = grouped.setdefault(group_of(tree), [[] for _ in found.targets])
            lists[number].append(tree)
    return grouped


def group_of(tree: FusionTree) -> Group:
    """Return the group of a tree."""
    return Group(tuple(leaf.leaf for leaf in tree.leaves), positions(tree).shape)


def positions(tree: FusionTree) -> FusionTree:
    """Return the tree with its legs numbered by place, one path each."""

    def walk(part: FusionTree, start: int) -> FusionTree:
        if part.left is None or part.right is None:
            return FusionTree(part.irrep, start)
        left = walk(part.left, start)
        return FusionTree(part.irrep, left=left, right=walk(part.right, start + len(left.leaves)))

    return walk(tree, 0)


def placed(tree: FusionTree, leaves: Sequence[FusionTree]) -> FusionTree:
    """Return a tree over places with the given legs in them."""
    if tree.left is None or tree.right is None:
        return leaves[tree.leaf]
    return FusionTree(tree.irrep, left=placed(tree.left, leaves), right=placed(tree.right, leaves))


def best_shapes(group: Group, trees: list[list[FusionTree]], *, weights_first: bool) -> list[Shape]:
    """Return the shapes of weighted sums of these trees, those with least instructions first, their own first in a tie.

    Of shapes that look alike only one is returned; of more than ``ALL_SHAPES`` legs only the best that was found.
    """
    if sum(map(len, trees)) > MAX_LISTED:
        return [group.shape]
    costs = {group.shape: group_cost(group, trees, group.shape, weights_first=weights_first)}
    work = 0

    def look_at(shape: Shape) -> None:
        nonlocal work
        listed = count_listed(trees, shape)
        if listed <= MAX_LISTED and work + listed <= MAX_WORK:
            work += int(listed)
            costs[shape] = group_cost(group, trees, shape, weights_first=weights_first)

    def ranked() -> list[Shape]:
        return sorted(costs, key=lambda shape: costs[shape])

    if len(group.legs) <= ALL_SHAPES:
        seen = {looks(group.shape, group.legs)}
        for shape in shapes(len(group.legs)):
            if _new(looks(shape, group.legs), seen):
                look_at(shape)
        return ranked()
    known: set[object] = {group.shape}
    start: Shape | None = None
    while start != ranked()[0]:
        start = ranked()[0]
        for shape in neighbours(start):
            if _new(shape, known):
                look_at(shape)
    return ranked()[:1]


def _new(key: object, seen: set[object]) -> bool:
    fresh = key not in seen
    seen.add(key)
    return fresh


def looks(shape: Shape, legs: Sequence[int]) -> object:
    """Return what a shape is up to exchange of branches, with equal legs taken for equal."""
    if isinstance(shape, int):
        return (legs[shape],)
    return tuple(sorted((looks(shape[0], legs), looks(shape[1], legs)), key=repr))


def neighbours(shape: Shape) -> Iterator[Shape]:
    """Yield the shapes that one move of a branch across a vertex gives."""
    if isinstance(shape, int):
        return
    left, right = shape
    for branch, other in ((left, right), (right, left)):
        if not isinstance(branch, int):
            yield (branch[0], (branch[1], other))
            yield ((branch[0], other), branch[1])
    yield from ((changed, right) for changed in neighbours(left))
    yield from ((left, changed) for changed in neighbours(right))


def group_cost(group: Group, trees: list[list[FusionTree]], shape: Shape, *, weights_first: bool) -> int:
    """Return the instructions of weighted sums of these trees in another shape."""
    sharing = Sharing(weights_first=weights_first)
    repeated = len(set(group.legs)) < len(group.legs)
    total = 0
    for mine in trees:
        pool = mine
        if shape != group.shape:
            pool = list(dict.fromkeys(new for leaves, irrep in _ends(mine) for new in in_shape(leaves, shape, irrep)))
        if repeated and pool:
            pool = list(independent(pool, (), Sharing(weights_first=weights_first)).kept)
        total += sharing.total(pool)
    return total


def count_listed(trees: list[list[FusionTree]], shape: Shape) -> float:
    """Return how many trees another shape has for these, infinity where a label would be too large."""
    try:
        return sum(
            count_trees(shape, [leaf.irrep for leaf in leaves], irrep).get(irrep, 0)
            for mine in trees
            for leaves, irrep in _ends(mine)
        )
    except LimitError:
        return math.inf


def _ends(trees: list[FusionTree]) -> Iterable[tuple[tuple[FusionTree, ...], Irrep]]:
    """Return the legs and roots of trees, each combination once."""
    return dict.fromkeys((tree.leaves, tree.irrep) for tree in trees)


def in_shape(leaves: Sequence[FusionTree], shape: Shape, total: Irrep) -> Iterator[FusionTree]:
    """Yield all trees of a shape over the given legs, as they stand in the places of the shape.

    Raises:
        LimitError: a label above ``MAX_L`` is needed.
    """
    for other in _labelled(shape, tuple(leaf.irrep for leaf in leaves), total):
        yield placed(other, leaves)


@lru_cache(maxsize=4096)
def _labelled(shape: Shape, irreps: tuple[Irrep, ...], total: Irrep) -> tuple[FusionTree, ...]:
    return enumerate_trees(shape, irreps, total)


def reshaped(found: Weighted, chosen: dict[Group, Shape]) -> Weighted | None:
    """Return the same sums with every group in its chosen shape, over independent trees.

    ``None`` where an irrep is identically zero.

    Raises:
        LimitError: recoupling needs a label above ``MAX_L``.
    """
    targets: list[Target] = []
    for target in found.targets:
        rows: list[dict[FusionTree, float]] = []
        for tree in target.trees:
            group = group_of(tree)
            shape = chosen.get(group, group.shape)
            if shape == group.shape:
                rows.append({tree: 1.0})
                continue
            leaves = tree.leaves
            row: dict[FusionTree, float] = {}
            for other, factor in recoupled(positions(tree), shape).items():
                new = placed(other, leaves)
                row[new] = row.get(new, 0.0) + factor
            rows.append(row)
        trees = tuple(dict.fromkeys(tree for row in rows for tree in row))
        number = {tree: place for place, tree in enumerate(trees)}
        matrix = np.zeros((len(target.trees), len(trees)))
        for place, row in enumerate(rows):
            for tree, factor in row.items():
                matrix[place, number[tree]] = factor
        targets.append(replace(target, trees=trees, matrix=matrix.T @ target.matrix))
    return replace(found, targets=tuple(targets)).over()
