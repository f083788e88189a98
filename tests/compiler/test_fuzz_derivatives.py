"""The derivatives that gradients are measured against: written-out functions, and the dense rules on power series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy

from corpus import DIAGRAMS
from fusion import Diagram, Wire, evaluate, leg, parse
from fusion.sampling import Inputs, random_tensors
from fusion_compiler.fuzz import univariate
from fusion_compiler.fuzz.forward import NotSmooth, taylor
from fusion_compiler.fuzz.series import Array

X = sympy.Symbol("x")
GUARD = sympy.Rational(1, 10**12)
LOGISTIC = 1 / (1 + sympy.exp(-X))
FORMULAS = {
    "sigmoid": LOGISTIC,
    "silu": X * LOGISTIC,
    "tanh": sympy.tanh(X),
    "exp": sympy.exp(X),
    "softplus": sympy.log(1 + sympy.exp(X)),
    "sin": sympy.sin(X),
    "cos": sympy.cos(X),
    "reciprocal": 1 / X,
    "sqrt": sympy.sqrt(X + GUARD),
    "rsqrt": 1 / sympy.sqrt(X + GUARD),
}
POINTS = (0.004, 0.3, 1.1, 2.7)


def _check(pairs: univariate.Pairs, formula: sympy.Expr, points: tuple[float, ...]) -> None:
    for order, (value, magnitude) in enumerate(pairs):
        derivative = sympy.diff(formula, X, order)
        exact = [float(derivative.subs(X, sympy.Rational(str(point))).evalf(40)) for point in points]
        assert np.all(magnitude >= np.abs(value) * (1 - 1e-15))
        assert np.max(np.abs(value.reshape(len(points)) - exact) / magnitude.reshape(len(points))) < 1e-13


@pytest.mark.parametrize("name", FORMULAS)
def test_functions_of_one_number_have_their_derivatives(name: str) -> None:
    points = POINTS if name in ("reciprocal", "sqrt", "rsqrt") else (*POINTS, -0.8, -3.1)
    _check(univariate.ELEMENTWISE[name](np.array(points)), FORMULAS[name], points)


def test_every_registered_function_is_written_out() -> None:
    from fusion.functions import ELEMENTWISE

    assert set(univariate.ELEMENTWISE) == set(ELEMENTWISE) == set(FORMULAS)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_radial_functions_have_their_derivatives(number: int) -> None:
    r, cutoff = np.array(POINTS), sympy.Rational(5, 2)
    wave = number * sympy.pi / cutoff
    inside = (0.004, 0.3, 1.1, 2.4)
    found = univariate.bessel(r[:, None, None], 3, 2.5)
    _check(
        [(v[:, number - 1, 0], m[:, number - 1, 0]) for v, m in found],
        sympy.sqrt(2 / cutoff) * sympy.sin(wave * X) / X,
        POINTS,
    )
    found = univariate.gaussian(r[:, None, None], 3, 2.5)
    width = cutoff / 2
    bell = sympy.exp(-(((X - (number - 1) * width) / width) ** 2) / 2)
    _check([(v[:, number - 1, 0], m[:, number - 1, 0]) for v, m in found], bell, POINTS)
    p, x = number + 2, X / cutoff
    formula = 1 - sympy.Rational((p + 1) * (p + 2), 2) * x**p + p * (p + 2) * x ** (p + 1)
    formula -= sympy.Rational(p * (p + 1), 2) * x ** (p + 2)
    _check(univariate.polynomial_cutoff(np.array(inside), 2.5, p), formula, inside)
    _check(univariate.cosine_cutoff(np.array(inside), 2.5), (1 + sympy.cos(sympy.pi * x)) / 2, inside)


@pytest.mark.parametrize(
    "cut", [univariate.cosine_cutoff, lambda r, cutoff: univariate.polynomial_cutoff(r, cutoff, 3)]
)
def test_nothing_is_left_beyond_a_cutoff(cut: Callable[[Array, float], univariate.Pairs]) -> None:
    assert all(float(part[0]) == 0.0 for pair in cut(np.array([2.6]), 2.5) for part in pair)


def _moved(inputs: Inputs, direction: Inputs, t: float) -> Inputs:
    slopes = direction.tensors
    floats = {
        name: x.astype(np.float64) + t * slopes[name].astype(np.float64)
        for name, x in inputs.tensors.items()
        if name in slopes
    }
    parameters = {name: x + t * direction.parameters[name] for name, x in inputs.parameters.items()}
    return Inputs({**inputs.tensors, **floats}, parameters, inputs.sizes)


STEP = 2e-3
FIRST = {-3: -1 / 60, -2: 9 / 60, -1: -45 / 60, 1: 45 / 60, 2: -9 / 60, 3: 1 / 60}
SECOND = {-3: 2 / 180, -2: -27 / 180, -1: 270 / 180, 0: -490 / 180, 1: 270 / 180, 2: -27 / 180, 3: 2 / 180}
"""Central differences of sixth order."""


@pytest.mark.parametrize("name", sorted(DIAGRAMS))
def test_series_of_the_corpus_are_those_of_the_definition(name: str) -> None:
    """The value to rounding, derivatives to what differences can tell."""
    diagram, rng = DIAGRAMS[name], np.random.default_rng(1)
    inputs = random_tensors(diagram, rng, (2,))
    direction = Inputs(
        {key: rng.normal(size=x.shape) for key, x in inputs.tensors.items() if x.dtype.kind == "f"},
        {key: rng.normal(size=x.shape) * 0.5 for key, x in inputs.parameters.items()},
    )
    if name == "nbody_gate_order_2":  # a neighbour stands at no distance from itself
        with pytest.raises(NotSmooth):
            taylor(diagram, inputs, direction)
        return
    series = taylor(diagram, inputs, direction)
    points = {k: _evaluated(diagram, _moved(inputs, direction, k * STEP)) for k in range(-3, 4)}
    for out, item in series.items():
        value, magnitude = points[0][out]
        scale = np.maximum(magnitude, 1e-300)
        assert np.all(np.abs(item.value[0] - value) <= 1e-13 * scale)
        for order, stencil, tolerance in ((1, FIRST, 1e-8), (2, SECOND, 1e-6)):
            difference = sum(weight * points[k][out][0] for k, weight in stencil.items()) / STEP**order
            found = item.value[order] * order
            assert np.all(np.abs(found - difference) <= tolerance * np.maximum(item.magnitude[order], scale))


def _evaluated(diagram: Wire | Diagram, inputs: Inputs) -> dict[str, tuple[Array, Array]]:
    found = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    return {name: (item.value, item.magnitude) for name, item in found.items()}


def test_a_wire_that_enters_twice_is_differentiated_twice() -> None:
    """|v|^2 along u: 2 <v, u> and, at t^2, |u|^2."""
    v = leg("v", "1o")
    diagram = 3**0.5 * (v @ v)["0e"]
    x, u = np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, -1.0, 2.0]])
    (found,) = taylor(diagram, Inputs({"v": x}), Inputs({"v": u})).values()
    sign = np.sign(found.value[0, 0, 0])
    assert sign * found.value[:, 0, 0] == pytest.approx([14.0, 9.0, 5.25], rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "leg d: 1o, on edge; add(1.0 * d, -1.0 * d).length()",
        "leg d: 1o, on edge; add(1.0 * d, -1.0 * d).harmonics(2, norm)",
        "leg a: 0e, on atom; add(1.0 * a, -1.0 * a).map(sqrt)",
    ],
)
def test_points_without_derivatives_are_refused(text: str) -> None:
    diagram = parse(text)
    inputs = random_tensors(diagram, np.random.default_rng(0), (2,))
    with pytest.raises(NotSmooth):
        taylor(diagram, inputs, Inputs())


def test_the_zero_vector_has_solid_harmonics() -> None:
    diagram = leg("d", "1o", on="edge").solid_harmonics(2)
    (found,) = taylor(diagram, Inputs({"d": np.zeros((1, 3))}), Inputs({"d": np.array([[0.0, 1.0, 0.0]])})).values()
    assert found.value[1, 0] == pytest.approx([0, 0, 1, 0, 0, 0, 0, 0, 0], abs=1e-15)
    assert found.value[2, 0] == pytest.approx([0, 0, 0, 0, 0, 0, 1, 0, 0], abs=1e-15)
