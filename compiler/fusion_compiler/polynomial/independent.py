"""An independent set among trees whose legs may be one wire, and every tree as a combination of that set.

Trees of distinct legs and one shape are independent. With identical legs only the symmetric couplings survive: 23 trees
of three legs 0e+1o+2e+3o become 8 (``nbody_cormorant_fusion`` 4.3). Trees that multiply different components are
independent of each other, so each set of legs with their paths is looked at by itself; there the trees are evaluated
at fixed random vectors, the cheapest are kept one by one as long as they are new, and the others are solved for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.irreps import Irrep
from fusion.symbols import clebsch_gordan
from fusion.trees import FusionTree
from fusion_compiler.errors import InternalError
from fusion_compiler.polynomial.normal import normal, order_key
from fusion_compiler.polynomial.sharing import Sharing

NEW = 1e-8
"""A tree is new when this fraction of it lies outside the span of those before it."""
RESIDUAL = 1e-11
"""The others must be combinations to this accuracy."""
ROUNDING = 1e-13
"""Coefficients below this are zero."""

Array = NDArray[np.float64]
Slot = tuple[int, Irrep, int]
"""A leg with one of its paths: number of the leg, irrep, path."""
Monomial = tuple[Slot, ...]
"""What a tree multiplies, in a fixed order."""
SWEEPS = 4
"""Times that the choice is gone over, each time beside what was chosen for the other monomials."""


@dataclass(frozen=True)
class Independent:
    """``given[i] = sum_j matrix[i, j] kept[j]`` for any values of the legs."""

    kept: tuple[FusionTree, ...]
    matrix: Array


def independent(
    trees: Sequence[FusionTree], pool: Iterable[FusionTree] = (), sharing: Sharing | None = None
) -> Independent:
    """Return an independent set that spans ``trees``, all of one irrep, cheap trees first.

    Args:
        trees: what must be spanned.
        pool: more trees to choose from. They are used for the sets of legs and paths where they span no more than
            ``trees`` do, so that no weights are added.
        sharing: trees that are there already; those chosen are added to it.
    """
    sharing = Sharing(weights_first=False) if sharing is None else sharing
    turned = [normal(tree) for tree in trees]
    wanted = _by_monomial(tree for tree, _ in turned)
    more = _by_monomial(normal(tree)[0] for tree in pool)
    candidates: dict[Monomial, list[FusionTree]] = {}
    values: dict[Monomial, Known] = {}
    ranks: dict[Monomial, int] = {}
    for monomial, group in wanted.items():
        wide = list(dict.fromkeys((*group, *more.get(monomial, ()))))
        values[monomial] = known = _values(monomial, wide)
        ranks[monomial] = _rank(group, known)
        candidates[monomial] = wide if len(wide) > len(group) and _rank(wide, known) == ranks[monomial] else group
    found: dict[Monomial, list[FusionTree]] = {}
    for _ in range(SWEEPS):
        before = dict(found)
        for monomial, known in values.items():
            for tree in found.get(monomial, ()):
                sharing.remove(tree)
            found[monomial] = _chosen(candidates[monomial], known, ranks[monomial], sharing)
        if found == before:
            break
    kept = [tree for monomial in found for tree in found[monomial]]
    kept.sort(key=cost_key)
    place = {tree: number for number, tree in enumerate(kept)}
    rows: dict[FusionTree, dict[int, float]] = {}
    for monomial, group in wanted.items():
        basis = found[monomial]
        for tree, row in zip(group, _solved(group, basis, values[monomial]), strict=True):
            rows[tree] = {place[other]: float(c) for other, c in zip(basis, row, strict=True) if c}
    matrix = np.zeros((len(trees), len(kept)))
    for number, (tree, sign) in enumerate(turned):
        for column, coefficient in rows[tree].items():
            matrix[number, column] = sign * coefficient
    return Independent(tuple(kept), matrix)


def expressed(trees: Sequence[FusionTree], basis: Sequence[FusionTree]) -> Array:
    """Return the matrix of trees in terms of given ones; where these are dependent, the one of least norm.

    Raises:
        InternalError: the trees lie outside the span of the given ones.
    """
    given = [normal(tree) for tree in basis]
    wanted = _by_monomial(normal(tree)[0] for tree in trees)
    pool = _by_monomial(tree for tree, _ in given)
    place = {tree: (number, sign) for number, (tree, sign) in enumerate(given)}
    rows: dict[FusionTree, list[tuple[int, float]]] = {}
    for monomial, group in wanted.items():
        mine = pool.get(monomial, [])
        values = _values(monomial, list(dict.fromkeys((*group, *mine))))
        solved = _solved(group, mine, values)
        for tree, row in zip(group, solved, strict=True):
            rows[tree] = [(place[o][0], place[o][1] * float(c)) for o, c in zip(mine, row, strict=True)]
    matrix = np.zeros((len(trees), len(basis)))
    for number, tree in enumerate(trees):
        bare, sign = normal(tree)
        for column, factor in rows[bare]:
            matrix[number, column] = sign * factor
    return matrix


def cost_key(tree: FusionTree) -> tuple[object, ...]:
    """Return what sorts trees by cost: small inner lines first, and the rest in a fixed order."""
    return (sum(line.dim for line in tree.inner), order_key(tree))


def _monomial(tree: FusionTree) -> Monomial:
    return tuple(sorted((leaf.leaf, leaf.irrep, leaf.path) for leaf in tree.leaves))


def _arrangement(tree: FusionTree) -> object:
    """Return the tree without its inner labels."""
    if tree.left is None or tree.right is None:
        return (tree.leaf, tree.irrep, tree.path)
    return (_arrangement(tree.left), _arrangement(tree.right))


Known = dict[FusionTree, Array]
"""Values of trees at random vectors; empty for trees that are independent because of what they are."""


def _by_monomial(trees: Iterable[FusionTree]) -> dict[Monomial, list[FusionTree]]:
    """Return distinct trees by what they multiply."""
    found: dict[Monomial, list[FusionTree]] = {}
    for tree in dict.fromkeys(trees):
        found.setdefault(_monomial(tree), []).append(tree)
    return found


def _values(monomial: Monomial, trees: list[FusionTree]) -> Known:
    distinct = len(set(monomial)) == len(monomial)
    if distinct and len({_arrangement(tree) for tree in trees}) == 1:
        return {}
    samples = max(4, math.ceil(2 * len(trees) / trees[0].irrep.dim) + 2)
    evaluate = Evaluator(monomial, samples)
    return {tree: evaluate(tree) for tree in trees}


def _rank(trees: list[FusionTree], values: Known) -> int:
    if not values:
        return len(trees)
    lengths = {tree: float(np.linalg.norm(values[tree])) for tree in trees}
    rows = [values[tree] / lengths[tree] for tree in trees if lengths[tree] >= NEW]
    if not rows:
        return 0
    return int(np.count_nonzero(np.linalg.svd(np.array(rows), compute_uv=False) > NEW))


def _chosen(pool: list[FusionTree], values: Known, rank: int, sharing: Sharing) -> list[FusionTree]:
    """Return ``rank`` independent trees of one monomial, cheapest first, and add them to ``sharing``."""
    basis: list[Array] = []
    kept: list[FusionTree] = []
    left = [tree for tree in pool if not values or float(np.linalg.norm(values[tree])) >= NEW]
    while left and len(kept) < rank:
        tree = min(left, key=lambda tree: (sharing.cost(tree), cost_key(tree)))
        left.remove(tree)
        if values:
            rest = values[tree] / np.linalg.norm(values[tree])
            for _ in range(2):  # twice: keeps what is left of a dependent tree at rounding
                for direction in basis:
                    rest = rest - direction * (direction @ rest)
            length = float(np.linalg.norm(rest))
            if length <= NEW:
                continue
            basis.append(rest / length)
        kept.append(tree)
        sharing.add(tree)
    return kept


def _solved(trees: list[FusionTree], kept: list[FusionTree], values: Known) -> Array:
    """Return the coefficients of ``trees`` in the kept ones."""
    if not values:
        if not set(trees) <= set(kept):
            raise InternalError("trees lie outside the span of those they are written in", str(trees[0]))
        return np.array([[float(tree == other) for other in kept] for tree in trees])
    target = np.array([values[tree] for tree in trees])
    span = np.array([values[tree] for tree in kept]).reshape(len(kept), target.shape[1])
    coefficients: Array = np.asarray(np.linalg.lstsq(span.T, target.T, rcond=None)[0].T, dtype=np.float64)
    wrong = float(np.max(np.abs(coefficients @ span - target), initial=0.0))
    if wrong > RESIDUAL * max(1.0, float(np.abs(target).max())):
        raise InternalError("trees lie outside the span of those they are written in", str(trees[0]))
    coefficients[np.abs(coefficients) < ROUNDING] = 0.0
    return coefficients


class Evaluator:
    """Values of trees at fixed random vectors, shape (samples * dim,)."""

    def __init__(self, monomial: Iterable[Slot], samples: int) -> None:
        random = np.random.default_rng(20221127)
        self.legs: dict[Slot, Array] = {}
        for slot in dict.fromkeys(monomial):
            vectors = random.normal(size=(samples, slot[1].dim))
            self.legs[slot] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        self.found: dict[FusionTree, Array] = {}

    def __call__(self, tree: FusionTree) -> Array:
        return self._value(tree).reshape(-1)

    def _value(self, tree: FusionTree) -> Array:
        if tree.left is None or tree.right is None:
            return self.legs[tree.leaf, tree.irrep, tree.path]
        if tree not in self.found:
            table = clebsch_gordan(tree.left.irrep.l, tree.right.irrep.l, tree.irrep.l)
            left, right = self._value(tree.left), self._value(tree.right)
            self.found[tree] = np.einsum("si,sj,ijm->sm", left, right, table, optimize=True)
        return self.found[tree]
