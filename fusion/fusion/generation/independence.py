"""Which trees are independent: those that are not a linear combination of earlier ones.

Trees are functions of their wires: multilinear where each wire stands on one leg, polynomial where one stands on
several. Two trees can only depend on each other when they have the same root and the same leaves, so that each such
group is decided by itself. Inside a group all trees are evaluated at the same fixed random vectors and orthogonalised
one after the other; one component is enough, because a covariant map that vanishes in one component vanishes (Schur).
The outcome is exact with probability one and the same on every run; its ranks are tested against the counts of
``nbody_cormorant_fusion`` 4.3 and against dense tensors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.errors import LimitError
from fusion.irreps import Irrep
from fusion.limits import MAX_REDUCED_ENTRIES
from fusion.powers import INDEPENDENT
from fusion.symbols import clebsch_gordan
from fusion.trees.tree import FusionTree

Leaf = tuple[int, int, int, int]
"""(number of the wire, degree, parity, path)"""
_SPARE = 8
"""Samples beyond the largest possible rank."""


def independent_trees(trees: Sequence[FusionTree]) -> tuple[int, ...]:
    """Return the positions of an independent set that spans all trees: each tree that adds to those before it.

    Raises:
        LimitError: the table of values of one group has more than ``MAX_REDUCED_ENTRIES`` entries.
    """
    groups: dict[tuple[Irrep, tuple[Leaf, ...]], list[int]] = {}
    for position, tree in enumerate(trees):
        groups.setdefault((tree.irrep, leaves_of(tree)), []).append(position)
    kept: list[int] = []
    for (irrep, leaves), positions in groups.items():
        group = [trees[position] for position in positions]
        most = min(len(group), _multiplicity([leaf[1] for leaf in leaves], irrep.l))
        kept.extend(positions[place] for place in _independent(group, leaves, most))
    return tuple(sorted(kept))


def leaves_of(tree: FusionTree) -> tuple[Leaf, ...]:
    """Return what stands on the legs, sorted."""
    return tuple(sorted((leaf.leaf, leaf.irrep.l, leaf.irrep.p, leaf.path) for leaf in tree.leaves))


def _multiplicity(degrees: Sequence[int], out: int) -> int:
    """Return how often ``out`` is contained in the product of irreps of these degrees: no group has a higher rank."""
    counts = {degrees[0]: 1}
    for degree in degrees[1:]:
        following: dict[int, int] = {}
        for l, number in counts.items():
            for reached in range(abs(l - degree), l + degree + 1):
                following[reached] = following.get(reached, 0) + number
        counts = following
    return counts.get(out, 0)


def _independent(group: Sequence[FusionTree], leaves: Sequence[Leaf], most: int) -> list[int]:
    """Return the places of the independent trees of one group, of which there are at most ``most``."""
    if len(group) == 1 and len(set(leaves)) == len(leaves):
        return [0]  # a coupling of different vectors is not zero
    samples = most + _SPARE
    if most * samples > MAX_REDUCED_ENTRIES:
        raise LimitError(
            f"an independent set of {len(group)} trees with equal legs needs a table of {most * samples} entries, "
            f"above the limit of {MAX_REDUCED_ENTRIES}; restrict the inner lines"
        )
    values = _Values(leaves, samples)
    basis = np.empty((most, samples))
    kept: list[int] = []
    for place, tree in enumerate(group):
        if len(kept) == most:
            break
        vector = values.of(tree, last_only=True)[:, 0]
        norm = float(np.linalg.norm(vector))
        if norm < INDEPENDENT:
            continue
        rest = vector / norm
        found = basis[: len(kept)]
        for _ in range(2):  # orthogonalise twice: keeps the residual of a dependent tree at rounding level
            rest = rest - (found @ rest) @ found
        length = float(np.linalg.norm(rest))
        if length > INDEPENDENT:
            basis[len(kept)] = rest / length
            kept.append(place)
    return kept


class _Values:
    """Values of trees at fixed random unit vectors; common subtrees are computed once."""

    def __init__(self, leaves: Sequence[Leaf], samples: int) -> None:
        random = np.random.default_rng(20221127)
        self._known: dict[FusionTree, NDArray[np.float64]] = {}
        for wire, degree, parity, path in dict.fromkeys(leaves):
            irrep = Irrep(degree, parity)
            vectors = random.normal(size=(samples, irrep.dim))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            self._known[FusionTree(irrep, wire, path)] = vectors

    def of(self, tree: FusionTree, last_only: bool = False) -> NDArray[np.float64]:
        """Return the values, shape (samples, components), or (samples, 1) of the last component alone."""
        if tree in self._known:
            known = self._known[tree]
            return known[:, -1:] if last_only else known
        if tree.left is None or tree.right is None:
            raise LookupError(f"{tree} is not among the leaves")
        left, right = self.of(tree.left), self.of(tree.right)
        table = clebsch_gordan(tree.left.irrep.l, tree.right.irrep.l, tree.irrep.l)
        table = table[..., -1:] if last_only else table
        pairs = (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)
        value = pairs @ table.reshape(pairs.shape[1], -1)
        if not last_only:
            self._known[tree] = value
        return value
