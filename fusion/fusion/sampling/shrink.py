"""Minimal reproducers: make a diagram smaller, step by step, while it still does what is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace

from fusion.diagram import (
    Diagram,
    Label,
    Leg,
    Shuffle,
    Wire,
    leg,
    walk_nodes,
)
from fusion.errors import FusionError
from fusion.node import Node
from fusion.sampling.simpler import simpler
from fusion.space import Space
from fusion.validate import findings

Predicate = Callable[[Wire | Diagram], bool]


def shrink(value: Wire | Diagram, fails: Predicate, trials: int = 600) -> Wire | Diagram:
    """Return a small diagram for which ``fails`` holds.

    Replaces the diagram by parts of it, parts by legs of their space, nodes by their inputs, and simplifies single
    nodes (fewer orders, terms, classes, paths, channels), as long as ``fails`` stays true. Deterministic.

    Args:
        value: a legal diagram for which ``fails`` holds.
        fails: what is looked for; called with legal diagrams only.
        trials: most calls of ``fails``.
    """
    best, left, known = value, trials, {str(value)}
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(best):
            text = str(candidate)
            if text in known or _size(candidate) >= _size(best) or not _legal(candidate):
                continue
            known.add(text)
            if left == 0:
                return best
            left -= 1
            if fails(candidate):
                best, progress = candidate, True
                break
    return best


def _size(value: Wire | Diagram) -> tuple[int, int, int]:
    """What shrinking makes smaller: nodes first, then values on all wires, then text."""
    nodes = walk_nodes(value)
    numbers = 0
    for node in nodes:
        count = node.space.dim + len(node.space.channels)
        for size in node.space.sizes:
            count *= size
        numbers += count
    return len(nodes), numbers, len(str(value))


def _legal(value: Wire | Diagram) -> bool:
    return not any(found.violation.severity == "error" for found in findings(value))


def _smaller(value: Wire | Diagram) -> Iterator[Wire | Diagram]:
    """Candidates, the boldest first."""
    diagram = Diagram.of(value)
    if len(diagram.outputs) > 1:
        for _, wire in diagram.outputs:
            yield wire
    nodes = [node for node in walk_nodes(diagram) if isinstance(node, Wire)]
    roots = {wire for _, wire in diagram.outputs}
    yield from (node for node in nodes if node not in roots and not isinstance(node, Leg))
    for make in (_as_leg, _as_inputs, simpler):
        for node in reversed(nodes):
            for other in _attempt(make, node, diagram):
                changed = _substitute(diagram, {node: other})
                if changed is not None:
                    yield changed
    yield from _thinner(diagram)


def _attempt(make: Callable[[Wire, Diagram], Iterator[Node]], node: Wire, diagram: Diagram) -> Iterator[Node]:
    made = make(node, diagram)
    while True:
        try:
            yield next(made)
        except StopIteration:
            return
        except FusionError:  # this way of making it smaller is not open; the generator ends here
            return


def _as_leg(node: Wire, diagram: Diagram) -> Iterator[Node]:
    """Cut everything below a node: a fresh leg of its space."""
    if isinstance(node, Leg):
        return
    names = {item.name for item in walk_nodes(diagram) if isinstance(item, Leg | Label)}
    number = next(n for n in range(1, len(names) + 2) if f"cut{n}" not in names)
    yield _leg(f"cut{number}", node.space)


def _leg(name: str, space: Space) -> Leg:
    return leg(name, space.irreps, channels=dict(space.channels) or None, on=space.on)


def _as_inputs(node: Wire, diagram: Diagram) -> Iterator[Node]:
    """Leave a node out: one of its inputs in its place."""
    yield from (item for item in node.inputs if isinstance(item, Wire))


def _thinner(diagram: Diagram) -> Iterator[Wire | Diagram]:
    """The diagram with one size of channel axis replaced by a smaller one everywhere."""
    found = {size for node in walk_nodes(diagram) for size in node.space.sizes if size > 1}
    for size in sorted(found, reverse=True):
        for smaller in dict.fromkeys((1, 2, size - 1)):
            if smaller < size:
                changed = _substitute(diagram, {}, {size: smaller})
                if changed is not None:
                    yield changed
    labels = [node for node in walk_nodes(diagram) if isinstance(node, Label) and node.classes > 1]
    for name in dict.fromkeys(node.name for node in labels):
        alike: dict[Node, Node] = {
            node: replace(node, classes=node.classes - 1) for node in labels if node.name == name
        }
        changed = _substitute(diagram, alike)
        if changed is not None:
            yield changed


def _substitute(
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
        new = _swapped(old, made)
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


def _swapped(value: object, made: Mapping[Node, Node]) -> object:
    if isinstance(value, Node):
        return made[value]
    if isinstance(value, tuple):
        items = tuple(_swapped(item, made) for item in value)  # type: ignore[misc]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value  # type: ignore[arg-type]
    return value
