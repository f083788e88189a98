"""Networks of scalars keep magnitudes and vanish with their input."""

from __future__ import annotations

import numpy as np

from fusion import check, evaluate, leg, parameters
from fusion_models.architectures.networks import SILU_SCALE, network


def test_the_scale_gives_silu_a_unit_second_moment() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    second_moment = weights @ (nodes / (1 + np.exp(-nodes))) ** 2 / np.sqrt(2 * np.pi)
    assert abs(SILU_SCALE**2 * second_moment - 1) < 1e-10


def test_values_stay_of_order_one_and_zero_stays_zero() -> None:
    wire = network(leg("x", "0e", channels=16, on="edge"), (128, 128), u=32, paths=2, name="net")
    assert not check(wire)
    assert str(wire.space) == "2x0e [u=32] on edge"
    random = np.random.default_rng(0)
    weights = {p.name: random.normal(size=p.shape) for p in parameters(wire)}
    assert list(weights) == ["net_1_0e", "net_2_0e", "net_3_0e"]
    x = random.normal(size=(1000, 16, 1))
    x[-1] = 0.0
    value = evaluate(wire, {"x": x}, weights)["out"].value
    assert abs((value[:-1] ** 2).mean() - 1) < 0.2
    assert not value[-1].any()
