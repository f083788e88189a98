"""unshare: a vertex that several fuses use is formed by each of them for itself, wherever that costs less.

Formed once, a vertex cannot be contracted together with what uses it, and then all its paths are formed, with all
channels: two couplings of ``h @ Y`` with third wires can cost several times what both cost alone. Which is cheaper, the
shared vertex or a shortcut for each user, is judged by the cost of the whole program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeGuard, cast

from fusion.diagram import Diagram, Fuse, Leg, Wire, walk_nodes
from fusion.node import Node
from fusion.rebuild import rebuild
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.roots import replaced
from fusion_compiler.passes.worth import cheaper, program_cost, program_of
from fusion_compiler.polynomial.nodes import Unshared

MAX_TRIALS = 3
"""Shared vertices judged one by one where it does not pay that all are formed by each user: each costs a planning."""


def unshare(diagram: Diagram) -> Diagram:
    """Return the diagram in which shared vertices are formed by each of their users, wherever that costs less."""
    written = write_out(diagram)
    gains = {vertex: _gain(written, vertex) for vertex in _candidates(written)}
    # users come first: what they no longer share takes vertices below along
    promising = [vertex for vertex in reversed(gains) if gains[vertex] > 0]
    if not promising:
        return diagram
    whole = written
    for vertex in promising:
        whole = _split(whole, vertex)
    if cheaper(whole, written):
        return whole
    current = written
    best = sorted(promising, key=lambda vertex: -gains[vertex])[:MAX_TRIALS]
    for vertex in (vertex for vertex in promising if vertex in best and len(promising) > 1):
        trial = _split(current, vertex)
        if cheaper(trial, current):
            current = trial
    return diagram if current is written else current


def _gain(diagram: Diagram, vertex: Fuse) -> float:
    """Return what is saved where each user forms a vertex, for it and its users alone: quick to tell."""
    users = _users(diagram)
    near = {*_own(vertex, users, _outputs(diagram)), *_takers(vertex, users)}
    new: dict[Node, Node] = {}
    for node in walk_nodes(diagram):
        if node in near and isinstance(node, Fuse):
            for wire in (node.left, node.right):
                new.setdefault(wire, Leg(f"x{len(new)}", wire.space))
            new[node] = _swapped(node, new)
    ends = [node for node in (*_takers(vertex, users), vertex) if node != vertex or _stays(vertex, users, diagram)]
    whole = Diagram(tuple((f"y{number}", cast("Wire", new[node])) for number, node in enumerate(ends)))
    parts = _split(whole, cast("Fuse", new[vertex]))
    rows = program_of(diagram)
    return program_cost(program_of(whole), rows) - program_cost(program_of(parts), rows)


def _candidates(diagram: Diagram) -> list[Fuse]:
    """Return the unweighted fuses that are used more than once, one of their users a fuse that could take them in."""
    users, kept = _users(diagram), _outputs(diagram)
    return [
        node
        for node in walk_nodes(diagram)
        if _is_vertex(node) and len(users[node]) + (node in kept) > 1 and _takers(node, users)
    ]


def _split(diagram: Diagram, vertex: Fuse) -> Diagram:
    """Return the diagram in which every fuse that takes ``vertex`` once forms it for itself."""
    users = _users(diagram)
    own = _own(vertex, users, _outputs(diagram))
    new: dict[Node, Node] = {}
    for user, taker in enumerate(_takers(vertex, users)):
        copies: dict[Node, Node] = {}
        for node in own:
            copies[node] = _swapped(Unshared(**_fields(node), user=user), copies)
        new[taker] = _swapped(taker, {vertex: copies[vertex]})
    return replaced(diagram, new)


def _takers(vertex: Fuse, users: Mapping[Node, list[Node]]) -> list[Fuse]:
    """Return the fuses that take a vertex once, and could form it themselves."""
    return [node for node in dict.fromkeys(users[vertex]) if _is_vertex(node) and users[vertex].count(node) == 1]


def _stays(vertex: Fuse, users: Mapping[Node, list[Node]], diagram: Diagram) -> bool:
    """Whether something else needs a vertex, too."""
    return vertex in _outputs(diagram) or len(_takers(vertex, users)) < len(users[vertex])


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
