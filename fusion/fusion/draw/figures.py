"""The figure of every node of a diagram: its shape, its texts, its ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusion.diagram import Apply, Label, Leg
from fusion.draw.items import Item
from fusion.draw.labels import Line, Words, is_side_input, wire_lines, words
from fusion.draw.networks import network_picture
from fusion.draw.overlay import Overlay
from fusion.draw.picture import LINE, Figure, Picture, Strands
from fusion.draw.style import SMALL_SIZE, clean, shorten, text_width, widest
from fusion.node import Node

_MAX_STRANDS = 8
_ROUND_VERTEX = 10.0
"""Half the width of wires that meet in a round vertex; wider ones come straight down into a long one."""


def node_strands(node: Node, cables: bool) -> Strands:
    """Return the strands of the wire that leaves a node."""
    if isinstance(node, Label):
        return Strands((), "", dotted=True)
    irreps = tuple(irrep for irrep in node.space.irreps.kinds() if node.space.irreps.count(irrep))
    return Strands(irreps, node.space.on, cable=cables or len(irreps) > _MAX_STRANDS)


def node_figure(
    node: Node, wires: Mapping[Node, Strands], overlay: Overlay, again: bool = False
) -> tuple[Figure, Item]:
    """Return the figure of a node, and its extents and ports; drawn ``again``, it does not repeat its texts."""
    text = words(node)
    own = wires[node]
    inputs = [wires[wire] for wire in node.inputs]
    side = [port for port in range(len(inputs)) if is_side_input(node, port)]
    panel = network_picture(node.network) if isinstance(node, Apply) and text.shape == "panel" else None
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
    aside = () if again else (*(Line("operator", line) for line in text.beside), *wire_lines(node))
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
        node=node,
        repeated=again,
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


def output_figure(name: str, on: str) -> tuple[Figure, Item]:
    """Return the figure of an output of a diagram."""
    label = Words("terminal", (clean(shorten(name, 40)),))
    half = _half_width(label.inside) + 2
    return (
        Figure("terminal", half, 11.0, label, on, title=f"output {name}"),
        Item(half, half, 15.0, 11.0, ins=(0.0,), outs=()),
    )


def cut_end(node: Node, text: str, strands: Strands, leaves: bool = False) -> tuple[Figure, Item]:
    """Return one end of a cut wire: where it leaves its node, or where a user takes it up."""
    half = _half_width((text,), 5.0)
    on = "" if isinstance(node, Label) else node.space.on
    figure = Figure("cut", half, 8.0, Words("cut", (text,)), on, title=_title(node), node=node, repeated=True)
    if leaves:
        return figure, Item(half, half, 12.0, 8.0, ins=(0.0,), outs=())
    reach = max(half, strands.half)
    return figure, Item(reach, reach, 10.0, 12.0, terminal=True)


def _half_width(lines: Sequence[str], padding: float = 9.0) -> float:
    return float(round(widest(lines) / 2 + padding))


def _title(node: Node) -> str:
    """Return the full type of a node's wire, for the tooltip."""
    if isinstance(node, Leg | Label):
        return shorten(clean(str(node.declaration)), 200)
    return shorten(clean(f"{node.kind}: {node.space}"), 200)


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
