"""From a diagram to its placed picture, broken where it would be wider than a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from fusion.diagram import Diagram, Wire
from fusion.draw.breaks import breaks
from fusion.draw.figures import cut_end, node_figure, node_strands, output_figure
from fusion.draw.limits import PAGE_WIDTH, drawable
from fusion.draw.overlay import Overlay
from fusion.draw.packing import Known
from fusion.draw.picture import Builder, Picture, Strands
from fusion.node import Node


@dataclass(frozen=True, slots=True)
class _Draft:
    """A diagram, its nodes with sources first, what is drawn over it, and the look of its wires."""

    diagram: Diagram
    nodes: Sequence[Node]
    overlay: Overlay
    wires: Mapping[Node, Strands]


def compose(value: Wire | Diagram, overlay: Overlay, cables: bool = False) -> Picture:
    """Return the placed picture of a diagram; with ``cables`` every wire is one grey line.

    A picture wider than a page is broken: legs and labels are drawn again at every use; if that is not enough, shared
    wires are cut, those that reach furthest across before others; then what is still too wide is cut in its middle. The
    ends of a cut wire carry the same number. What is no longer joined is packed onto the page. Where nothing makes the
    picture fit, it is the narrowest one found.

    Raises:
        LimitError: there is more than can be drawn.
    """
    diagram = Diagram.of(value)
    nodes = drawable(diagram)
    broken: set[Node] = set()
    draft = _Draft(diagram, nodes, overlay, {node: node_strands(node, cables) for node in nodes})
    best = picture = _picture(draft, broken, None)
    known: Known = {}
    while picture.layout.width > PAGE_WIDTH:
        further = breaks(picture, broken)
        if not further:
            break
        broken.update(further)
        picture = _picture(draft, broken, known)
        if picture.layout.width < best.layout.width:
            best = picture
    return best


def _picture(draft: _Draft, broken: Set[Node], known: Known | None) -> Picture:
    """Return the placed picture of a diagram whose ``broken`` wires are not drawn through."""
    builder = Builder()
    nodes, wires, overlay = draft.nodes, draft.wires, draft.overlay
    numbers: dict[Node, int] = {}
    cuts = {node: str(count) for count, node in enumerate((n for n in nodes if n in broken and n.inputs), 1)}
    drawn: set[Node] = set()

    def source(node: Node, ends: dict[Node, int]) -> int:
        """Return the item that a use of a node's wire starts at; ``ends`` are those that the user has already."""
        if node not in broken:
            return numbers[node]
        if node not in ends:
            if node in cuts:
                ends[node] = builder.put(*cut_end(node, f"{cuts[node]}→", wires[node]))
            else:
                ends[node] = builder.put(*node_figure(node, wires, overlay, again=node in drawn))
                drawn.add(node)
        return ends[node]

    for node in nodes:
        if node in broken and not node.inputs:
            continue
        ends: dict[Node, int] = {}
        sources = [source(wire, ends) for wire in node.inputs]
        numbers[node] = builder.put(*node_figure(node, wires, overlay))
        for port, (wire, start) in enumerate(zip(node.inputs, sources, strict=True)):
            builder.join(start, 0, numbers[node], port, wires[wire])
        if node in cuts:
            end = builder.put(*cut_end(node, f"→{cuts[node]}", wires[node], leaves=True))
            builder.join(numbers[node], 0, end, 0, wires[node])
    for name, wire in draft.diagram.outputs:
        start = numbers[wire] if wire in numbers else source(wire, {})
        target = builder.put(*output_figure(name, wire.space.on))
        builder.join(start, 0, target, 0, wires[wire])
    return builder.picture(known)
