"""Trees in normal order: at every vertex the larger branch stands on the left, with the sign of the exchange."""

from __future__ import annotations

from functools import lru_cache

from fusion.trees import FusionTree
from fusion_compiler.polynomial.basis import Signed


@lru_cache(maxsize=65536)
def normal(tree: FusionTree) -> Signed:
    """Return the tree in normal order, and the sign that exchanging branches has cost.

    Exchanging the branches of a vertex gives (-1)^(a + b + c) (identity I1). Of two branches the one with more legs
    stands on the left; of equally large ones the one whose legs come first.
    """
    branches = tree.branches
    if branches is None:
        return tree, 1.0
    (left, f), (right, g) = normal(branches[0]), normal(branches[1])
    sign = f * g
    if order_key(right) < order_key(left):
        if (left.irrep.l + right.irrep.l + tree.irrep.l) % 2:
            sign = -sign
        left, right = right, left
    return FusionTree(tree.irrep, left=left, right=right), sign


@lru_cache(maxsize=65536)
def order_key(tree: FusionTree) -> tuple[object, ...]:
    """Return what sorts the branches of a vertex, and trees: larger ones first, then by legs, then by labels."""
    leaves = tree.leaves
    slots = tuple((leaf.leaf, leaf.irrep.l, -leaf.irrep.p, leaf.path) for leaf in leaves)
    inner = tuple((line.l, -line.p) for line in tree.inner)
    return (-len(leaves), slots, inner, tree.irrep.l, -tree.irrep.p, str(tree))
