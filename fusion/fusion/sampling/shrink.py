"""Minimal reproducers: make a diagram smaller, step by step, while it still does what is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from fusion.diagram import Diagram, Label, Leg, Wire, leg, walk_nodes
from fusion.errors import FusionError
from fusion.node import Node
from fusion.sampling.simpler import simpler
from fusion.sampling.substitute import substitute
from fusion.space import Space
from fusion.validate import findings

Predicate = Callable[[Wire | Diagram], bool]


def shrink(value: Wire | Diagram, fails: Predicate, trials: int = 600, legal: bool = True) -> Wire | Diagram:
    """Return a small diagram for which ``fails`` holds.

    Replaces the diagram by parts of it, parts by legs of their space, nodes by their inputs, and simplifies single
    nodes (fewer orders, terms, classes, paths, channels), as long as ``fails`` stays true. Deterministic.

    Args:
        value: a diagram for which ``fails`` holds.
        fails: what is looked for.
        trials: most calls of ``fails``.
        legal: whether only legal diagrams are tried.
    """
    best, left, known = value, trials, {str(value)}
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(best):
            text = str(candidate)
            if text in known or _size(candidate) >= _size(best) or (legal and not _legal(candidate)):
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
                changed = substitute(diagram, {node: other})
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
                changed = substitute(diagram, {}, {size: smaller})
                if changed is not None:
                    yield changed
    labels = [node for node in walk_nodes(diagram) if isinstance(node, Label) and node.classes > 1]
    for name in dict.fromkeys(node.name for node in labels):
        alike: dict[Node, Node] = {
            node: replace(node, classes=node.classes - 1) for node in labels if node.name == name
        }
        changed = substitute(diagram, alike)
        if changed is not None:
            yield changed
