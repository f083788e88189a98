"""Coupling tables as lists of what is not zero: exact, deterministic, and as large as the couplings are many.

A table couples the components of two wires to components of a third. It is kept as its *couplings*, one per pair of
paths that meet and irrep they couple to; entries, selected products and pieces are read off from these. A dense table
is made only for an instruction that needs one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.couplings import FusePath
from fusion.symbols import clebsch_gordan
from fusion_compiler.layout import Layout, Path

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDING = 1e-14
"""Sums of couplings below this are zero: they cancel exactly."""


@dataclass(frozen=True, slots=True)
class Coupling:
    """The couplings of two paths to one irrep: first components on the three axes, and the three degrees."""

    left: int
    right: int
    out: int
    degrees: tuple[int, int, int]


@dataclass(frozen=True)
class Table:
    """A coupling table.

    Attributes:
        shape: components of the left and of the right wire, then the axes of the result: its components, or the paths
            and components of one irrep. Entries and couplings count the result along one flat axis.
        couplings: in the order of the result; each component of the result belongs to at most one.
    """

    shape: tuple[int, ...]
    couplings: tuple[Coupling, ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """The hash, worked out once: tables are looked up often."""
        return hash((self.shape, self.couplings))

    @property
    def out(self) -> int:
        """Components of the result, all its axes together."""
        return math.prod(self.shape[2:])

    @property
    def size(self) -> int:
        """Entries of the dense table."""
        return math.prod(self.shape)

    def dense(self) -> Array:
        """Return the dense table; it belongs to an instruction, so its size is bounded by the planner."""
        table = np.zeros((*self.shape[:2], self.out))
        found = entries(self)
        table[found.axes] = found.values
        return table.reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Entries:
    """The non-zero entries of a table, sorted by left, right and flat result component (``axes``)."""

    axes: tuple[Integers, Integers, Integers]
    values: Array


@dataclass(frozen=True, eq=False)
class Selection:
    """The pairs of components that a table needs (``rows``: terms, 2), and its entries by term and result component."""

    rows: Integers
    terms: Integers
    outs: Integers
    values: Array
    width: int

    def dense(self) -> Array:
        """Return the table (terms, components of the result)."""
        table = np.zeros((len(self.rows), self.width))
        table[self.terms, self.outs] = self.values
        return table


@dataclass(frozen=True, slots=True)
class Piece:
    """Paths of one irrep on each side, every left one of which meets every right one and couples to the same irreps.

    Attributes:
        left: first components of the left paths.
        right: first components of the right paths.
        degrees: degree of the left and of the right paths.
        outs: degrees of the coupled irreps.
        zeros: components that are zero, added to the result.
        places: which component of the result every number of the piece is, in the order (left path, right path,
            component).
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    degrees: tuple[int, int]
    outs: tuple[int, ...]
    zeros: int
    places: tuple[int, ...]

    @property
    def width(self) -> int:
        """Components that a pair of paths gives."""
        return sum(2 * degree + 1 for degree in self.outs) + self.zeros

    def block(self) -> Array:
        """Return the couplings of one pair of paths: (left component, right component, width)."""
        a, b = self.degrees
        blocks = [clebsch_gordan(a, b, out) for out in self.outs]
        return np.concatenate([*blocks, np.zeros((2 * a + 1, 2 * b + 1, self.zeros))], axis=-1)


def coupling_table(couplings: Mapping[Path, FusePath], left: Layout, right: Layout, out: Layout) -> Table:
    """Return the couplings of an unweighted vertex over the kept paths: (left, right, out)."""
    left_at, right_at, out_at = left.offsets, right.offsets, out.offsets
    found: list[Coupling] = []
    for target, place in out_at.items():
        path = couplings[target]
        a, b = left_at.get((path.left, path.left_path)), right_at.get((path.right, path.right_path))
        if a is not None and b is not None:
            found.append(Coupling(a, b, place, (path.left.l, path.right.l, path.out.l)))
    return Table((left.dim, right.dim, out.dim), tuple(found))


def weighted_table(couplings: Sequence[FusePath], left: Layout, right: Layout) -> Table:
    """Return the couplings of a weighted vertex to one irrep: (left, right, path, m)."""
    left_at, right_at = left.offsets, right.offsets
    dim = couplings[0].out.dim
    found = tuple(
        Coupling(
            left_at[path.left, path.left_path],
            right_at[path.right, path.right_path],
            number * dim,
            (path.left.l, path.right.l, path.out.l),
        )
        for number, path in enumerate(couplings)
    )
    return Table((left.dim, right.dim, len(couplings), dim), found)


