"""Coupling and recoupling coefficients of SO(3) in one phase-fixed real basis.

Components run m = -l..l with y as the polar axis, so l = 1 is (x, y, z). With ``C`` the Condon-Shortley Clebsch-Gordan
coefficients and ``U`` the change from complex to real components (rows m > 0: ``(x_{-m} + (-1)^m x_m) / sqrt(2)``,
rows -m: ``i (x_{-m} - (-1)^m x_m) / sqrt(2)``), the vertex is

    K[A, B, M] = (-i)^(l1 + l2 - l3) sum_{abm} conj(U1[A, a]) conj(U2[B, b]) C[a, b, m] U3[M, m].

K is real, ``V = K / sqrt(2 l3 + 1)`` is invariant under cyclic permutation of its three legs and changes by
``(-1)^(l1 + l2 + l3)`` under exchange of two, raising a leg is a transpose, and every 6j and 9j rule holds verbatim.
Order and signs equal ``wigner_3j`` of e3nn >= 0.5.

Everything is computed in integers and rounded once. Sources: Racah's formulas in the binomial form of Johansson and
Forssen, SIAM J. Sci. Comput. 38, A376 (2016); the phase as in Varshalovich et al., Quantum Theory of Angular Momentum.
"""

from __future__ import annotations

import hashlib
import operator
from fractions import Fraction
from functools import cache, lru_cache
from math import comb, factorial, sqrt
from typing import NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fusion.errors import FusionError, LimitError
from fusion.limits import MAX_L

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MAX_INNER_L = 2 * MAX_L
"""Largest label of a 6j or 9j symbol: an inner line of a recoupled tree may exceed the degree of its legs."""

_DIGEST_STEPS = 2**20
"""Steps per unit of the grid to which the digest rounds; no entry up to ``MAX_L`` is near a boundary (tested)."""


class FMatrix(NamedTuple):
    """The recoupling of ``((l1 l2)_a l3)_L`` into ``(l1 (l2 l3)_b)_L``: ``left_a = sum_b matrix[a, b] right_b``."""

    rows: tuple[int, ...]
    """Inner labels ``a``, ascending."""
    columns: tuple[int, ...]
    """Inner labels ``b``, ascending; as many as rows."""
    matrix: Array
    """Orthogonal, shape (rows, columns), read-only."""


def check_labels(labels: tuple[SupportsIndex, ...], limit: int = MAX_L) -> tuple[int, ...]:
    """Return ``labels`` as Python integers.

    Raises:
        FusionError: a label is not an integer or is negative.
        LimitError: a label is above ``limit``.
    """
    checked: list[int] = []
    for label in labels:
        try:
            value = -1 if isinstance(label, bool) else operator.index(label)
        except TypeError:
            value = -1
        if value < 0:
            raise FusionError(f"a degree must be an integer >= 0; got {label!r} in {labels!r}")
        if value > limit:
            raise LimitError(f"degree {value} is above the limit of {limit}")
        checked.append(value)
    return tuple(checked)


def check_triangle(l1: int, l2: int, l3: int) -> None:
    """Raise :class:`FusionError` unless ``|l1 - l2| <= l3 <= l1 + l2``."""
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        raise FusionError(f"({l1}, {l2}, {l3}) breaks the triangle rule: need {abs(l1 - l2)} <= {l3} <= {l1 + l2}")


def clebsch_gordan(l1: int, l2: int, l3: int) -> Array:
    """Return the vertex ``K`` of ``l1 x l2 -> l3``, shape (2 l1 + 1, 2 l2 + 1, 2 l3 + 1); read-only, cached.

    The rows over the last index are orthonormal: ``sum_ab K[a, b, m] K[a, b, n] = delta_mn``.

    Raises:
        FusionError: a label is not an integer >= 0, or the triangle rule fails.
        LimitError: a label is above ``MAX_L``.
    """
    a, b, c = check_labels((l1, l2, l3))
    check_triangle(a, b, c)
    return _vertex(a, b, c)


def wigner_3j(l1: int, l2: int, l3: int) -> Array:
    """Return the real 3j symbol ``K / sqrt(2 l3 + 1)``, of unit Frobenius norm; read-only, cached.

    Raises:
        FusionError: a label is not an integer >= 0, or the triangle rule fails.
        LimitError: a label is above ``MAX_L``.
    """
    a, b, c = check_labels((l1, l2, l3))
    check_triangle(a, b, c)
    return _symbol_3j(a, b, c)


