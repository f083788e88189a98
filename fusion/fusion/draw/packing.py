"""Layout in parts: what wires do not join is laid out by itself, and the parts are packed onto a page."""

from __future__ import annotations

from collections.abc import Sequence

from fusion.draw.items import Item, Link
from fusion.draw.layout import Layout, Stroke, arrange
from fusion.draw.limits import PAGE_WIDTH

Known = dict[tuple[tuple[Item, ...], tuple[Link, ...]], Layout]
"""Layouts that are known already: a picture that is broken in steps keeps most of its parts."""


def arrange_parts(items: Sequence[Item], links: Sequence[Link], rank: Sequence[int], known: Known) -> Layout:
    """Place the parts in the order of their last item by ``rank``, every one as high as possible, then to the left."""
    parts = joined(len(items), links)
    parts.sort(key=lambda members: max(rank[item] for item in members))
    x, y = [0.0] * len(items), [0.0] * len(items)
    strokes: list[Stroke] = []
    skyline = _Skyline(PAGE_WIDTH)
    width = height = 0.0
    for members in parts:
        place = {item: number for number, item in enumerate(members)}
        inner = [number for number, link in enumerate(links) if link.source in place]
        part = (tuple(items[item] for item in members), tuple(_moved(links[number], place) for number in inner))
        if part not in known:
            known[part] = arrange(*part)
        layout = known[part]
        dx, dy = skyline.put(layout.width, layout.height)
        for item, number in place.items():
            x[item], y[item] = layout.x[number] + dx, layout.y[number] + dy
        for stroke in layout.strokes:
            strokes.append(Stroke(inner[stroke.link], tuple(way.moved(dx, dy) for way in stroke.ways), stroke.branch))
        width, height = max(width, dx + layout.width), max(height, dy + layout.height)
    return Layout(tuple(x), tuple(y), tuple(strokes), width, height)


def joined(count: int, links: Sequence[Link]) -> list[list[int]]:
    """Return the sets of items that links join, each in ascending order."""
    part = list(range(count))

    def find(item: int) -> int:
        while part[item] != item:
            part[item] = part[part[item]]
            item = part[item]
        return item

    for link in links:
        part[find(link.source)] = find(link.target)
    found: dict[int, list[int]] = {}
    for item in range(count):
        found.setdefault(find(item), []).append(item)
    return list(found.values())


def _moved(link: Link, place: dict[int, int]) -> Link:
    return Link(place[link.source], link.out, place[link.target], link.into, link.half)


class _Skyline:
    """The lower edge of what a page holds so far: pieces (x, width, y) from left to right."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.pieces: list[tuple[float, float, float]] = [(0.0, width, 0.0)]

    def put(self, width: float, height: float) -> tuple[float, float]:
        """Return the place of a further rectangle; one wider than the page gets the whole width."""
        width = min(width, self.width)
        starts = [x for x, _, _ in self.pieces if x + width <= self.width]
        top, left = min((self._top(x, width), x) for x in starts)
        right = left + width
        pieces = [(left, width, top + height)]
        for x, extent, y in self.pieces:
            if x < left:
                pieces.append((x, min(extent, left - x), y))
            if x + extent > right:
                start = max(x, right)
                pieces.append((start, x + extent - start, y))
        self.pieces = sorted(pieces)
        return left, top

    def _top(self, left: float, width: float) -> float:
        """Return how high a rectangle can stand with its left edge at ``left``."""
        return max(y for x, extent, y in self.pieces if x < left + width and x + extent > left)
