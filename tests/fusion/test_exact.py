"""Exact values through sympy, and the integer arithmetic of :mod:`fusion.symbols` against them."""

from __future__ import annotations

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
