"""Small random draws that every part of the sampler uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from fusion.irreps import Irrep, Irreps

T = TypeVar("T")

L_MAX = 4
"""Largest degree on any wire of a random diagram."""
_DEGREES = (0.28, 0.32, 0.2, 0.12, 0.08)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return ``True`` with this probability."""
    return float(rng.random()) < probability


def choose(rng: np.random.Generator, items: Sequence[T]) -> T:
    """Return one of ``items``, which must not be empty, with equal chance."""
    return items[int(rng.integers(len(items)))]


def weighted(rng: np.random.Generator, items: Sequence[tuple[float, T]]) -> T:
    """Return one item of ``(weight, item)`` pairs with a chance proportional to its weight."""
    place = float(rng.random()) * sum(weight for weight, _ in items)
    for weight, item in items:
        place -= weight
        if place < 0:
            return item
    return items[-1][1]


def some(rng: np.random.Generator, items: Sequence[T], most: int) -> list[T]:
    """Return 1 to ``most`` distinct items in random order."""
    count = int(rng.integers(1, min(most, len(items)) + 1))
    return [items[int(place)] for place in rng.permutation(len(items))[:count]]


def random_irrep(rng: np.random.Generator, parity: bool, l_max: int = L_MAX) -> Irrep:
    """Draw one irrep of O(3), three times in four of natural parity, or of SO(3)."""
    degree = weighted(rng, [(weight, l) for l, weight in enumerate(_DEGREES[: l_max + 1])])
    if not parity:
        return Irrep(degree, 0)
    natural = 1 if degree % 2 == 0 else -1
    return Irrep(degree, natural if chance(rng, 0.75) else -natural)


def random_irreps(rng: np.random.Generator, parity: bool, kinds: int = 3) -> Irreps:
    """Draw up to ``kinds`` irreps with one to three paths each, seldom more than one."""
    found = {random_irrep(rng, parity) for _ in range(int(rng.integers(1, kinds + 1)))}
    return Irreps(tuple((weighted(rng, [(0.8, 1), (0.15, 2), (0.05, 3)]), irrep) for irrep in sorted(found)))


def rounded(rng: np.random.Generator, shape: Sequence[int]) -> object:
    """Draw an array of numbers with few digits, between 0.2 and 1.2 in size, as nested lists."""
    size = rng.uniform(0.2, 1.2, size=tuple(shape))
    return np.round(np.where(rng.random(size.shape) < 0.5, -size, size), 3).tolist()
