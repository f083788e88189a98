"""Exact values of the symbols through sympy, as roots of rationals; for reading, printing and as an oracle in tests.

Nothing here shares code with :mod:`fusion.symbols` beyond the check of labels: 3j and 6j come from sympy's complex
symbols, and the change to the real basis is written out again. Slow; sympy is imported on the first call.
"""

from __future__ import annotations

import importlib
from fractions import Fraction
from typing import Any

from fusion.errors import FusionError
from fusion.symbols import MAX_INNER_L, check_labels, check_triangle

Expression = Any
"""A sympy expression (sympy is untyped)."""


def signed_root(sign: int, square: Fraction) -> Expression:
    """Return ``sign * sqrt(square)`` as a sympy expression.

    Raises:
        FusionError: ``sign`` is not -1, 0 or 1, or ``square`` is negative.
    """
    if sign not in (-1, 0, 1) or square < 0:
        raise FusionError(f"a root needs a sign of -1, 0 or 1 and a square >= 0; got {sign!r} and {square!r}")
    sympy = _module("sympy")
    return sign * sympy.sqrt(sympy.Rational(square.numerator, square.denominator))


def root_text(sign: int, square: Fraction) -> str:
    """Return ``sign * sqrt(square)`` in text, for instance ``-sqrt(3)/3`` for ``(-1, Fraction(1, 3))``.

    Raises:
        FusionError: ``sign`` is not -1, 0 or 1, or ``square`` is negative.
    """
    return str(signed_root(sign, square))


def sixj(j1: int, j2: int, j3: int, j4: int, j5: int, j6: int) -> Expression:
    """Return the 6j symbol ``{j1 j2 j3; j4 j5 j6}``.

    Raises:
        FusionError: a label is not an integer >= 0, or a triad breaks the triangle rule.
        LimitError: a label is above ``MAX_INNER_L``.
    """
    a, b, c, d, e, f = check_labels((j1, j2, j3, j4, j5, j6), MAX_INNER_L)
    for triad in ((a, b, c), (a, e, f), (d, b, f), (d, e, c)):
        check_triangle(*triad)
    return _module("sympy.physics.wigner").wigner_6j(a, b, c, d, e, f)


def clebsch_gordan(l1: int, l2: int, l3: int, m1: int, m2: int, m3: int) -> Expression:
    """Return the entry ``(m1, m2, m3)`` of the real vertex ``l1 x l2 -> l3``; each m runs from -l to l.

    Raises:
        FusionError: a degree is not an integer >= 0, the triangle rule fails, or an m is outside its range.
        LimitError: a degree is above ``MAX_L``.
    """
    labels = check_labels((l1, l2, l3))
    check_triangle(*labels)
    for label, m in zip(labels, (m1, m2, m3), strict=True):
        if not -label <= m <= label:
            raise FusionError(f"component m = {m} of degree {label}: need {-label} <= m <= {label}")
    sympy, symbols = _module("sympy"), _module("sympy.physics.wigner")
    total = sympy.Integer(0)
    for a in {m1, -m1}:
        for b in {m2, -m2}:
            if abs(a + b) == abs(m3):
                inputs = sympy.conjugate(_to_real(m1, a) * _to_real(m2, b))
                total += inputs * symbols.clebsch_gordan(*labels, a, b, a + b) * _to_real(m3, a + b)
    return sympy.expand((-sympy.I) ** (labels[0] + labels[1] - labels[2]) * total)


def wigner_3j(l1: int, l2: int, l3: int, m1: int, m2: int, m3: int) -> Expression:
    """Return the entry ``(m1, m2, m3)`` of the real 3j symbol; each m runs from -l to l.

    Raises:
        FusionError: a degree is not an integer >= 0, the triangle rule fails, or an m is outside its range.
        LimitError: a degree is above ``MAX_L``.
    """
    entry = clebsch_gordan(l1, l2, l3, m1, m2, m3)
    sympy = _module("sympy")
    return sympy.radsimp(entry / sympy.sqrt(2 * check_labels((l3,))[0] + 1))


def _to_real(row: int, column: int) -> Expression:
    """Return the entry of U that takes the complex component ``column = +-row`` to the real component ``row``."""
    sympy = _module("sympy")
    if row == 0:
        return sympy.Integer(1)
    entry = (-1) ** max(column, 0) / sympy.sqrt(2)
    if row > 0:
        return entry
    return (sympy.I if column < 0 else -sympy.I) * entry


def _module(name: str) -> Any:
    # By name, because sympy has no types that a strict checker accepts, and late, because its import is slow.
    return importlib.import_module(name)
