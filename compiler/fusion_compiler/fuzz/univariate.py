"""Functions of one number with three derivatives written out by hand, independent of the registry's derivative rules.

Each returns four pairs: the function and its derivatives of orders 1 to 3, each with the sum of the absolute values of
its terms, since the terms of a derivative such as ``1 - tanh(x)^2`` cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial import Polynomial
from numpy.polynomial.polynomial import polyder

from fusion.functions import GUARD
from fusion_compiler.fuzz.series import Array

Pairs = list[tuple[Array, Array]]

NEAR = 0.5
"""Below this argument the derivatives of sin(x) / x are those of its power series: their closed forms cancel."""


def _exact(*values: Array) -> Pairs:
    return [(value, np.abs(value)) for value in values]


def polynomials(x: Array, *coefficients: Sequence[float] | Array) -> Pairs:
    """Return polynomials of ``x`` by their coefficients, lowest first."""
    return [(Polynomial(c)(x), Polynomial(np.abs(c))(np.abs(x))) for c in coefficients]


def _tanh(x: Array) -> Pairs:
    return polynomials(np.tanh(x), (0, 1), (1, 0, -1), (0, -2, 0, 2), (-2, 0, 8, 0, -6))


_LOGISTIC = ((0.0, 1.0), (0.0, 1.0, -1.0), (0.0, 1.0, -3.0, 2.0), (0.0, 1.0, -7.0, 12.0, -6.0))


def _sigmoid(x: Array) -> Pairs:
    return polynomials(np.exp(-np.logaddexp(0.0, -x)), *_LOGISTIC)


def _silu(x: Array) -> Pairs:
    s = _sigmoid(x)
    found = [(x * s[0][0], np.abs(x) * s[0][1])]
    for order in (1, 2, 3):
        (low, low_size), (high, high_size) = s[order - 1], s[order]
        found.append((order * low + x * high, order * low_size + np.abs(x) * high_size))
    return found


def _power(x: Array, exponent: float) -> Pairs:
    """Return ``x ** exponent`` for positive ``x``."""
    found, factor = [], 1.0
    for order in range(4):
        found.append(factor * x ** (exponent - order))
        factor *= exponent - order
    return _exact(*found)


def _guarded(x: Array, exponent: float) -> Pairs:
    """Return ``(max(x, 0) + GUARD) ** exponent``, which is constant for negative ``x``."""
    first, *others = _power(np.maximum(x, 0.0) + GUARD, exponent)
    return [first, *((np.where(x >= 0, d, 0.0), np.where(x >= 0, size, 0.0)) for d, size in others)]


ELEMENTWISE: dict[str, Callable[[Array], Pairs]] = {
    "sigmoid": _sigmoid,
    "silu": _silu,
    "tanh": _tanh,
    "exp": lambda x: _exact(*[np.exp(x)] * 4),
    "softplus": lambda x: [*_exact(np.logaddexp(x, 0.0)), *_sigmoid(x)[:3]],
    "sin": lambda x: _exact(np.sin(x), np.cos(x), -np.sin(x), -np.cos(x)),
    "cos": lambda x: _exact(np.cos(x), -np.sin(x), -np.cos(x), np.sin(x)),
    "reciprocal": lambda x: _exact(1 / x, -1 / x**2, 2 / x**3, -6 / x**4),
    "sqrt": lambda x: _guarded(x, 0.5),
    "rsqrt": lambda x: _guarded(x, -0.5),
}
"""The registered functions of one number."""


def root(x: Array) -> Pairs:
    """Return the square root of positive numbers."""
    return _power(x, 0.5)


def inverse_root(x: Array) -> Pairs:
    """Return one over the square root of positive numbers."""
    return _power(x, -0.5)


def polynomial_cutoff(r: Array, cutoff: float, p: int) -> Pairs:
    """Return DimeNet's cutoff of positive lengths."""
    powers = np.zeros(p + 3)
    powers[[0, p, p + 1, p + 2]] = 1.0, -(p + 1) * (p + 2) / 2, p * (p + 2), -p * (p + 1) / 2
    every = [np.asarray(polyder(powers, order), np.float64) / cutoff**order for order in range(4)]
    inside = r < cutoff
    return [(np.where(inside, d, 0.0), np.where(inside, a, 0.0)) for d, a in polynomials(r / cutoff, *every)]


def cosine_cutoff(r: Array, cutoff: float) -> Pairs:
    """Return the cosine cutoff of positive lengths."""
    k = np.pi / cutoff
    wave, slope, inside = np.cos(k * r), np.sin(k * r), r < cutoff
    values = ((1 + wave) / 2, -k * slope / 2, -(k**2) * wave / 2, k**3 * slope / 2)
    # The argument is rounded before the sine is taken, hence a constant beside each derivative.
    return [(np.where(inside, d, 0.0), np.where(inside, k**order, 0.0)) for order, d in enumerate(values)]


def bessel(r: Array, count: int, cutoff: float) -> Pairs:
    """Return the radial Bessel functions 1 .. count of positive lengths (..., 1, 1), one per row."""
    wave = np.arange(1, count + 1)[:, None] * np.pi / cutoff
    x = wave * r
    small = np.abs(x) < NEAR
    near = Polynomial([(-1.0) ** (k // 2) * (k % 2 == 0) / _factorial(k + 1) for k in range(21)])
    far = np.where(small, 1.0, x)
    s = np.sin(far) / far
    s1 = (np.cos(far) - s) / far
    s2 = -s - 2 * s1 / far
    s3 = -s1 - 2 * s2 / far + 2 * s1 / far**2
    scale = np.sqrt(2.0 / cutoff) * wave
    values = [np.where(small, near.deriv(k)(x) if k else near(x), d) * wave**k for k, d in enumerate((s, s1, s2, s3))]
    # Every derivative of sin(x) / x is at most 1; its rounding is of this order, too.
    return [(scale * value, np.broadcast_to(2 * scale * wave**k, value.shape)) for k, value in enumerate(values)]


def _factorial(number: int) -> float:
    return float(np.prod(np.arange(1, number + 1, dtype=np.float64)))


def gaussian(r: Array, count: int, cutoff: float) -> Pairs:
    """Return Gaussians 1 .. count of lengths (..., 1, 1), one per row."""
    width = cutoff / max(1, count - 1)
    u = r / width - np.arange(count)[:, None]
    bell = np.exp(-u * u / 2)
    shapes = polynomials(u, (1,), (0, -1), (-1, 0, 1), (0, 3, 0, -1))
    return [(bell * d / width**k, bell * a * (1 + u * u) / width**k) for k, (d, a) in enumerate(shapes)]
