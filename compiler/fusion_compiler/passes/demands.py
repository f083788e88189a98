"""Which paths of its inputs a node needs for given paths of its own: one rule for every kind of node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from fusion.couplings import FusePath, fuse_paths, numbered
from fusion.diagram import (
    Add,
    DirectSum,
    Fuse,
    Merge,
    Mix,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
)
from fusion.irreps import Irrep
from fusion.node import Node
from fusion_compiler.layout import Layout, Path
from fusion_compiler.polynomial.nodes import Couple, Recombine, Unshared, Weigh

Zero = dict[Node, set[Path]]
"""The paths of unweighted fuses that vanish."""
Demand = Iterator[tuple[Wire, set[Path]]]
"""Inputs, each with the paths that are needed of it."""


@lru_cache(maxsize=1024)
def couplings_of(node: Fuse) -> dict[Path, FusePath]:
    """Return the coupling behind every path of an unweighted fuse."""
    return numbered(fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples))


def demands(node: Wire, wanted: set[Path], zero: Zero) -> Demand:
    """Yield what a node needs of its inputs for the ``wanted`` paths of its own."""
    rule = _RULES.get(type(node))
    if rule is not None:
        yield from rule(node, wanted, zero)
        return
    for child in node.inputs:
        if isinstance(child, Wire):
            yield child, set(Layout.full(child.space).paths)


def _same(node: Any, wanted: set[Path], zero: Zero) -> Demand:
    yield node.wire, wanted


def _fuse(node: Fuse, wanted: set[Path], zero: Zero) -> Demand:
    if node.weighted:
        yield node.left, set(Layout.full(node.left.space).paths)
        yield node.right, set(Layout.full(node.right.space).paths)
        return
    couplings = couplings_of(node)
    used = [couplings[path] for path in wanted if path not in zero.get(node, ())]
    used = used or [couplings[path] for path in sorted(wanted)[:1]]  # all zero: the rows are still needed
    yield node.left, {(path.left, path.left_path) for path in used}
    yield node.right, {(path.right, path.right_path) for path in used}


def _couple(node: Couple, wanted: set[Path], zero: Zero) -> Demand:
    used = [term for term in node.terms if term.out in wanted] or node.terms[:1]
    yield node.left, {term.left for term in used}
    yield node.right, {term.right for term in used}


def _recombine(node: Recombine, wanted: set[Path], zero: Zero) -> Demand:
    yield node.wire, {term.path for term in node.terms if term.out in wanted}


def _weigh(node: Weigh, wanted: set[Path], zero: Zero) -> Demand:
    yield node.wire, {(column.irrep, row) for column in node.columns for row in column.rows}


def _mix(node: Mix, wanted: set[Path], zero: Zero) -> Demand:
    if node.each:
        yield node.wire, wanted
        return
    kinds = {irrep for irrep, _ in wanted}
    paths = Layout.full(node.wire.space).paths
    needed: set[Path] = set()
    for kind in kinds:
        mine = {path for path in paths if path[0] == kind}
        needed |= mine.difference(zero.get(node.wire, ())) or mine
    yield node.wire, needed


def _scale(node: Scale, wanted: set[Path], zero: Zero) -> Demand:
    yield node.wire, wanted
    yield node.by, set(Layout.full(node.by.space).paths)


def _add(node: Add, wanted: set[Path], zero: Zero) -> Demand:
    for _, wire in node.terms:
        yield wire, wanted


def _direct_sum(node: DirectSum, wanted: set[Path], zero: Zero) -> Demand:
    start: dict[Irrep, int] = {}
    for part in node.parts:
        mine = {(irrep, path - start.get(irrep, 0)) for irrep, path in wanted}
        yield part, mine.intersection(Layout.full(part.space).paths)
        for count, irrep in part.space.irreps:
            start[irrep] = start.get(irrep, 0) + count


def _select(node: Select, wanted: set[Path], zero: Zero) -> Demand:
    chosen = dict(node.keep)
    found: set[Path] = set()
    for irrep, path in wanted:
        numbers = chosen[irrep]
        found.add((irrep, path if numbers is None else numbers[path]))
    yield node.wire, found


_RULES: dict[type[Wire], Callable[[Any, set[Path], Zero], Demand]] = {
    Fuse: _fuse,
    Unshared: _fuse,
    Couple: _couple,
    Recombine: _recombine,
    Weigh: _weigh,
    Mix: _mix,
    Scale: _scale,
    Add: _add,
    DirectSum: _direct_sum,
    Select: _select,
    **dict.fromkeys((Pull, Sum, Split, Merge, Reorder, Shuffle), _same),
}
