"""Which couplings a vertex has: the ordered list of paths of a fuse and of a symmetric power.

The order fixed here is part of the meaning of a diagram: weights attach to it. For each coupled irrep it runs over the
left paths in the order of the left wire, then over the right paths in the order of the right wire. A left comb built
from such vertices enumerates its trees in the order of MACE (Batatia et al. 2022, reference code).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class Meeting:
    """What two wires have for one coupled irrep: how many couplings, and the irreps of each side that take part."""

    count: int
    left: frozenset[Irrep]
    right: frozenset[Irrep]


@lru_cache(maxsize=4096)
def meetings(left: Irreps, right: Irreps) -> Mapping[Irrep, Meeting]:
    """Return every irrep that ``left`` and ``right`` couple to, in order, without listing the couplings."""
    found: dict[Irrep, list[tuple[int, Irrep, Irrep]]] = {}
    for m, a in left:
        for n, b in right:
            for out in coupled(a, b):
                found.setdefault(out, []).append((m * n, a, b))
    return {
        out: Meeting(sum(n for n, _, _ in pairs), frozenset(a for _, a, _ in pairs), frozenset(b for _, _, b in pairs))
        for out, pairs in sorted(found.items())
    }


def fused_counts(
    left: Irreps, right: Irreps, filter_: Irreps | None = None, triples: Sequence[Triple] | None = None
) -> dict[Irrep, int]:
    """Return how many couplings :func:`fuse_paths` lists for each coupled irrep, in order, without listing them."""
    counts: dict[Irrep, int] = {}
    if triples is None:
        kinds = meetings(left, right)
        return {out: kinds[out].count for out in (kinds if filter_ is None else filter_.kinds()) if out in kinds}
    mine, theirs = ({irrep: count for count, irrep in side} for side in (left, right))
    for a, b, out in triples:
        counts[out] = counts.get(out, 0) + mine.get(a, 0) * theirs.get(b, 0)
    return {out: counts[out] for out in sorted(counts) if counts[out]}


def reachable(left: Irreps, right: Irreps) -> Irreps:
    """Return every irrep that ``left`` and ``right`` can couple to, each once."""
    return irreps_of(meetings(left, right))


def numbered(paths: Sequence[FusePath]) -> dict[tuple[Irrep, int], FusePath]:
    """Return the coupling behind every path of a fused wire: (coupled irrep, number among its paths) -> coupling."""
    counts: dict[Irrep, int] = {}
    found: dict[tuple[Irrep, int], FusePath] = {}
    for path in paths:
        number = counts.get(path.out, 0)
        counts[path.out] = number + 1
        found[path.out, number] = path
    return found
