"""The trees of a class of shapes: how many there are, and the list of them, with or without exchanged copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.rules import coupled, exchange_odd
from fusion.trees.shapes import Shape
from fusion.trees.tree import FusionTree

Caps = frozenset[Irrep] | None
"""The irreps allowed on a line; all when ``None``."""


def count_distinct(shape: Shape, wires: Sequence[Irreps], out: Caps, inner: Caps) -> dict[Irrep, int]:
    """Return, for every irrep of the root, the number of trees up to exchange, without listing them.

    Where the two branches of a vertex have one shape, an unordered pair counts once, and a pair of equal trees only
    when its coupling is even under exchange: the odd one is zero.
    """

    def count(part: Shape, allowed: Caps) -> dict[Irrep, int]:
        if isinstance(part, int):
            return {irrep: number for number, irrep in wires[part] if allowed is None or irrep in allowed}
        left, right = (count(branch, None if isinstance(branch, int) else inner) for branch in part)
        found: dict[Irrep, int] = {}
        for (a, m), (b, n) in product(left.items(), right.items()):
            alike = part[0] == part[1]
            if alike and b < a:
                continue
            for irrep in _outs(a, b, allowed):
                pairs = m * n
                if alike and a == b:
                    pairs = m * (m - 1) // 2 + (0 if exchange_odd(a, b, irrep) else m)
                if pairs:
                    found[irrep] = found.get(irrep, 0) + pairs
        return found

    return count(shape, out)


def list_trees(shape: Shape, wires: Sequence[Irreps], out: Caps, inner: Caps, distinct: bool) -> tuple[FusionTree, ...]:
    """Return the trees of a class, those of one root after the other, else in the order of a chain of fuses.

    Leaves carry the number of their wire, so that a wire on several legs stands in a tree several times.

    Args:
        shape: over wires, spelled.
        wires: canonical irreps of wire 0, 1, ...
        out: irreps allowed at the root.
        inner: irreps allowed on inner lines.
        distinct: list one tree of those that differ by exchange only (the first), and none that is zero by exchange.
    """

    def listed(part: Shape, allowed: Caps) -> tuple[FusionTree, ...]:
        if isinstance(part, int):
            return tuple(
                FusionTree(irrep, part, path)
                for count, irrep in wires[part]
                if allowed is None or irrep in allowed
                for path in range(count)
            )
        left, right = (listed(branch, None if isinstance(branch, int) else inner) for branch in part)
        alike = distinct and part[0] == part[1]
        found: list[FusionTree] = []
        for first, a in enumerate(left):
            for second, b in enumerate(right):
                if alike and second < first:
                    continue
                for irrep in _outs(a.irrep, b.irrep, allowed):
                    if not (alike and first == second and exchange_odd(a.irrep, b.irrep, irrep)):
                        found.append(FusionTree(irrep, left=a, right=b))
        return tuple(sorted(found, key=lambda tree: tree.irrep))  # stable

    return listed(shape, out)


def reachable_irreps(shape: Shape, wires: Sequence[Irreps], inner: Caps) -> Irreps:
    """Return every irrep that the root of a shape can have."""

    def reach(part: Shape, allowed: Caps) -> set[Irrep]:
        if isinstance(part, int):
            return set(wires[part].kinds())
        left, right = (reach(branch, inner) for branch in part)
        return {irrep for a in left for b in right for irrep in _outs(a, b, allowed)}

    return irreps_of(reach(shape, None))


def _outs(a: Irrep, b: Irrep, allowed: Caps) -> Iterator[Irrep]:
    return (irrep for irrep in coupled(a, b) if allowed is None or irrep in allowed)
