"""A graph as plain, checked data: its header, its nodes and its edges, and the reading of single values.

What a graph holds may come from a file or from a user's hands, so every type and size is checked before it is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fusion.errors import FusionError, LimitError, NotationError
from fusion.limits import MAX_NODES, MAX_TEXT

if TYPE_CHECKING:
    import networkx as nx

FORMAT = "fusion-graph"
VERSION = 1
VALUES = ("wire", "diagram", "network")
"""What a graph can stand for."""
MAX_EDGES = 10 * MAX_NODES
"""Largest number of edges that are read."""

Id = str | int
Attributes = Mapping[str, object]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge, from an input to its user."""

    source: Id
    target: Id
    attributes: Attributes

    def __str__(self) -> str:
        return _between(self.source, self.target)


@dataclass(frozen=True, slots=True)
class Parts:
    """The content of a graph: what it stands for, and its nodes and edges with their attributes."""

    value: str
    nodes: Mapping[Id, Attributes]
    edges: Sequence[Edge]


def new_graph(value: str) -> nx.MultiDiGraph[str]:
    """Return an empty graph with its header."""
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    cast("Any", graph).graph.update(format=FORMAT, version=VERSION, value=value)
    return graph


def parts_of(graph: object) -> Parts:
    """Read a graph's header and content; raise :class:`NotationError` or :class:`LimitError` when they are not ours."""
    import networkx as nx

    if not isinstance(graph, nx.MultiDiGraph):
        raise NotationError(f"a diagram's graph is a networkx.MultiDiGraph, not {type(graph).__name__}")
    found: Any = cast("object", graph)
    value = _header(cast("dict[object, object]", found.graph))
    if found.number_of_nodes() > 2 * MAX_NODES or found.number_of_edges() > MAX_EDGES:
        raise LimitError(
            f"a graph of {found.number_of_nodes()} nodes and {found.number_of_edges()} edges is above the limits of "
            f"{2 * MAX_NODES} and {MAX_EDGES}"
        )
    nodes = {node: _named(f"node {shown(node)}", given) for node, given in found.nodes(data=True)}
    for node in nodes:
        if type(node) is not str and not _is_integer(node):
            raise NotationError(f"graph nodes are named by texts or integers of at most nine digits, not {shown(node)}")
    edges = [
        Edge(source, target, _named(_between(source, target), given))
        for source, target, given in found.edges(data=True)
    ]
    return Parts(value, nodes, edges)


def _header(given: dict[object, object]) -> str:
    wanted = f"graph.graph must be {{'format': {FORMAT!r}, 'version': {VERSION}, 'value': one of {', '.join(VALUES)}}}"
    for key in ("format", "version", "value"):
        if key not in given:
            raise NotationError(f"the graph has no {key!r}; {wanted}")
    for key in given:
        if key not in ("format", "version", "value"):
            raise NotationError(f"unknown graph attribute {shown(key)}; {wanted}")
    if given["format"] != FORMAT or type(given["version"]) is not int or given["version"] != VERSION:
        found = f"format {shown(given['format'])}, version {shown(given['version'])}"
        raise NotationError(f"{found}: this program reads {FORMAT!r}, version {VERSION}")
    value = given["value"]
    if not isinstance(value, str) or value not in VALUES:
        raise NotationError(f"a graph stands for one of {', '.join(VALUES)}, not {shown(value)}")
    return value


def _named(where: str, attributes: Mapping[object, object]) -> Attributes:
    for key in attributes:
        if not isinstance(key, str):
            raise NotationError(f"{where}: the name of an attribute is a text, not {shown(key)}")
    return dict(cast("Mapping[str, object]", attributes))


def _between(source: Id, target: Id) -> str:
    return f"edge {shown(source)} -> {shown(target)}"


@contextmanager
def at(where: str) -> Generator[None]:
    """Say where an error was found; only the first line of its message is kept, what follows shows another text."""
    try:
        yield
    except LimitError as error:
        raise LimitError(f"{where}: {str(error).splitlines()[0]}") from None
    except FusionError as error:
        raise NotationError(f"{where}: {str(error).splitlines()[0]}") from None


def shown(value: object) -> str:
    """Return a short text for a value of any type in a message."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, float) or _is_integer(value) or value is None or isinstance(value, bool):
        return repr(value)
    return "an integer of more digits" if type(value) is int else f"a value of type {type(value).__name__}"


def only(allowed: Iterable[str], attributes: Attributes) -> None:
    """Raise when an attribute is none of ``allowed``."""
    names = list(allowed)
    for name in attributes:
        if name not in names:
            raise NotationError(f"unknown attribute {shown(name)}; it can have {', '.join(names) or 'none'}")


def needed(name: str, attributes: Attributes) -> object:
    """Return an attribute; raise when it is missing."""
    if name not in attributes:
        raise NotationError(f"attribute {name!r} is missing")
    return attributes[name]


def read(name: str, attributes: Attributes, reader: Callable[[object], T]) -> T:
    """Return an attribute as ``reader`` reads it; raise when it is missing or not right."""
    value = needed(name, attributes)
    with at(f"{name} = {shown(value)}"):
        return reader(value)


def text(value: object) -> str:
    """Return a text of bounded length."""
    if not isinstance(value, str):
        raise NotationError(f"expected a text, got {shown(value)}")
    if len(value) > MAX_TEXT:
        raise LimitError(f"a text of {len(value)} characters is above the limit of {MAX_TEXT}")
    return value


def integer(value: object) -> int:
    """Return an integer of the size that the notation reads."""
    if not _is_integer(value):
        raise NotationError(f"expected an integer of at most nine digits, got {shown(value)}")
    return cast("int", value)


def number(value: object) -> float:
    """Return a finite number."""
    if isinstance(value, float) and math.isfinite(value):
        return value
    if _is_integer(value):
        return float(cast("int", value))
    raise NotationError(f"expected a finite number, got {shown(value)}")


def items(value: object) -> Sequence[object]:
    """Return a list or tuple of bounded length."""
    if not isinstance(value, list | tuple):
        raise NotationError(f"expected a list, got {shown(value)}")
    found = cast("Sequence[object]", value)
    if len(found) > MAX_TEXT:
        raise LimitError(f"a list of {len(found)} items is above the limit of {MAX_TEXT}")
    return found


def pair(value: object) -> tuple[object, object]:
    """Return a list or tuple of two items."""
    found = items(value)
    if len(found) != 2:
        raise NotationError(f"expected a list of two items, got {len(found)}")
    return found[0], found[1]


def in_order(what: str, placed: Iterable[tuple[int, T]]) -> list[T]:
    """Return items by their places; raise unless these are 0, 1, 2, ..., each once."""
    found: dict[int, T] = {}
    for place, item in placed:
        if place in found:
            raise NotationError(f"two {what} have place {place}")
        found[place] = item
    for place in range(len(found)):
        if place not in found:
            wrong = min(set(found) - set(range(len(found))))
            raise NotationError(f"{what} have the places 0 to {len(found) - 1}; one has {wrong}, none has {place}")
    return [found[place] for place in range(len(found))]


def _is_integer(value: object) -> bool:
    return type(value) is int and abs(value) < 10**9
