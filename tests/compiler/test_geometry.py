"""Functions of a displacement: against fusion's numpy definitions, and their derivatives where they are delicate."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from fusion.harmonics import harmonics, solid_harmonics
from fusion_compiler import geometry

POINTS = torch.tensor(np.random.default_rng(0).normal(size=(6, 3)))


@pytest.mark.parametrize("l_max", [0, 1, 2, 5, 9])
def test_harmonics_equal_the_definition(l_max: int) -> None:
    for normalization in ("component", "norm", "integral"):
        expected = harmonics(l_max, POINTS.numpy(), normalization)
        assert np.abs(geometry.harmonics(l_max, POINTS, normalization).numpy() - expected).max() < 1e-13
    assert (
        np.abs(geometry.solid_harmonics(l_max, POINTS).numpy() - solid_harmonics(l_max, POINTS.numpy())).max() < 1e-11
    )


@pytest.mark.parametrize("r", [1e-9, 1e-3, 0.0158, 0.017, 0.5, 2.0, 4.999])
def test_bessel_is_accurate_near_zero(r: float) -> None:
    found = geometry.bessel(4, 5.0, torch.tensor([r], dtype=torch.float64))
    expected = np.sqrt(2 / 5.0) * np.sin(np.arange(1, 5) * np.pi * r / 5.0) / r
    assert np.abs(found.numpy() / expected - 1).max() < 1e-12


@pytest.mark.parametrize(
    "function",
    [
        lambda r: geometry.bessel(3, 2.0, r),
        lambda r: geometry.polynomial_cutoff(2.0, 5, r),
        lambda r: geometry.gaussian(3, 2.0, r),
        lambda r: geometry.cosine_cutoff(2.0, r),
    ],
)
def test_radial_derivatives(function: Callable[[torch.Tensor], torch.Tensor]) -> None:
    r = torch.tensor([[1e-4], [0.02], [0.7], [1.9]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(function, (r,))
    assert gradgradcheck(function, (r,))


def test_everything_is_finite_at_zero() -> None:
    vector = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    for value in (
        geometry.harmonics(3, vector, "component"),
        geometry.length(vector),
        geometry.bessel(4, 5.0, geometry.length(vector)),
    ):
        (first,) = torch.autograd.grad(value.sum(), vector, create_graph=True)
        assert torch.isfinite(value).all()
        assert torch.isfinite(first).all()
        if first.requires_grad:
            (second,) = torch.autograd.grad(first.sum(), vector, allow_unused=True)
            assert second is None or torch.isfinite(second).all()


def test_the_cutoff_vanishes_with_two_derivatives() -> None:
    r = torch.tensor([2.0 - 1e-5, 2.0, 2.5], dtype=torch.float64, requires_grad=True)
    value = geometry.polynomial_cutoff(2.0, 5, r)
    (first,) = torch.autograd.grad(value.sum(), r, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), r)
    assert value[1:].abs().max() == 0
    assert value[0].abs() < 1e-12
    assert first.abs().max() < 1e-8
    assert second.abs().max() < 2e-3


def test_the_cosine_cutoff_vanishes_with_its_derivative() -> None:
    r = torch.tensor([2.0 - 1e-5, 2.0, 2.5], dtype=torch.float64, requires_grad=True)
    value = geometry.cosine_cutoff(2.0, r)
    (first,) = torch.autograd.grad(value.sum(), r, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), r)
    assert value[1:].abs().max() == 0
    assert value[0].item() == pytest.approx((math.pi * 1e-5 / 4) ** 2, rel=1e-9)  # (pi (c - r) / (2 c))^2 close to c
    assert first[0].item() == pytest.approx(-((math.pi / 4) ** 2) * 2e-5, rel=1e-9)
    assert first[1:].abs().max() == 0
    assert second[0].item() == pytest.approx((math.pi / 2) ** 2 / 2, rel=1e-9)
    assert second[1:].abs().max() == 0
