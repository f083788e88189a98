"""The picture of a fusion network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusion.draw.items import Item
from fusion.draw.labels import Line, Words
from fusion.draw.limits import drawable
from fusion.draw.overlay import Mark
from fusion.draw.picture import Builder, Figure, Picture, Strands
from fusion.draw.style import clean, shorten, text_width
from fusion.irreps import Irrep
from fusion.network import Network, Vertex


def network_picture(network: Network) -> Picture:
    """Return the placed picture of a fusion network.

    Every line is an item of its own that carries the line's name and irrep. A line that would have to run upwards
    (in a network that was closed to a loop) is bent round at both ends; in the real basis a bend changes no number.
    """
    drawable(network)
    builder = Builder()
    irreps = network.irreps
    vertices = [_put_vertex(builder, network, vertex) for vertex in network.vertices]
    starts = {line: (v, port) for v, vertex in enumerate(network.vertices) for port, line in enumerate(vertex.leaves)}
    ends = {line: (v, port) for v, vertex in enumerate(network.vertices) for port, line in enumerate(vertex.enters)}
    backward = _backward_lines(network, starts, ends)
    spans = sorted({starts[name][0] - ends[name][0] for name in backward})
    for name, irrep in network.lines:
        strands = Strands((irreps[name],), "")
        end = f"in {name}" if name not in starts else f"out {name}" if name not in ends else ""
        caption = f"{clean(shorten(name, 24))}={irrep}"
        line = builder.put(
            Figure("line", 0.0, 0.0, Words("line"), aside=(Line("wire", caption),), clear=7.0, end=end, irrep=irrep),
            Item(8.0, 7.0 + text_width(caption), 9.0, 9.0, ins=(0.0,), first=name not in starts, last=name not in ends),
        )
        if name in backward:
            (source, out), (target, into) = starts[name], ends[name]
            # longer loops turn further out, so that loops can lie inside one another
            rank = spans.index(source - target)
            over = _put_turn(builder, up=False, depth=len(spans) - 1 - rank)
            under = _put_turn(builder, up=True)
            spacers = [(builder.put(*_spacer(irrep)), 0) for _ in range(rank)]
            _chain(builder, [(over, 0), (vertices[target], into)], strands)
            _chain(builder, [(over, 1), (line, 0), (under, 1)], strands)
            _chain(builder, [(vertices[source], out), *spacers, (under, 0)], strands)
            continue
        if name in starts:
            builder.join(vertices[starts[name][0]], starts[name][1], line, 0, strands)
        if name in ends:
            builder.join(line, 0, vertices[ends[name][0]], ends[name][1], strands)
    return builder.picture()


def _spacer(irrep: Irrep) -> tuple[Figure, Item]:
    """Return an item that only takes up a row on a line."""
    return Figure("line", 0.0, 0.0, Words("line"), irrep=irrep), Item(6.0, 6.0, 3.0, 3.0, ins=(0.0,))


def _chain(builder: Builder, stops: Sequence[tuple[int, int]], strands: Strands) -> None:
    """Join items one after another; a stop is an item and the port used there (port 0 out of all but the first)."""
    source, out = stops[0]
    for target, into in stops[1:]:
        builder.join(source, out, target, into, strands)
        source, out = target, 0


def _put_turn(builder: Builder, up: bool, depth: int = 0) -> int:
    figure = Figure("turn", 0.0, 0.0, Words("cap" if up else "cup"))
    ports = (-16.0, 16.0)
    if up:
        item = Item(20.0, 20.0, 4.0, 18.0, ins=ports, outs=(), loose=True)
    else:
        item = Item(20.0, 20.0, 18.0, 4.0, outs=ports, loose=True, depth=depth)
    return builder.put(figure, item)


def is_broken(network: Network, vertex: Vertex) -> bool:
    """Whether a vertex of a network breaks a selection rule."""
    alone = Network((vertex,), tuple(line for line in network.lines if line[0] in vertex.lines))
    return bool(alone.violations())


def _put_vertex(builder: Builder, network: Network, vertex: Vertex) -> int:
    broken = is_broken(network, vertex)
    mark = Mark("error", (), ()) if broken else None
    text = Words("vertex" if vertex.kind in ("fuse", "split") else vertex.kind)
    if vertex.kind in ("cap", "cup"):
        turn = _put_turn(builder, vertex.kind == "cap")
        if broken:
            builder.figures[turn] = Figure("turn", 0.0, 0.0, text, mark=mark)
        return turn
    pair, one = (-18.0, 18.0), (0.0,)
    if vertex.kind == "fuse":
        item = Item(20.0, 20.0, 20.0, 9.0, ins=pair, outs=one)
    else:
        item = Item(20.0, 20.0, 9.0, 20.0, ins=one, outs=pair)
    return builder.put(Figure("vertex", 6.0, 6.0, text, mark=mark, title=clean(shorten(str(vertex), 160))), item)


def _backward_lines(
    network: Network, starts: Mapping[str, tuple[int, int]], ends: Mapping[str, tuple[int, int]]
) -> frozenset[str]:
    """Return the lines that close a directed loop, found by a depth-first walk over the vertices."""
    state = [0] * len(network.vertices)
    found: set[str] = set()
    for root in range(len(network.vertices)):
        stack: list[tuple[int, int]] = [(root, 0)] if not state[root] else []
        state[root] = state[root] or 1
        while stack:
            vertex, child = stack.pop()
            leaves = network.vertices[vertex].leaves
            if child == len(leaves):
                state[vertex] = 2
                continue
            stack.append((vertex, child + 1))
            line = leaves[child]
            if line not in ends:
                continue
            below = ends[line][0]
            if state[below] == 1:
                found.add(line)
            elif state[below] == 0:
                state[below] = 1
                stack.append((below, 0))
    return frozenset(found)
