"""symmetrise: weighted sums of trees with identical legs are taken over a cheap basis of the independent couplings.

The declared weights, full or reduced, enter through an exact linear map, once per call. The basis is chosen among the
declared trees and all others of the same legs in the same shape, those first that share the most (see
:mod:`fusion_compiler.polynomial.independent`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from fusion.diagram import Diagram, Mix, Wire
from fusion.errors import LimitError
from fusion.trees import FusionTree
from fusion_compiler.passes.mixes import moved
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.polynomial.nodes import Weigh
from fusion_compiler.polynomial.normal import normal
from fusion_compiler.polynomial.reshape import count_listed, in_shape, positions
from fusion_compiler.polynomial.weighted import Target, Weighted, weighted_of

MAX_POOL = 2000
"""Trees to choose from; of more, only the declared ones are."""
MAX_PERMUTED = 5
"""Legs whose orders are all looked at."""


def symmetrise(diagram: Diagram) -> Diagram:
    """Return the diagram with symmetric couplings reduced wherever that costs less."""
    return rewritten(diagram, symmetrised, then=(moved,))


def symmetrised(node: Mix | Weigh) -> Wire | None:
    """Return a weighted sum over independent trees, or ``None`` where the trees are the cheapest as they are."""
    found = weighted_of(node)
    if found is None or found.order < 2:
        return None
    reduced = found.over(_alternatives)
    before = node.wire.space.irreps.paths if isinstance(node, Mix) else _count(found)
    if reduced is None or (_count(reduced), reduced.instructions) >= (before, found.instructions):
        return None
    return reduced.node()


def _count(found: Weighted) -> int:
    return sum(len(target.trees) for target in found.targets)


def _alternatives(target: Target) -> list[FusionTree]:
    """Return all trees of identical legs in the shapes of the given ones: orders of the legs, and inner labels."""
    kinds = {_kind(tree): tree for tree in target.trees}
    found: dict[FusionTree, None] = {}
    for tree in kinds.values():
        try:
            found.update(dict.fromkeys(normal(other)[0] for other in _orders(tree)))
        except LimitError:  # without the caps of the declared tree a label would be too large
            continue
        if len(found) > MAX_POOL:
            return []
    return list(found)


def _kind(tree: FusionTree) -> object:
    """Return what trees with the same orders of legs have in common."""
    bare = positions(tree)
    return bare.shape, tuple(sorted((leaf.leaf, leaf.irrep, leaf.path) for leaf in tree.leaves))


def _orders(tree: FusionTree) -> Iterator[FusionTree]:
    """Yield all trees in which identical legs stand in other places."""
    leaves = tree.leaves
    if len({leaf.leaf for leaf in leaves}) == len(leaves) or len(leaves) > MAX_PERMUTED:
        return
    bare = positions(tree)
    if count_listed([[tree]], bare.shape) > MAX_POOL:
        return
    for order in dict.fromkeys(permutations(leaves)):
        if all(new.leaf == old.leaf for new, old in zip(order, leaves, strict=True)):
            yield from in_shape(order, bare.shape, tree.irrep)
