"""What a picture is made of: figures with texts, wires of several strands, and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fusion.draw.items import Item, Link
from fusion.draw.labels import Line, Words
from fusion.draw.layout import Layout, arrange
from fusion.draw.overlay import Mark
from fusion.draw.packing import Known, arrange_parts
from fusion.irreps import Irrep
from fusion.node import Node

LINE = 13.0
"""Distance of text lines."""
STRAND = 3.4
"""Distance of the strands of a wire."""

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
        node: the node of the diagram that is drawn; for ends of cut wires, the node that the wire leaves.
        repeated: whether the figure is one of several of its node.
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
    node: Node | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Figures, wires and where they lie."""

    figures: tuple[Figure, ...]
    items: tuple[Item, ...]
    links: tuple[Link, ...]
    strands: tuple[Strands, ...]
    layout: Layout


@dataclass(slots=True)
class Builder:
    """Collects figures with their items, and wires, and lays them out."""

    figures: list[Figure] = field(default_factory=list[Figure])
    items: list[Item] = field(default_factory=list[Item])
    links: list[Link] = field(default_factory=list[Link])
    strands: list[Strands] = field(default_factory=list[Strands])

    def put(self, figure: Figure, item: Item) -> int:
        """Add a figure; return its number."""
        self.figures.append(figure)
        self.items.append(item)
        return len(self.items) - 1

    def join(self, source: int, out: int, target: int, into: int, strands: Strands) -> None:
        """Add a wire from a port of one figure to a port of another."""
        self.links.append(Link(source, out, target, into, strands.half))
        self.strands.append(strands)

    def picture(self, known: Known | None = None) -> Picture:
        """Return the placed picture; given known parts, what is not joined by wires is packed onto a page."""
        order = _topological(len(self.items), self.links)
        place = {old: new for new, old in enumerate(order)}
        items = tuple(self.items[old] for old in order)
        links = tuple(
            Link(place[link.source], link.out, place[link.target], link.into, link.half) for link in self.links
        )
        figures = tuple(self.figures[old] for old in order)
        layout = arrange(items, links) if known is None else arrange_parts(items, links, order, known)
        return Picture(figures, items, links, tuple(self.strands), layout)


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
