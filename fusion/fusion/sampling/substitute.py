"""Put other nodes in the place of some, and build anew whatever they enter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from fusion.diagram import Diagram, Shuffle, Wire, walk_nodes
from fusion.errors import FusionError
from fusion.node import Node
from fusion.rebuild import swapped
from fusion.space import Space


def substitute(
    diagram: Diagram, nodes: Mapping[Node, Node], sizes: Mapping[int, int] | None = None
) -> Wire | Diagram | None:
    """Return the diagram with some nodes, and sizes of declared axes, replaced; ``None`` when impossible."""
    made: dict[Node, Node] = dict(nodes)
    resize = sizes or {}
    try:
        for node in walk_nodes(diagram):
            if node not in made:
                made[node] = _rebuilt(node, made, resize)
    except FusionError:
        return None
    outputs = tuple((name, made[wire]) for name, wire in diagram.outputs)
    wires = tuple((name, wire) for name, wire in outputs if isinstance(wire, Wire))
    if len(wires) < len(outputs):
        return None
    return wires[0][1] if wires[0][0] == "out" and len(wires) == 1 else Diagram(wires)


def _rebuilt(node: Node, made: Mapping[Node, Node], sizes: Mapping[int, int]) -> Node:
    """Return a node with its inputs taken from ``made``."""
    changes: dict[str, object] = {}
    for item in fields(node):  # type: ignore[arg-type]  # every concrete node is a dataclass
        old: object = getattr(node, item.name)
        new = swapped(old, made)
        if sizes and item.name == "sizes":
            new = tuple((letter, sizes.get(size, size)) for letter, size in old)  # type: ignore[attr-defined]
        if sizes and item.name == "declared" and isinstance(old, Space):
            new = old.replace(channels=tuple((name, sizes.get(size, size)) for name, size in old.channels))
        if item.name == "order" and isinstance(node, Shuffle):
            new = _cut(node, made[node.wire])
        if new != old:
            changes[item.name] = new
    return replace(node, **changes) if changes else node  # type: ignore[type-var]


def _cut(node: Shuffle, wire: Node) -> tuple[int, ...]:
    """Return the order of a shuffle on an axis that may have become smaller."""
    sizes = wire.space.sizes
    size = sizes[node.axis] if -len(sizes) <= node.axis < len(sizes) else 0
    return tuple(place for place in node.order if place < size)
