"""Which couplings a vertex has: the ordered list of paths of a fuse and of a symmetric power.

The order fixed here is part of the meaning of a diagram: weights attach to it. For each coupled irrep it runs over the
left paths in the order of the left wire, then over the right paths in the order of the right wire. A left comb built
from such vertices enumerates its trees in the order of MACE (Batatia et al. 2022, reference code).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.rules import coupled

Triple = tuple[Irrep, Irrep, Irrep]
"""(left, right, coupled)"""


@dataclass(frozen=True, slots=True)
class FusePath:
    """One coupling of a fuse: path ``left_path`` of irrep ``left`` with ``right_path`` of ``right``, to ``out``."""

    left: Irrep
    left_path: int
    right: Irrep
    right_path: int
    out: Irrep


def fuse_paths(
    left: Irreps, right: Irreps, filter_: Irreps | None = None, triples: Sequence[Triple] | None = None
) -> tuple[FusePath, ...]:
    """Return the couplings of ``left`` with ``right``, sorted by coupled irrep.

    Args:
        left: canonical irreps of the left wire.
        right: canonical irreps of the right wire.
        filter_: keep only these coupled irreps.
        triples: keep only these couplings, in this order; the caller has checked that each is allowed.
    """
    found: list[FusePath] = []
    if triples is None:
        wanted = None if filter_ is None else set(filter_.kinds())
        for left_count, a in left:
            for left_path in range(left_count):
                for right_count, b in right:
                    outs = [out for out in coupled(a, b) if wanted is None or out in wanted]
                    for right_path in range(right_count):
                        found.extend(FusePath(a, left_path, b, right_path, out) for out in outs)
    else:
        for a, b, out in triples:
            for left_path in range(left.count(a)):
                found.extend(FusePath(a, left_path, b, right_path, out) for right_path in range(right.count(b)))
    return tuple(sorted(found, key=lambda path: path.out))  # stable: the order within one irrep is kept


def fused_irreps(paths: Sequence[FusePath]) -> Irreps:
    """Return the irreps of a wire with these paths."""
    counts: dict[Irrep, int] = {}
    for path in paths:
        counts[path.out] = counts.get(path.out, 0) + 1
    return Irreps(tuple((counts[irrep], irrep) for irrep in sorted(counts)))


def reachable(left: Irreps, right: Irreps) -> Irreps:
    """Return every irrep that ``left`` and ``right`` can couple to, each once."""
    return irreps_of({out for _, a in left for _, b in right for out in coupled(a, b)})


def numbered(paths: Sequence[FusePath]) -> dict[tuple[Irrep, int], FusePath]:
    """Return the coupling behind every path of a fused wire: (coupled irrep, number among its paths) -> coupling."""
    counts: dict[Irrep, int] = {}
    found: dict[tuple[Irrep, int], FusePath] = {}
    for path in paths:
        number = counts.get(path.out, 0)
        counts[path.out] = number + 1
        found[path.out, number] = path
    return found
