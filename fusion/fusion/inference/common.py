"""What the inference functions share: their result type and the checks used by several nodes."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.index import CONSTANT_SPACE, STANDARD_MAPS
from fusion.limits import MAX_CHANNEL_AXES, MAX_CHANNELS
from fusion.pattern import Pattern
from fusion.space import Space
from fusion.violations import Incoming, Violation

Sides = tuple[tuple[str, Space], ...]
"""The wires that enter a node, in the order of its inputs, each with what it is called in messages."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A space and the violations met on the way to it."""

    space: Space
    violations: tuple[Violation, ...] = ()


def incoming(*sides: tuple[str, Space]) -> tuple[Incoming, ...]:
    """Return the record of the first wires that enter a node, for a violation."""
    return tuple(Incoming(side, space, place) for place, (side, space) in enumerate(sides))


def same_index_space(what: str, sides: Sides) -> tuple[str, tuple[Violation, ...]]:
    """Return the common index space of ``sides``, and a violation when they differ.

    Wires on the constant space (a single row) go with every other space.
    """
    names = [space.on for _, space in sides if space.on != CONSTANT_SPACE]
    on = names[0] if names else CONSTANT_SPACE
    if len(set(names)) <= 1:
        return on, ()
    first, second = sorted(set(names))[:2]
    maps = [str(m) for m in STANDARD_MAPS.values() if {m.source, m.target} == {first, second}]
    hint = (
        f"pull one of them along {' or '.join(maps)}, or sum over it"
        if maps
        else f"no standard map joins {first} and {second}; declare one with index_map(...) and pull along it"
    )
    headline = f"{what} joins wires on different index spaces"
    return on, (Violation("index", headline, (hint,), wires=incoming(*sides)),)


def bind(
    what: str, pattern: Pattern, sides: Sides, sizes: dict[str, int] | None = None
) -> tuple[dict[str, int], tuple[Violation, ...]]:
    """Return the size of every letter of ``pattern`` over the channel axes of ``sides``, and what does not fit."""
    bound: dict[str, int] = {}
    owner: dict[str, str] = {}
    found: list[str] = []
    for letters, (side, space) in zip(pattern.operands, sides, strict=True):
        if len(letters) != len(space.channels):
            found.append(
                f"{what} with pattern {pattern} names {len(letters)} channel axes of the {side} wire, "
                f"which has {len(space.channels)}"
            )
        for letter, size in zip(letters, space.sizes, strict=False):
            if bound.setdefault(letter, size) != size:
                found.append(
                    f"{what} with pattern {pattern}: {letter} is {bound[letter]} on the {owner[letter]} wire "
                    f"and {size} on the {side} wire"
                )
            owner.setdefault(letter, side)
    for letter, size in (sizes or {}).items():
        if letter in bound and bound[letter] != size:
            found.append(f"{what}: size {letter}={size} is given, but the wire has {letter}={bound[letter]}")
        elif letter not in pattern.letters:
            found.append(f"{what}: size {letter}={size} is given, but pattern {pattern} has no {letter}")
        bound.setdefault(letter, size)
    return bound, tuple(Violation("channel", headline, wires=incoming(*sides)) for headline in found)


def default_pattern(left: Space, right: Space) -> Pattern | None:
    """Return the pattern meant when none is written: equal axes elementwise, or one side without channels.

    ``None`` when the sizes differ, so that a pattern must be stated.
    """
    names = "uvwxyz"
    if not left.channels or not right.channels:
        letters = names[: max(len(left.channels), len(right.channels))]
        return Pattern((letters if left.channels else "", letters if right.channels else ""), letters)
    if left.sizes == right.sizes:
        letters = names[: len(left.channels)]
        return Pattern((letters, letters), letters)
    return None


def named(
    letters: str, bound: dict[str, int], spaces: tuple[Space, ...], pattern: Pattern
) -> tuple[tuple[str, int], ...]:
    """Return result axes for ``letters``: an axis keeps its declared name where it came in whole, else the letter."""
    names: dict[str, str] = {}
    for operand, space in zip(pattern.operands, spaces, strict=True):
        for letter, (name, _) in zip(operand, space.channels, strict=False):
            names.setdefault(letter, name)
    axes: list[tuple[str, int]] = []
    for letter in letters:
        taken = {name for name, _ in axes}
        options = (names.get(letter, letter), letter, *names_pool())
        axes.append((next(option for option in options if option not in taken), bound.get(letter, 1)))
    return tuple(axes)


def names_pool() -> str:
    """Single-letter axis names in the order in which they are handed out."""
    return "uvwxyzabcdefghijklmnopqrst"


def channel_limits(what: str, space: Space) -> tuple[Violation, ...]:
    """Return what a result with more or larger channel axes than allowed breaks."""
    if len(space.channels) > MAX_CHANNEL_AXES:
        headline = f"{what} gives {len(space.channels)} channel axes; at most {MAX_CHANNEL_AXES} are allowed"
        return (Violation("limit", headline),)
    return tuple(
        Violation("limit", f"{what} gives a channel axis {name}={size}, above the limit of {MAX_CHANNELS}")
        for name, size in space.channels
        if size > MAX_CHANNELS
    )
