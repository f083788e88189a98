"""Representation matrices (float64): homomorphism, orthogonality, action on harmonics, parity."""

from __future__ import annotations

from math import cos, sin

import numpy as np
import pytest

from fusion.errors import FusionError, LimitError
from fusion.harmonics import harmonics
from fusion.irreps import Irrep, Irreps
from fusion.symbols import MAX_L
from fusion.wigner import random_o3, random_rotation, representation, wigner_d

TOLERANCE = {degree: 1e-13 if degree <= 8 else 3e-13 for degree in range(MAX_L + 1)}


@pytest.mark.parametrize("degree", range(MAX_L + 1))
def test_acts_on_harmonics(degree: int) -> None:
    rng = np.random.default_rng(degree)
    points = rng.standard_normal((30, 3))
    rotation = random_rotation(rng)
    matrix = wigner_d(degree, rotation)
    before = harmonics(degree, points, "norm")[:, degree * degree :]
    after = harmonics(degree, points @ rotation.T, "norm")[:, degree * degree :]
    np.testing.assert_allclose(after, before @ matrix.T, rtol=0, atol=TOLERANCE[degree])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(2 * degree + 1), rtol=0, atol=TOLERANCE[degree])


@pytest.mark.parametrize("degree", [0, 1, 2, 5, 8, MAX_L])
def test_homomorphism(degree: int) -> None:
    rng = np.random.default_rng(degree + 100)
    first, second = random_rotation(rng), random_rotation(rng)
    product = wigner_d(degree, first) @ wigner_d(degree, second)
    np.testing.assert_allclose(wigner_d(degree, first @ second), product, rtol=0, atol=TOLERANCE[degree])
    np.testing.assert_allclose(wigner_d(degree, first.T), wigner_d(degree, first).T, rtol=0, atol=TOLERANCE[degree])


def test_rotation_about_the_polar_axis() -> None:
    """About y by the angle t, components (m, -m) rotate by m t; z goes to x."""
    angle, degree = 0.7, 6
    rotation = [[cos(angle), 0, sin(angle)], [0, 1, 0], [-sin(angle), 0, cos(angle)]]
    expected = np.zeros((2 * degree + 1, 2 * degree + 1))
    for m in range(-degree, degree + 1):
        expected[degree + m, degree + m] = cos(m * angle)
        expected[degree - m, degree + m] = sin(m * angle) if m else 1.0
    np.testing.assert_allclose(wigner_d(degree, rotation), expected, rtol=0, atol=1e-14)


def test_low_degrees() -> None:
    rotation = random_rotation(np.random.default_rng(9))
    np.testing.assert_array_equal(wigner_d(0, rotation), [[1.0]])
    np.testing.assert_array_equal(wigner_d(1, rotation), rotation)
    np.testing.assert_allclose(wigner_d(7, np.eye(3)), np.eye(15), rtol=0, atol=1e-14)


def test_batches() -> None:
    rng = np.random.default_rng(10)
    rotations = np.stack([random_rotation(rng) for _ in range(6)]).reshape(2, 3, 3, 3)
    matrices = wigner_d(4, rotations)
    assert matrices.shape == (2, 3, 9, 9)
    np.testing.assert_allclose(matrices[1, 2], wigner_d(4, rotations[1, 2]), rtol=0, atol=1e-15)
    assert representation("0e+1o", np.empty((0, 3, 3))).shape == (0, 4, 4)
    mixed = np.stack([rotations[0, 0], -rotations[0, 0]])
    batch = representation("1o+1e", mixed)
    np.testing.assert_array_equal(batch[1, :3, :3], -batch[0, :3, :3])
    np.testing.assert_array_equal(batch[1, 3:, 3:], batch[0, 3:, 3:])


def test_representation_is_block_diagonal_in_the_given_order() -> None:
    rotation = random_rotation(np.random.default_rng(11))
    matrix = representation("2x1o+0e+2e", rotation)
    expected = np.zeros((12, 12))
    expected[:3, :3] = expected[3:6, 3:6] = rotation
    expected[6, 6] = 1.0
    expected[7:, 7:] = wigner_d(2, rotation)
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(matrix, representation(Irreps.parse("2x1o+0e+2e"), rotation))
    np.testing.assert_array_equal(representation(Irrep(2, 0), rotation), matrix[7:, 7:])
    assert representation(Irreps(()), rotation).shape == (0, 0)


def test_parity() -> None:
    rng = np.random.default_rng(12)
    improper = -random_rotation(rng)
    for degree in range(4):
        proper = wigner_d(degree, -improper)
        np.testing.assert_allclose(representation(Irrep(degree, 1), improper), proper, rtol=0, atol=1e-15)
        np.testing.assert_allclose(representation(Irrep(degree, -1), improper), -proper, rtol=0, atol=1e-15)
    np.testing.assert_allclose(representation("1o", improper), improper, rtol=0, atol=1e-15)
    points = rng.standard_normal((10, 3))
    matrix = representation("0e+1o+2e+3o", improper)
    moved = harmonics(3, points @ improper.T)
    np.testing.assert_allclose(moved, harmonics(3, points) @ matrix.T, rtol=0, atol=1e-13)


def test_random_matrices() -> None:
    rng = np.random.default_rng(13)
    matrices = np.stack([random_o3(rng) for _ in range(400)])
    identity = np.broadcast_to(np.eye(3), matrices.shape)
    np.testing.assert_allclose(matrices @ matrices.swapaxes(-1, -2), identity, rtol=0, atol=1e-14)
    improper = int(np.sum(np.linalg.det(matrices) < 0))
    assert 140 < improper < 260
    rotations = np.stack([random_rotation(rng) for _ in range(400)])
    assert np.all(np.linalg.det(rotations) > 0)
    # Uniform: the mean of every irrep but the scalar vanishes, here to six standard deviations.
    for degree in (1, 2):
        mean = wigner_d(degree, rotations).mean(axis=0)
        assert np.max(np.abs(mean)) < 6 / np.sqrt(400 * (2 * degree + 1))
    np.testing.assert_array_equal(random_o3(np.random.default_rng(1)), random_o3(np.random.default_rng(1)))


def test_single_precision_matrices_pass() -> None:
    rotation = random_rotation(np.random.default_rng(14))
    rounded = wigner_d(4, rotation.astype(np.float32))
    np.testing.assert_allclose(rounded, wigner_d(4, rotation), rtol=0, atol=1e-5)


def test_errors() -> None:
    rotation = random_rotation(np.random.default_rng(15))
    with pytest.raises(FusionError, match="needs a proper rotation; got determinant -1"):
        wigner_d(2, -rotation)
    with pytest.raises(FusionError, match=r"2x1 is of SO\(3\), which has no improper matrices"):
        representation("2x1", -rotation)
    with pytest.raises(FusionError, match=r"not orthogonal: \|R\^T R - 1\| is 3"):
        wigner_d(1, 2 * np.eye(3))
    with pytest.raises(
        FusionError, match=r"need real matrices of shape \(\.\.\., 3, 3\); got float64 of shape \(2, 2\)"
    ):
        wigner_d(1, np.eye(2))
    with pytest.raises(FusionError, match="must be finite"):
        representation("1o", np.full((3, 3), np.nan))
    with pytest.raises(LimitError, match="degree 17 is above the limit of 16"):
        wigner_d(17, rotation)
    with pytest.raises(FusionError, match="a degree must be an integer >= 0"):
        wigner_d(-1, rotation)
