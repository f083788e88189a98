"""The paths of a symmetric power: left combs of couplings of one wire with itself, full or reduced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.couplings import fuse_paths
from fusion.errors import LimitError
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_COMBS, MAX_L, MAX_REDUCED_ENTRIES
from fusion.rules import coupled as products
from fusion.space import Space
from fusion.symbols import clebsch_gordan

INDEPENDENT = 1e-8
"""A tree counts as independent of earlier ones when this fraction of it lies outside their span."""

_SAMPLES = 4
"""Vectors at which a comb is evaluated to see whether it is zero."""


@dataclass(frozen=True, slots=True)
class Comb:
    """A left comb ((x1 x2)_k2 x3)_k3 ... -> out with definite labels.

    ``legs`` are (irrep, path) of each factor; ``inner`` are k2 .. k_(order-1).
    """

    legs: tuple[tuple[Irrep, int], ...]
    inner: tuple[Irrep, ...]
    out: Irrep


@lru_cache(maxsize=256)
def combs(irreps: Irreps, order: int, coupled: Irreps | None, inner: Irreps | None) -> tuple[Comb, ...]:
    """Return every comb of ``order`` factors of a wire with ``irreps``, in the order of a chain of fuses.

    Args:
        irreps: canonical irreps of the wire.
        order: number of factors, at least 1.
        coupled: keep only these coupled irreps.
        inner: keep only combs whose inner lines are among these irreps.

    Raises:
        LimitError: there are more than ``MAX_COMBS``, also with fewer factors, or a line above ``MAX_L`` is needed.
    """
    comb_counts(irreps, order, coupled, inner)  # raises before anything is listed
    current = [Comb(((irrep, path),), (), irrep) for count, irrep in irreps for path in range(count)]
    for step in range(2, order + 1):
        counts: dict[Irrep, int] = {}
        for comb in current:
            counts[comb.out] = counts.get(comb.out, 0) + 1
        left = Irreps(tuple((counts[irrep], irrep) for irrep in sorted(counts)))
        by_irrep = {irrep: [comb for comb in current if comb.out == irrep] for irrep in counts}
        following: list[Comb] = []
        for path in fuse_paths(left, irreps, coupled if step == order else inner):
            comb = by_irrep[path.left][path.left_path]
            inner_lines = comb.inner if step == 2 else (*comb.inner, comb.out)
            following.append(Comb((*comb.legs, (path.right, path.right_path)), inner_lines, path.out))
        current = following
    if order == 1 and coupled is not None:
        current = [comb for comb in current if coupled.count(comb.out)]
    return tuple(current)


@lru_cache(maxsize=4096)
def comb_counts(irreps: Irreps, order: int, coupled: Irreps | None, inner: Irreps | None) -> tuple[int, ...]:
    """Return how many combs of 1, 2, ... ``order`` factors :func:`combs` goes through, without listing them.

    Raises:
        LimitError: there are more than ``MAX_COMBS`` of a number of factors, or a line above ``MAX_L`` is needed.
    """
    level = {irrep: count for count, irrep in irreps}
    top = max((irrep.l for irrep in level), default=0)
    found = [irreps.paths]
    for step in range(2, order + 1):
        allowed = coupled if step == order else inner
        reached = top + max((irrep.l for irrep in level), default=0)
        if allowed is None and reached > MAX_L:
            what = "coupled irreps" if step == order else "inner lines"
            raise LimitError(
                f"a power of order {order} of {irreps} reaches l = {reached}, above {MAX_L}; restrict the {what}"
            )
        following: dict[Irrep, int] = {}
        for a, m in level.items():
            for n, b in irreps:
                for out in products(a, b):
                    if allowed is None or allowed.count(out):
                        following[out] = following.get(out, 0) + m * n
        level = following
        found.append(sum(level.values()))
        if found[-1] > MAX_COMBS:
            raise LimitError(
                f"a power of order {order} of {irreps} has more than {MAX_COMBS} paths; restrict inner lines"
            )
    return tuple(found)


@lru_cache(maxsize=256)
def independent(irreps: Irreps, order: int, coupled: Irreps | None, inner: Irreps | None) -> tuple[int, ...]:
    """Return the positions in :func:`combs` of an independent set: the reduced basis.

    Combs of identical factors span only the symmetric couplings. Going through the combs in order, one is kept when
    it is not a linear combination of those kept before it. The test evaluates all combs at fixed random vectors and
    orthogonalises; it is exact with probability one, and its ranks are tested against the character counts of
    ``nbody_cormorant_fusion`` 4.3.
    """
    trees = combs(irreps, order, coupled, inner)
    if order == 1:
        return tuple(range(len(trees)))
    per_irrep: dict[Irrep, list[int]] = {}
    for position, tree in enumerate(trees):
        per_irrep.setdefault(tree.out, []).append(position)
    samples = max(len(group) for group in per_irrep.values()) + 8 if per_irrep else 0
    if samples * len(trees) > MAX_REDUCED_ENTRIES:
        raise LimitError(
            f"the reduced basis of order {order} of {irreps} is too large to compute; restrict inner lines"
        )
    values = _comb_values(irreps, trees, samples)
    kept: list[int] = []
    for group in per_irrep.values():
        basis = np.empty((len(group), samples))
        size = 0
        for position in group:
            vector = values[position]
            norm = float(np.linalg.norm(vector))
            if norm < INDEPENDENT:
                continue
            rest = vector / norm
            for _ in range(2):  # orthogonalise twice: keeps the residual of a dependent comb at rounding level
                rest = rest - (basis[:size] @ rest) @ basis[:size]
            length = float(np.linalg.norm(rest))
            if length > INDEPENDENT:
                basis[size] = rest / length
                size += 1
                kept.append(position)
    return tuple(sorted(kept))


@lru_cache(maxsize=256)
def vanishing(irreps: Irreps, order: int, coupled: Irreps | None, inner: Irreps | None) -> tuple[int, ...]:
    """Return the positions in :func:`combs` of those that are zero because all factors are one wire.

    The first are those that begin with an exchange-odd square; of three factors, ((1o 1o)_2e 1o)_2o is another.
    """
    trees = combs(irreps, order, coupled, inner)
    if order == 1 or not trees:
        return ()
    values = _comb_values(irreps, trees, _SAMPLES)
    return tuple(position for position, value in enumerate(values) if float(np.linalg.norm(value)) < INDEPENDENT)


def _comb_values(irreps: Irreps, trees: Sequence[Comb], samples: int) -> list[NDArray[np.float64]]:
    """Evaluate one component of every comb at ``samples`` fixed unit vectors.

    One component is enough: a covariant map that vanishes in one component vanishes (Schur).
    """
    random = np.random.default_rng(20221127)
    x = random.normal(size=(samples, irreps.dim))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    leaf: dict[tuple[Irrep, int], NDArray[np.float64]] = {}
    for segment in Space(irreps, (), "constant").segments:
        for path in range(segment.paths):
            start = segment.offset + path * segment.irrep.dim
            leaf[segment.irrep, path] = x[:, start : start + segment.irrep.dim]
    cache: dict[tuple[object, ...], NDArray[np.float64]] = {}

    def prefix(tree: Comb, length: int) -> NDArray[np.float64]:
        if length == 1:
            return leaf[tree.legs[0]]
        lines = (tree.legs[0][0], *tree.inner, tree.out)
        key = (tree.legs[:length], lines[:length])
        if key not in cache:
            table = clebsch_gordan(lines[length - 2].l, tree.legs[length - 1][0].l, lines[length - 1].l)
            table = table[..., -1:] if length == len(tree.legs) else table
            left, right = prefix(tree, length - 1), leaf[tree.legs[length - 1]]
            pairs = (left[:, :, None] * right[:, None, :]).reshape(samples, -1)
            cache[key] = pairs @ table.reshape(pairs.shape[1], -1)
        return cache[key]

    return [prefix(tree, len(tree.legs))[:, -1] for tree in trees]


def power_paths(
    irreps: Irreps, orders: tuple[int, ...], coupled: Irreps | None, inner: Irreps | None, basis: str
) -> tuple[tuple[int, tuple[Comb, ...], tuple[int, ...]], ...]:
    """Return, for each order, ``(order, all combs, positions of the kept combs)``."""
    found: list[tuple[int, tuple[Comb, ...], tuple[int, ...]]] = []
    for order in orders:
        trees = combs(irreps, order, coupled, inner)
        kept = independent(irreps, order, coupled, inner) if basis == "reduced" else tuple(range(len(trees)))
        found.append((order, trees, kept))
    return tuple(found)
