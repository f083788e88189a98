"""The steps in which a contraction order is carried out, shared by the planner (which counts them) and the lowering.

Most steps are dense pairwise contractions. An outer product that is followed by its coupling table becomes *selected
products* where that needs clearly fewer terms: only the pairs of components with a non-zero coupling are formed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.couplings import FusePath
from fusion.symbols import clebsch_gordan
from fusion_compiler.contraction import Pair, pair_flops
from fusion_compiler.layout import Layout, Path

Table = NDArray[np.float64]

PRODUCT_GAIN = 0.8
"""Selected products replace an outer product when they need less than this fraction of its terms."""
ROUNDING = 1e-14
"""Sums of couplings below this are zero: they cancel exactly."""


@dataclass(frozen=True)
class Dense:
    """A pairwise contraction."""

    pair: Pair


@dataclass(frozen=True)
class Selected:
    """Selected products of components ``rows`` (terms, 2), contracted with ``table`` (terms, components)."""

    pair: Pair
    follow: Pair
    rows: NDArray[np.int64]
    table: Table


def coupling_table(couplings: Mapping[Path, FusePath], left: Layout, right: Layout, out: Layout) -> Table:
    """Return the couplings of an unweighted vertex over the kept components: (left, right, out)."""
    table = np.zeros((left.dim, right.dim, out.dim))
    left_at, right_at, out_at = left.offsets, right.offsets, out.offsets
    for target, path in couplings.items():
        a, b = (path.left, path.left_path), (path.right, path.right_path)
        if target in out_at and a in left_at and b in right_at:
            i, j, k = left_at[a], right_at[b], out_at[target]
            block = clebsch_gordan(path.left.l, path.right.l, path.out.l)
            table[i : i + path.left.dim, j : j + path.right.dim, k : k + path.out.dim] = block
    return table


def weighted_table(couplings: Sequence[FusePath], left: Layout, right: Layout) -> Table:
    """Return the couplings of a weighted vertex to one irrep: (left, right, path, m)."""
    table = np.zeros((left.dim, right.dim, len(couplings), couplings[0].out.dim))
    for number, path in enumerate(couplings):
        i, j = left.offsets[path.left, path.left_path], right.offsets[path.right, path.right_path]
        block = clebsch_gordan(path.left.l, path.right.l, path.out.l)
        table[i : i + path.left.dim, j : j + path.right.dim, number] = block
    return table


def steps(
    letters: Sequence[str], keys: Sequence[Hashable], tables: Mapping[int, Table], pairs: Sequence[Pair]
) -> Iterator[Dense | Selected]:
    """Return the steps of a contraction.

    Args:
        letters: letters of the operands.
        keys: what each operand is; equal keys are one value, whose square forms each pair of components once.
        tables: coupling tables by position of the operand.
        pairs: the order.
    """
    grown, identity = list(letters), list(keys)
    number = 0
    while number < len(pairs):
        pair = pairs[number]
        follow = pairs[number + 1] if number + 1 < len(pairs) else None
        found = None if follow is None else _selected(grown, identity, tables, pair, follow)
        taken = (pair,) if found is None or follow is None else (pair, follow)
        yield Dense(pair) if found is None else found
        for done in taken:
            grown.append(done.result)
            identity.append(("result", len(grown)))
        number += len(taken)


def step_flops(step: Dense | Selected, letters: Sequence[str], sizes: Mapping[str, int]) -> int:
    """Return the operations of a step, given the letters of all operands and results before it."""
    if isinstance(step, Dense):
        return pair_flops(letters[step.pair.left], letters[step.pair.right], step.pair.result, dict(sizes))
    lead = math.prod(sizes[letter] for letter in step.follow.result[:-1])
    return lead * len(step.rows) * (1 + 2 * step.table.shape[1])


def order_flops(
    letters: Sequence[str],
    keys: Sequence[Hashable],
    tables: Mapping[int, Table],
    pairs: Sequence[Pair],
    sizes: Mapping[str, int],
) -> int:
    """Return the operations of a whole order as it is carried out."""
    grown, total = list(letters), 0
    for step in steps(letters, keys, tables, pairs):
        total += step_flops(step, grown, sizes)
        grown.append(step.pair.result)
        if isinstance(step, Selected):
            grown.append(step.follow.result)
    return total


def _selected(
    letters: list[str], keys: list[Hashable], tables: Mapping[int, Table], pair: Pair, follow: Pair
) -> Selected | None:
    """Return selected products in place of two steps, or ``None`` where they do not apply or do not pay.

    Products of a value with itself are symmetric: each unordered pair of components is formed once, and couplings that
    are odd under exchange cancel.
    """
    made = len(letters)
    if made not in (follow.left, follow.right):
        return None
    other = follow.left if follow.right == made else follow.right
    left, right, out = letters[pair.left], letters[pair.right], follow.result
    if other not in tables or "N" not in left or left[:-1] != right[:-1] or left[-1] == right[-1]:
        return None
    if set(letters[other]) != {left[-1], right[-1], out[-1]} or out[:-1] != left[:-1]:
        return None
    table = np.transpose(tables[other], [letters[other].index(c) for c in (left[-1], right[-1], out[-1])])
    if keys[pair.left] == keys[pair.right]:
        upper = np.triu(np.ones(table.shape[:2]), 1)[..., None]
        diagonal = np.eye(len(table))[..., None]
        table = (table + table.transpose(1, 0, 2)) * upper + table * diagonal
        table[np.abs(table) < ROUNDING] = 0.0
    rows = np.argwhere(np.any(table != 0.0, axis=-1))
    if len(rows) >= PRODUCT_GAIN * table.shape[0] * table.shape[1]:
        return None
    return Selected(pair, follow, rows, table[rows[:, 0], rows[:, 1]])
