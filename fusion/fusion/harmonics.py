"""Real spherical and solid harmonics in the basis of :mod:`fusion.symbols` (polar axis y, l = 1 is x, y, z).

Coordinates have shape (..., 3); results have shape (..., (l_max + 1)**2), degrees concatenated, m = -l..l inside each.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import FusionError
from fusion.symbols import check_labels

Array = NDArray[np.float64]
Normalization = Literal["component", "norm", "integral"]


def solid_harmonics(l_max: int, xyz: ArrayLike) -> Array:
    """Return the solid harmonics ``R_l = r^l sqrt(4 pi / (2l + 1)) Y_l`` for l = 0..l_max, so that ``|R_l| = r^l``.

    They are polynomials of the coordinates, hence smooth at zero. With ``c_m + i s_m = (z + i x)^m`` and m >= 0, the
    components are ``R_{l,m} = P_l^m(y, r^2) c_m`` and ``R_{l,-m} = P_l^m s_m``, without Condon-Shortley sign. P is the
    Schmidt semi-normalised Legendre function over ``(sin theta)^m``, homogeneous, from its stable recurrence in l.

    Args:
        l_max: largest degree.
        xyz: coordinates, shape (..., 3), in any unit u; component l is returned in u^l.

    Raises:
        FusionError: ``l_max`` is not an integer >= 0, or ``xyz`` has another shape or is not finite and real.
        LimitError: ``l_max`` is above ``MAX_L``.
    """
    (limit,) = check_labels((l_max,))
    points = _coordinates(xyz)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    square = x * x + y * y + z * z
    result = np.empty((*points.shape[:-1], (limit + 1) ** 2))
    cosine, sine = np.ones_like(x), np.zeros_like(x)  # c_m and s_m
    start = 1.0  # P_m^m, a constant
    for m in range(limit + 1):
        if m > 0:
            cosine, sine = z * cosine - x * sine, z * sine + x * cosine
            start *= sqrt((2 * m - 1) / (2 * m)) if m > 1 else 1.0
        before, legendre = np.zeros_like(x), np.full_like(x, start)
        for degree in range(m, limit + 1):
            if degree > m:
                step = (2 * degree - 1) * y * legendre - sqrt((degree - 1) ** 2 - m * m) * square * before
                before, legendre = legendre, step / sqrt(degree * degree - m * m)
            centre = degree * degree + degree
            result[..., centre + m] = legendre * cosine
            if m > 0:
                result[..., centre - m] = legendre * sine
    return result


def harmonics(l_max: int, xyz: ArrayLike, normalization: Normalization = "component") -> Array:
    """Return the spherical harmonics of the direction of ``xyz`` for l = 0..l_max.

    The zero vector has no direction: its l = 0 component is the usual constant and all others are zero.

    Args:
        l_max: largest degree.
        xyz: vectors, shape (..., 3), of any length.
        normalization: ``|Y_l|^2`` is ``2l + 1`` for "component", 1 for "norm" and ``(2l + 1) / (4 pi)`` for "integral"
            (orthonormal on the sphere).

    Raises:
        FusionError: ``l_max`` is not an integer >= 0, ``normalization`` is unknown, or ``xyz`` has another shape or is
            not finite and real.
        LimitError: ``l_max`` is above ``MAX_L``.
    """
    (limit,) = check_labels((l_max,))
    degrees = np.arange(limit + 1)
    dims = 2 * degrees + 1
    squares = {"component": dims, "norm": np.ones_like(dims), "integral": dims / (4 * pi)}
    if normalization not in squares:
        raise FusionError(f"unknown normalization {normalization!r}; known: {', '.join(squares)}")
    points = _coordinates(xyz)
    # Scaled by the largest coordinate first, so that squares of tiny or huge lengths neither underflow nor overflow.
    largest = np.max(np.abs(points), axis=-1, keepdims=True)
    scaled = points / np.where(largest == 0.0, 1.0, largest)
    length = np.sqrt(np.sum(scaled * scaled, axis=-1, keepdims=True))
    unit = scaled / np.where(length == 0.0, 1.0, length)
    return solid_harmonics(limit, unit) * np.repeat(np.sqrt(squares[normalization]), dims)


def _coordinates(xyz: ArrayLike) -> Array:
    points = np.asarray(xyz)
    if points.dtype.kind not in "fiu":
        raise FusionError(f"coordinates must be real numbers; got an array of {points.dtype}")
    if points.ndim == 0 or points.shape[-1] != 3:
        raise FusionError(f"coordinates must have shape (..., 3); got {points.shape}")
    points = points.astype(np.float64)
    if not np.isfinite(points).all():
        raise FusionError("coordinates must be finite; got inf or nan")
    return points