def exchange_sign(l1: int, l2: int, l3: int) -> int:
    """Return ``(-1)^(l1 + l2 + l3)``, the factor of ``K(l2, l1 -> l3)`` against the transpose of ``K(l1, l2 -> l3)``.

    Raises:
        FusionError: a label is not an integer >= 0, or the triangle rule fails.
        LimitError: a label is above ``MAX_INNER_L``.
    """
    a, b, c = check_labels((l1, l2, l3), MAX_INNER_L)
    check_triangle(a, b, c)
    return -1 if (a + b + c) % 2 else 1


def sixj(j1: int, j2: int, j3: int, j4: int, j5: int, j6: int) -> float:
    """Return the 6j symbol ``{j1 j2 j3; j4 j5 j6}``.

    Raises:
        FusionError: a label is not an integer >= 0, or a triad breaks the triangle rule.
        LimitError: a label is above ``MAX_INNER_L``.
    """
    return _rounded(*sixj_exact(j1, j2, j3, j4, j5, j6))


def sixj_exact(j1: int, j2: int, j3: int, j4: int, j5: int, j6: int) -> tuple[int, Fraction]:
    """Return the sign (-1, 0, 1) and the square of the 6j symbol ``{j1 j2 j3; j4 j5 j6}``, by Racah's formula.

    Raises:
        FusionError: a label is not an integer >= 0, or a triad breaks the triangle rule.
        LimitError: a label is above ``MAX_INNER_L``.
    """
    a, b, c, d, e, f = check_labels((j1, j2, j3, j4, j5, j6), MAX_INNER_L)
    for triad in ((a, b, c), (a, e, f), (d, b, f), (d, e, c)):
        check_triangle(*triad)
    return _sixj(a, b, c, d, e, f)


def ninej(j1: int, j2: int, j3: int, j4: int, j5: int, j6: int, j7: int, j8: int, j9: int) -> float:
    """Return the 9j symbol ``[j1 j2 j3; j4 j5 j6; j7 j8 j9]``.

    Raises:
        FusionError: a label is not an integer >= 0, or a row or column breaks the triangle rule.
        LimitError: a label is above ``MAX_INNER_L``.
    """
    return _rounded(*ninej_exact(j1, j2, j3, j4, j5, j6, j7, j8, j9))


def ninej_exact(
    j1: int, j2: int, j3: int, j4: int, j5: int, j6: int, j7: int, j8: int, j9: int
) -> tuple[int, Fraction]:
    """Return the sign (-1, 0, 1) and the square of the 9j symbol ``[j1 j2 j3; j4 j5 j6; j7 j8 j9]``.

    Raises:
        FusionError: a label is not an integer >= 0, or a row or column breaks the triangle rule.
        LimitError: a label is above ``MAX_INNER_L``.
    """
    j = check_labels((j1, j2, j3, j4, j5, j6, j7, j8, j9), MAX_INNER_L)
    outer = [(j[i], j[i + 1], j[i + 2]) for i in (0, 3, 6)] + [(j[i], j[i + 3], j[i + 6]) for i in (0, 1, 2)]
    for triad in outer:
        check_triangle(*triad)
    return _ninej(j, outer)


def f_matrix(l1: int, l2: int, l3: int, total: int) -> FMatrix:
    """Return the F-move of three legs with total degree ``total``.

    ``((1 2)_a 3)_L = sum_b (-1)^(l1 + l2 + l3 + L) sqrt((2a + 1)(2b + 1)) {l1 l2 a; l3 L b} (1 (2 3)_b)_L``. All inner
    labels are listed; a tree whose inner labels are capped below them cannot be recoupled exactly.

    Raises:
        FusionError: a label is not an integer >= 0, or the three legs cannot couple to ``total``.
        LimitError: a label is above ``MAX_L``.
    """
    a, b, c, d = check_labels((l1, l2, l3, total))
    return _f_matrix(a, b, c, d)


@cache
def table_digest(l_max: int) -> str:
    """Return the SHA-256 (hexadecimal) of every ``clebsch_gordan`` table with labels up to ``l_max``.

    Entries are rounded to a coarse grid, so that the digest depends on basis, order and signs, not on the platform.

    Raises:
        FusionError: ``l_max`` is not an integer >= 0.
        LimitError: ``l_max`` is above ``MAX_L``.
    """
    (limit,) = check_labels((l_max,))
    digest = hashlib.sha256(f"real Clebsch-Gordan l<={limit} grid 1/{_DIGEST_STEPS}".encode())
    for l1 in range(limit + 1):
        for l2 in range(limit + 1):
            for l3 in range(abs(l1 - l2), min(l1 + l2, limit) + 1):
                # The uncached table: a digest up to MAX_L must not leave 200 MB behind.
                rounded = np.rint(_scaled_root(l1, l2, l3, 2 * l3 + 1) * _DIGEST_STEPS)
                digest.update(rounded.astype("<i4").tobytes())
    return digest.hexdigest()


