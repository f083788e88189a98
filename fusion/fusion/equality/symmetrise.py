"""The symmetric part of a combination of left combs under exchange of equal legs."""

from __future__ import annotations

from functools import lru_cache

from fusion.trees import FusionTree, left_comb, r_move, recoupled

Combs = dict[FusionTree, float]


def symmetrised(combs: Combs, groups: list[list[int]]) -> Combs:
    """Return the mean of left combs over all permutations within groups of adjacent legs.

    The mean over m legs is that over m - 1 of them, followed by the m ways in which the last one moves forward.
    """
    for group in groups:
        for size in range(2, len(group) + 1):
            moved, total = combs, dict(combs)
            for place in reversed(range(size - 1)):
                moved = _exchanged(moved, group[place])
                for comb, coefficient in moved.items():
                    total[comb] = total.get(comb, 0.0) + coefficient
            combs = {comb: coefficient / size for comb, coefficient in total.items()}
    return combs


def _exchanged(combs: Combs, leg: int) -> Combs:
    """Exchange what enters at legs ``leg`` and ``leg + 1``, and write the result in left combs again."""
    found: Combs = {}
    for comb, coefficient in combs.items():
        for other, factor in _exchange(comb, leg):
            found[other] = found.get(other, 0.0) + coefficient * factor
    return found


@lru_cache(maxsize=4096)
def _exchange(comb: FusionTree, leg: int) -> tuple[tuple[FusionTree, float], ...]:
    chain: list[FusionTree] = [comb]
    while chain[-1].left is not None and chain[-1].left.left is not None:
        chain.append(chain[-1].left)
    chain.reverse()  # chain[i] is the vertex at which leg i + 1 enters
    if leg == 0:
        ((turned, sign),) = r_move(chain[0]).items()
        return ((_with(chain, 0, turned.renumbered({0: 1, 1: 0})), sign),)
    # ((A x)_p y)_q is a tree of three legs, whatever A is made from
    vertex = chain[leg]
    below = vertex.left
    if below is None or below.left is None or below.right is None or vertex.right is None:
        return ((comb, 1.0),)
    first, x, y = FusionTree.leg(0, below.left.irrep), below.right, vertex.right
    pair = FusionTree(below.irrep, left=first, right=FusionTree.leg(2, x.irrep))
    small = FusionTree(vertex.irrep, left=pair, right=FusionTree.leg(1, y.irrep))
    found: list[tuple[FusionTree, float]] = []
    for tree, factor in recoupled(small, left_comb(3)).items():
        inner = tree.inner[0]
        lower = FusionTree(inner, left=below.left, right=FusionTree.leg(leg, y.irrep))
        upper = FusionTree(vertex.irrep, left=lower, right=FusionTree.leg(leg + 1, x.irrep))
        found.append((_with(chain, leg, upper), factor))
    return tuple(found)


def _with(chain: list[FusionTree], place: int, tree: FusionTree) -> FusionTree:
    """Put a tree in the place of a vertex of the chain, and the later vertices on top of it."""
    for vertex in chain[place + 1 :]:
        tree = FusionTree(vertex.irrep, left=tree, right=vertex.right)
    return tree
