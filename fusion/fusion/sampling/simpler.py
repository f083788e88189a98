"""Variants of one node with less in it: fewer orders, terms, couplings, paths, labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar, cast

from fusion.coefficients import LEARNED, Learned
from fusion.diagram import Add, Apply, Diagram, DirectSum, Fuse, Geometry, Leg, Mix, Power, Select, Sum, Wire
from fusion.irreps import Irreps
from fusion.node import Node

T = TypeVar("T")


def simpler(node: Wire, diagram: Diagram) -> Iterator[Node]:
    """Return simpler variants of a node, which need not be legal where it stands."""
    for kind, variants in _VARIANTS.items():
        if isinstance(node, kind):
            yield from variants(node)


def _without(items: tuple[T, ...], least: int = 1) -> Iterator[tuple[T, ...]]:
    """Return the tuples with one item less, while ``least`` are left."""
    if len(items) > least:
        for place in range(len(items)):
            yield items[:place] + items[place + 1 :]


def _fewer(irreps: Irreps | None) -> Iterator[Irreps]:
    """Return the irreps with one of them less."""
    if irreps is not None:
        yield from (Irreps(items) for items in _without(irreps.items))


def _leg(node: Leg) -> Iterator[Node]:
    if node.tensor:
        yield replace(node, tensor="")
    items = node.space.irreps.items
    less = [Irreps(rest) for rest in _without(items)]
    more = [irrep for count, irrep in items if count > 1]
    less += [Irreps(tuple((1 if irrep == wide else count, irrep) for count, irrep in items)) for wide in more]
    yield from (replace(node, declared=node.space.replace(irreps=irreps)) for irreps in less)


def _power(node: Power) -> Iterator[Node]:
    yield from (replace(node, orders=orders) for orders in _without(node.orders))
    lower = [tuple(n - 1 if n == order else n for n in node.orders) for order in node.orders if order > 1]
    yield from (replace(node, orders=orders) for orders in lower if len(set(orders)) == len(orders))
    yield replace(node, inner=None)
    yield from (replace(node, coupled=irreps) for irreps in _fewer(node.coupled))


def _fuse(node: Fuse) -> Iterator[Node]:
    yield replace(node, pattern=None, sizes=(), name="")
    yield from (replace(node, coupled=irreps) for irreps in _fewer(node.coupled))
    yield from (replace(node, triples=triples) for triples in _without(node.triples or ()))


def _mix(node: Mix) -> Iterator[Node]:
    yield from (replace(node, per=labels) for labels in _without(node.per, 0))
    yield replace(node, out_paths=1)
    yield replace(node, each=False)
    yield replace(node, shared=False)
    if not isinstance(node.coefficients, Learned):
        yield replace(node, coefficients=LEARNED)
    yield replace(node, name="")


def _add(node: Add) -> Iterator[Node]:
    yield from (replace(node, terms=terms) for terms in _without(node.terms))
    yield replace(node, terms=tuple((1.0, wire) for _, wire in node.terms))


def _direct_sum(node: DirectSum) -> Iterator[Node]:
    yield from (replace(node, parts=parts) for parts in _without(node.parts, 2))


def _select(node: Select) -> Iterator[Node]:
    yield from (replace(node, keep=keep) for keep in _without(node.keep))
    for place, (irrep, paths) in enumerate(node.keep):
        for kept in _without(paths or ()):
            yield replace(node, keep=(*node.keep[:place], (irrep, kept), *node.keep[place + 1 :]))


def _sum(node: Sum) -> Iterator[Node]:
    yield replace(node, by=None)


def _geometry(node: Geometry) -> Iterator[Node]:
    if node.count > 1:
        yield replace(node, count=node.count - 1)


def _apply(node: Apply) -> Iterator[Node]:
    yield from (wire for _, wire in node.wires)


_VARIANTS = cast(
    "dict[type[Wire], Callable[[Wire], Iterator[Node]]]",
    {
        Leg: _leg,
        Power: _power,
        Fuse: _fuse,
        Mix: _mix,
        Add: _add,
        DirectSum: _direct_sum,
        Select: _select,
        Sum: _sum,
        Geometry: _geometry,
        Apply: _apply,
    },
)
