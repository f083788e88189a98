"""Fusion networks as graphs, and back: vertices and open ends are graph nodes, lines are edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fusion.errors import LimitError, NotationError
from fusion.graph.plain import (
    Attributes,
    Edge,
    Id,
    Parts,
    at,
    in_order,
    integer,
    needed,
    new_graph,
    only,
    read,
    shown,
    text,
)
from fusion.index import check_name
from fusion.irreps import Irrep
from fusion.limits import MAX_NODES
from fusion.network import Network, Vertex

if TYPE_CHECKING:
    import networkx as nx

ENTERS = {"fuse": ("left", "right"), "split": ("coupled",), "cap": ("left", "right"), "cup": ()}
"""Roles of the lines that end at a vertex, in the order of :attr:`Vertex.enters`."""
LEAVES = {"fuse": ("coupled",), "split": ("left", "right"), "cap": (), "cup": ("left", "right")}
"""Roles of the lines that start at a vertex, in the order of :attr:`Vertex.leaves`."""
OPEN = ("in", "out")
"""Kinds of graph nodes for open ends."""


def write_network(network: Network) -> nx.MultiDiGraph[str]:
    """Return the graph of a network (see :func:`fusion.graph.to_graph`)."""
    graph = new_graph("network")
    irreps = network.irreps
    starts: dict[str, tuple[str, dict[str, object]]] = {}
    ends: dict[str, tuple[str, dict[str, object]]] = {}
    for place, vertex in enumerate(network.vertices):
        node = f"vertex{place + 1}"
        alone = Network((vertex,), tuple((line, irreps[line]) for line in sorted(set(vertex.lines))))
        errors = [found.headline for found in alone.violations()]
        graph.add_node(node, kind=vertex.kind, place=place, errors=errors)
        for line, role in zip(vertex.leaves, LEAVES[vertex.kind], strict=True):
            starts[line] = node, {"start": role}
        for line, role in zip(vertex.enters, ENTERS[vertex.kind], strict=True):
            ends[line] = node, {"end": role}
    for kind, names, found in (("in", network.ins, starts), ("out", network.outs, ends)):
        for number, line in enumerate(names, 1):
            graph.add_node(f"{kind}{number}", kind=kind)
            found[line] = f"{kind}{number}", {}
    for line, irrep in network.lines:
        (source, start), (target, end) = starts[line], ends[line]
        graph.add_edge(source, target, key=line, name=line, irrep=str(irrep), **start, **end)
    return graph


def read_network(parts: Parts) -> Network:
    """Return the network of a graph (see :func:`fusion.graph.from_graph`)."""
    if len(parts.nodes) > MAX_NODES:
        raise LimitError(f"a graph of {len(parts.nodes)} nodes; the limit for a network is {MAX_NODES}")
    kinds = {node: _kind(node, attributes) for node, attributes in parts.nodes.items()}
    lines: dict[str, Irrep] = {}
    entering: dict[Id, dict[str, str]] = {node: {} for node in kinds}
    leaving: dict[Id, dict[str, str]] = {node: {} for node in kinds}
    for edge in parts.edges:
        with at(f"{edge}"):
            name, irrep = _line(edge)
            if name in lines:
                raise NotationError(f"a second line is called {name!r}")
            lines[name] = irrep
            _attach(name, "start", edge, kinds[edge.source], leaving[edge.source])
            _attach(name, "end", edge, kinds[edge.target], entering[edge.target])
    vertices: list[tuple[int, Vertex]] = []
    for node, kind in kinds.items():
        with at(f"graph node {shown(node)} ({kind})"):
            enters = _lines("ends", _enters(kind), entering[node])
            leaves = _lines("starts", _leaves(kind), leaving[node])
            if kind not in OPEN:
                place = read("place", parts.nodes[node], integer)
                vertices.append((place, Vertex(kind, (*enters, *leaves))))
    return Network(tuple(in_order("vertices", vertices)), tuple(sorted(lines.items())))


def _kind(node: Id, attributes: Attributes) -> str:
    with at(f"graph node {shown(node)}"):
        kind = needed("kind", attributes)
        if not isinstance(kind, str) or (kind not in ENTERS and kind not in OPEN):
            raise NotationError(f"unknown kind {shown(kind)}; known: {', '.join((*ENTERS, *OPEN))}")
        only(("kind",) if kind in OPEN else ("kind", "place", "errors"), attributes)
    return kind


def _enters(kind: str) -> tuple[str, ...]:
    """Roles of the lines that end at a graph node; an open end has one line, without a role."""
    return ENTERS.get(kind, ("",) if kind == "out" else ())


def _leaves(kind: str) -> tuple[str, ...]:
    """Roles of the lines that start at a graph node; an open end has one line, without a role."""
    return LEAVES.get(kind, ("",) if kind == "in" else ())


def _line(edge: Edge) -> tuple[str, Irrep]:
    only(("name", "irrep", "start", "end"), edge.attributes)
    name = read("name", edge.attributes, lambda value: check_name(text(value), "the name of a line"))
    return name, read("irrep", edge.attributes, lambda value: Irrep.parse(text(value)))


def _attach(name: str, side: str, edge: Edge, kind: str, taken: dict[str, str]) -> None:
    """Note the line at one of its ends, by its role there."""
    known = _leaves(kind) if side == "start" else _enters(kind)
    if not known:
        raise NotationError(f"no line {side}s at a vertex of kind {kind!r}")
    if kind in OPEN:
        if side in edge.attributes:
            raise NotationError(f"attribute {side!r} belongs to lines that {side} at a vertex, not at an open end")
        role = ""
    else:
        role = read(side, edge.attributes, text)
    if role not in known:
        raise NotationError(f"{side} = {shown(role)}: a line {side}s at a {kind} as {' or '.join(known)}")
    if role in taken:
        where = f" as {role}" if role else ""
        raise NotationError(f"lines {taken[role]!r} and {name!r} both {side} at one {kind}{where}")
    taken[role] = name


def _lines(what: str, roles: Sequence[str], found: Mapping[str, str]) -> tuple[str, ...]:
    for role in roles:
        if role not in found:
            raise NotationError(f"no line {what} here{f' as {role}' if role else ''}")
    return tuple(found[role] for role in roles)