@lru_cache(maxsize=64)
def entries(table: Table) -> Entries:
    """Return the non-zero entries of a table."""
    parts: list[tuple[Integers, Integers, Integers, Array]] = []
    for coupling in table.couplings:
        i, j, k, values = nonzero(*coupling.degrees)
        parts.append((i + coupling.left, j + coupling.right, k + coupling.out, values))
    if not parts:
        none = np.zeros(0, np.int64)
        return Entries((none, none, none), np.zeros(0))
    left = np.concatenate([part[0] for part in parts])
    right = np.concatenate([part[1] for part in parts])
    out = np.concatenate([part[2] for part in parts])
    order = np.lexsort((out, right, left))
    values = np.concatenate([part[3] for part in parts])
    return Entries((left[order], right[order], out[order]), values[order])


@lru_cache(maxsize=1024)
def nonzero(l1: int, l2: int, l3: int) -> tuple[Integers, Integers, Integers, Array]:
    """Return places and values of the non-zero entries of a vertex."""
    block = clebsch_gordan(l1, l2, l3)
    i, j, k = np.nonzero(block)
    return i, j, k, block[i, j, k]


@lru_cache(maxsize=64)
def selection(table: Table, square: bool) -> Selection:
    """Return the products of components that a table needs.

    Products of a value with itself (``square``) are symmetric: each unordered pair of components is formed once, and
    couplings that are odd under exchange cancel.
    """
    found = entries(table)
    left, right, out = found.axes
    width = table.out
    if square:
        left, right = np.minimum(left, right), np.maximum(left, right)
    keys, places = np.unique((left * table.shape[1] + right) * width + out, return_inverse=True)
    values = np.bincount(places, weights=found.values, minlength=len(keys)).astype(np.float64)
    kept = np.abs(values) >= ROUNDING if square else np.ones(len(keys), bool)
    pairs, outs = np.divmod(keys[kept], width)
    rows, terms = np.unique(pairs, return_inverse=True)
    return Selection(np.stack(np.divmod(rows, table.shape[1]), axis=-1), terms, outs, values[kept], width)


@lru_cache(maxsize=64)
def named_products(table: Table) -> tuple[int, ...] | None:
    """Return which product of components, numbered left first, every result component is.

    ``None`` where a table does more than name products; fuses with scalars do not.
    """
    found = entries(table)
    left, right, out = found.axes
    order = np.argsort(out, kind="stable")
    if len(order) != table.out or not np.array_equal(out[order], np.arange(table.out)):
        return None
    if not np.all(found.values == 1.0):
        return None
    return tuple(int(number) for number in (left * table.shape[1] + right)[order])


@lru_cache(maxsize=64)
def pieces(table: Table) -> tuple[Piece, ...]:
    """Cut a table into pieces, each of which couples all of its left paths with all of its right ones alike."""
    meet: dict[int, dict[int, list[Coupling]]] = {}
    for coupling in table.couplings:
        meet.setdefault(coupling.left, {}).setdefault(coupling.right, []).append(coupling)
    alike: dict[tuple[object, ...], list[int]] = {}
    for left, partners in sorted(meet.items()):
        kinds = tuple((right, *(c.degrees for c in found)) for right, found in sorted(partners.items()))
        alike.setdefault(kinds, []).append(left)
    found: list[Piece] = []
    for lefts in alike.values():
        columns: dict[tuple[tuple[int, int, int], ...], list[int]] = {}
        for right, couplings in sorted(meet[lefts[0]].items()):
            columns.setdefault(tuple(c.degrees for c in couplings), []).append(right)
        for degrees, rights in columns.items():
            places = [
                coupling.out + m
                for left in lefts
                for right in rights
                for coupling in meet[left][right]
                for m in range(2 * coupling.degrees[2] + 1)
            ]
            kind = (degrees[0][0], degrees[0][1])
            found.append(Piece(tuple(lefts), tuple(rights), kind, tuple(d[2] for d in degrees), 0, tuple(places)))
    missing = sorted(set(range(table.out)).difference(*(piece.places for piece in found)))
    if missing and found:  # couplings that vanish: their components are still part of the result
        first = found[0]
        found.append(Piece(first.left[:1], first.right[:1], first.degrees, (), len(missing), tuple(missing)))
    return tuple(found)
