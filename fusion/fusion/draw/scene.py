"""From a diagram or a fusion network to figures with sizes and ports, placed by the layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fusion.diagram import Apply, Diagram, Label, Leg, Wire
from fusion.draw.items import Item, Link
from fusion.draw.labels import Line, Words, is_side_input, wire_lines, words
from fusion.draw.layout import Layout, arrange
from fusion.draw.limits import drawable
from fusion.draw.overlay import Mark, Overlay
from fusion.draw.style import SMALL_SIZE, clean, shorten, text_width, widest
from fusion.irreps import Irrep
from fusion.network import Network, Vertex
from fusion.node import Node

LINE = 13.0
"""Distance of text lines."""
STRAND = 3.4
"""Distance of the strands of a wire."""
_MAX_STRANDS = 8
_ROUND_VERTEX = 10.0
"""Half the width of wires that meet in a round vertex; wider ones come straight down into a long one."""

Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Strands:
    """How a wire looks: one strand per irrep, none for a label's dotted line; ``on`` chooses the colour of its lane."""

    irreps: tuple[Irrep, ...]
    on: str
    dotted: bool = False
    cable: bool = False

    @property
    def half(self) -> float:
        """Half the width of the lane."""
        if self.dotted:
            return 3.0
        return 5.0 if self.cable else 0.5 * STRAND * max(len(self.irreps) - 1, 0) + 4.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One shape with its texts. ``half_width`` and ``half_height`` are those of the shape alone.

    Attributes:
        on: index space that colours a terminal.
        aside: lines right of the leaving wire: what the vertex does, then the wire's type.
        notes: lines left of the leaving wire: captions of findings, then notes.
        title: full type of the wire, for the tooltip.
        clear: distance of the lines from the axis.
        panel: the picture inside, for a fusion network used as a node.
        end: name of the open end that a line of a network is, ``in a`` or ``out b``.
        irrep: irrep of a line of a network.
    """

    shape: str
    half_width: float
    half_height: float
    words: Words
    on: str = ""
    aside: Lines = ()
    notes: Lines = ()
    mark: Mark | None = None
    title: str = ""
    clear: float = 6.0
    panel: Picture | None = None
    end: str = ""
    irrep: Irrep | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Figures, wires and where they lie."""

    figures: tuple[Figure, ...]
    items: tuple[Item, ...]
    links: tuple[Link, ...]
    strands: tuple[Strands, ...]
    layout: Layout


@dataclass(slots=True)
class _Builder:
    figures: list[Figure] = field(default_factory=list[Figure])
    items: list[Item] = field(default_factory=list[Item])
    links: list[Link] = field(default_factory=list[Link])
    strands: list[Strands] = field(default_factory=list[Strands])

    def put(self, figure: Figure, item: Item) -> int:
        self.figures.append(figure)
        self.items.append(item)
        return len(self.items) - 1

    def join(self, source: int, out: int, target: int, into: int, strands: Strands) -> None:
        self.links.append(Link(source, out, target, into, strands.half))
        self.strands.append(strands)

    def picture(self) -> Picture:
        order = _topological(len(self.items), self.links)
        place = {old: new for new, old in enumerate(order)}
        items = tuple(self.items[old] for old in order)
        links = tuple(
            Link(place[link.source], link.out, place[link.target], link.into, link.half) for link in self.links
        )
        figures = tuple(self.figures[old] for old in order)
        return Picture(figures, items, links, tuple(self.strands), arrange(items, links))


def _topological(count: int, links: Sequence[Link]) -> list[int]:
    """Return the items with sources first, otherwise in their order."""
    waiting = [0] * count
    users: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        waiting[link.target] += 1
        users[link.source].append(link.target)
    order = [item for item in range(count) if not waiting[item]]
    for item in order:
        for user in users[item]:
            waiting[user] -= 1
            if not waiting[user]:
                order.append(user)
    return order


def compose(value: Wire | Diagram, overlay: Overlay, cables: bool = False) -> Picture:
    """Return the placed picture of a diagram; with ``cables`` every wire is one grey line.

    Raises:
        LimitError: there is more than can be drawn.
    """
    diagram = Diagram.of(value)
    nodes = drawable(diagram)
    builder = _Builder()
    numbers: dict[Node, int] = {}
    wires = {node: _strands(node, cables) for node in nodes}
    for node in nodes:
        figure, item = _figure(node, wires, overlay)
        numbers[node] = builder.put(figure, item)
        for port, wire in enumerate(node.inputs):
            builder.join(numbers[wire], 0, numbers[node], port, wires[wire])
    for name, wire in diagram.outputs:
        label = Words("terminal", (clean(shorten(name, 40)),))
        half = _half_width(label.inside) + 2
        target = builder.put(
            Figure("terminal", half, 11.0, label, wire.space.on, title=f"output {name}"),
            Item(half, half, 15.0, 11.0, ins=(0.0,), outs=()),
        )
        builder.join(numbers[wire], 0, target, 0, wires[wire])
    return builder.picture()


def _strands(node: Node, cables: bool) -> Strands:
    if isinstance(node, Label):
        return Strands((), "", dotted=True)
    irreps = tuple(irrep for irrep in node.space.irreps.kinds() if node.space.irreps.count(irrep))
    return Strands(irreps, node.space.on, cable=cables or len(irreps) > _MAX_STRANDS)


def _half_width(lines: Sequence[str], padding: float = 9.0) -> float:
    return float(round(widest(lines) / 2 + padding))


