"""Second step of the layout: the order inside the rows, by barycentres and exchanges of neighbours."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from fusion.draw.rows import RowGraph, Segment

_SWEEPS = 12
_EXCHANGE_LIMIT = 3000
"""Above this number of segments neighbours are not exchanged: the gain is small and the time is not."""
_STARTS = 12
_MANY_STARTS_LIMIT = 150
"""Above this number of segments there is one start only."""


def order_rows(graph: RowGraph, loose: Sequence[int] = ()) -> None:
    """Reorder ``graph.rows`` in place so that few segments cross.

    Small drawings are ordered from several starts, the given order, its mirror image and fixed random ones, because
    barycentres alone stop at the first order they cannot improve. ``loose`` items may have their ports exchanged.
    """
    given = [list(row) for row in graph.rows]
    best, fewest = _improve(graph, loose)
    starts = 1 + _STARTS if len(graph.segments) <= _MANY_STARTS_LIMIT else 1
    for start in range(1, starts):
        if fewest == 0:
            break
        draw = random.Random(start).random
        graph.rows[:] = [row[::-1] if start == 1 else sorted(row, key=lambda _: draw()) for row in given]
        rows, found = _improve(graph, loose)
        if found < fewest:
            best, fewest = rows, found
    graph.rows[:] = best
    _loosen(graph, loose)


def _improve(graph: RowGraph, loose: Sequence[int]) -> tuple[list[list[int]], int]:
    """Return the best order met in some sweeps down and up from the present one, and its number of crossings."""
    above: list[list[Segment]] = [[] for _ in graph.row_of]
    below: list[list[Segment]] = [[] for _ in graph.row_of]
    for segment in graph.segments:
        above[segment.low].append(segment)
        below[segment.high].append(segment)
    _loosen(graph, loose)
    best = [list(row) for row in graph.rows]
    fewest = crossings(graph.rows, below)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        rows = graph.rows[1:] if down else graph.rows[-2::-1]
        for row in rows:
            _sort_row(graph, row, above if down else below, down)
        if len(graph.segments) <= _EXCHANGE_LIMIT:
            _exchange(graph, above, below)
        _loosen(graph, loose)
        found = crossings(graph.rows, below)
        if found < fewest:
            fewest = found
            best = [list(row) for row in graph.rows]
    return best, fewest


def _loosen(graph: RowGraph, loose: Sequence[int]) -> None:
    """Exchange the ports of symmetric items so that their wires do not cross right at the item."""
    if not loose:
        return
    place = {element: number for row in graph.rows for number, element in enumerate(row)}
    for item in loose:
        below = [segment for segment in graph.segments if segment.high == item]
        below.sort(key=lambda segment: (place[segment.low], segment.x_low))
        for x, segment in zip(sorted(segment.x_high for segment in below), below, strict=True):
            segment.x_high = x
        above = [segment for segment in graph.segments if segment.low == item]
        above.sort(key=lambda segment: (place[segment.high], segment.x_high))
        for x, segment in zip(sorted(segment.x_low for segment in above), above, strict=True):
            segment.x_low = x


def _places(graph: RowGraph, row: int) -> dict[int, int]:
    return {element: place for place, element in enumerate(graph.rows[row])}


def _sort_row(graph: RowGraph, row: list[int], neighbours: Sequence[Sequence[Segment]], down: bool) -> None:
    """Sort a row by the mean place of the neighbours; elements without any keep their place."""
    if not row:
        return
    other = graph.row_of[row[0]] + (-1 if down else 1)
    place = _places(graph, other)
    wish: dict[int, float] = {}
    for element in row:
        segments = neighbours[element]
        if not segments:
            continue
        total = 0.0
        for segment in segments:
            there, here = (segment.high, segment.low) if down else (segment.low, segment.high)
            x_there = segment.x_high if down else segment.x_low
            x_here = segment.x_low if down else segment.x_high
            width = graph.left[there] + graph.right[there] + graph.left[here] + graph.right[here] + 1.0
            total += place[there] + (x_there - x_here) / width
        wish[element] = total / len(segments)
    movable = sorted((element for element in row if element in wish), key=lambda element: wish[element])
    following = iter(movable)
    row[:] = [next(following) if element in wish else element for element in row]


def _ends(segments: Sequence[Segment], place: dict[int, int], up: bool) -> list[tuple[int, float, float]]:
    """Return (place of the other end, its offset, own offset) of segments, for one side of an element."""
    if up:
        return [(place[s.high], s.x_high, s.x_low) for s in segments]
    return [(place[s.low], s.x_low, s.x_high) for s in segments]


def _crossed(left: Sequence[tuple[int, float, float]], right: Sequence[tuple[int, float, float]]) -> int:
    """Count crossings between the segments of two neighbours that stand in this order."""
    return sum((b[0], b[1]) < (a[0], a[1]) for a in left for b in right)


def _exchange(graph: RowGraph, above: Sequence[Sequence[Segment]], below: Sequence[Sequence[Segment]]) -> None:
    """Exchange neighbours as long as that removes crossings, at most a few rounds."""
    for _ in range(4):
        changed = False
        for number, row in enumerate(graph.rows):
            high = _places(graph, number - 1) if number else {}
            low = _places(graph, number + 1) if number + 1 < len(graph.rows) else {}
            for place in range(len(row) - 1):
                a, b = row[place], row[place + 1]
                a_up, b_up = _ends(above[a], high, True), _ends(above[b], high, True)
                a_down, b_down = _ends(below[a], low, False), _ends(below[b], low, False)
                now = _crossed(a_up, b_up) + _crossed(a_down, b_down)
                then = _crossed(b_up, a_up) + _crossed(b_down, a_down)
                if then < now:
                    row[place], row[place + 1] = b, a
                    changed = True
        if not changed:
            return


def crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[Segment]]) -> int:
    """Count the pairs of segments that cross, by inversions of the lower ends."""
    total = 0
    for high, low in pairwise(rows):
        place = {element: number for number, element in enumerate(low)}
        ends: list[tuple[int, float]] = []
        for element in high:
            mine = sorted((s.x_high, place[s.low], s.x_low) for s in below[element])
            ends.extend((there, x) for _, there, x in mine)
        total += _inversions(ends)
    return total


def _inversions(values: list[tuple[int, float]]) -> int:
    """Count pairs in the wrong order, by merging."""
    if len(values) < 2:
        return 0
    middle = len(values) // 2
    left, right = values[:middle], values[middle:]
    found = _inversions(left) + _inversions(right)
    merged: list[tuple[int, float]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if right[j] < left[i]:
            found += len(left) - i
            merged.append(right[j])
            j += 1
        else:
            merged.append(left[i])
            i += 1
    values[:] = merged + left[i:] + right[j:]
    return found
