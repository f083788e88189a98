"""Third step of the layout: x coordinates.

Segments worth being vertical join their elements to blocks that move as one (as in Brandes and Köpf, Graph Drawing
2001). Starting from the leftmost places, blocks then move in turn towards the elements they are linked with, as far as
their neighbours allow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fusion.draw.limits import PAGE_WIDTH
from fusion.draw.rows import RowGraph, Segment

_GAP = 14.0
"""Least distance between neighbours in a row."""
_ROUNDS = 80
_TOGETHER = 8
"""Every how many rounds neighbours are moved together, too."""
_TOGETHER_LIMIT = 200
"""Number of blocks above which they are not: it takes time, and large drawings are settled well enough without."""


@dataclass(frozen=True, slots=True)
class _Board:
    """Blocks and what holds and pulls them.

    Attributes:
        order: the blocks so that every row runs from left to right.
        before, after: for every block, its neighbours on one side with the least distance to them.
        pulls: for every block, (other block, shift, weight): at the other's x plus the shift a segment is vertical.
        left, right: extents of every block.
    """

    order: list[int]
    before: list[list[tuple[int, float]]]
    after: list[list[tuple[int, float]]]
    pulls: list[list[tuple[int, float, float]]]
    left: list[float]
    right: list[float]


def place_columns(graph: RowGraph) -> list[float]:
    """Return the x of every element, whole numbers, with every row's order and distances kept."""
    offset, block_of = _blocks(graph)
    board = _board(graph, offset, block_of)
    x = _settled(board, *_free(board))
    if max(a + b for a, b in zip(x, board.right, strict=True)) - min(
        a - b for a, b in zip(x, board.left, strict=True)
    ) > (PAGE_WIDTH - 2 * _GAP):
        x = _settled(board, *_bounds(board))
    x = [float(math.floor(value + 0.5)) for value in x]  # whole distances stay kept
    columns = [x[block_of[element]] + offset[element] for element in range(len(graph.row_of))]
    shift = math.ceil(_GAP - min(columns[e] - graph.left[e] for row in graph.rows for e in row))
    return [float(math.floor(value + shift + 0.5)) for value in columns]


def _board(graph: RowGraph, offset: Sequence[float], block_of: Sequence[int]) -> _Board:
    count = max(block_of) + 1
    apart: dict[tuple[int, int], float] = {}
    for row in graph.rows:
        for a, b in pairwise(row):
            need = math.ceil(graph.right[a] + graph.left[b] + _GAP + offset[a] - offset[b])
            key = (block_of[a], block_of[b])
            apart[key] = max(apart.get(key, -math.inf), need)
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
    left, right = [-math.inf] * count, [-math.inf] * count
    for element, block in enumerate(block_of):
        left[block] = max(left[block], graph.left[element] - offset[element])
        right[block] = max(right[block], graph.right[element] + offset[element])
    return _Board(_left_to_right(count, apart), before, after, pulls, left, right)


def _free(board: _Board) -> tuple[list[float], list[float], list[float]]:
    """Return leftmost places to start from, and no bounds."""
    count = len(board.order)
    return _packed(board, [0.0] * count), [-math.inf] * count, [math.inf] * count


def _bounds(board: _Board) -> tuple[list[float], list[float], list[float]]:
    """Return leftmost places to start from, the same as lower bounds, and upper bounds that keep to the page.

    Where the leftmost places are wider than the page, nothing becomes wider than they are.
    """
    first = _packed(board, board.left)
    room = max(PAGE_WIDTH - 2 * _GAP, *(x + right for x, right in zip(first, board.right, strict=True)))
    last = [room - right for right in board.right]
    for block in reversed(board.order):
        last[block] = min([last[block], *(last[b] - need for b, need in board.after[block])])
    return list(first), first, last


def _settled(board: _Board, x: list[float], first: Sequence[float], last: Sequence[float]) -> list[float]:
    """Move blocks in turn towards what pulls them, between the bounds ``first`` and ``last``."""
    for step in range(_ROUNDS):
        gain = 0.6 * (1 - step / _ROUNDS) + 0.02
        for block in board.order if step % 2 == 0 else reversed(board.order):
            pulls = board.pulls[block]
            if not pulls:
                continue
            total = sum(weight for _, _, weight in pulls)
            wish = sum(weight * (x[other] + shift) for other, shift, weight in pulls) / total
            low = max([first[block], *(x[a] + need for a, need in board.before[block])])
            high = min([last[block], *(x[b] - need for b, need in board.after[block])])
            x[block] = max(low, min(high, x[block] + gain * (wish - x[block])))
        if step % _TOGETHER == 0 and len(x) <= _TOGETHER_LIMIT:
            for block in board.order:
                _push(board, x, block, 1.0, last)
                _push(board, x, block, -1.0, first)
    return x


def _push(board: _Board, x: list[float], block: int, sign: float, bound: Sequence[float]) -> None:
    """Move a block together with the neighbours it leans on, to the right (sign 1) or left, as far as all gain by it.

    Alone, two neighbours that pull against one another would both stay where they are.
    """
    beyond = board.after if sign > 0 else board.before
    group = [block]
    member = {block}
    for a in group:
        for b, need in beyond[a]:
            if b not in member and sign * (x[b] - x[a]) <= need + 0.5:
                member.add(b)
                group.append(b)
    pulls = [
        (weight, x[other] + shift - x[a])
        for a in group
        for other, shift, weight in board.pulls[a]
        if other not in member
    ]
    total = sum(weight for weight, _ in pulls)
    wish = sign * sum(weight * way for weight, way in pulls) / total if pulls else 0.0
    room = [sign * (bound[a] - x[a]) for a in group]
    room.extend(sign * (x[b] - x[a]) - need for a in group for b, need in beyond[a] if b not in member)
    way = min(wish, *room)
    if way > 0.5:
        for a in group:
            x[a] += sign * way


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


def _packed(board: _Board, start: Sequence[float]) -> list[float]:
    """Return the leftmost places that keep all distances and are not left of ``start``."""
    x = list(start)
    for block in board.order:
        x[block] = max([x[block], *(x[a] + need for a, need in board.before[block])])
    return x
