"""Functions of a displacement in torch: harmonics, length, radial bases, cutoff.

All are safe at zero displacement and beyond the cutoff, with finite first and second derivatives everywhere, and
differentiable to any order elsewhere. Displacements have shape (..., 3), lengths (..., 1), both in Å.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

SERIES = 0.05
"""Below this argument sin(x)/x is its power series, whose derivatives are exact to rounding."""


def length(vector: Tensor) -> Tensor:
    """Return the length (..., 1); zero, with zero derivative, for the zero vector."""
    scaled, scale = _scaled(vector)
    square = (scaled * scaled).sum(-1, keepdim=True)
    zero = square == 0
    root = torch.sqrt(torch.where(zero, torch.ones_like(square), square))
    return scale * torch.where(zero, torch.zeros_like(square), root)


def direction(vector: Tensor) -> Tensor:
    """Return the unit vector; the zero vector stays zero, with zero derivative."""
    scaled, _ = _scaled(vector)
    square = (scaled * scaled).sum(-1, keepdim=True)
    zero = square == 0
    unit = scaled * torch.rsqrt(torch.where(zero, torch.ones_like(square), square))
    return torch.where(zero, torch.zeros_like(unit), unit)


def _scaled(vector: Tensor) -> tuple[Tensor, Tensor]:
    """Return the vector over its largest component, and that component: squares neither vanish nor overflow."""
    largest = vector.detach().abs().amax(-1, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest)
    return vector / scale, scale


def solid_harmonics(l_max: int, vector: Tensor) -> Tensor:
    """Return R_0 .. R_lmax, shape (..., (l_max + 1)**2), norm |R_l| = r**l, in e3nn's component order.

    The same recurrence as :func:`fusion.harmonics.solid_harmonics`: with c_m + i s_m = (z + i x)^m the components are
    P_l^m(y, r^2) c_m and P_l^m s_m, P the homogeneous Schmidt semi-normalised Legendre function over sin(theta)^m.
    """
    x, y, z = vector.unbind(-1)
    square = x * x + y * y + z * z
    columns: list[Tensor] = [torch.ones_like(x)] * (l_max + 1) ** 2
    cosine, sine = torch.ones_like(x), torch.zeros_like(x)
    start = 1.0
    for m in range(l_max + 1):
        if m > 0:
            cosine, sine = (z, x) if m == 1 else (z * cosine - x * sine, z * sine + x * cosine)
            start *= math.sqrt((2 * m - 1) / (2 * m)) if m > 1 else 1.0
        before: Tensor | None = None
        legendre: Tensor | float = start
        for degree in range(m, l_max + 1):
            if degree > m:
                step = (2 * degree - 1) * y * legendre
                if before is not None:
                    step = step - math.sqrt((degree - 1) ** 2 - m * m) * square * before
                before, legendre = _as_tensor(legendre, x), step / math.sqrt(degree * degree - m * m)
            centre = degree * degree + degree
            if m == 0:
                columns[centre] = _as_tensor(legendre, x)
            else:
                columns[centre + m] = legendre * cosine
                columns[centre - m] = legendre * sine
    return torch.stack(columns, -1)


def _as_tensor(value: Tensor | float, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else torch.full_like(like, value)


def harmonics(l_max: int, vector: Tensor, normalization: str) -> Tensor:
    """Return the harmonics of the direction of ``vector``: ``component``, ``norm`` or ``integral`` normalised."""
    solid = solid_harmonics(l_max, direction(vector))
    if normalization == "norm":
        return solid
    factors = [
        math.sqrt(2 * l + 1) / (math.sqrt(4 * math.pi) if normalization == "integral" else 1.0)
        for l in range(l_max + 1)
        for _ in range(2 * l + 1)
    ]
    return solid * solid.new_tensor(factors)


def sinc(x: Tensor) -> Tensor:
    """Return sin(x) / x, exact to rounding together with its derivatives at zero."""
    small = x.abs() < SERIES
    safe = torch.where(small, torch.ones_like(x), x)
    square = torch.where(small, x * x, torch.zeros_like(x))
    series = 1.0 - square / 6.0 * (
        1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0 * (1.0 - square / 110.0)))
    )
    return torch.where(small, series, torch.sin(safe) / safe)


def bessel(count: int, cutoff: float, r: Tensor) -> Tensor:
    """Return sqrt(2 / c) sin(n pi r / c) / r for n = 1 .. count: (..., 1) -> (..., count)."""
    wave = torch.arange(1, count + 1, dtype=r.dtype, device=r.device) * (math.pi / cutoff)
    return math.sqrt(2.0 / cutoff) * wave * sinc(wave * r)


def gaussian(count: int, cutoff: float, r: Tensor) -> Tensor:
    """Return exp(-(r - mu_n)^2 / (2 d^2)) with mu_n evenly from 0 to the cutoff and d their distance."""
    width = cutoff / max(1, count - 1)
    centre = torch.arange(count, dtype=r.dtype, device=r.device) * width
    return torch.exp(-0.5 * ((r - centre) / width) ** 2)


def polynomial_cutoff(cutoff: float, p: int, r: Tensor) -> Tensor:
    """Return 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2) for x = r / c < 1, else exactly 0.

    Gasteiger et al. 2020 (DimeNet), equation 8. Value and first two derivatives vanish at the cutoff.
    """
    x = (r / cutoff).clamp(max=1.0)  # beyond it powers may overflow, and NaN would reach the gradient
    power = x**p
    value = 1.0 - (p + 1) * (p + 2) / 2 * power + p * (p + 2) * power * x - p * (p + 1) / 2 * power * x * x
    return torch.where(x < 1.0, value, torch.zeros_like(value))


def cosine_cutoff(cutoff: float, r: Tensor) -> Tensor:
    """Return (1 + cos(pi r / c)) / 2 for r < c, else exactly 0 (Behler 2011). Value and derivative vanish at c."""
    x = (r / cutoff).clamp(max=1.0)
    half = torch.cos(0.5 * math.pi * x)  # (1 + cos(2 a)) / 2 = cos(a)^2, without the cancellation near the cutoff
    return torch.where(x < 1.0, half * half, torch.zeros_like(half))
