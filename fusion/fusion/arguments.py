"""Checks of what a user passes to the functions and methods that build diagrams."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping
from typing import SupportsIndex

from fusion.errors import LimitError, NotationError
from fusion.index import check_name
from fusion.limits import MAX_CHANNELS

Sizes = tuple[tuple[str, int], ...]
"""Sizes of channel letters, sorted by letter."""

RESERVED = frozenset({"leg", "label", "out", "add", "network", "on", "same", "all", "sizes"})
"""Words of the notation and of calls, which no leg, label or output may be called."""
_SHARED = re.compile(r"t[0-9]+", re.ASCII)
_LETTER = re.compile(r"[a-z]", re.ASCII)


def identifier(name: str) -> str:
    """Return ``name`` when it can name a leg, label, output or coefficients, else raise."""
    check_name(name, "a name")
    if "." in name or "^" in name or name in RESERVED or _SHARED.fullmatch(name):
        words = ", ".join(sorted(RESERVED))
        raise NotationError(
            f"{name!r} cannot name a leg, label, output or coefficients; use letters, digits and _, "
            f"and none of {words}, t1, t2, ..."
        )
    return name


def optional_identifier(name: str) -> str:
    """Return ``name``, which may be empty; raise as :func:`identifier` does otherwise."""
    return identifier(name) if name else ""


def whole(value: SupportsIndex, what: str) -> int:
    """Return an integer of any integer type as ``int``; raise :class:`NotationError` on anything else."""
    try:
        found = operator.index(value)
    except TypeError:
        raise NotationError(f"{what} must be an integer, got {value!r}") from None
    if isinstance(value, bool):
        raise NotationError(f"{what} must be an integer, got {value!r}")
    return found


def wholes(values: Iterable[SupportsIndex], what: str) -> tuple[int, ...]:
    """Return integers as a tuple of ``int``."""
    return tuple(whole(value, what) for value in values)


def letter_sizes_of(sizes: Mapping[str, int]) -> Sizes:
    """Return sizes of channel letters, sorted; raise when a letter or a size is not one."""
    found: list[tuple[str, int]] = []
    for letter, size in sorted(sizes.items()):
        number = whole(size, f"the size of {letter}")
        if not _LETTER.fullmatch(letter) or number < 1:
            raise NotationError(f"sizes are given as letter=positive integer; got {letter[:40]}={size!r}")
        if number > MAX_CHANNELS:
            raise LimitError(f"channel axis {letter!r} has size {number}, above the limit of {MAX_CHANNELS}")
        found.append((letter, number))
    return tuple(found)


def radial_count(count: SupportsIndex) -> int:
    """Return the number of functions of a radial basis, 1 to 1024."""
    found = whole(count, "the number of radial functions")
    if not 1 <= found <= 1024:
        raise NotationError(f"a radial basis needs 1 to 1024 functions, got {count!r}")
    return found


def finite(value: float) -> float:
    """Return a finite constant as ``float``."""
    number = float(value)
    if not math.isfinite(number):
        raise NotationError(f"a constant must be finite, got {value!r}")
    return number


def positive(length: float) -> float:
    """Return a positive finite length as ``float``."""
    value = finite(length)
    if value <= 0:
        raise NotationError(f"a cutoff must be a positive length, got {length!r}")
    return value
