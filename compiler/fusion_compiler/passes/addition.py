"""Solid harmonics of a sum of displacements as products of solid harmonics of each (identity I11).

``R_l(a + b) = sum_k sqrt(binom(2 l, 2 k)) [R_k(a) x R_(l-k)(b)]_l`` and ``R_k(f a) = f^k R_k(a)``: R_l is a polynomial
of degree l, and so a function of two neighbours falls into factors of one neighbour each, which sums are taken over.

The terms of the polynomial cancel where the sum is shorter than its parts, so only displacements of the tuple's own
rows are taken apart. What is pulled there from elsewhere may be a position, which has no bound.
"""

from __future__ import annotations

from math import comb, sqrt
from typing import cast

from fusion.diagram import Add, Diagram, Geometry, Pull, Wire, walk_nodes
from fusion.index import IndexMap
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.rebuild import rebuild
from fusion_compiler.polynomial.nodes import Couple, Coupled

Terms = list[tuple[float, Wire]]


def taken_apart(diagram: Diagram) -> Diagram:
    """Return the diagram with solid harmonics of sums over several positions of a tuple as products; itself if none."""
    new: dict[Node, Node] = {}
    changed = False
    for node in walk_nodes(diagram):
        built = rebuild(node, new)
        if isinstance(built, Geometry) and built.function == "solid_harmonics":
            product = _product(built)
            changed = changed or product is not None
            built = product or built
        new[node] = built
    if not changed:
        return diagram
    return Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in diagram.outputs))


def _product(node: Geometry) -> Wire | None:
    """Return solid harmonics as products over positions, or ``None`` where there is only one, or no telling."""
    found: dict[IndexMap, Terms] = {}
    for factor, wire in _terms(1.0, node.wire):
        if not isinstance(wire, Pull) or wire.index_map.derived is None or _pulled(wire.wire):
            return None
        found.setdefault(wire.index_map, []).append((factor, wire.wire))
    if len(found) < 2:
        return None
    degrees = {irrep.l: irrep for _, irrep in node.space.irreps}
    whole: Wire | None = None
    before = 1.0
    for place, terms in found.items():
        factor, wire = terms[0] if len(terms) == 1 else (1.0, Add(tuple(terms)))
        part = Pull(Geometry(wire, node.function, node.count), place)
        whole, before = (part, factor) if whole is None else (_added(whole, before, part, factor, degrees), 1.0)
    return whole


def _terms(factor: float, wire: Wire) -> Terms:
    """Return the terms of nested linear combinations."""
    if not isinstance(wire, Add):
        return [(factor, wire)]
    return [term for inner, part in wire.terms for term in _terms(factor * inner, part)]


def _pulled(wire: Wire) -> bool:
    """Whether a wire is gathered from other rows, up to a factor."""
    while isinstance(wire, Add) and len(wire.terms) == 1:
        wire = wire.terms[0][1]
    return isinstance(wire, Pull)


def _added(left: Wire, f: float, right: Wire, g: float, degrees: dict[int, Irrep]) -> Couple:
    """Return ``R(f a + g b)`` from ``R(a)`` and ``R(b)``."""
    terms = tuple(
        Coupled((degrees[k], 0), (degrees[l - k], 0), (out, 0), sqrt(comb(2 * l, 2 * k)) * f**k * g ** (l - k))
        for l, out in degrees.items()
        for k in range(l + 1)
    )
    return Couple(left, right, Pattern(("", ""), ""), terms, left.space.irreps)
