"""Contraction orders: pairs of operands, what a dense pair costs, and orders found by opt-einsum.

Every step has at most two operands. opt-einsum's ``dp`` counts every operand as dense, which is good enough where the
exact search of ``search`` would take too long; never its ``auto`` or ``greedy``, which plan up to 1e8 times worse on
trees whose leaves share a batch index (``ecosystem_reliability`` finding 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opt_einsum.paths import DynamicProgramming

ROWS = 64
"""Rows assumed for index spaces while planning; sizes of real inputs are not known yet."""


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


def pair_flops(left: str, right: str, result: str, sizes: Mapping[str, int]) -> int:
    """Return the flops of one dense pairwise contraction: one multiplication, and an addition where terms sum."""
    involved = dict.fromkeys(left + right)
    count = math.prod(sizes[letter] for letter in involved)
    summed = [letter for letter in involved if letter not in result]
    many = "N" in summed or math.prod(sizes[letter] for letter in summed) > 1  # a single term is not added
    return count * (2 if many else 1)


def arranged(letters: Iterable[str], operands: Sequence[str], result: str) -> str:
    """Return the letters of a value in the order in which all values keep them: row, channels, then components.

    Channels stand as in ``result``, then by name, so that values that meet have them in one order. Components stand in
    the order of the operands, which is that of the axes of tables, so that pairs with a table are matrix products.
    """
    written = "".join(operands)

    def place(letter: str) -> tuple[int, int, str]:
        if letter == "N":
            return 0, 0, letter
        if letter.islower():
            return 1, result.index(letter) if letter in result else len(result), letter
        return 2, written.index(letter), letter

    return "".join(sorted(set(letters), key=place))


def order_of(operands: Sequence[str], output: str, path: Sequence[tuple[int, int]], strategy: str) -> Order:
    """Return the order of a path in opt-einsum's form, which are positions in a shrinking list."""
    alive = list(range(len(operands)))
    steps: list[tuple[int, int]] = []
    for step in path:
        steps.append((alive[step[0]], alive[step[1]]))
        for place in sorted(step, reverse=True):
            del alive[place]
        alive.append(len(operands) + len(steps) - 1)
    return order_of_steps(operands, output, steps, strategy)


def order_of_steps(operands: Sequence[str], output: str, steps: Sequence[tuple[int, int]], strategy: str) -> Order:
    """Return the order that takes pairs of positions in a growing list.

    Tables stand on the right, which makes a matrix product of most pairs with one; weights stand on the left, where
    torch takes them faster.
    """
    letters = list(operands)
    alive = set(range(len(operands)))
    pairs: list[Pair] = []
    for a, b in steps:
        alive -= {a, b}
        outside = set(output).union(*(letters[place] for place in alive))
        left, right = sorted((a, b), key=lambda place: (letters[place].isupper() and "N" not in letters[place], place))
        result = arranged(outside.intersection(letters[a] + letters[b]), operands, output) if alive else output
        pairs.append(Pair(left, right, result))
        alive.add(len(letters))
        letters.append(result)
    return Order(tuple(pairs), strategy)


def dense_order(operands: Sequence[str], output: str, sizes: Mapping[str, int], bound: int) -> Order:
    """Return the order found by opt-einsum's dynamic programming, which counts every operand as dense.

    Args:
        operands: letters of the operands.
        output: letters of the result.
        sizes: size of every letter.
        bound: what some order costs in its count. It looks for orders below a cap that it raises by the smallest size
            again and again; begun at the right number, the caps end at this one.
    """
    inputs = [frozenset(letters) for letters in operands]
    step = max(2, min(sizes[letter] for letters in operands for letter in letters))
    rounds = 0
    while bound > step**rounds * math.prod(sizes[letter] for letter in output):
        rounds += 1
    search = DynamicProgramming(cost_cap=-(-bound // step**rounds))
    path = search(inputs, frozenset(output), dict(sizes))
    return order_of(operands, output, [(found[0], found[1]) for found in path if len(found) == 2], "dp")


def dense_bound(operands: Sequence[str], order: Order, sizes: Mapping[str, int]) -> int:
    """Return what opt-einsum counts for a declared order in which every table meets the left value of its vertex first.

    It looks at no outer products, with which declared orders begin.
    """
    letters = [*operands, *(pair.result for pair in order.pairs)]
    total = 0
    for pair, follow in zip(order.pairs[::2], order.pairs[1::2], strict=True):
        x, y, table = set(letters[pair.left]), set(letters[pair.right]), set(letters[follow.right])
        for involved in (x | table, (x ^ table) | y):
            total += math.prod(sizes[letter] for letter in involved)
    return total
