"""What a tree costs beside trees that are there already: shared subtrees and shared last vertices are paid once.

Counted in arithmetic instructions of one channel: a product of components, and a multiplication by a coupling with its
addition, count one each (see :mod:`fusion_compiler.arithmetic`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.symbols import clebsch_gordan
from fusion.trees import FusionTree


class Sharing:
    """A growing set of weighted trees, and what one more would cost.

    With ``weights_first`` all trees with one last vertex are weighted before it, so that the vertex is paid once and
    each tree costs the components of its left branch; otherwise each tree has its own last vertex.
    """

    def __init__(self, *, weights_first: bool) -> None:
        self.weights_first = weights_first
        self.last: Counter[Hashable] = Counter()
        self.inner: Counter[FusionTree] = Counter()
        self.pairs: dict[Hashable, Counter[int]] = {}

    def cost(self, tree: FusionTree) -> int:
        """Return the instructions that the tree adds."""
        price = self.add(tree)
        self.remove(tree)
        return price

    def add(self, tree: FusionTree) -> int:
        """Put a tree into the set, and return the instructions that it adds."""
        branches = tree.branches
        if branches is None:
            return tree.irrep.dim
        left, right = branches
        price = left.irrep.dim if self.weights_first else tree.irrep.dim
        if self.weights_first:
            key = (left.irrep, right, tree.irrep)
            if not self.last[key]:
                price += sum(vertex_counts(left.irrep.l, right.irrep.l, (tree.irrep.l,), square=False))
            self.last[key] += 1
        return price + sum(self._enter(vertex) for vertex in self._vertices(tree))

    def remove(self, tree: FusionTree) -> None:
        """Take a tree out of the set."""
        branches = tree.branches
        if branches is None:
            return
        if self.weights_first:
            self.last[branches[0].irrep, branches[1], tree.irrep] -= 1
        for vertex in self._vertices(tree):
            self.inner[vertex] -= 1
            if not self.inner[vertex] and vertex.branches is not None:
                self.pairs[vertex.branches][vertex.irrep.l] -= 1

    def total(self, trees: Iterable[FusionTree]) -> int:
        """Return what trees cost together beside those that are there, and add them."""
        return sum(self.add(tree) for tree in trees)

    def _vertices(self, tree: FusionTree) -> Iterator[FusionTree]:
        """Yield the subtrees that are formed by themselves."""
        if self.weights_first:
            for branch in tree.branches or ():
                yield from _inner(branch)
        else:
            yield from _inner(tree)

    def _enter(self, vertex: FusionTree) -> int:
        """Add a vertex, and return the entries of its table and the products that no vertex of its pair formed."""
        self.inner[vertex] += 1
        if self.inner[vertex] > 1 or vertex.branches is None:
            return 0
        left, right = vertex.branches
        used = self.pairs.setdefault((left, right), Counter())
        before, square = tuple(sorted(l for l, count in used.items() if count)), left == right
        used[vertex.irrep.l] += 1
        after = tuple(sorted(l for l, count in used.items() if count))
        a, b = left.irrep.l, right.irrep.l
        products = vertex_counts(a, b, after, square=square)[0] - vertex_counts(a, b, before, square=square)[0]
        return products + vertex_counts(a, b, (vertex.irrep.l,), square=square)[1]


def _inner(tree: FusionTree) -> Iterator[FusionTree]:
    if tree.branches is not None:
        yield tree
        for branch in tree.branches:
            yield from _inner(branch)


@lru_cache(maxsize=4096)
def vertex_counts(a: int, b: int, coupled: tuple[int, ...], *, square: bool) -> tuple[int, int]:
    """Return the products of components that vertices of one pair need, and the entries of their tables."""
    patterns: list[NDArray[np.bool_]] = []
    for c in coupled:
        pattern = clebsch_gordan(a, b, c) != 0.0
        if square:
            upper = np.triu(np.ones(pattern.shape[:2], dtype=bool))[..., None]
            pattern = upper & (pattern | pattern.transpose(1, 0, 2))
        patterns.append(pattern)
    used = np.zeros((2 * a + 1, 2 * b + 1), dtype=bool)
    for pattern in patterns:
        used |= pattern.any(axis=-1)
    return int(np.count_nonzero(used)), sum(int(np.count_nonzero(pattern)) for pattern in patterns)
