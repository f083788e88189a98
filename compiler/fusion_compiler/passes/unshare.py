"""unshare: a vertex that several fuses use is formed by each of them for itself, wherever that costs less.

Formed once, a vertex cannot be contracted together with what uses it, and then all its paths are formed, with all
channels: two couplings of ``h @ Y`` with third wires can cost several times what both cost alone. Which is cheaper, the
shared vertex or a shortcut for each user, is judged by the cost of the whole program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeGuard, cast

from fusion.diagram import Diagram, Fuse, Wire, walk_nodes
from fusion.node import Node
from fusion.rebuild import rebuild
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.roots import replaced
from fusion_compiler.passes.worth import cheaper
from fusion_compiler.polynomial.nodes import Unshared

MAX_TRIALS = 12
"""Shared vertices that are judged one by one; of more, none is."""


def unshared(diagram: Diagram) -> Diagram:
    """Return the diagram in which shared vertices are formed by each of their users, wherever that costs less."""
    current = write_out(diagram)
    trials = _candidates(current)
    if len(trials) > MAX_TRIALS:
        return diagram
    changed = False
    for vertex in reversed(trials):  # users first: what they no longer share takes their inputs along
        trial = _split(current, vertex)
        if cheaper(trial, current):
            current, changed = trial, True
    return current if changed else diagram


def _candidates(diagram: Diagram) -> list[Fuse]:
    """Return the unweighted fuses that are used more than once, one of their users a fuse that could take them in."""
    users, kept = _users(diagram), _outputs(diagram)
    return [
        node
        for node in walk_nodes(diagram)
        if _is_vertex(node) and len(users[node]) + (node in kept) > 1 and any(map(_is_vertex, users[node]))
    ]


def _split(diagram: Diagram, vertex: Fuse) -> Diagram:
    """Return the diagram in which every fuse that takes ``vertex`` once forms it for itself."""
    users = _users(diagram)
    own = _own(vertex, users, _outputs(diagram))
    new: dict[Node, Node] = {}
    takers = [node for node in dict.fromkeys(users[vertex]) if _is_vertex(node) and users[vertex].count(node) == 1]
    for user, taker in enumerate(takers):
        copies: dict[Node, Node] = {}
        for node in own:
            copies[node] = _swapped(Unshared(**_fields(node), user=user), copies)
        new[taker] = _swapped(taker, {vertex: copies[vertex]})
    return replaced(diagram, new)


def _own(vertex: Fuse, users: Mapping[Node, list[Node]], kept: set[Wire]) -> list[Fuse]:
    """Return a vertex and the vertices below it that nothing else uses, inputs before users."""
    nodes = walk_nodes(vertex)
    found: set[Node] = {vertex}
    for node in reversed(nodes):
        if node in found and _is_vertex(node):
            found.update(child for child in node.inputs if users[child] == [node] and child not in kept)
    return [node for node in nodes if node in found and _is_vertex(node)]


def _users(diagram: Diagram) -> dict[Node, list[Node]]:
    """Return what uses every node; a user that takes it twice counts twice."""
    nodes = walk_nodes(diagram)
    found: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for child in node.inputs:
            found[child].append(node)
    return found


def _outputs(diagram: Diagram) -> set[Wire]:
    return {wire for _, wire in diagram.outputs}


def _is_vertex(node: Node) -> TypeGuard[Fuse]:
    return isinstance(node, Fuse) and not node.weighted


def _fields(node: Fuse) -> dict[str, Any]:
    return {item.name: getattr(node, item.name) for item in fields(Fuse)}


def _swapped(node: Fuse, new: Mapping[Node, Node]) -> Fuse:
    """Return the node with those of its inputs replaced that have a replacement."""
    return cast("Fuse", rebuild(node, {child: new.get(child, child) for child in node.inputs}))
