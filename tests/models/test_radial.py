"""The radial network keeps magnitudes, vanishes with its input, and depends on its generator only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fusion.errors import InputError
from fusion_models.radial import SILU_SCALE, RadialMLP


def test_the_scale_gives_silu_a_unit_second_moment() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    second_moment = weights @ (nodes / (1 + np.exp(-nodes))) ** 2 / np.sqrt(2 * np.pi)
    assert abs(SILU_SCALE**2 * second_moment - 1) < 1e-10


def test_values_stay_of_order_one() -> None:
    network = RadialMLP((16, 128, 128, 64), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.randn(2000, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert abs(float(network(x).detach().square().mean()) - 1) < 0.2


def test_zero_gives_zero() -> None:
    assert not RadialMLP((3, 5, 2))(torch.zeros(4, 3)).any()
    assert RadialMLP((3, 5, 2))(torch.zeros(0, 3)).shape == (0, 2)


def test_the_generator_decides() -> None:
    first, second = (RadialMLP((3, 5, 2), generator=torch.Generator().manual_seed(7)) for _ in range(2))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("widths", [(), (3,), (3, 0), (-1, 2)])
def test_wrong_widths_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="widths must be"):
        RadialMLP(widths)
