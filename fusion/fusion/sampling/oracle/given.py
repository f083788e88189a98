"""What a node is computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fusion.index import IndexMap
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.sampling.oracle.values import Array, Blocks, Refused, Shape


@dataclass
class Zeros:
    """Terms that vanish whatever the values, by node.

    Attributes:
        terms: of a fuse, as ``1o x 1o -> 1e``.
        combs: of a power: numbers of (vanishing, all) terms.
        absent: of a power: irreps asked for that have no term but vanishing ones.
    """

    terms: dict[Node, set[str]] = field(default_factory=dict[Node, set[str]])
    combs: dict[Node, tuple[int, int]] = field(default_factory=dict[Node, tuple[int, int]])
    absent: dict[Node, set[str]] = field(default_factory=dict[Node, set[str]])


@dataclass(frozen=True)
class Given:
    """What a node is computed from: a value for every wire that enters, random numbers, and index maps as matrices."""

    rng: np.random.Generator
    values: Mapping[Node, Blocks]
    shapes: Mapping[Node, Shape]
    delta: Callable[[IndexMap], Array]
    zeros: Zeros

    def numbers(self, *shape: int) -> Array:
        """Draw an array of coefficients."""
        return self.rng.normal(size=shape).astype(np.complex128)


def channels_of(pattern: Pattern | None, left: tuple[int, ...], right: tuple[int, ...]) -> tuple[str, str, str]:
    """Return the letters of two operands and the result; without a pattern equal axes go together."""
    if pattern is not None:
        return pattern.operands[0], pattern.operands[1], pattern.result
    names = "uvwxyz"[: max(len(left), len(right))]
    if left and right and left != right:
        raise Refused("different channels and no pattern")
    return names if left else "", names if right else "", names
