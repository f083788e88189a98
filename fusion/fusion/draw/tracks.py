"""Last step of the layout: the level at which every wire runs across, between two rows.

Wires that must go sideways between two rows run on horizontal tracks with round corners, so that they cross others at
right angles and the branches of one wire share a track. This is channel routing with few tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_CLEAR = 4.0
"""Least distance between the lanes of neighbouring tracks."""
_CLASH = 10
"""What it costs when two vertical lines would lie on one another, counted in crossings."""
PLAIN_GAP = 16.0
"""Distance of two rows between which nothing runs across."""


@dataclass(slots=True)
class Bus:
    """One wire between two rows: where it comes from, where it goes to across, and half its width."""

    source: float
    half: float
    targets: list[float] = field(default_factory=list[float])

    @property
    def low(self) -> float:
        """Left end."""
        return min(self.source, *self.targets)

    @property
    def high(self) -> float:
        """Right end."""
        return max(self.source, *self.targets)


def corner(half: float) -> float:
    """Return the radius of the corners of a wire, taken at its middle."""
    return float(round(max(11.0, half + 3.0)))


def is_across(x1: float, x2: float, half: float) -> bool:
    """Whether a wire from ``x1`` to ``x2`` needs a track; shorter ways are one smooth curve."""
    return abs(x2 - x1) >= 2 * corner(half)


def assign_tracks(buses: Sequence[Bus]) -> tuple[list[float], float]:
    """Return the level of every bus, measured down from the upper row's edge, and the distance of the two rows."""
    if not buses:
        return [], PLAIN_GAP
    order: list[int] = []
    for number in range(len(buses)):
        costs = [_cost(buses, order, number, place) for place in range(len(order) + 1)]
        order.insert(costs.index(min(costs)), number)
    level = [0.0] * len(buses)
    for place, number in enumerate(order):
        bus = buses[number]
        level[number] = corner(bus.half)
        for earlier in order[:place]:
            other = buses[earlier]
            apart = bus.half + other.half + _CLEAR
            if bus.low - apart < other.high and other.low - apart < bus.high:
                level[number] = max(level[number], level[earlier] + apart)
    height = max(level[number] + corner(bus.half) for number, bus in enumerate(buses))
    return [float(round(value)) for value in level], max(PLAIN_GAP, float(round(height + 1)))


def _cost(buses: Sequence[Bus], order: Sequence[int], number: int, place: int) -> int:
    """Return the crossings of a bus with those already ordered when it is inserted at ``place``."""
    bus = buses[number]
    above = sum(_crossings(buses[other], bus) for other in order[:place])
    return above + sum(_crossings(bus, buses[other]) for other in order[place:])


def _crossings(upper: Bus, lower: Bus) -> int:
    """Count what crosses when ``upper`` runs above ``lower``."""
    apart = upper.half + lower.half + 1.0
    found = sum(lower.low < x < lower.high for x in upper.targets) + (upper.low < lower.source < upper.high)
    # the lower one comes down from its source past the upper one, which goes down to its targets
    return found + _CLASH * sum(abs(lower.source - x) < apart for x in upper.targets)
