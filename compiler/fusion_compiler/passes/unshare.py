"""unshare: a vertex that several fuses use is formed by each of them for itself, wherever that costs less.

Formed once, a vertex cannot be contracted together with what uses it, and then all its paths are formed, with all
channels: two couplings of ``h @ Y`` with third wires can cost several times what both cost alone. Which is cheaper, the
shared vertex or a shortcut for each user, is judged by the cost of the whole program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeGuard, cast

from fusion.diagram import Diagram, Fuse, Leg, Wire, walk_nodes
from fusion.node import Node
from fusion.rebuild import rebuild
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.roots import replaced
from fusion_compiler.passes.worth import cheaper, program_cost, program_of
from fusion_compiler.polynomial.nodes import Unshared

MAX_APART = 64
"""Shared vertices that are taken apart at most, those first that gain most: everything above each is built anew."""
MAX_TRIALS = 3
"""Shared vertices judged one by one where it does not pay that all are formed by each user: each costs a planning."""


def unshare(diagram: Diagram) -> Diagram:
    """Return the diagram in which shared vertices are formed by each of their users, wherever that costs less."""
    written = write_out(diagram)
    uses = _Uses.of(written)
    gains = {vertex: _gain(written, uses, vertex) for vertex in uses.candidates()}
    most = sorted((vertex for vertex in gains if gains[vertex] > 0), key=lambda vertex: -gains[vertex])[:MAX_APART]
    # users come first: what they no longer share takes vertices below along
    promising = [vertex for vertex in reversed(gains) if vertex in most]
    if not promising:
        return diagram
    whole = written
    for vertex in promising:
        whole = _split(whole, vertex)
    if cheaper(whole, written):
        return whole
    current = written
    for vertex in (vertex for vertex in promising if vertex in most[:MAX_TRIALS] and len(promising) > 1):
        trial = _split(current, vertex)
        if cheaper(trial, current):
            current = trial
    return diagram if current is written else current


@dataclass(frozen=True)
class _Uses:
    """What uses every node of a diagram.

    Attributes:
        users: of every node, inputs before users; a user that takes it twice counts twice.
        kept: the outputs.
        place: of every node in that order.
    """

    users: dict[Node, list[Node]]
    kept: set[Wire]
    place: dict[Node, int]

    @classmethod
    def of(cls, diagram: Diagram) -> _Uses:
        """Read a diagram."""
        nodes = walk_nodes(diagram)
        users: dict[Node, list[Node]] = {node: [] for node in nodes}
        for node in nodes:
            for child in node.inputs:
                users[child].append(node)
        place = {node: number for number, node in enumerate(nodes)}
        return cls(users, {wire for _, wire in diagram.outputs}, place)

    def candidates(self) -> list[Fuse]:
        """Return the vertices that are used more than once, one of their users a fuse that could take them in."""
        return [
            node
            for node, users in self.users.items()
            if _is_vertex(node) and len(users) + (node in self.kept) > 1 and self.takers(node)
        ]

    def takers(self, vertex: Fuse) -> list[Fuse]:
        """Return the fuses that take a vertex once, and could form it themselves."""
        users = self.users[vertex]
        return [node for node in dict.fromkeys(users) if _is_vertex(node) and users.count(node) == 1]

    def stays(self, vertex: Fuse) -> bool:
        """Whether something else needs a vertex, too."""
        return vertex in self.kept or len(self.takers(vertex)) < len(self.users[vertex])

    def own(self, vertex: Fuse) -> list[Fuse]:
        """Return a vertex and the vertices below it that nothing else uses, inputs before users."""
        found, stack = [vertex], [vertex]
        while stack:
            node = stack.pop()
            for child in (node.left, node.right):
                if _is_vertex(child) and self.users[child] == [node] and child not in self.kept:
                    found.append(child)
                    stack.append(child)
        return sorted(found, key=self.place.__getitem__)


def _gain(diagram: Diagram, uses: _Uses, vertex: Fuse) -> float:
    """Return what is saved where each user forms a vertex, for it and its users alone: quick to tell."""
    takers = uses.takers(vertex)
    new: dict[Node, Node] = {}
    for node in sorted({*uses.own(vertex), *takers}, key=uses.place.__getitem__):
        for wire in (node.left, node.right):
            new.setdefault(wire, Leg(f"x{len(new)}", wire.space))
        new[node] = _swapped(node, new)
    ends = [*takers, vertex] if uses.stays(vertex) else takers
    whole = Diagram(tuple((f"y{number}", cast("Wire", new[node])) for number, node in enumerate(ends)))
    parts = _split(whole, cast("Fuse", new[vertex]))
    rows = program_of(diagram)
    return program_cost(program_of(whole), rows) - program_cost(program_of(parts), rows)


def _split(diagram: Diagram, vertex: Fuse) -> Diagram:
    """Return the diagram in which every fuse that takes ``vertex`` once forms it for itself."""
    uses = _Uses.of(diagram)
    own = uses.own(vertex)
    new: dict[Node, Node] = {}
    for user, taker in enumerate(uses.takers(vertex)):
        copies: dict[Node, Node] = {}
        for node in own:
            copies[node] = _swapped(Unshared(**_fields(node), user=user), copies)
        new[taker] = _swapped(taker, {vertex: copies[vertex]})
    return replaced(diagram, new)


def _is_vertex(node: Node) -> TypeGuard[Fuse]:
    return isinstance(node, Fuse) and not node.weighted


def _fields(node: Fuse) -> dict[str, Any]:
    return {item.name: getattr(node, item.name) for item in fields(Fuse)}


def _swapped(node: Fuse, new: Mapping[Node, Node]) -> Fuse:
    """Return the node with those of its inputs replaced that have a replacement."""
    return cast("Fuse", rebuild(node, {child: new.get(child, child) for child in node.inputs}))
