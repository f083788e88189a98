"""The components of vertices and linear maps: which products are formed, and with which numbers they enter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.symbols import clebsch_gordan
from fusion_compiler.layout import Layout
from fusion_compiler.polynomial.nodes import Coupled, Moved

Array = NDArray[np.float64]

ROUNDING = 1e-14
"""Sums of couplings below this are zero: they cancel exactly."""


def product_table(
    terms: Sequence[Coupled], left: Layout, right: Layout, out: Layout, *, square: bool
) -> tuple[NDArray[np.int64], Array]:
    """Return the products of components that a vertex forms, shape (products, 2), and its table (products, out).

    In a square, where both operands are one value, each unordered pair of components is formed once.
    """
    left_at, right_at, out_at = left.offsets, right.offsets, out.offsets
    places: list[NDArray[np.int64]] = []
    values: list[Array] = []
    for term in terms:
        if term.out not in out_at:
            continue
        block = clebsch_gordan(term.left[0].l, term.right[0].l, term.out[0].l) * term.factor
        found = np.argwhere(block != 0.0)
        values.append(block[tuple(found.T)])
        places.append(found + np.array([left_at[term.left], right_at[term.right], out_at[term.out]]))
    if not places:
        return np.zeros((0, 2), dtype=np.int64), np.zeros((0, out.dim))
    place, value = np.concatenate(places), np.concatenate(values)
    if square:
        place[:, :2].sort(axis=1)
    pairs, number = np.unique(place[:, :2], axis=0, return_inverse=True)
    table = np.zeros((len(pairs), out.dim))
    np.add.at(table, (number.reshape(-1), place[:, 2]), value)
    table[np.abs(table) < ROUNDING] = 0.0
    used = np.any(table != 0.0, axis=1)
    return pairs[used], table[used]


def linear_table(terms: Sequence[Moved], source: Layout, out: Layout) -> Array:
    """Return the matrix (components of the wire, components of the result) of a recombination."""
    source_at, out_at = source.offsets, out.offsets
    table = np.zeros((source.dim, out.dim))
    for term in terms:
        if term.out in out_at:
            i, j, dim = source_at[term.path], out_at[term.out], term.out[0].dim
            table[range(i, i + dim), range(j, j + dim)] += term.factor
    return table
