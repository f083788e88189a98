"""Spaces and laws of the nodes that cut, join and reorder channel axes."""

from __future__ import annotations

from fusion.inference.common import Inferred, bind, channel_limits, incoming, named
from fusion.pattern import Pattern
from fusion.space import Space, free_axis_name
from fusion.violations import Violation


def _wrong(headline: str, space: Space) -> tuple[Violation, ...]:
    return (Violation("channel", headline, wires=incoming(("wire", space))),)


def _axis(what: str, space: Space, axis: int) -> tuple[int, tuple[Violation, ...]]:
    count = len(space.channels)
    if not -count <= axis < count:
        axes = "axis" if count == 1 else "axes"
        return 0, _wrong(f"{what} of channel axis {axis}: the wire has {count} channel {axes}", space)
    return axis % count, ()


def infer_split(space: Space, parts: int, axis: int) -> Inferred:
    """Space after cutting a channel axis of size n into (parts, n / parts)."""
    place, violations = _axis("a split", space, axis)
    if violations:
        return Inferred(space, violations)
    name, size = space.channels[place]
    if parts < 1 or size % parts:
        return Inferred(space, _wrong(f"channel axis {name}={size} does not split into {parts} equal parts", space))
    group = free_axis_name({n for n, _ in space.channels})
    channels = (*space.channels[:place], (group, parts), (name, size // parts), *space.channels[place + 1 :])
    found = space.replace(channels=channels)
    beyond = channel_limits("a split", found)
    return Inferred(space if beyond else found, beyond)  # a chain of these must not grow axes without bound


def infer_merge(space: Space, axis: int) -> Inferred:
    """Space after joining a channel axis with the one before it (the earlier axis runs slower)."""
    place, violations = _axis("a merge", space, axis)
    if not violations and place == 0:
        violations = _wrong("a merge needs a channel axis before the one it names", space)
    if violations:
        return Inferred(space, violations)
    (_, outer), (name, inner) = space.channels[place - 1], space.channels[place]
    channels = (*space.channels[: place - 1], (name, outer * inner), *space.channels[place + 1 :])
    found = space.replace(channels=channels)
    return Inferred(found, channel_limits("a merge", found))


def infer_reorder(space: Space, pattern: Pattern) -> Inferred:
    """Space after permuting whole channel axes, as in ``"gu->ug"``."""
    bound, violations = bind("a reorder", pattern, (("wire", space),))
    if sorted(pattern.operands[0]) != sorted(pattern.result):
        violations = (*violations, *_wrong(f"a reorder keeps every axis; pattern {pattern} does not", space))
    return Inferred(space.replace(channels=named(pattern.result, bound, (space,), pattern)), violations)


def infer_shuffle(space: Space, order: tuple[int, ...], axis: int) -> Inferred:
    """Space after permuting the entries of one channel axis: its own."""
    place, violations = _axis("a shuffle", space, axis)
    if not violations and sorted(order) != list(range(space.sizes[place])):
        name, size = space.channels[place]
        violations = _wrong(f"a shuffle of axis {name}={size} needs each of 0..{size - 1} once", space)
    return Inferred(space, violations)
