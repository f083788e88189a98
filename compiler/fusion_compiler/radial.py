"""Derivatives of the radial functions with respect to the length, of any order and in closed form, in torch.

Lengths have shape (..., 1), in Å. The functions themselves are in :mod:`fusion_compiler.geometry`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

TINY = 1e-18
"""Terms of the power series of the derivatives of sin(x)/x below this are left out."""


def inverse(r: Tensor) -> Tensor:
    """Return 1 / r, and zero for r = 0."""
    zero = r == 0
    return torch.where(zero, torch.zeros_like(r), 1.0 / torch.where(zero, torch.ones_like(r), r))


def derivative(name: str, order: int, count: int, lengths: Sequence[float], r: Tensor) -> Tensor:
    """Return the derivative of ``order`` >= 1: (..., 1), or (..., count, 1) of a basis."""
    if name == "length":
        return torch.full_like(r, 1.0 if order == 1 else 0.0)
    if name == "cutoff":
        return polynomial_cutoff(lengths[0], int(lengths[1]), r, order)
    if name == "cosine_cutoff":
        return cosine_cutoff(lengths[0], r, order)
    basis = bessel if name == "bessel" else gaussian
    return basis(count, lengths[0], r, order).unsqueeze(-1)


def sinc(x: Tensor, order: int) -> Tensor:
    """Return the derivative of sin(x) / x: its power series for x < order / 2, else its recursion.

    With s = sin(x) / x, differentiating x s = sin(x) gives ``x s^(n) = sin^(n)(x) - n s^(n-1)``: upwards it multiplies
    the rounding errors by n / x each time, which for x >= order / 2 is harmless.
    """
    limit = order / 2
    small = x.abs() < limit
    near = torch.where(small, x, torch.zeros_like(x))
    far = torch.where(small, torch.ones_like(x), x)
    # sum over even n = 2j >= order of (-1)^j x^(n - order) / ((n + 1) (n - order)!)
    first = order % 2
    coefficients: list[float] = []
    power = first
    while limit**power / math.factorial(power) > TINY:
        sign = (-1.0) ** ((power + order) // 2)
        coefficients.append(sign / ((power + order + 1) * math.factorial(power)))
        power += 2
    square = near * near
    series = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        series = series * square + coefficient
    waves = (torch.sin(far), torch.cos(far))
    value = waves[0] / far
    for n in range(1, order + 1):
        wave = waves[n % 2] if n % 4 < 2 else -waves[n % 2]
        value = (wave - n * value) / far
    return torch.where(small, series * near if first else series, value)


def bessel(count: int, cutoff: float, r: Tensor, order: int) -> Tensor:
    """Return the derivative of sqrt(2 / c) w sinc(w r) for w = n pi / c, n = 1 .. count: (..., 1) -> (..., count)."""
    wave = torch.arange(1, count + 1, dtype=r.dtype, device=r.device) * (math.pi / cutoff)
    return math.sqrt(2.0 / cutoff) * wave ** (order + 1) * sinc(wave * r, order)


def gaussian(count: int, cutoff: float, r: Tensor, order: int) -> Tensor:
    """Return the derivative of exp(-t^2 / 2), t = (r - mu_n) / d: (-1 / d)^order He_order(t) exp(-t^2 / 2)."""
    width = cutoff / max(1, count - 1)
    centre = torch.arange(count, dtype=r.dtype, device=r.device) * width
    t = (r - centre) / width
    before, hermite = torch.zeros_like(t), torch.ones_like(t)
    for n in range(order):
        before, hermite = hermite, t * hermite - n * before
    return (-1.0 / width) ** order * hermite * torch.exp(-0.5 * t * t)


def polynomial_cutoff(cutoff: float, p: int, r: Tensor, order: int) -> Tensor:
    """Return the derivative of the polynomial cutoff: its terms (r / c)^n, each differentiated."""
    x = (r / cutoff).clamp(max=1.0)
    terms = ((0, 1.0), (p, -(p + 1) * (p + 2) / 2), (p + 1, float(p * (p + 2))), (p + 2, -p * (p + 1) / 2))
    value = torch.zeros_like(x)
    for power, factor in terms:
        if power >= order:
            value = value + factor * math.perm(power, order) * x ** (power - order)
    return torch.where(x < 1.0, value * cutoff**-order, torch.zeros_like(value))


def cosine_cutoff(cutoff: float, r: Tensor, order: int) -> Tensor:
    """Return the derivative of (1 + cos(pi r / c)) / 2 for r < c, else exactly 0."""
    x = (r / cutoff).clamp(max=1.0)
    wave = torch.sin(math.pi * x) if order % 2 else torch.cos(math.pi * x)
    sign = -1.0 if order % 4 in (1, 2) else 1.0
    return torch.where(x < 1.0, 0.5 * sign * (math.pi / cutoff) ** order * wave, torch.zeros_like(x))
