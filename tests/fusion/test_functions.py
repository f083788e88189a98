"""The registry of functions: closed under differentiation, and every registered derivative is the derivative."""

from __future__ import annotations

import numpy as np
import pytest

from fusion.functions import ACROSS, ELEMENTWISE, derivative_value

POINTS = np.array([0.13, 0.5, 1.0, 2.7, 6.0])
SIGNED = {"sigmoid", "silu", "tanh", "exp", "softplus", "sin", "cos", "reciprocal"}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_derivative_is_the_derivative(name: str) -> None:
    function = ELEMENTWISE[name]
    points = np.concatenate([-POINTS, POINTS]) if name in SIGNED else POINTS
    step = 2e-4
    shifts = [function.value(points + k * step) for k in (-2, -1, 1, 2)]
    expected = (shifts[0] - 8 * shifts[1] + 8 * shifts[2] - shifts[3]) / (12 * step)
    assert np.allclose(derivative_value(function, points), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivatives_stay_inside_the_registry(name: str) -> None:
    function = ELEMENTWISE[name]
    assert function.name == name
    assert {factor for _, factors in function.derivative for factor in factors} <= {"x", *ELEMENTWISE}
    assert all(np.isfinite(coefficient) for coefficient, _ in function.derivative)


def test_extreme_arguments_give_finite_numbers() -> None:
    far = np.array([-800.0, 800.0])
    assert np.array_equal(ELEMENTWISE["sigmoid"].value(far), [0.0, 1.0])
    assert np.array_equal(ELEMENTWISE["silu"].value(far), [0.0, 800.0])
    assert np.array_equal(ELEMENTWISE["softplus"].value(far), [0.0, 800.0])
    zero = np.zeros(1)
    for name in ("sqrt", "rsqrt"):
        assert np.isfinite(ELEMENTWISE[name].value(zero)).all()
        assert np.isfinite(derivative_value(ELEMENTWISE[name], zero)).all()


def test_the_functions_of_the_design() -> None:
    assert set(ELEMENTWISE) >= {"silu", "tanh", "sigmoid", "exp", "reciprocal", "sqrt"}
    assert set(ACROSS) == {"layer_norm", "softmax"}
