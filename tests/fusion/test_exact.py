"""Exact values through sympy, and the integer arithmetic of :mod:`fusion.symbols` against them."""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from fusion import exact, symbols
from fusion.errors import FusionError, LimitError

LARGE = [
    (16, 16, 16, 16, 16, 16),
    (15, 16, 14, 16, 13, 16),
    (16, 16, 2, 14, 15, 16),
    (32, 16, 16, 16, 32, 16),
    (9, 12, 16, 11, 7, 10),
]


def test_sixj_exactly_equal_to_sympy() -> None:
    checked = 0
    for j in itertools.product(range(5), repeat=6):
        triads = ((j[0], j[1], j[2]), (j[0], j[4], j[5]), (j[3], j[1], j[5]), (j[3], j[4], j[2]))
        if not all(abs(a - b) <= c <= a + b for a, b, c in triads):
            continue
        checked += 1
        if checked % 29 == 0:
            assert exact.signed_root(*symbols.sixj_exact(*j)) == exact.sixj(*j)
    assert checked > 2000


@pytest.mark.parametrize("labels", LARGE)
def test_large_sixj_exactly_equal_to_sympy(labels: tuple[int, int, int, int, int, int]) -> None:
    expected = exact.sixj(*labels)
    assert exact.signed_root(*symbols.sixj_exact(*labels)) == expected
    assert symbols.sixj(*labels) == pytest.approx(float(expected), rel=1e-15, abs=0)


@pytest.mark.parametrize(
    "labels",
    [
        (16, 16, 16, 16, 16, 16, 16, 16, 16),
        (16, 16, 16, 16, 16, 16, 16, 16, 2),
        (16, 15, 14, 13, 16, 12, 9, 11, 16),
        (16, 16, 32, 16, 16, 32, 32, 32, 32),
        (16, 9, 11, 7, 16, 10, 12, 8, 16),
    ],
)
def test_large_ninej_exactly_equal_to_sympy(labels: tuple[int, ...]) -> None:
    expected = importlib.import_module("sympy.physics.wigner").wigner_9j(*labels)
    j1, j2, j3, j4, j5, j6, j7, j8, j9 = labels
    assert exact.signed_root(*symbols.ninej_exact(j1, j2, j3, j4, j5, j6, j7, j8, j9)) == expected
    value = symbols.ninej(j1, j2, j3, j4, j5, j6, j7, j8, j9)
    assert value == pytest.approx(float(expected), rel=1e-15, abs=0)


@pytest.mark.parametrize("legs", [(16, 16, 16, 16), (16, 9, 12, 3), (16, 16, 16, 0)])
def test_entries_of_large_f_matrices(legs: tuple[int, int, int, int]) -> None:
    """I2 of ``nbody_cormorant_fusion`` 1.4, with the 6j symbol of sympy."""
    rows, columns, matrix = symbols.f_matrix(*legs)
    l1, l2, l3, total = legs
    places = np.random.default_rng(sum(legs)).integers(len(rows), size=(6, 2)).tolist()
    for i, k in places:
        a, b = rows[i], columns[k]
        weight = (-1) ** sum(legs) * np.sqrt((2 * a + 1) * (2 * b + 1))
        expected = weight * float(exact.sixj(l1, l2, a, l3, total, b))
        assert matrix[i, k] == pytest.approx(expected, rel=1e-14, abs=0)


