"""Reduced row echelon forms: they depend on the row space alone, and lead back to the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.equality.spans import span


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(0, 6), st.integers(0, 6))
def test_a_basis_belongs_to_the_row_space(seed: int, rows: int, columns: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    rank = min(rank, rows, columns)
    matrix = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))
    other = rng.normal(size=(rows, rows)) @ matrix
    found = span(matrix)
    assert len(found.pivots) == rank
    assert np.allclose(found.change @ found.basis, matrix, rtol=0, atol=1e-9)
    assert abs(np.linalg.det(found.change)) > 1e-12
    if rank and np.linalg.cond(matrix[:, found.pivots]) < 1e4:
        assert np.allclose(span(other).basis, found.basis, rtol=0, atol=1e-6)


def test_signs_and_orders_stay_exact() -> None:
    found = span(np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0]]))
    assert found.basis.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    assert found.change[:, :2].tolist() == [[0.0, -1.0], [1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("shape", [(0, 0), (2, 0)])
def test_nothing_is_a_span(shape: tuple[int, int]) -> None:
    found = span(np.zeros(shape))
    assert found.pivots == ()
    assert found.change.shape == (shape[0], shape[0])
