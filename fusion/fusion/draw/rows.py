"""First step of the layout: a row for every item, and invisible elements where a link passes through a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fusion.draw.items import Item, Link
from fusion.draw.limits import PAGE_WIDTH, check_elements


@dataclass(slots=True)
class Segment:
    """A piece of a link between neighbouring rows, from element ``high`` to element ``low`` below it.

    ``x_high`` and ``x_low`` are offsets from the axes of the elements. ``port`` is the in-port of ``low`` when that is
    an item. ``straight`` says how much a vertical course is worth.
    """

    high: int
    low: int
    x_high: float
    x_low: float
    port: int | None
    straight: int


@dataclass(slots=True)
class RowGraph:
    """Elements in rows: the items come first, then one element for every row a link passes through.

    Attributes:
        rows: elements of every row, from left to right.
        row_of: row of every element.
        left, right: extents of every element.
        segments: pieces of links, each once even where several links share it.
        chains: for every link, the elements it passes through.
        ends: for every link, its first and its last segment.
    """

    rows: list[list[int]]
    row_of: list[int]
    left: list[float]
    right: list[float]
    segments: list[Segment] = field(default_factory=list[Segment])
    chains: list[list[int]] = field(default_factory=list[list[int]])
    ends: list[tuple[Segment, Segment]] = field(default_factory=list[tuple[Segment, Segment]])


def assign_rows(items: Sequence[Item], links: Sequence[Link]) -> list[int]:
    """Return a row for every item: longest paths from the top, then everything that can moves down to its users."""
    count = len(items)
    users: list[list[int]] = [[] for _ in range(count)]
    inputs: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        users[link.source].append(link.target)
        inputs[link.target].append(link.source)
    row = [0] * count
    for item in range(count):
        row[item] = max((row[source] + 1 for source in inputs[item]), default=items[item].depth)
    # A tree of items that only its root's users need can move as a whole, so that terminals stand near their use.
    hanging = [False] * count
    for item in range(count):
        own = all(hanging[source] and set(users[source]) == {item} for source in inputs[item])
        hanging[item] = own and (bool(inputs[item]) or items[item].terminal)
    for item in range(count):
        if items[item].last and not users[item]:
            row[item] = max(row)
    for item in range(count - 1, -1, -1):
        if users[item] and not items[item].first and (hanging[item] or len(users[item]) > len(inputs[item])):
            row[item] = min(row[user] for user in users[item]) - 1
    _stagger(items, row)
    first = min(row)
    return [number - first for number in row]


def _stagger(items: Sequence[Item], row: list[int]) -> None:
    """Lift terminals of very wide rows by one, two, ... rows in turn, so that they stand like stairs."""
    members: dict[int, list[int]] = {}
    for item, number in enumerate(row):
        members.setdefault(number, []).append(item)
    for number in sorted(members):
        width = sum(items[item].left + items[item].right for item in members[number])
        movable = [item for item in members[number] if items[item].terminal]
        steps = min(int(width / PAGE_WIDTH) + 1, len(movable))
        for place, item in enumerate(movable):
            if steps > 1:
                row[item] = number - (steps - 1 - place % steps)  # texts are on the right: lower ones go further right


def build_row_graph(items: Sequence[Item], links: Sequence[Link], rows: Sequence[int]) -> RowGraph:
    """Return the items in their rows, with elements and segments for all links."""
    graph = RowGraph(
        [[] for _ in range(max(rows) + 1)],
        list(rows),
        [item.left for item in items],
        [item.right for item in items],
    )
    for number, row in enumerate(rows):
        graph.rows[row].append(number)
    users: dict[tuple[int, int], int] = {}
    main: list[list[int]] = [[] for _ in items]
    for link in links:
        users[link.source, link.out] = users.get((link.source, link.out), 0) + 1
        if link.into not in items[link.target].sides:
            main[link.target].append(link.source)
    through: dict[tuple[int, int, int], int] = {}
    pieces: dict[tuple[int, int, int, int], Segment] = {}  # high, its out-port, low, its in-port
    for link in links:
        chain: list[int] = []
        course: list[Segment] = []
        high, out, x_high = link.source, link.out, items[link.source].outs[link.out]
        for row in range(rows[link.source] + 1, rows[link.target]):
            key = (link.source, link.out, row)
            if key not in through:
                through[key] = len(graph.row_of)
                graph.row_of.append(row)
                graph.left.append(link.half + 3)
                graph.right.append(link.half + 3)
                graph.rows[row].append(through[key])
            dummy = through[key]
            piece = Segment(high, dummy, x_high, 0.0, None, 8 if chain else 4)
            course.append(pieces.setdefault((high, out, dummy, 0), piece))
            chain.append(dummy)
            high, out, x_high = dummy, 0, 0.0
        worth = _straight(items, link, main[link.target], users[link.source, link.out], bool(chain))
        piece = Segment(high, link.target, x_high, items[link.target].ins[link.into], link.into, worth)
        course.append(pieces.setdefault((high, out, link.target, link.into), piece))
        check_elements(len(graph.row_of))
        graph.chains.append(chain)
        graph.ends.append((course[0], course[-1]))
    graph.segments.extend(pieces.values())
    return graph


def _straight(items: Sequence[Item], link: Link, main: Sequence[int], users: int, chain: bool) -> int:
    """Return how much a vertical last piece is worth; 0 keeps it from being made vertical."""
    if link.into in items[link.target].sides:
        return 0
    if len(main) == 1:
        return 5 if users == 1 or chain else 3
    trunks = [source for source in main if not items[source].terminal]
    # of several wires that meet, only a lone trunk goes straight on; equals meet symmetrically
    return 2 if len(trunks) == 1 and trunks[0] == link.source else 0
