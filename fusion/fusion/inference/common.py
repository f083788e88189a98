"""What the inference functions share: their result type and the checks used by several nodes."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.index import CONSTANT_SPACE, STANDARD_MAPS
from fusion.pattern import Pattern
from fusion.space import Space
from fusion.violations import Violation


@dataclass(frozen=True, slots=True)
class Inferred:
    """A space and the violations met on the way to it."""

    space: Space
    violations: tuple[Violation, ...] = ()


def describe(side: str, space: Space) -> str:
    """Return one detail line that names an incoming wire and its type."""
    return f"{side:<6} {space}"


def same_index_space(what: str, spaces: tuple[tuple[str, Space], ...]) -> tuple[str, tuple[Violation, ...]]:
    """Return the common index space of ``spaces``, and a violation when they differ.

    Wires on the constant space (a single row) go with every other space.
    """
    names = [space.on for _, space in spaces if space.on != CONSTANT_SPACE]
    on = names[0] if names else CONSTANT_SPACE
    if len(set(names)) <= 1:
        return on, ()
    first, second = sorted(set(names))[:2]
    maps = [str(m) for m in STANDARD_MAPS.values() if {m.source, m.target} == {first, second}]
    hint = (
        f"pull one of them along {' or '.join(maps)}, or sum over it"
        if maps
        else "no standard map joins these spaces; declare one with index_map(...)"
    )
    details = (*(describe(side, space) for side, space in spaces), hint)
    return on, (Violation("index", f"{what} joins wires on different index spaces", details),)


def bind(
    what: str, pattern: Pattern, spaces: tuple[tuple[str, Space], ...], sizes: dict[str, int] | None = None
) -> tuple[dict[str, int], tuple[Violation, ...]]:
    """Return the size of every letter of ``pattern`` over the channel axes of ``spaces``, and what does not fit."""
    bound: dict[str, int] = {}
    owner: dict[str, str] = {}
    violations: list[Violation] = []
    for letters, (side, space) in zip(pattern.operands, spaces, strict=True):
        if len(letters) != len(space.channels):
            violations.append(
                Violation(
                    "channel",
                    f"{what} with pattern {pattern} names {len(letters)} channel axes of the {side} wire, "
                    f"which has {len(space.channels)}",
                    tuple(describe(name, found) for name, found in spaces),
                )
            )
        for letter, size in zip(letters, space.sizes, strict=False):
            if bound.setdefault(letter, size) != size:
                violations.append(
                    Violation(
                        "channel",
                        f"{what} with pattern {pattern}: {letter} is {bound[letter]} on the {owner[letter]} wire "
                        f"and {size} on the {side} wire",
                        tuple(describe(name, found) for name, found in spaces),
                    )
                )
            owner.setdefault(letter, side)
    for letter, size in (sizes or {}).items():
        if letter in bound and bound[letter] != size:
            violations.append(
                Violation("channel", f"{what}: size {letter}={size} is given, but the wire has {letter}={bound[letter]}")
            )
        elif letter not in pattern.letters:
            violations.append(
                Violation("channel", f"{what}: size {letter}={size} is given, but pattern {pattern} has no {letter}")
            )
        bound.setdefault(letter, size)
    return bound, tuple(violations)


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


def named(letters: str, bound: dict[str, int], spaces: tuple[Space, ...], pattern: Pattern) -> tuple[tuple[str, int], ...]:
    """Return result axes for ``letters``: the axis keeps its declared name where it came in whole, else the letter."""
    names: dict[str, str] = {}
    for operand, space in zip(pattern.operands, spaces, strict=True):
        for letter, (name, _) in zip(operand, space.channels, strict=False):
            names.setdefault(letter, name)
    axes: list[tuple[str, int]] = []
    for letter in letters:
        wish = names.get(letter, letter)
        taken = {name for name, _ in axes}
        axes.append((wish if wish not in taken else next(c for c in letter + names_pool() if c not in taken), bound.get(letter, 1)))
    return tuple(axes)


def names_pool() -> str:
    """Single-letter axis names in the order in which they are handed out."""
    return "uvwxyzabcdefghijklmnopqrst"
