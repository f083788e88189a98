"""Write a diagram as DOT through the graphviz package, and render it with the ``dot`` program where that is installed.

The source never needs the program. Graphviz does its own layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from fusion.diagram import Diagram, Label, Wire
from fusion.draw.labels import is_side_input, wire_lines, words
from fusion.draw.limits import drawable
from fusion.draw.networks import is_broken
from fusion.draw.overlay import overlay
from fusion.draw.style import (
    BOX,
    ERROR,
    ERROR_FILL,
    FAINT,
    INK,
    LEARNED,
    NOTICE,
    NOTICE_FILL,
    clean,
    degree_colour,
    lane_colours,
    shorten,
)
from fusion.errors import FusionError
from fusion.findings import Finding
from fusion.network import Network
from fusion.node import Node
from fusion.validate import findings as find

FORMATS = ("svg", "pdf", "png")
_SHAPES = {
    "terminal": "box",
    "label": "box",
    "vertex": "circle",
    "pull": "trapezium",
    "sum": "invtrapezium",
    "map": "box",
    "bar": "box",
    "panel": "box",
}
_STYLES = {"terminal": "filled,rounded", "label": "rounded,dotted", "map": "filled,rounded", "bar": "filled,rounded"}
_MARKS = {"error": (ERROR, ERROR_FILL), "notice": (NOTICE, NOTICE_FILL)}


def dot(
    value: Wire | Diagram | Network,
    *,
    findings: Sequence[Finding] | None = None,
    notes: Mapping[Node, str] | None = None,
) -> str:
    """Return the DOT source of a diagram or of a fusion network; arguments as for :func:`fusion.draw.svg`.

    Raises:
        LimitError: there are more nodes than can be drawn.
    """
    graph = _Graph()
    if isinstance(value, Network):
        _network(graph, value)
    else:
        _diagram(graph, Diagram.of(value), find(value) if findings is None else findings, notes)
    return graph.source()


def render_dot(
    value: Wire | Diagram | Network,
    format: str = "svg",
    *,
    findings: Sequence[Finding] | None = None,
    notes: Mapping[Node, str] | None = None,
) -> bytes:
    """Return the picture that the ``dot`` program makes, as ``svg``, ``pdf`` or ``png``.

    Raises:
        FusionError: the format is another one, or the program is missing or fails.
        LimitError: there are more nodes than can be drawn.
    """
    if format not in FORMATS:
        raise FusionError(f"dot renders {', '.join(FORMATS)} here, not {format[:40]!r}")
    import graphviz  # pyright: ignore[reportMissingTypeStubs]

    source = dot(value, findings=findings, notes=notes)
    try:
        return graphviz.Source(source).pipe(format=format)
    except graphviz.ExecutableNotFound as error:
        raise FusionError(
            "rendering DOT needs the 'dot' program, which is not on PATH; install Graphviz (the system package "
            "'graphviz'), or use svg(), which needs no program"
        ) from error
    except graphviz.CalledProcessError as error:
        raise FusionError(f"the 'dot' program failed: {str(error)[:300]}") from error


class _Digraph(Protocol):
    """What is used of ``graphviz.Digraph``, which is only partly typed."""

    @property
    def source(self) -> str: ...
    def attr(self, kw: str, **attributes: str) -> None: ...
    def node(self, name: str, label: str, **attributes: str) -> None: ...
    def edge(self, tail_name: str, head_name: str, *, label: str, **attributes: str) -> None: ...


class _Graph:
    """A directed graph under construction; texts are escaped, names are made up here."""

    def __init__(self) -> None:
        import graphviz  # pyright: ignore[reportMissingTypeStubs]

        self._escape: Callable[[str], str] = graphviz.escape
        self._plain: Callable[[str], str] = graphviz.nohtml
        self._graph = cast("_Digraph", graphviz.Digraph("diagram"))
        self._graph.attr("graph", rankdir="TB", fontname="monospace", fontsize="10", bgcolor="white")
        self._graph.attr("node", fontname="monospace", fontsize="11", color=INK, fillcolor=BOX, style="filled")
        self._graph.attr("edge", fontname="monospace", fontsize="10", arrowhead="none", fontcolor=FAINT)

    def _lines(self, lines: Sequence[str], end: str) -> str:
        r"""Return escaped lines, each ended by ``\n`` (centred) or ``\l`` (to the left), as DOT wants them."""
        joined = end.join(self._escape(clean(line)) for line in lines if line)
        # nohtml: a text in angle brackets is a text, not markup
        return self._plain(joined + (end if end == r"\l" and lines else ""))

    def node(self, name: str, lines: Sequence[str], beside: Sequence[str] = (), **attributes: str) -> None:
        """Add a node with lines inside and beside it."""
        if beside:
            attributes["xlabel"] = self._lines(beside, r"\l")
        self._graph.node(name, self._lines(lines, r"\n"), **attributes)

    def edge(self, tail: str, head: str, lines: Sequence[str], **attributes: str) -> None:
        """Add an edge."""
        self._graph.edge(tail, head, label=self._lines(lines, r"\l"), **attributes)

    def legend(self, lines: Sequence[str]) -> None:
        """Write lines below the graph."""
        if lines:
            self._graph.attr("graph", label=self._lines(lines, r"\l"), labeljust="l")

    def source(self) -> str:
        """Return the DOT text."""
        return self._graph.source


def _diagram(graph: _Graph, diagram: Diagram, findings: Sequence[Finding], notes: Mapping[Node, str] | None) -> None:
    nodes = drawable(diagram)
    over = overlay(findings, notes)
    lanes = lane_colours(node.space.on for node in nodes if not isinstance(node, Label))
    names = {node: f"n{count}" for count, node in enumerate(nodes)}
    for node in nodes:
        said = words(node)
        mark = over.marks.get(node)
        numbers = () if mark is None else (f"[{','.join(map(str, mark.numbers))}]",)
        extra = (*numbers, *over.notes.get(node, ()))
        attributes = {"shape": _SHAPES.get(said.shape, "box"), "style": _STYLES.get(said.shape, "filled")}
        if mark is not None:
            attributes["color"], attributes["fillcolor"] = _MARKS[mark.severity]
            attributes["penwidth"] = "2.4"
        elif said.shape == "terminal":
            attributes["fillcolor"] = lanes[node.space.on]
        elif said.learned:
            attributes["fillcolor"] = LEARNED
        if said.shape == "vertex":
            attributes.update(width="0.2", height="0.2", fixedsize="true")
            graph.node(names[node], (), (*said.beside, *extra), **attributes)
        else:
            graph.node(names[node], (*said.inside, *extra), **attributes)
        for port, wire in enumerate(node.inputs):
            _wire(graph, names[wire], names[node], wire, said.ports[port : port + 1], side=is_side_input(node, port))
    graph.legend([f"[{count}] {severity}: {words}" for count, (severity, words) in enumerate(over.listed, 1)])
    for count, (name, wire) in enumerate(diagram.outputs):
        lane = lanes[wire.space.on]
        graph.node(f"out{count}", (shorten(name, 40),), shape="box", style="filled,rounded", fillcolor=lane)
        _wire(graph, names[wire], f"out{count}", wire, (), side=False)


def _wire(graph: _Graph, tail: str, head: str, node: Node, port: Sequence[str], side: bool) -> None:
    if isinstance(node, Label):
        graph.edge(tail, head, (), style="dotted", color=FAINT, constraint="false" if side else "true")
        return
    colours = ":".join(degree_colour(irrep.l) for irrep in node.space.irreps.kinds()[:8]) or FAINT
    graph.edge(tail, head, (*port, *(f"{line.text}  {line.tail}".rstrip() for line in wire_lines(node))), color=colours)


def _network(graph: _Graph, network: Network) -> None:
    drawable(network)
    starts: dict[str, str] = {}
    ends: dict[str, str] = {}
    for count, vertex in enumerate(network.vertices):
        shape = "circle" if vertex.kind in ("fuse", "split") else "point"
        colour = ERROR if is_broken(network, vertex) else INK
        graph.node(f"v{count}", (), shape=shape, width="0.15", height="0.15", color=colour)
        starts.update(dict.fromkeys(vertex.leaves, f"v{count}"))
        ends.update(dict.fromkeys(vertex.enters, f"v{count}"))
    for count, (name, irrep) in enumerate(network.lines):
        for table, end in ((starts, f"in{count}"), (ends, f"out{count}")):
            if name not in table:
                table[name] = end
                graph.node(end, (shorten(name, 40),), shape="plaintext", style="")
        graph.edge(starts[name], ends[name], (f"{shorten(name, 40)}={irrep}",), color=degree_colour(irrep.l))
