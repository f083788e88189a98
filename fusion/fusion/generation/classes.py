"""Shapes of trees up to exchange, when some legs are the same wire.

A shape is written here over *wires*: its leaves are numbers of wires, and legs that are the same wire share a number.
Exchanging the branches of a vertex, or two legs that are the same wire, gives the same functions up to a sign; such
shapes form one class, and each class has one spelling.
"""

from __future__ import annotations

from collections.abc import Sequence

from fusion.trees.shapes import Shape, balanced, left_comb, shapes

KINDS = ("comb", "balanced", "all")
"""Which shapes a layer may have."""

_NAMES = "abcdefghijklmnopqrstuvwxyz"


def shape_classes(kind: str, wires: Sequence[int]) -> tuple[Shape, ...]:
    """Return the classes of shapes over legs of these wires, each once.

    Args:
        kind: ``comb``: the left comb in the order of the legs; ``balanced``: the shape of least depth; ``all``: every
            binary shape, the comb first.
        wires: the number of the wire on each leg, such as ``(0, 0, 1)``.
    """
    legs = len(wires)
    one = balanced if kind == "balanced" else left_comb
    every = shapes(legs) if kind == "all" else iter((one(legs),))
    return tuple(dict.fromkeys(spelled(_over_wires(shape, wires)) for shape in every))


def spelled(shape: Shape) -> Shape:
    """Return the spelling of a class: in each vertex the branch with more legs on the left, then the lower wires."""
    if isinstance(shape, int):
        return shape
    left, right = sorted((spelled(shape[0]), spelled(shape[1])), key=_rank)
    return (left, right)


def numbered(shape: Shape, first: int = 0) -> Shape:
    """Return the shape with its leaves numbered from left to right, as trees of distinguishable legs need them."""
    if isinstance(shape, int):
        return first
    return (numbered(shape[0], first), numbered(shape[1], first + size(shape[0])))


def size(shape: Shape) -> int:
    """Return the number of legs."""
    return 1 if isinstance(shape, int) else size(shape[0]) + size(shape[1])


def shape_text(shape: Shape, names: Sequence[str] = _NAMES) -> str:
    """Return a shape as ``((a b) c)``."""
    return names[shape] if isinstance(shape, int) else f"({shape_text(shape[0], names)} {shape_text(shape[1], names)})"


def _over_wires(shape: Shape, wires: Sequence[int]) -> Shape:
    if isinstance(shape, int):
        return wires[shape]
    return (_over_wires(shape[0], wires), _over_wires(shape[1], wires))


def _rank(shape: Shape) -> tuple[int, str]:
    return (-size(shape), str(shape))
