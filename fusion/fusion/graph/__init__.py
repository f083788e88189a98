"""Diagrams and fusion networks as networkx graphs, without loss in either direction.

A graph can be analysed and edited with everything that networkx offers, saved with ``networkx.node_link_data``, and
brought back. Its attributes are plain data: texts as in the one-line notation, numbers, and lists of these.

``graph.graph``
    ``format="fusion-graph"``, ``version=1`` and ``value``: ``"wire"``, ``"diagram"`` or ``"network"``.
nodes of a wire or diagram
    One for each distinct node: ``kind`` (``leg``, ``label``, ``fuse``, ``mix``, ...) and its declared fields, as in
    ``coupled="0e+1o"`` or ``pattern="u->v"``; fields with their default are left out. One for each output:
    ``kind="output"``, ``name``, and ``place`` in the order of outputs.
edges of a wire or diagram
    From an input to its user: ``role`` (``left``, ``right``, ``by``, ``per``, ...); where one role has several inputs
    also ``place``; for a term of an add its ``factor``, for a wire of a network its ``end``. Keys of parallel edges are
    free.
networks
    A node for each vertex (``kind`` and ``place`` in the order of vertices) and each open end (``in`` or ``out``). An
    edge for each line: ``name``, ``irrep`` and its role at the vertices where it starts and ends (``start``, ``end``).

The attributes ``space``, ``irreps``, ``channels``, ``index_space``, ``errors`` and ``notices`` of nodes follow from the
rest. They are there to be looked at, and ignored when a graph is read::

    graph = to_graph((h @ y)["0e+1o"].mix("u->v", v=8))
    networkx.descendants(graph, "leg2")                  # all that depends on y
    graph.nodes["fuse1"]["coupled"] = "0e+1e"            # edit a filter
    changed = from_graph(graph)                          # a diagram again
    check(changed)                                       # with the errors of one that was written so
    [name for name, errors in to_graph(changed).nodes(data="errors") if errors]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.diagram import Diagram, Wire
from fusion.graph.diagrams import read_diagram, write_diagram
from fusion.graph.networks import read_network, write_network
from fusion.graph.plain import parts_of
from fusion.network import Network

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["from_graph", "to_graph"]


def to_graph(value: Wire | Diagram | Network) -> nx.MultiDiGraph[str]:
    """Return the annotated graph of a diagram or network, legal or not; its schema stands in :mod:`fusion.graph`.

    Raises:
        NotationError: ``value`` is none of these.
    """
    return write_network(value) if isinstance(value, Network) else write_diagram(value)


def from_graph(graph: nx.MultiDiGraph[Any]) -> Wire | Diagram | Network:
    """Return the diagram or network of a graph: ``from_graph(to_graph(value)) == value``.

    Laws are not checked here (see :func:`fusion.check`), only that the graph says what it should; derived attributes
    are ignored. Nodes declared alike become one node, as everywhere in the language.

    Raises:
        NotationError: unknown kind, attribute or role; something missing, given twice or of a wrong type; a cycle; a
            node that leads to no output. The message names the graph node or edge.
        LimitError: the graph, or something in it, is too large.
    """
    parts = parts_of(graph)
    return read_network(parts) if parts.value == "network" else read_diagram(parts)
