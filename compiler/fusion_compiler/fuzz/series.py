"""Truncated power series of arrays in one number t, with the magnitude of every coefficient.

A directional derivative is read off such a series: ``f(x + t v)`` has the coefficients ``f``, ``f' v`` and
``v f'' v / 2``. Nothing is approximated, so that the error is rounding alone. A magnitude is the sum of the absolute
values of all terms that make up a number, among them what rounding of the lower coefficients can do to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ORDER = 2
"""The largest power of t that is kept."""


@dataclass(frozen=True, slots=True)
class Series:
    """Coefficients of 1, t, t^2 and their magnitudes: two arrays of shape (3, *shape)."""

    value: Array
    magnitude: Array

    @staticmethod
    def of(value: Array, slope: Array | None = None) -> Series:
        """Return ``value + t slope``."""
        found = np.zeros((ORDER + 1, *value.shape))
        found[0] = value
        if slope is not None:
            found[1] = slope
        return Series(found, np.abs(found))

    def each(self, rule: Callable[[Array], Array]) -> Series:
        """Apply a linear rule without negative constants to every coefficient."""
        value, magnitude = (np.stack([rule(part) for part in side]) for side in (self.value, self.magnitude))
        return Series(value, magnitude)

    def __sub__(self, other: Series) -> Series:
        return Series(self.value - other.value, self.magnitude + other.magnitude)

    def times(self, other: Series, rule: Callable[[Array, Array], Array] = np.multiply) -> Series:
        """Return the product; ``rule`` multiplies two coefficients, without negative constants."""
        pairs = ((self.value, other.value), (self.magnitude, other.magnitude))
        value, magnitude = (
            np.stack([sum(rule(a[i], b[order - i]) for i in range(order + 1)) for order in range(ORDER + 1)])
            for a, b in pairs
        )
        return Series(value, magnitude)

    def then(self, derivatives: Sequence[tuple[Array, Array]]) -> Series:
        """Return a function of this series.

        Args:
            derivatives: the function and its first three derivatives at the coefficient of 1, each with its magnitude.
                The third tells what rounding of the argument does to the second.
        """
        (f, af), (f1, a1), (f2, a2), (_, a3) = derivatives
        _, x1, x2 = self.value
        m0, m1, m2 = self.magnitude
        value = np.stack([f, f1 * x1, f1 * x2 + f2 * x1 * x1 / 2])
        second = a1 * m2 + a2 * (m1 * m1 / 2 + m0 * m2) + a3 * m0 * m1 * m1 / 2
        return Series(value, np.stack([af + a1 * m0, a1 * m1 + a2 * m0 * m1, second]))
