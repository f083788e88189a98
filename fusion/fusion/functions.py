"""The closed registry of smooth functions of invariants, each with its derivative inside the registry.

An elementwise function's derivative is a polynomial in registered functions of the same argument: a sum of
``(coefficient, (name, name, ...))`` terms, where ``"x"`` is the argument itself. The set is closed, so derivatives of
any order stay inside it. Functions across channels or rows are defined by elementwise ones and sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GUARD = 1e-12
"""Added under the square root by ``sqrt`` and ``rsqrt``, so that their derivatives at zero are finite."""
LAYER_NORM_EPSILON = 1e-5
"""Added to the variance by ``layer_norm``."""


@dataclass(frozen=True, slots=True)
class Function:
    """An elementwise function: its value in numpy, and its derivative as a polynomial in registered functions.

    With ``positive`` it is constant for negative arguments, and the derivative is that for x >= 0.
    """

    name: str
    formula: str
    value: Callable[[Array], Array]
    derivative: tuple[tuple[float, tuple[str, ...]], ...]
    positive: bool = False


def _sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -x))  # small relative error on both sides, where tanh would cancel


_ELEMENTWISE = (
    Function("sigmoid", "1 / (1 + exp(-x))", _sigmoid, ((1.0, ("sigmoid",)), (-1.0, ("sigmoid", "sigmoid")))),
    Function(
        "silu",
        "x * sigmoid(x)",
        lambda x: x * _sigmoid(x),
        ((1.0, ("sigmoid",)), (1.0, ("x", "sigmoid")), (-1.0, ("x", "sigmoid", "sigmoid"))),
    ),
    Function("tanh", "tanh(x)", np.tanh, ((1.0, ()), (-1.0, ("tanh", "tanh")))),
    Function("exp", "exp(x)", np.exp, ((1.0, ("exp",)),)),
    Function("softplus", "log(1 + exp(x))", lambda x: np.logaddexp(x, 0.0), ((1.0, ("sigmoid",)),)),
    Function("sin", "sin(x)", np.sin, ((1.0, ("cos",)),)),
    Function("cos", "cos(x)", np.cos, ((-1.0, ("sin",)),)),
    Function("reciprocal", "1 / x", lambda x: 1.0 / x, ((-1.0, ("reciprocal", "reciprocal")),)),
    Function(
        "sqrt",
        f"sqrt(x + {GUARD:g}) for x >= 0",
        lambda x: np.sqrt(np.maximum(x, 0.0) + GUARD),
        ((0.5, ("rsqrt",)),),
        positive=True,
    ),
    Function(
        "rsqrt",
        f"1 / sqrt(x + {GUARD:g}) for x >= 0",
        lambda x: 1.0 / np.sqrt(np.maximum(x, 0.0) + GUARD),
        ((-0.5, ("rsqrt", "rsqrt", "rsqrt")),),
        positive=True,
    ),
)

ELEMENTWISE: dict[str, Function] = {function.name: function for function in _ELEMENTWISE}
"""Functions of one number."""

ACROSS: dict[str, str] = {
    "layer_norm": f"(x - mean) * rsqrt(var + {LAYER_NORM_EPSILON:g}), mean and variance over all channels of a path",
    "softmax": "exp(x) / sum of exp(x) over the rows with the same image under the map",
}
"""Functions of several channels (``layer_norm``) or rows (``softmax``), with their definition."""


def derivative_value(function: Function, x: Array) -> Array:
    """Evaluate the registered derivative of ``function`` at ``x``."""
    total = np.zeros_like(x)
    for coefficient, factors in function.derivative:
        term = np.full_like(x, coefficient)
        for factor in factors:
            term = term * (x if factor == "x" else ELEMENTWISE[factor].value(x))
        total = total + term
    return total