@cache
def _vertex(l1: int, l2: int, l3: int) -> Array:
    return _read_only(_scaled_root(l1, l2, l3, 2 * l3 + 1))


@cache
def _symbol_3j(l1: int, l2: int, l3: int) -> Array:
    return _read_only(_scaled_root(l1, l2, l3, 1))


def _scaled_root(l1: int, l2: int, l3: int, factor: int) -> Array:
    """Return ``sqrt(factor)`` times the real 3j symbol, from the stored symbol with sorted labels."""
    labels = (l1, l2, l3)
    order = sorted(range(3), key=labels.__getitem__)
    squares = np.transpose(_signed_squares(*sorted(labels)), np.argsort(order))
    odd = tuple(order) in ((0, 2, 1), (1, 0, 2), (2, 1, 0))
    sign = -1.0 if odd and sum(labels) % 2 else 1.0
    return sign * np.sign(squares) * np.sqrt(np.abs(squares) * factor) + 0.0  # + 0.0 removes negative zeros


@cache
def _signed_squares(l1: int, l2: int, l3: int) -> Array:
    """Return ``sign(V) V**2`` of the real 3j symbol V, every entry rounded once from an exact rational.

    An entry of V is an integer T times ``sqrt(P / (Q b1 b2 b3 2^n))``, with the binomials ``b = (2l over l + m)`` and n
    the number of its components with m != 0 (each brings a 1/sqrt(2) of U).
    """
    integers = _real_integers(l1, l2, l3)
    total = l1 + l2 + l3
    p = factorial(2 * l1) * factorial(2 * l2) * factorial(2 * l3)
    q = factorial(total + 1) * factorial(total - 2 * l1) * factorial(total - 2 * l2) * factorial(total - 2 * l3)
    weights = [[comb(2 * label, m) * (1 if m == label else 2) for m in range(2 * label + 1)] for label in (l1, l2, l3)]
    result = np.zeros(integers.shape)
    places = np.nonzero(integers)
    values = [int(value) for value in integers[places]]
    rows = zip(*(axis.tolist() for axis in places), values, strict=True)
    result[places] = [p * t * abs(t) / (q * weights[0][i] * weights[1][j] * weights[2][k]) for i, j, k, t in rows]
    return _read_only(result)


def _real_integers(l1: int, l2: int, l3: int) -> Integers:
    """Return the integers T of :func:`_signed_squares`: complex Racah sums, carried to the real basis."""
    sums = _racah_sums(l1, l2, l3)
    table: Integers = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1), np.int64)
    m = np.arange(-l1, l1 + 1)[:, None] + np.arange(-l2, l2 + 1)
    first, second = np.nonzero(np.abs(m) <= l3)
    table[first, second, l3 + m[first, second]] = sums[first, second]
    for axis in range(3):
        table = _fold(table, axis)
    # What is left of the phases is a power of i: (-i)^(l1+l2-l3), -i per negative m of an input, +i of the output.
    row, column, layer = np.indices(table.shape)
    power = (layer < l3).astype(np.int64) - (row < l1) - (column < l2) - (l1 + l2 - l3)
    # The table vanishes at odd powers, because V is real.
    return np.where(power % 4 == 0, table, -table)


def _racah_sums(l1: int, l2: int, l3: int) -> Integers:
    """Return ``sum_k (-1)^k (a over k)(b over l1 - m1 - k)(c over l2 + m2 - k)``, shape (2 l1 + 1, 2 l2 + 1).

    Its absolute value is at most ``2^(l1 + l2 + l3) <= 2^48``: exact in 64 bits.
    """
    a, b, c = l1 + l2 - l3, l1 - l2 + l3, l2 + l3 - l1
    k = np.arange(a + 1)
    m1 = np.arange(-l1, l1 + 1)[:, None, None]
    m2 = np.arange(-l2, l2 + 1)[:, None]
    signed = np.where(k % 2 == 0, 1, -1) * _binomials(a, k)
    return np.sum(signed * _binomials(b, l1 - m1 - k) * _binomials(c, l2 + m2 - k), axis=-1)


def _binomials(n: int, k: Integers) -> Integers:
    row = np.array([comb(n, i) for i in range(n + 1)], np.int64)
    return np.where((k >= 0) & (k <= n), row[np.clip(k, 0, n)], 0)


