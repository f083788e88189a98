"""Deterministic layered layout of a directed acyclic graph that flows from top to bottom.

The steps are those of Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 109, 1981): rows, then order inside the rows by
barycentres, then coordinates, then tracks for the wires between rows. Nothing depends on hashes or on the order of
sets, so equal input gives equal output in every process.

The layout knows nothing of diagrams, only of :mod:`fusion.draw.items`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fusion.draw.columns import place_columns
from fusion.draw.items import Item, Link
from fusion.draw.ordering import order_rows
from fusion.draw.rows import RowGraph, Segment, assign_rows, build_row_graph
from fusion.draw.tracks import Bus, assign_tracks, is_across

MARGIN = 14.0
"""Empty frame around a drawing, in pixels."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a wire between two rows: from (x1, y1) on the edge of one to (x2, y2) on the edge of the next.

    ``level`` is the y at which it runs across, ``None`` for a short way that is one smooth curve.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    level: float | None

    def moved(self, dx: float, dy: float) -> Way:
        """Return the way moved by (dx, dy)."""
        level = None if self.level is None else self.level + dy
        return Way(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy, level)


@dataclass(frozen=True, slots=True)
class Stroke:
    """The course of one link: ways between rows, joined by vertical lines through the rows.

    Links from one port share their trunk; a stroke that starts on the trunk of an earlier one has ``branch`` set and
    begins with the first way it does not share. The last way ends at the in-port's x on the edge of the target's row.
    """

    link: int
    ways: tuple[Way, ...]
    branch: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Coordinates: ``x`` and ``y`` of every item, strokes, and the full size."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    strokes: tuple[Stroke, ...]
    width: float
    height: float


def arrange(items: Sequence[Item], links: Sequence[Link]) -> Layout:
    """Place items and route links; sources must come before targets in ``items``."""
    if not items:
        return Layout((), (), (), 2 * MARGIN, 2 * MARGIN)
    rows = assign_rows(items, links)
    graph = build_row_graph(items, links, rows)
    order_rows(graph, [number for number, item in enumerate(items) if item.loose])
    _mirror(items, links, graph)
    columns = place_columns(graph)
    return _finish(items, links, graph, columns)


def _mirror(items: Sequence[Item], links: Sequence[Link], graph: RowGraph) -> None:
    """Let a side port enter from the left where its wire comes from the left of every other wire of the item."""
    place = {element: number for row in graph.rows for number, element in enumerate(row)}
    half = {(link.target, link.into): link.half for link in links}
    arrivals: list[list[Segment]] = [[] for _ in items]
    for segment in graph.segments:
        if segment.port is not None:
            arrivals[segment.low].append(segment)
    for number, item in enumerate(items):
        others = [place[segment.high] for segment in arrivals[number] if segment.port not in item.sides]
        if not others:
            continue
        for segment in arrivals[number]:
            if segment.port is not None and segment.port in item.sides and place[segment.high] < min(others):
                reach = segment.x_low + half[number, segment.port]
                graph.left[number] = max(graph.left[number], reach)
                segment.x_low = -segment.x_low


def _finish(items: Sequence[Item], links: Sequence[Link], graph: RowGraph, columns: Sequence[float]) -> Layout:
    """Give rows their y and links their course."""
    count = len(items)
    courses = [_steps(graph, columns, number, link) for number, link in enumerate(links)]
    buses: list[dict[tuple[int, int], Bus]] = [{} for _ in graph.rows]
    for link, course in zip(links, courses, strict=True):
        for row, x1, x2 in course:
            if is_across(x1, x2, link.half):
                bus = buses[row].setdefault((link.source, link.out), Bus(x1, link.half))
                if x2 not in bus.targets:
                    bus.targets.append(x2)
    centre: list[float] = []
    top: list[float] = []
    bottom: list[float] = []
    levels: list[dict[tuple[int, int], float]] = []
    y = MARGIN
    for row, members in enumerate(graph.rows):
        top.append(y)
        centre.append(float(round(y + max((items[e].up for e in members if e < count), default=0.0))))
        bottom.append(float(round(centre[row] + max((items[e].down for e in members if e < count), default=0.0))))
        found, height = assign_tracks(list(buses[row].values()))
        levels.append({net: bottom[row] + level for net, level in zip(buses[row], found, strict=True)})
        y = bottom[row] + height
    strokes: list[Stroke] = []
    drawn: set[tuple[int, int]] = set()  # nets of which a stroke exists
    passed: set[int] = set()  # elements between the ends of a link that a stroke passes
    longest_first = sorted(
        range(len(links)), key=lambda n: (links[n].source, links[n].out, -graph.row_of[links[n].target], n)
    )
    for number in longest_first:
        link = links[number]
        net = (link.source, link.out)
        ways = [
            Way(x1, bottom[row], x2, top[row + 1], levels[row].get(net) if is_across(x1, x2, link.half) else None)
            for row, x1, x2 in courses[number]
        ]
        shared = sum(element in passed for element in graph.chains[number])
        strokes.append(Stroke(number, tuple(ways[shared:]), net in drawn))
        drawn.add(net)
        passed.update(graph.chains[number])
    width = max(columns[e] + graph.right[e] for row in graph.rows for e in row) + MARGIN
    return Layout(
        tuple(columns[:count]),
        tuple(centre[graph.row_of[e]] for e in range(count)),
        tuple(strokes),
        float(round(width)),
        float(round(bottom[-1] + MARGIN)),
    )


def _steps(graph: RowGraph, columns: Sequence[float], number: int, link: Link) -> list[tuple[int, float, float]]:
    """Return (upper row, x there, x in the row below) of every step of a link."""
    first, last = graph.ends[number]
    stops = [columns[link.source] + first.x_high, *(columns[element] for element in graph.chains[number])]
    stops.append(columns[link.target] + last.x_low)
    row = graph.row_of[link.source]
    return [(row + step, x1, x2) for step, (x1, x2) in enumerate(pairwise(stops))]
