"""Sums that keep the classes of a label apart, as plain sums of products with the indicator of the class, and back.

``sum(map, by=z)`` is the sum of ``[z = t] * wire`` with the classes ``t`` as a channel axis. The indicator is a factor
like any other: it goes with the position of its label, and all other factors leave the sum. Where a sum of a product
with an indicator remains, it is the sum by the label of the product without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from fusion.coefficients import Constant
from fusion.diagram import Diagram, Fuse, Label, Mix, Pull, Sum, Wire, one, walk_nodes
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.rebuild import rebuild
from fusion_compiler.polynomial.nodes import Couple

MAX_CLASSES = 128
"""Classes of a label whose sums are looked at."""
LETTERS = "abcdefghijklmnopqrstuvwxy"
CLASSES = "z"
"""The letter of the axis of classes."""


def told_apart(diagram: Diagram) -> Diagram:
    """Return the diagram with sums by labels as sums of products with indicators; itself if there is none."""
    new: dict[Node, Node] = {}
    changed = False
    for node in walk_nodes(diagram):
        built = rebuild(node, new)
        if isinstance(built, Sum) and built.by is not None and built.by.classes <= MAX_CLASSES:
            product = _times(_indicator(built.by, built.wire), built.wire)
            if not product.violations:
                built, changed = Sum(product, built.index_map), True
        new[node] = built
    return _diagram(diagram, new) if changed else diagram


def taken_together(diagram: Diagram) -> Diagram:
    """Return the diagram with sums of products with indicators as sums by labels; itself if there is none."""
    new: dict[Node, Node] = {}
    changed = False
    for node in walk_nodes(diagram):
        built = rebuild(node, new)
        found = _without(built.wire) if isinstance(built, Sum) and built.by is None else None
        if isinstance(built, Sum) and found is not None:
            built, changed = Sum(found[1], built.index_map, found[0]), True
        new[node] = built
    return _diagram(diagram, new) if changed else diagram


def _diagram(diagram: Diagram, new: dict[Node, Node]) -> Diagram:
    return Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in diagram.outputs))


def _indicator(label: Label, wire: Wire) -> Mix:
    """Return ones where the class of a row is the one of the channel, and zeros elsewhere."""
    number = one("0" if wire.space.irreps.kinds()[0].p == 0 else "0e")
    eye = Constant.of(np.eye(label.classes).reshape(label.classes, 1, 1, label.classes))
    return Mix(number, Pattern(("",), CLASSES), ((CLASSES, label.classes),), per=(label,), coefficients=eye)


def _times(indicator: Wire, wire: Wire) -> Fuse:
    letters = LETTERS[: len(wire.space.channels)]
    return Fuse(indicator, wire, Pattern((CLASSES, letters), CLASSES + letters))


def _label(wire: Wire) -> Label | None:
    """Return the label of an indicator, on the rows of the wire."""
    if isinstance(wire, Pull):
        label = _label(wire.wire)
        return None if label is None else label.pull(wire.index_map)
    if not isinstance(wire, Mix) or len(wire.per) != 1 or not isinstance(wire.coefficients, Constant):
        return None
    shortest = replace(wire.per[0], maps=())
    return wire.per[0] if replace(wire, per=(shortest,)) == _indicator(shortest, wire) else None


def _without(wire: Wire) -> tuple[Label, Wire] | None:
    """Return the label of the indicator in a product, and the product without it, when its classes come first."""
    if not isinstance(wire, Fuse | Couple) or wire.pattern is None or not wire.pattern.result:
        return None
    if isinstance(wire, Fuse) and wire.weighted:
        return None  # its weights have an axis of classes
    (left, right), result = wire.pattern.operands, wire.pattern.result
    if left[:1] != result[0] or result[0] in right:
        return None
    label = _label(wire.left)
    if label is not None and left + right == result and _is_times(wire):
        return label, wire.right
    found = _without(wire.left)
    if found is None:
        return None
    return found[0], replace(wire, left=found[1], pattern=Pattern((left[1:], right), result[1:]))


def _is_times(wire: Fuse | Couple) -> bool:
    """Whether a product with an indicator changes no path."""
    if isinstance(wire, Fuse):
        return wire.space.irreps == wire.right.space.irreps
    kept = [term for term in wire.terms if term.right == term.out and term.factor == 1.0]
    return len(kept) == len(wire.terms) == wire.right.space.irreps.paths