def test_collapse_constants() -> None:
    """The constants of I10 in the real basis, entries (0, 0, 0) of the vertex: |C^{l0}_{l1 0 l2 0}| of sympy."""
    wigner = importlib.import_module("sympy.physics.wigner")
    labels = [t for t in itertools.product(range(5), repeat=3) if abs(t[0] - t[1]) <= t[2] <= t[0] + t[1]]
    for l1, l2, l3 in [*labels, (16, 16, 16), (16, 15, 13)]:
        expected = abs(float(wigner.clebsch_gordan(l1, l2, l3, 0, 0, 0)))
        assert symbols.clebsch_gordan(l1, l2, l3)[l1, l2, l3] == pytest.approx(expected, rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("l1", "l2", "l3"),
    [(0, 0, 0), (1, 1, 0), (1, 1, 1), (1, 1, 2), (2, 1, 2), (2, 2, 2), (3, 2, 2), (2, 3, 4)],
)
def test_every_entry_of_small_tables(l1: int, l2: int, l3: int) -> None:
    vertex, symbol = symbols.clebsch_gordan(l1, l2, l3), symbols.wigner_3j(l1, l2, l3)
    for i, j, k in np.ndindex(vertex.shape):
        place = (i - l1, j - l2, k - l3)
        value = exact.clebsch_gordan(l1, l2, l3, *place)
        assert value.is_real
        assert vertex[i, j, k] == pytest.approx(float(value), rel=1e-15, abs=0)
        if value != 0:
            other = exact.wigner_3j(l1, l2, l3, *place)
            assert symbol[i, j, k] == pytest.approx(float(other), rel=1e-15, abs=0)


@pytest.mark.parametrize(("l1", "l2", "l3"), [(16, 16, 16), (16, 15, 14), (7, 16, 12), (16, 3, 15), (10, 16, 16)])
def test_a_sample_of_large_entries(l1: int, l2: int, l3: int) -> None:
    rng = np.random.default_rng(l1 + 17 * l2 + 289 * l3)
    vertex = symbols.clebsch_gordan(l1, l2, l3)
    places = np.argwhere(vertex)
    for i, j, k in places[rng.integers(len(places), size=8)].tolist():
        value = exact.clebsch_gordan(l1, l2, l3, i - l1, j - l2, k - l3)
        assert vertex[i, j, k] == pytest.approx(float(value.evalf(30)), rel=1e-15, abs=0)


def test_printing() -> None:
    assert str(exact.sixj(2, 2, 2, 1, 1, 1)) == "sqrt(21)/30"
    assert str(exact.clebsch_gordan(1, 1, 1, 1, -1, 0)) == "sqrt(2)/2"
    assert str(exact.wigner_3j(1, 1, 0, 1, 1, 0)) == "sqrt(3)/3"
    assert exact.root_text(-1, Fraction(1, 3)) == "-sqrt(3)/3"
    assert exact.root_text(1, Fraction(9, 4900)) == "3/70"
    assert exact.root_text(0, Fraction(0)) == "0"
    assert exact.root_text(*symbols.sixj_exact(3, 2, 1, 2, 1, 2)) == "sqrt(21)/105"
    assert exact.root_text(*symbols.ninej_exact(1, 1, 1, 1, 1, 1, 1, 1, 0)) == "1/18"
    assert exact.root_text(*symbols.ninej_exact(1, 1, 2, 1, 1, 1, 2, 1, 1)) == "-1/45"


def test_errors() -> None:
    with pytest.raises(FusionError, match="breaks the triangle rule"):
        exact.sixj(1, 1, 3, 1, 1, 1)
    with pytest.raises(FusionError, match="breaks the triangle rule"):
        exact.clebsch_gordan(1, 1, 3, 0, 0, 0)
    with pytest.raises(FusionError, match="component m = 2 of degree 1: need -1 <= m <= 1"):
        exact.wigner_3j(1, 1, 1, 0, 2, 0)
    with pytest.raises(LimitError):
        exact.clebsch_gordan(17, 17, 0, 0, 0, 0)
    with pytest.raises(FusionError, match="a root needs"):
        exact.root_text(1, Fraction(-1))
    with pytest.raises(FusionError, match="a root needs"):
        exact.root_text(2, Fraction(1))


def test_sympy_is_imported_lazily() -> None:
    code = "import sys, fusion.exact, fusion.symbols, fusion.harmonics, fusion.wigner; print('sympy' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # pytest's paths, in a plain checkout too
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "False"
