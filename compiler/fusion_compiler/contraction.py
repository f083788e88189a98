"""Contraction orders by opt-einsum: ``optimal`` up to seven operands, ``dp`` beyond, never ``auto`` or ``greedy``.

The order found is always compared with the declared one, and every step has at most two operands. (``auto`` plans up
to 1e8 times worse on trees whose leaves share a batch index: ``ecosystem_reliability`` finding 1.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from opt_einsum.paths import dynamic_programming, optimal

ROWS = 64
"""Rows assumed for index spaces while planning; sizes of real inputs are not known yet."""
OPTIMAL_LIMIT = 7


@dataclass(frozen=True, slots=True)
class Pair:
    """One pairwise contraction: positions of the operands in the growing list, and the letters of the result."""

    left: int
    right: int
    result: str


@dataclass(frozen=True, slots=True)
class Order:
    """A complete order, and which strategy found it."""

    pairs: tuple[Pair, ...]
    strategy: str


def pair_flops(left: str, right: str, result: str, sizes: dict[str, int]) -> int:
    """Return the flops of one dense pairwise contraction: one multiplication, and one addition where letters sum."""
    involved = dict.fromkeys(left + right)
    count = math.prod(sizes[letter] for letter in involved)
    return count * (2 if any(letter not in result for letter in involved) else 1)


def _linear(operands: Sequence[str], output: str, path: Sequence[tuple[int, ...]], strategy: str) -> Order:
    """Turn a path in opt-einsum's form (positions in a shrinking list) into pairs over a growing list."""
    alive = list(range(len(operands)))
    letters = list(operands)
    pairs: list[Pair] = []
    for step in path:
        if len(step) == 1:
            continue
        a, b = (alive[i] for i in sorted(step))
        for i in sorted(step, reverse=True):
            del alive[i]
        outside = set(output).union(*(letters[i] for i in alive)) if alive else set(output)
        last = not alive
        joined = dict.fromkeys(letters[a] + letters[b])
        result = output if last else "".join(letter for letter in joined if letter in outside)
        pairs.append(Pair(a, b, result))
        letters.append(result)
        alive.append(len(letters) - 1)
    return Order(tuple(pairs), strategy)


@lru_cache(maxsize=4096)
def candidate_orders(
    operands: tuple[str, ...], output: str, sizes: tuple[tuple[str, int], ...], declared: tuple[tuple[int, int], ...]
) -> tuple[Order, ...]:
    """Return the declared order and, for more than two operands, the one opt-einsum finds.

    Args:
        operands: letters of each operand.
        output: letters of the result.
        sizes: size of every letter; equal problems are planned once.
        declared: the declared order, as positions in a shrinking list.
    """
    given = _linear(operands, output, declared, "declared")
    if len(operands) <= 2:
        return (given,)
    inputs = [frozenset(letters) for letters in operands]
    strategy, search = ("optimal", optimal) if len(operands) <= OPTIMAL_LIMIT else ("dp", dynamic_programming)
    path = [tuple(step) for step in search(inputs, frozenset(output), dict(sizes))]
    return given, _linear(operands, output, path, strategy)
