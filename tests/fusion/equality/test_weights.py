"""Weight maps: what they do to tensors, the way back, one after the other, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import InputError
from fusion.equality.weights import Tensor, WeightMap, WeightPart

RNG = np.random.default_rng(1)
MATRIX = RNG.normal(size=(3, 3))
SHAPE = (2, 4, 3, 5, 6)
P, Q = Tensor("p", SHAPE, None, 2), Tensor("q", (2, 4, 3, 6, 5), None, 2)
PART = WeightPart(P, Q, (1.0, -1.0, -1.0, 1.0), MATRIX, (0, 1, 2, 4, 3))


def test_signs_matrix_and_axes() -> None:
    given = RNG.normal(size=SHAPE)
    wanted = np.einsum("zqpuv,q,pr->zqrvu", given, np.array(PART.signs), MATRIX)
    assert np.allclose(PART(given), wanted, rtol=0, atol=1e-14)


def test_without_paths_out() -> None:
    part = WeightPart(Tensor("p", (3, 5), None, 0), Tensor("q", (3, 5), None, 0), (-1.0,), MATRIX, (0, 1))
    given = RNG.normal(size=(3, 5))
    assert np.allclose(part(given), -MATRIX.T @ given, rtol=0, atol=1e-14)


def test_the_way_back() -> None:
    given = RNG.normal(size=SHAPE)
    assert np.allclose(PART.inverse()(PART(given)), given, rtol=0, atol=1e-12)
    assert (PART.inverse().source, PART.inverse().target) == (Q, P)


def test_one_after_the_other() -> None:
    end = Tensor("r", SHAPE, None, 2)
    second = WeightPart(Q, end, (-1.0, -1.0, 1.0, 1.0), RNG.normal(size=(3, 3)), (0, 1, 2, 4, 3))
    given = RNG.normal(size=SHAPE)
    both = WeightMap((PART,)).then(WeightMap((second,)))
    assert np.allclose(both({"p": given})["r"], second(PART(given)), rtol=0, atol=1e-12)


def test_paths_by_themselves() -> None:
    one = np.eye(1)
    parts = tuple(
        WeightPart(Tensor("p", (2, 3, 5), path, 2), Tensor("q", (2, 3, 5), 2 - path, 2), (-1.0,), 2 * one, (0, 1, 2, 3))
        for path in range(3)
    )
    given = RNG.normal(size=(2, 3, 5))
    assert np.allclose(WeightMap(parts)({"p": given})["q"], -2 * given[:, ::-1], rtol=0, atol=1e-14)
    assert str(WeightMap(parts)).splitlines()[0] == "p[0] -> q[2]: recoupled"


def test_what_does_not_fit() -> None:
    with pytest.raises(InputError, match=r"coefficients 'p' need shape \(2, 4, 3, 5, 6\), got \(2, 3\)"):
        WeightMap((PART,))({"p": np.zeros((2, 3))})
    with pytest.raises(InputError, match="coefficients are missing: p"):
        WeightMap((PART,))({})
