"""Which trees a shape has: every consistent choice of labels, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_L, MAX_PATHS
from fusion.rules import coupled
from fusion.trees.shapes import Shape, legs_of
from fusion.trees.tree import FusionTree

Counts = dict[Irrep, int]


def count_trees(
    shape: Shape,
    legs: Sequence[Irreps | Irrep | str],
    total: Irreps | Irrep | str | None = None,
    inner: Irreps | str | None = None,
) -> Counts:
    """Return the number of trees for every irrep of the root, without listing them; see :func:`enumerate_trees`."""
    wires, caps = _read(shape, legs, inner)
    return _counted(shape, wires, caps, _kinds(total))


def _counted(
    shape: Shape, wires: tuple[Irreps, ...], caps: frozenset[Irrep] | None, total: frozenset[Irrep] | None
) -> Counts:
    def count(part: Shape, root: bool) -> Counts:
        if isinstance(part, int):
            return {irrep: number for number, irrep in wires[part] if not root or total is None or irrep in total}
        left, right = count(part[0], False), count(part[1], False)
        found: Counts = {}
        for a, m in left.items():
            for b, n in right.items():
                for out in _outs(a, b, total if root else caps):
                    found[out] = found.get(out, 0) + m * n
        return found

    found = count(shape, True)
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
        NotationError: the shape does not fit the legs.
        LimitError: more than ``MAX_PATHS`` trees, or a line above ``MAX_L`` would be left out.
    """
    wires, caps = _read(shape, legs, inner)
    wanted = _kinds(total)
    number = sum(_counted(shape, wires, caps, wanted).values())
    if number > MAX_PATHS:
        raise LimitError(f"{number} trees are above the limit of {MAX_PATHS}; restrict the root or the inner lines")
    return _enumerate(shape, wires, wanted, caps)


@lru_cache(maxsize=512)
def _enumerate(
    shape: Shape, wires: tuple[Irreps, ...], total: frozenset[Irrep] | None, caps: frozenset[Irrep] | None
) -> tuple[FusionTree, ...]:
    if isinstance(shape, int):
        return tuple(
            FusionTree(irrep, shape, path)
            for count, irrep in wires[shape]
            if total is None or irrep in total
            for path in range(count)
        )
    left, right = (_enumerate(part, wires, None if isinstance(part, int) else caps, caps) for part in shape)
    found = [FusionTree(out, left=a, right=b) for a in left for b in right for out in _outs(a.irrep, b.irrep, total)]
    return tuple(sorted(found, key=lambda tree: tree.irrep))  # stable


def _outs(left: Irrep, right: Irrep, allowed: frozenset[Irrep] | None) -> tuple[Irrep, ...]:
    """Return the allowed irreps that two couple to; refuse to leave out those above the largest degree."""
    if allowed is not None:
        return tuple(out for out in coupled(left, right) if out in allowed)
    if left.l + right.l > MAX_L:
        reached = left.l + right.l
        raise LimitError(
            f"{left} x {right} reaches l = {reached}, above {MAX_L}; restrict the root and the inner lines"
        )
    return coupled(left, right)


def _read(
    shape: Shape, legs: Sequence[Irreps | Irrep | str], inner: Irreps | str | None
) -> tuple[tuple[Irreps, ...], frozenset[Irrep] | None]:
    wires = tuple(Irreps.parse(leg).canonical() for leg in legs)
    numbers = legs_of(shape)
    if len(set(numbers)) != len(numbers) or any(number >= len(wires) or number < 0 for number in numbers):
        raise NotationError(f"the shape {shape} needs each of its legs once, numbered from 0 to {len(wires) - 1}")
    return wires, _kinds(inner)


def _kinds(irreps: Irreps | Irrep | str | None) -> frozenset[Irrep] | None:
    return None if irreps is None else frozenset(Irreps.parse(irreps).kinds())
