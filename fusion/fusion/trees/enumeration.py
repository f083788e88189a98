"""Which trees a shape has: every consistent choice of labels, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_L, MAX_PATHS
from fusion.rules import coupled
from fusion.trees.shapes import Shape, legs_of
from fusion.trees.tree import FusionTree

Counts = dict[Irrep, int]


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the lines of a part of a shape may carry.

    Attributes:
        wires: irreps of leg 0, 1, ...
        root: irreps allowed at the root of the part; all when ``None``.
        inner: irreps allowed below it; all when ``None``.
        room: largest degree at the root of the part from which the root of the whole can be reached; no bound when
            ``None``.
    """

    wires: tuple[Irreps, ...]
    root: frozenset[Irrep] | None
    inner: frozenset[Irrep] | None
    room: int | None

    def branch(self, part: Shape, other: Shape) -> _Choice:
        """Return the choice for one of the two branches of a vertex."""
        lost = sum(max((irrep.l for _, irrep in self.wires[leg]), default=0) for leg in legs_of(other))
        room = None if self.room is None else self.room + lost
        return replace(self, root=None if isinstance(part, int) else self.inner, room=room)

    def leaves(self, leg: int) -> tuple[tuple[int, Irrep], ...]:
        """Return what the shape that is this leg may carry."""
        return tuple(item for item in self.wires[leg] if self.root is None or item[1] in self.root)

    def outs(self, left: Irrep, right: Irrep) -> tuple[Irrep, ...]:
        """Return the irreps that two couple to; refuse to leave out those above the largest degree."""
        room = left.l + right.l if self.room is None else min(left.l + right.l, self.room)
        if self.root is not None:
            return tuple(out for out in coupled(left, right) if out in self.root and out.l <= room)
        if room > MAX_L:
            raise LimitError(
                f"{left} x {right} reaches l = {room}, above {MAX_L}; restrict the root and the inner lines"
            )
        return tuple(out for out in coupled(left, right) if out.l <= room)


def count_trees(
    shape: Shape,
    legs: Sequence[Irreps | Irrep | str],
    total: Irreps | Irrep | str | None = None,
    inner: Irreps | str | None = None,
) -> Counts:
    """Return the number of trees for every irrep of the root, without listing them; see :func:`enumerate_trees`."""
    found = _count(shape, _read(shape, legs, total, inner))[0]
    return {irrep: found[irrep] for irrep in sorted(found)}


def enumerate_trees(
    shape: Shape,
    legs: Sequence[Irreps | Irrep | str],
    total: Irreps | Irrep | str | None = None,
    inner: Irreps | str | None = None,
) -> tuple[FusionTree, ...]:
    """Return every tree of a shape, those of one root after the other, else in the order of a chain of fuses.

    Args:
        shape: which legs meet where.
        legs: irreps of leg 0, 1, ...; every path of every irrep counts.
        total: irreps allowed at the root; all when ``None``.
        inner: irreps allowed on inner lines; all when ``None``.

    Raises:
        NotationError: the shape does not fit the legs, or the irreps are not of one group.
        LimitError: a part of the shape has more than ``MAX_PATHS`` trees, or a label above ``MAX_L`` would be needed.
    """
    choice = _read(shape, legs, total, inner)
    number = _count(shape, choice)[1]
    if number > MAX_PATHS:
        raise LimitError(f"{number} trees are above the limit of {MAX_PATHS}; restrict the root or the inner lines")
    return _enumerate(shape, choice)


def _count(shape: Shape, choice: _Choice) -> tuple[Counts, int]:
    """Return the number of trees per root, and the largest number of trees of any part of the shape."""
    found: Counts = {}
    if isinstance(shape, int):
        found = {irrep: number for number, irrep in choice.leaves(shape)}
        return found, sum(found.values())
    left, most = _count(shape[0], choice.branch(shape[0], shape[1]))
    right, more = _count(shape[1], choice.branch(shape[1], shape[0]))
    for a, m in left.items():
        for b, n in right.items():
            for out in choice.outs(a, b):
                found[out] = found.get(out, 0) + m * n
    return found, max(most, more, sum(found.values()))


@lru_cache(maxsize=512)
def _enumerate(shape: Shape, choice: _Choice) -> tuple[FusionTree, ...]:
    if isinstance(shape, int):
        leaves = choice.leaves(shape)
        return tuple(FusionTree(irrep, shape, path) for count, irrep in leaves for path in range(count))
    left = _enumerate(shape[0], choice.branch(shape[0], shape[1]))
    right = _enumerate(shape[1], choice.branch(shape[1], shape[0]))
    found = [FusionTree(out, left=a, right=b) for a in left for b in right for out in choice.outs(a.irrep, b.irrep)]
    return tuple(sorted(found, key=lambda tree: tree.irrep))  # stable


def _read(
    shape: Shape, legs: Sequence[Irreps | Irrep | str], total: Irreps | Irrep | str | None, inner: Irreps | str | None
) -> _Choice:
    wires = tuple(Irreps.parse(leg).canonical() for leg in legs)
    if sorted(legs_of(shape)) != list(range(len(wires))):
        raise NotationError(f"the shape {shape} needs each of its legs once, numbered from 0 to {len(wires) - 1}")
    root, lines = (None if asked is None else Irreps.parse(asked) for asked in (total, inner))
    given = (*wires, *(asked for asked in (root, lines) if asked is not None))
    if len({irrep.group for irreps in given for _, irrep in irreps}) > 1:
        listed = ", ".join(map(str, given))
        raise NotationError(f"legs, root and inner lines are of O(3) or of SO(3), not both: {listed}")
    room = None if root is None else max((irrep.l for _, irrep in root), default=0)
    return _Choice(wires, _kinds(root), _kinds(lines), room)


def _kinds(irreps: Irreps | None) -> frozenset[Irrep] | None:
    return None if irreps is None else frozenset(irreps.kinds())