def _title(node: Node) -> str:
    """Return the full type of a node's wire, for the tooltip."""
    if isinstance(node, Leg | Label):
        return shorten(clean(str(node.declaration)), 200)
    return shorten(clean(f"{node.kind}: {node.space}"), 200)


def _figure(node: Node, wires: Mapping[Node, Strands], overlay: Overlay) -> tuple[Figure, Item]:
    """Return the figure of a node, and its extents and ports."""
    text = words(node)
    own = wires[node]
    inputs = [wires[wire] for wire in node.inputs]
    side = [port for port in range(len(inputs)) if is_side_input(node, port)]
    panel = network_picture(node.network) if isinstance(node, Apply) else None
    half_width, half_height = _shape_size(text, own, inputs)
    outs: tuple[float, ...] = (0.0,)
    if isinstance(node, Apply) and panel is not None:
        half_width = float(round(max(panel.layout.width / 2, 30.0)))
        half_height = float(round(panel.layout.height / 2))
        ends = _end_columns(panel)
        ins = [ends.get(f"in {end}", 0.0) for end, _ in node.wires]
        outs = (next((x for name, x in ends.items() if name.startswith("out ")), 0.0),)
    else:
        ins = _in_ports(text.shape, half_width, inputs)
    for rank, port in enumerate(side):
        ins[port] = float(round(half_width + 14.0 + 9.0 * rank + inputs[port].half))
    aside = (*(Line("operator", line) for line in text.beside), *wire_lines(node))
    mark = overlay.marks.get(node)
    notes = tuple(Line("note", line) for line in overlay.notes.get(node, ()))
    if mark is not None:
        notes = (*(Line(mark.severity, line) for line in mark.caption), *notes)
    clear = own.half + 5.0
    port_left = max((wire.half - x for wire, x in zip(inputs, ins, strict=True)), default=0.0)
    port_right = max((wire.half + x for wire, x in zip(inputs, ins, strict=True)), default=0.0)
    figure = Figure(
        text.shape,
        half_width,
        half_height,
        text,
        node.space.on if not isinstance(node, Label) else "",
        aside,
        notes,
        mark,
        _title(node),
        clear,
        panel,
    )
    badge = half_width + (8.0 if mark is not None else 0.0)
    item = Item(
        left=max([badge, port_left, *(clear + line.width(SMALL_SIZE) for line in notes)]),
        right=max([half_width, port_right, *(clear + abs(outs[0]) + line.width() for line in aside)]),
        up=half_height + (18.0 if text.shape == "vertex" else 5.0),
        down=half_height + (5.0 + LINE * max(len(aside), len(notes)) if aside or notes else 3.0),
        ins=tuple(ins),
        outs=outs,
        sides=frozenset(side),
        terminal=not node.inputs,
    )
    return figure, item


def _in_ports(shape: str, half_width: float, inputs: Sequence[Strands]) -> list[float]:
    """Return the x of the in-ports that are on top of a shape."""
    if shape == "bar":
        step = 2 * half_width / max(len(inputs), 1)
        return [float(round(step * (port + 0.5) - half_width)) for port in range(len(inputs))]
    if shape == "vertex" and len(inputs) == 2:
        left, right = (float(round(wire.half)) for wire in inputs)
        if max(wire.half for wire in inputs) > _ROUND_VERTEX:
            return [-left - 2, right + 2]
        return [-max(20.0, left + 9), max(20.0, right + 9)]
    return [0.0] * len(inputs)


def _shape_size(text: Words, own: Strands, inputs: Sequence[Strands]) -> tuple[float, float]:
    """Return half the width and half the height of a shape."""
    height = 4.5 + LINE / 2 * len(text.inside)
    match text.shape:
        case "vertex":
            widest_in = max((wire.half for wire in inputs), default=0.0)
            wide = 2 * round(widest_in) + 4 if widest_in > _ROUND_VERTEX else 0
            return float(max(9, round(own.half) + 1, wide)), 9.0
        case "bar":
            wires, texts = (2 * wire.half + 10 for wire in inputs), (text_width(word) + 12 for word in text.ports)
            step = max([30.0, *wires, *texts])
            two_lines = any(text.ports) and bool(text.inside)
            return float(round(max(step * len(inputs), 30.0) / 2)), 16.0 if two_lines else 10.0
        case "pull" | "sum":
            return _half_width(text.inside, 15.0), height
        case "label":
            return _half_width(text.inside, 8.0), height
        case _:
            return _half_width(text.inside), height


def _end_columns(panel: Picture) -> dict[str, float]:
    """Return the x of every open end of a network's picture, from its middle."""
    return {
        figure.end: float(round(x - panel.layout.width / 2))
        for figure, x in zip(panel.figures, panel.layout.x, strict=True)
        if figure.end
    }


# --- fusion networks -------------------------------------------------------------------------------------------------


def network_picture(network: Network) -> Picture:
    """Return the placed picture of a fusion network.

    Every line is an item of its own that carries the line's name and irrep. A line that would have to run upwards
    (in a network that was closed to a loop) is bent round at both ends; in the real basis a bend changes no number.
    """
    drawable(network)
    builder = _Builder()
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


def _chain(builder: _Builder, stops: Sequence[tuple[int, int]], strands: Strands) -> None:
    """Join items one after another; a stop is an item and the port used there (port 0 out of all but the first)."""
    source, out = stops[0]
    for target, into in stops[1:]:
        builder.join(source, out, target, into, strands)
        source, out = target, 0


def _put_turn(builder: _Builder, up: bool, depth: int = 0) -> int:
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


def _put_vertex(builder: _Builder, network: Network, vertex: Vertex) -> int:
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
