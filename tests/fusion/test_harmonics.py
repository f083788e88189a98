"""Harmonics: against e3nn, explicit polynomials, and the identities that tie them to the vertices (float64)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from math import comb, pi, sqrt
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.errors import FusionError, LimitError
from fusion.harmonics import Normalization, harmonics, solid_harmonics
from fusion.symbols import MAX_L, clebsch_gordan

Array = NDArray[np.float64]


def block(degree: int) -> slice:
    return slice(degree * degree, (degree + 1) ** 2)


@pytest.fixture
def points() -> Array:
    return np.random.default_rng(3).standard_normal((20, 3))


@pytest.fixture
def e3nn_o3() -> Iterator[Any]:
    import torch

    before = torch.get_default_dtype()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from e3nn import o3

        torch.set_default_dtype(torch.float64)
        yield o3
    torch.set_default_dtype(before)


@pytest.mark.parametrize("normalization", get_args(Normalization))
def test_equals_e3nn(e3nn_o3: Any, points: Array, normalization: Normalization) -> None:
    import torch

    tensor = torch.from_numpy(points)
    expected = e3nn_o3.spherical_harmonics(list(range(9)), tensor, normalize=True, normalization=normalization)
    np.testing.assert_allclose(harmonics(8, points, normalization), expected.numpy(), rtol=0, atol=1e-13)
    solid = e3nn_o3.spherical_harmonics(list(range(9)), tensor, normalize=False, normalization="norm").numpy()
    np.testing.assert_allclose(solid_harmonics(8, points), solid, rtol=1e-12, atol=1e-12)


def test_written_out_to_degree_two(points: Array) -> None:
    x, y, z = points.T
    third = sqrt(3)
    expected = [
        np.ones_like(x),
        x,
        y,
        z,
        third * x * z,
        third * x * y,
        y * y - (x * x + z * z) / 2,
        third * y * z,
        third / 2 * (z * z - x * x),
    ]
    np.testing.assert_allclose(solid_harmonics(2, points), np.stack(expected, axis=-1), rtol=0, atol=1e-14)


def test_norms_to_the_largest_degree(points: Array) -> None:
    length = np.linalg.norm(points, axis=-1)
    solid = solid_harmonics(MAX_L, points)
    tables = {name: harmonics(MAX_L, points, name) for name in get_args(Normalization)}
    for degree in range(MAX_L + 1):
        norm = np.linalg.norm(solid[:, block(degree)], axis=-1)
        np.testing.assert_allclose(norm, length**degree, rtol=3e-14, atol=0)
        for name, square in {"component": 2 * degree + 1, "norm": 1, "integral": (2 * degree + 1) / (4 * pi)}.items():
            np.testing.assert_allclose(np.sum(tables[name][:, block(degree)] ** 2, axis=-1), square, rtol=3e-14)


def test_integral_normalization_is_orthonormal_on_the_sphere() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(MAX_L + 1)
    angles = np.arange(2 * MAX_L + 2) * (2 * pi / (2 * MAX_L + 2))
    radius = np.sqrt(1 - nodes**2)[:, None]
    height = np.broadcast_to(nodes[:, None], (len(nodes), len(angles)))
    sphere = np.stack([radius * np.sin(angles), height, radius * np.cos(angles)], axis=-1)
    values = harmonics(MAX_L, sphere, "integral")
    gram = np.einsum("pax,pay,p->xy", values, values, weights, optimize=True) * (2 * pi / len(angles))
    np.testing.assert_allclose(gram, np.eye((MAX_L + 1) ** 2), rtol=0, atol=1e-13)


def test_i10_products_of_harmonics_of_one_vector(points: Array) -> None:
    """[R_l1 (x) R_l2]_l = |C^{l0}_{l1 0 l2 0}| R_l for unit vectors; the m = 0 entry of the vertex is this constant."""
    values = harmonics(MAX_L, points, "norm")
    triples = [(a, b, c) for a in range(5) for b in range(5) for c in range(abs(a - b), a + b + 1)]
    for a, b, c in [*triples, (MAX_L, 1, MAX_L - 1), (9, 7, MAX_L), (MAX_L, MAX_L, MAX_L)]:
        vertex = clebsch_gordan(a, b, c)
        fused = np.einsum("pa,pb,abm->pm", values[:, block(a)], values[:, block(b)], vertex, optimize=True)
        constant = abs(vertex[a, b, c]) if (a + b + c) % 2 == 0 else 0.0
        np.testing.assert_allclose(fused, constant * values[:, block(c)], rtol=0, atol=1e-14)


def test_i11_addition_of_solid_harmonics() -> None:
    a, b = np.random.default_rng(5).standard_normal((2, 3))
    whole, first, second = (solid_harmonics(8, vector) for vector in (a + b, a, b))
    for degree in range(9):
        total = np.zeros(2 * degree + 1)
        size = 0.0
        for k in range(degree + 1):
            rest = degree - k
            vertex = sqrt(comb(2 * degree, 2 * k)) * clebsch_gordan(k, rest, degree)
            total += np.einsum("a,b,abm->m", first[block(k)], second[block(rest)], vertex)
            size += float(np.sum(np.abs(vertex)))
        np.testing.assert_allclose(total, whole[block(degree)], rtol=0, atol=1e-14 * max(1.0, size))


def test_zero_vector() -> None:
    zero = np.zeros((2, 3))
    expected = np.zeros((2, 25))
    expected[:, 0] = 1.0
    np.testing.assert_array_equal(solid_harmonics(4, zero), expected)
    np.testing.assert_array_equal(harmonics(4, zero), expected)
    np.testing.assert_array_equal(harmonics(4, zero, "integral"), expected * sqrt(1 / (4 * pi)))


def test_direction_only() -> None:
    vector = np.array([0.3, -1.2, 0.7])
    expected = harmonics(6, vector)
    for scale in (1e-300, 1e-160, 5.0, 1e160, 1e300):
        np.testing.assert_allclose(harmonics(6, vector * scale), expected, rtol=0, atol=1e-13)
    assert np.isfinite(harmonics(6, [5e-324, 0.0, 0.0])).all()


def test_shapes() -> None:
    assert harmonics(3, np.ones((2, 5, 3))).shape == (2, 5, 16)
    assert harmonics(0, [1, 2, 3]).shape == (1,)
    assert harmonics(2, np.zeros((0, 3))).shape == (0, 9)
    assert harmonics(2, np.ones((4, 3), np.float32)).dtype == np.float64


def test_input_is_not_changed(points: Array) -> None:
    before = points.copy()
    harmonics(3, points)
    solid_harmonics(3, points)
    np.testing.assert_array_equal(points, before)


def test_errors() -> None:
    with pytest.raises(FusionError, match=r"coordinates must have shape \(\.\.\., 3\); got \(2,\)"):
        harmonics(2, [1.0, 2.0])
    with pytest.raises(FusionError, match="must be finite"):
        solid_harmonics(2, [1.0, np.nan, 0.0])
    with pytest.raises(FusionError, match="must be real numbers; got an array of complex128"):
        harmonics(2, np.ones(3) * 1j)
    with pytest.raises(FusionError, match="unknown normalization 'unit'; known: component, norm, integral"):
        harmonics(2, [1.0, 0.0, 0.0], "unit")  # type: ignore[arg-type]
    with pytest.raises(FusionError, match="a degree must be an integer >= 0"):
        harmonics(-1, [1.0, 0.0, 0.0])
    with pytest.raises(LimitError, match="degree 17 is above the limit of 16"):
        solid_harmonics(17, [1.0, 0.0, 0.0])
