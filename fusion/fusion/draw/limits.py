"""How much is drawn: beyond, no picture is readable, and layout would take minutes."""

from __future__ import annotations

from fusion.diagram import Diagram, walk_nodes
from fusion.errors import LimitError
from fusion.network import Network
from fusion.node import Node

PAGE_WIDTH = 1100.0
"""Width in pixels above which a drawing is broken."""
MAX_DRAWN = 2_000
"""Largest number of nodes, or of vertices and lines."""
MAX_WIRES = 10_000
"""Largest number of wires."""
MAX_ELEMENTS = 20_000
"""Largest number of nodes and of places where a wire passes a row of nodes."""


def drawable(value: Diagram | Network) -> list[Node]:
    """Return the nodes of a diagram (none of a network) when it is small enough to be drawn, else raise LimitError."""
    if isinstance(value, Network):
        _check(len(value.vertices) + len(value.lines), MAX_DRAWN, "vertices and lines")
        return []
    nodes = walk_nodes(value)
    _check(len(nodes), MAX_DRAWN, "nodes")
    _check(sum(len(node.inputs) for node in nodes) + len(value.outputs), MAX_WIRES, "wires")
    return nodes


def check_elements(count: int) -> None:
    """Raise LimitError when long wires make a layout too large."""
    if count > MAX_ELEMENTS:
        raise LimitError(f"too many long wires to draw: they pass other nodes at more than {MAX_ELEMENTS} places")


def _check(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise LimitError(f"a drawing of {count} {what}; at most {limit} are drawn")
