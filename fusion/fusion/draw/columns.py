"""Third step of the layout: x coordinates.

Segments worth being vertical join their elements to blocks that move as one (as in Brandes and Köpf, Graph Drawing
2001). Starting from the leftmost places, blocks then move in turn towards the elements they are linked with, as far as
their neighbours allow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from fusion.draw.rows import RowGraph, Segment

_GAP = 14.0
"""Least distance between neighbours in a row."""
_ROUNDS = 80


def place_columns(graph: RowGraph) -> list[float]:
    """Return the x of every element, whole numbers, with every row's order and distances kept."""
    offset, block_of = _blocks(graph)
    count = max(block_of) + 1
    apart: dict[tuple[int, int], float] = {}
    for row in graph.rows:
        for a, b in pairwise(row):
            need = math.ceil(graph.right[a] + graph.left[b] + _GAP + offset[a] - offset[b])
            key = (block_of[a], block_of[b])
            apart[key] = max(apart.get(key, -math.inf), need)
    order = _left_to_right(count, apart)
    before: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    after: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for (a, b), need in sorted(apart.items()):
        before[b].append((a, need))
        after[a].append((b, need))
    pulls: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]
    for segment in graph.segments:
        a, b = block_of[segment.high], block_of[segment.low]
        if a == b:
            continue
        # x[a] + shift = x[b] makes the segment vertical
        shift = segment.x_high + offset[segment.high] - segment.x_low - offset[segment.low]
        weight = 1.0 + segment.straight
        pulls[a].append((b, -shift, weight))
        pulls[b].append((a, shift, weight))
    x = _packed(order, before)
    for step in range(_ROUNDS):
        gain = 0.6 * (1 - step / _ROUNDS) + 0.02
        for block in order if step % 2 == 0 else reversed(order):
            if not pulls[block]:
                continue
            total = sum(weight for _, _, weight in pulls[block])
            wish = sum(weight * (x[other] + shift) for other, shift, weight in pulls[block]) / total
            low = max((x[a] + need for a, need in before[block]), default=-math.inf)
            high = min((x[b] - need for b, need in after[block]), default=math.inf)
            x[block] = max(low, min(high, x[block] + gain * (wish - x[block])))
    x = [float(math.floor(value + 0.5)) for value in x]  # whole distances stay kept
    columns = [x[block_of[element]] + offset[element] for element in range(len(graph.row_of))]
    shift = math.ceil(_GAP - min(columns[e] - graph.left[e] for row in graph.rows for e in row))
    return [float(math.floor(value + shift + 0.5)) for value in columns]


def _blocks(graph: RowGraph) -> tuple[list[float], list[int]]:
    """Join elements along segments that become vertical; return offset and block of every element."""
    place = {element: number for row in graph.rows for number, element in enumerate(row)}
    by_row: list[list[Segment]] = [[] for _ in graph.rows]
    for segment in graph.segments:
        if segment.straight:
            by_row[graph.row_of[segment.high]].append(segment)
    next_of: dict[int, Segment] = {}
    taken: set[int] = set()
    for candidates in by_row:
        accepted: list[Segment] = []
        for segment in sorted(candidates, key=lambda s: (-s.straight, place[s.high], place[s.low])):
            if segment.high in next_of or segment.low in taken:
                continue
            if any(_cross(segment, other, place) for other in accepted):
                continue
            accepted.append(segment)
            next_of[segment.high] = segment
            taken.add(segment.low)
    offset = [0.0] * len(graph.row_of)
    block_of = [-1] * len(graph.row_of)
    blocks = 0
    for row in graph.rows:
        for element in row:
            if element in taken:
                continue
            walker = element
            block_of[walker] = blocks
            while walker in next_of:
                segment = next_of[walker]
                offset[segment.low] = offset[walker] + segment.x_high - segment.x_low
                walker = segment.low
                block_of[walker] = blocks
            blocks += 1
    return offset, block_of


def _cross(a: Segment, b: Segment, place: dict[int, int]) -> bool:
    return (place[a.high] - place[b.high]) * (place[a.low] - place[b.low]) < 0


def _left_to_right(count: int, apart: dict[tuple[int, int], float]) -> list[int]:
    """Return the blocks in an order that respects every row (vertical segments do not cross, so there is one)."""
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b in sorted(apart):
        after[a].append(b)
        waiting[b] += 1
    order = [block for block in range(count) if waiting[block] == 0]
    for block in order:
        for following in after[block]:
            waiting[following] -= 1
            if waiting[following] == 0:
                order.append(following)
    return order


def _packed(order: Sequence[int], before: Sequence[Sequence[tuple[int, float]]]) -> list[float]:
    """Return the leftmost places that keep all distances."""
    x = [0.0] * len(order)
    for block in order:
        x[block] = max((x[a] + need for a, need in before[block]), default=0.0)
    return x