def _fold(table: Integers, axis: int) -> Integers:
    """Apply U along ``axis``, without the 1/sqrt(2) of rows m != 0 and the i of rows m < 0."""
    x = np.moveaxis(table, axis, 0)
    centre = len(x) // 2
    plus, minus = x[centre + 1 :], x[:centre][::-1]
    sign = np.where(np.arange(1, centre + 1) % 2 == 0, 1, -1)[:, None, None]
    folded = x.copy()
    folded[centre + 1 :] = minus + sign * plus
    folded[:centre] = (minus - sign * plus)[::-1]
    return np.moveaxis(folded, 0, axis)


def _read_only(array: Array) -> Array:
    result = np.ascontiguousarray(array)
    result.setflags(write=False)
    return result


def _rounded(sign: int, square: Fraction) -> float:
    return sign * sqrt(square)


def _triangle_square(a: int, b: int, c: int) -> Fraction:
    """Return ``(a + b - c)! (a - b + c)! (-a + b + c)! / (a + b + c + 1)!``."""
    numerator = factorial(a + b - c) * factorial(a - b + c) * factorial(b + c - a)
    return Fraction(numerator, factorial(a + b + c + 1))


@lru_cache(maxsize=65536)
def _racah(j1: int, j2: int, j3: int, j4: int, j5: int, j6: int) -> Fraction:
    """Return the rational factor of a 6j symbol: the symbol without its four triangle roots."""
    triads = sorted((j1 + j2 + j3, j1 + j5 + j6, j4 + j2 + j6, j4 + j5 + j3))
    pairs = sorted((j1 + j2 + j4 + j5, j2 + j3 + j5 + j6, j3 + j1 + j6 + j4))
    low, rest = triads[3], triads[:3]
    total = 0
    for t in range(low, pairs[0] + 1):
        term = comb(t + 1, low + 1)
        for triad, pair in zip(rest, pairs, strict=True):
            term *= comb(pair - triad, t - triad)
        total += -term if t % 2 else term
    divisor = 1
    for triad, pair in zip(rest, pairs, strict=True):
        divisor *= factorial(pair - triad)
    # With these factors the integer terms are Racah's (t + 1)! / (prod (t - triad)! prod (pair - t)!).
    return Fraction(total * factorial(low + 1), divisor)


@lru_cache(maxsize=65536)
def _sixj(j1: int, j2: int, j3: int, j4: int, j5: int, j6: int) -> tuple[int, Fraction]:
    factor = _racah(j1, j2, j3, j4, j5, j6)
    square = factor * factor
    for triad in ((j1, j2, j3), (j1, j5, j6), (j4, j2, j6), (j4, j5, j3)):
        square *= _triangle_square(*triad)
    return _sign(factor), square


def _ninej(j: tuple[int, ...], outer: list[tuple[int, int, int]]) -> tuple[int, Fraction]:
    j1, j2, j3, j4, j5, j6, j7, j8, j9 = j
    # sum_k (2k + 1) {j1 j4 j7; j8 j9 k} {j2 j5 j8; j4 k j6} {j3 j6 j9; k j1 j2}: each triad that contains k occurs in
    # two of the symbols, so its root is squared and the sum is rational.
    low = max(abs(j1 - j9), abs(j4 - j8), abs(j2 - j6))
    high = min(j1 + j9, j4 + j8, j2 + j6)
    total = Fraction(0)
    for k in range(low, high + 1):
        term = _racah(j1, j4, j7, j8, j9, k) * _racah(j2, j5, j8, j4, k, j6) * _racah(j3, j6, j9, k, j1, j2)
        term *= _triangle_square(j1, j9, k) * _triangle_square(j4, j8, k) * _triangle_square(j2, j6, k)
        total += (2 * k + 1) * term
    square = total * total
    for triad in outer:
        square *= _triangle_square(*triad)
    return _sign(total), square


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


@cache
def _f_matrix(l1: int, l2: int, l3: int, total: int) -> FMatrix:
    rows = tuple(range(max(abs(l1 - l2), abs(l3 - total)), min(l1 + l2, l3 + total) + 1))
    columns = tuple(range(max(abs(l2 - l3), abs(l1 - total)), min(l2 + l3, l1 + total) + 1))
    if not rows:
        low = max(0, *(2 * label - l1 - l2 - l3 for label in (l1, l2, l3)))
        high = l1 + l2 + l3
        raise FusionError(f"{l1}, {l2} and {l3} cannot couple to {total}: need {low} <= {total} <= {high}")
    overall = -1 if (l1 + l2 + l3 + total) % 2 else 1
    matrix = np.empty((len(rows), len(columns)))
    for i, a in enumerate(rows):
        for k, b in enumerate(columns):
            sign, square = _sixj(l1, l2, a, l3, total, b)
            matrix[i, k] = _rounded(overall * sign, (2 * a + 1) * (2 * b + 1) * square)
    return FMatrix(rows, columns, _read_only(matrix))
