"""Functions of a displacement: their derivatives against high-precision arithmetic, and where they are delicate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from mpmath import mp as mpmath

from compiler.derivatives.derived import Problem, written
from fusion_compiler import geometry, radial
from fusion_compiler import program as ops
from fusion_compiler.derivatives import gradient, vjp
from fusion_compiler.derivatives.tables import harmonics_gradient
from fusion_compiler.program import Shape
from fusion_compiler.writer import Writer

CUTOFF, P = 5.0, 6
LENGTHS = (0.0, 1e-9, 1e-3, 0.05, 0.31, 0.7, 1.9, 3.3, 4.4, 4.999, 5.0, 5.5, 30.0)
X = torch.tensor(np.random.default_rng(0).normal(size=(6, 3)))


def _polynomial(x: Any) -> Any:
    return (
        1
        - mpmath.mpf((P + 1) * (P + 2)) / 2 * x**P
        + P * (P + 2) * x ** (P + 1)
        - mpmath.mpf(P * (P + 1)) / 2 * x ** (P + 2)
    )


def _exact(name: str, number: int, order: int, r: float) -> float:
    """Return a derivative as the coefficient of a Taylor series, in 60 digits; of a Bessel function by its series."""
    x = mpmath.mpf(r)
    if name == "bessel":
        wave = number * mpmath.pi / 5
        terms = (
            (-1) ** j * wave ** (2 * j) * mpmath.ff(2 * j, order) / mpmath.factorial(2 * j + 1) * x ** (2 * j - order)
            for j in range((order + 1) // 2, 160)
        )
        return float(mpmath.sqrt(mpmath.mpf(2) / 5) * wave * mpmath.fsum(terms))
    if name == "gaussian":
        width = mpmath.mpf(5) / 3
        t = (x - (number - 1) * width) / width
        hermite = mpmath.hermite(order, t / mpmath.sqrt(2)) / mpmath.sqrt(2) ** order
        return float((-1 / width) ** order * hermite * mpmath.exp(-t * t / 2))
    if x >= 5:
        return 0.0
    function = _polynomial if name == "cutoff" else lambda y: (1 + mpmath.cos(mpmath.pi * y)) / 2
    return float(mpmath.diff(lambda y: function(y / 5), x, order, relative=False, h=mpmath.mpf(10) ** -25))


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    ("name", "count", "lengths"),
    [("bessel", 4, (CUTOFF,)), ("gaussian", 4, (CUTOFF,)), ("cutoff", 1, (CUTOFF, P)), ("cosine_cutoff", 1, (CUTOFF,))],
)
def test_radial_derivatives_are_exact(name: str, count: int, lengths: tuple[float, ...], order: int) -> None:
    """Each relative to its largest value over all lengths, but no digit is lost near zero."""
    r = torch.tensor(LENGTHS, dtype=torch.float64)[:, None]
    found = radial.derivative(name, order, count, lengths, r).reshape(len(LENGTHS), count).numpy()
    with mpmath.workdps(120):
        exact = np.array([[_exact(name, n, order, x) for n in range(1, count + 1)] for x in LENGTHS])
    assert np.all(np.abs(found - exact) <= 2e-13 * np.abs(exact).max(axis=0))


def test_harmonics_gradient_equals_autograd() -> None:
    degrees = np.repeat(np.arange(6), 2 * np.arange(6) + 1)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda v: geometry.solid_harmonics(5, v[None])[0]))(X).numpy()
    lower = geometry.solid_harmonics(4, X).numpy()
    for normalization, scale in (("norm", None), ("component", 1.0), ("integral", math.sqrt(4 * math.pi))):
        factors = np.ones(36) if scale is None else np.sqrt(2 * degrees + 1) / scale
        found = np.einsum("abj,nb->naj", harmonics_gradient(5, normalization), lower)
        expected = jacobian * factors[:, None]
        assert np.abs(found - expected).max() < 1e-13 * np.abs(expected).max()


def of_displacement(
    name: str, count: int, lengths: tuple[float, ...], axes: tuple[int, ...], *lead: int, normalization: str = ""
) -> Problem:
    writer = Writer()
    d = writer.add_input("d", Shape("edge", (*lead, 3)))
    out = writer.add(ops.Geometry("", d, name, count, lengths, normalization), Shape("edge", (*lead, *axes)))
    return written(writer, {"out": out}, {"edge": 4})


KINDS = {
    "harmonics": ("harmonics", 4, (), (25,)),
    "harmonics of degree zero": ("harmonics", 0, (), (1,)),
    "solid harmonics": ("solid_harmonics", 4, (), (25,)),
    "solid harmonics of degree zero": ("solid_harmonics", 0, (), (1,)),
    "length": ("length", 1, (), (1,)),
    "direction": ("direction", 0, (), (3,)),
    "inverse length": ("inverse_length", 0, (), (1,)),
    "bessel": ("bessel", 3, (5.0,), (3, 1)),
    "gaussian": ("gaussian", 3, (5.0,), (3, 1)),
    "cutoff": ("cutoff", 1, (5.0, 2.0), (1,)),
    "cosine cutoff": ("cosine_cutoff", 1, (5.0,), (1,)),
}


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("name", KINDS)
def test_derivatives_of_displacements(name: str, lead: tuple[int, ...]) -> None:
    function, count, lengths, axes = KINDS[name]
    for normalization in ("component", "norm", "integral") if function == "harmonics" else ("",):
        for emitter in ("interpret", "source"):
            found = of_displacement(function, count, lengths, axes, *lead, normalization=normalization)
            assert max(found.errors(3, emitter)) < 1e-12


@pytest.mark.parametrize("name", KINDS)
def test_zero_displacements_and_those_beyond_the_cutoff(name: str) -> None:
    """The direction of no displacement is zero, with zero derivatives, as in the functions themselves."""
    function, count, lengths, axes = KINDS[name]
    found = of_displacement(
        function, count, lengths, axes, normalization="component" if function == "harmonics" else ""
    )
    found.tensors["d"] = torch.tensor([[0.0, 0, 0], [3, 4, 0], [20, -30, 7]], dtype=torch.float64)
    found.rows["edge"] = 3
    assert max(found.errors(2, "source")) < 1e-12
    found.tensors["d"] = torch.zeros(3, 3, dtype=torch.float64)
    if name not in ("solid harmonics",):
        forces = gradient(found.program, "out", ["d"])
        twice = vjp(forces, ["d"], ["out/d"])
        given = {"d": found.tensors["d"], "~out/d": torch.ones(3, 3, dtype=torch.float64)}
        assert torch.all(found.run(forces, given)["out/d"] == 0)
        assert torch.all(found.run(twice, given)["d"] == 0)
