"""What is laid out: items with ports, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """Something to place. Lengths are in pixels; x runs to the right from the item's axis, y down from its centre.

    Attributes:
        left, right, up, down: extents from the axis and the centre, texts and port stubs included.
        ins: x of every in-port.
        outs: x of every out-port.
        sides: in-ports that enter from the side, on the right unless the layout mirrors them.
        terminal: whether the item has no inputs and may float down to its first user.
        first, last: whether the item belongs into the first or the last row.
        depth: the least number of its row.
        loose: whether the ports of the item may be exchanged, because it is symmetric.
    """

    left: float
    right: float
    up: float
    down: float
    ins: tuple[float, ...] = ()
    outs: tuple[float, ...] = (0.0,)
    sides: frozenset[int] = frozenset()
    terminal: bool = False
    first: bool = False
    last: bool = False
    depth: int = 0
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A wire from out-port ``out`` of item ``source`` to in-port ``into`` of item ``target``; source < target.

    ``half`` is half the width of the wire.
    """

    source: int
    out: int
    target: int
    into: int
    half: float = 4.0
