"""The gradient of solid harmonics as a table: those of degree l have gradients of degree l - 1."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from fusion.harmonics import solid_harmonics
from fusion.symbols import clebsch_gordan
from fusion_compiler.program import Array

ROUNDING = 1e-14


@cache
def harmonics_gradient(l_max: int, normalization: str = "norm") -> Array:
    """Return T with ``d R_a / d x_j = sum_b T[a, b, j] R_b``, shape ((l_max + 1)^2, l_max^2, 3).

    The R_a carry the factors of a normalisation; the R_b have norm r^l. By the Wigner-Eckart theorem the block of a
    degree is a multiple of its coupling table with l - 1 and 1. Euler's theorem, ``sum_j x_j dR_l / dx_j = l R_l``,
    gives the multiple.
    """
    table = np.zeros(((l_max + 1) ** 2, max(l_max, 0) ** 2, 3))
    unit = np.array([0.48, 0.6, 0.64])
    values = solid_harmonics(l_max, unit[None])[0]
    for l in range(1, l_max + 1):
        above, below = slice(l * l, (l + 1) ** 2), slice((l - 1) ** 2, l * l)
        block = np.transpose(clebsch_gordan(l - 1, 1, l), (2, 0, 1))
        made = np.einsum("abj,b,j->a", block, values[below], unit)
        block = block * (l * (made @ values[above]) / (made @ made))
        block[np.abs(block) < ROUNDING] = 0.0
        factor = 1.0
        if normalization != "norm":
            factor = math.sqrt(2 * l + 1) / (math.sqrt(4 * math.pi) if normalization == "integral" else 1.0)
        table[above, below] = factor * block
    return table
