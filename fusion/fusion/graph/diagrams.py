"""Wires and diagrams as graphs, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, cast

from fusion.arguments import identifier
from fusion.diagram import (
    Add,
    Apply,
    Diagram,
    DirectSum,
    Fuse,
    Geometry,
    Label,
    Leg,
    Map,
    Merge,
    Mix,
    Power,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
    walk_nodes,
)
from fusion.errors import LimitError, NotationError
from fusion.graph.builders import BUILDERS
from fusion.graph.fields import Schema, Slot, schema, write_inputs, write_values
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
from fusion.limits import MAX_NODES
from fusion.node import Node
from fusion.validate import findings

if TYPE_CHECKING:
    import networkx as nx

KINDS: dict[str, type[Node]] = {
    kind.__name__.lower(): kind
    for kind in (
        Leg, Label, Fuse, Power, Mix, Scale, Add, Map, Geometry, Pull, Sum,
        DirectSum, Select, Split, Merge, Reorder, Shuffle, Apply,
    )
}  # fmt: skip
"""Every kind of node, by the name of its class."""
OUTPUT = "output"
DERIVED = ("space", "irreps", "channels", "index_space", "errors", "notices")
"""Annotations of a node that follow from the diagram; ignored when a graph is read."""


def write_diagram(value: Wire | Diagram) -> nx.MultiDiGraph[str]:
    """Return the graph of a diagram (see :func:`fusion.graph.to_graph`)."""
    diagram = Diagram.of(value)
    graph = new_graph("diagram" if isinstance(value, Diagram) else "wire")
    found: dict[tuple[Node, str], list[str]] = {}
    for finding in findings(diagram):
        found.setdefault((finding.node, finding.violation.severity), []).append(finding.violation.headline)
    ids: dict[Node, str] = {}
    counts: dict[str, int] = {}
    for node in walk_nodes(diagram):
        counts[node.kind] = counts.get(node.kind, 0) + 1
        ids[node] = f"{node.kind}{counts[node.kind]}"
        space = node.space
        graph.add_node(
            ids[node],
            kind=node.kind,
            **dict(write_values(node)),
            space=str(space),
            irreps=str(space.irreps),
            channels=[list(axis) for axis in space.channels],
            index_space=space.on,
            errors=found.get((node, "error"), []),
            notices=found.get((node, "notice"), []),
        )
        for child, attributes in write_inputs(node):
            key = " ".join(str(attributes[name]) for name in ("role", "place") if name in attributes)
            graph.add_edge(ids[child], ids[node], key=key, **attributes)
    for place, (name, wire) in enumerate(diagram.outputs):
        graph.add_node(f"{OUTPUT}{place + 1}", kind=OUTPUT, name=name, place=place)
        graph.add_edge(ids[wire], f"{OUTPUT}{place + 1}", key="wire", role="wire")
    return graph


def read_diagram(parts: Parts) -> Wire | Diagram:
    """Return the diagram of a graph (see :func:`fusion.graph.from_graph`)."""
    kinds = {node: _kind(node, attributes) for node, attributes in parts.nodes.items()}
    count = sum(kind != OUTPUT for kind in kinds.values())
    if max(count, len(kinds) - count) > MAX_NODES:
        raise LimitError(f"a graph of {count} nodes and {len(kinds) - count} outputs; the limit is {MAX_NODES} of each")
    incoming: dict[Id, list[Edge]] = {node: [] for node in kinds}
    used: set[Id] = set()
    for edge in parts.edges:
        if kinds[edge.source] == OUTPUT:
            raise NotationError(f"{edge}: {shown(edge.source)} is an output, nothing can follow it")
        incoming[edge.target].append(edge)
        used.add(edge.source)
    built: dict[Id, Node] = {}
    outputs: list[tuple[int, tuple[str, Wire]]] = []
    for node in _ordered(incoming):
        with at(_called(node, kinds[node])):
            if kinds[node] == OUTPUT:
                outputs.append(_output(parts.nodes[node], incoming[node], built))
            else:
                built[node] = _node(schema(KINDS[kinds[node]]), parts.nodes[node], incoming[node], built)
    for node, kind in kinds.items():
        if kind != OUTPUT and node not in used:
            raise NotationError(f"{_called(node, kind)}: nothing uses it; connect it to an output, or remove it")
    return _value(parts.value, in_order("outputs", outputs))


def _value(value: str, outputs: Sequence[tuple[str, Wire]]) -> Wire | Diagram:
    names = [name for name, _ in outputs]
    if value == "wire":
        if names != ["out"]:
            some = ", ".join(map(shown, names[:8])) or "none"
            raise NotationError(f"the graph of a wire has one output, called 'out'; this one has {some}")
        return outputs[0][1]
    if names != ["out"]:
        for name in names:
            with at(f"output {shown(name)}"):
                identifier(name)
    return Diagram(tuple(outputs))


def _called(node: Id, kind: str) -> str:
    return f"graph node {shown(node)} ({kind})"


def _kind(node: Id, attributes: Attributes) -> str:
    with at(f"graph node {shown(node)}"):
        kind = needed("kind", attributes)
        if not isinstance(kind, str) or (kind not in KINDS and kind != OUTPUT):
            raise NotationError(f"unknown kind {shown(kind)}; known: {', '.join((*KINDS, OUTPUT))}")
    return kind


def _ordered(incoming: Mapping[Id, Sequence[Edge]]) -> list[Id]:
    """Return the graph nodes, inputs before users."""
    inputs = {node: [edge.source for edge in edges] for node, edges in incoming.items()}
    try:
        return list(TopologicalSorter(inputs).static_order())
    except CycleError as error:
        cycle = cast("list[Id]", error.args[1])
        some = " -> ".join(map(shown, cycle[:8])) + (" -> ..." if len(cycle) > 8 else "")
        raise NotationError(f"graph nodes {some} form a cycle; a diagram has none") from None


def _output(attributes: Attributes, edges: Sequence[Edge], built: Mapping[Id, Node]) -> tuple[int, tuple[str, Wire]]:
    only(("kind", "name", "place"), attributes)
    name, place = read("name", attributes, text), read("place", attributes, integer)
    wires = _inputs({"wire": Slot(Wire)}, {}, edges, built)
    return place, (name, cast("Wire", wires["wire"]))


def _node(known: Schema, attributes: Attributes, edges: Sequence[Edge], built: Mapping[Id, Node]) -> Node:
    only(("kind", *known.values, *DERIVED), attributes)
    given = _inputs(known.slots, known.defaults, edges, built)
    for name, codec in known.values.items():
        if name in attributes or name not in known.defaults:
            given[name] = read(name, attributes, codec.read)
    return BUILDERS.get(known.node, known.node)(**given)


def _inputs(
    slots: Mapping[str, Slot], optional: Mapping[str, object], edges: Sequence[Edge], built: Mapping[Id, Node]
) -> dict[str, object]:
    """Return the inputs of a node by role, from the edges that enter it."""
    found: dict[str, list[tuple[int, object]]] = {role: [] for role in slots}
    for edge in edges:
        with at(f"{edge}"):
            role = needed("role", edge.attributes)
            if not isinstance(role, str) or role not in slots:
                raise NotationError(f"unknown role {shown(role)}; roles here: {', '.join(slots) or 'none'}")
            slot = slots[role]
            found[role].append(_input(slot, edge, built[edge.source]))
            if not slot.several and len(found[role]) > 1:
                raise NotationError(f"a second input as {role}")
    given: dict[str, object] = {}
    for role, placed in found.items():
        if not placed and role not in optional:
            raise NotationError(f"the input {role} is missing; draw an edge to it with role={role!r}")
        if slots[role].several:
            given[role] = tuple(in_order(f"inputs {role}", placed))
        elif placed:
            given[role] = placed[0][1]
    return given


def _input(slot: Slot, edge: Edge, node: Node) -> tuple[int, object]:
    """Return the place of an input among those of its role, and what goes there."""
    beside = (slot.beside,) if slot.beside else ()
    only(("role", *(("place",) if slot.several else ()), *beside), edge.attributes)
    if not isinstance(node, slot.takes):
        wanted = slot.takes.__name__.lower()
        raise NotationError(f"a {wanted} belongs here, {shown(edge.source)} is a {node.kind}")
    place = read("place", edge.attributes, integer) if slot.several else 0
    if slot.codec is None:
        return place, node
    return place, (read(slot.beside, edge.attributes, slot.codec.read), node)
