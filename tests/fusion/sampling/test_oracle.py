"""The judge's couplings are those of angular momentum, and its verdicts on small diagrams are known by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fusion import parse
from fusion.sampling.oracle import judge
from fusion.sampling.oracle.couplings import coupling, products, raising, turned
from fusion.sampling.oracle.values import Refused, product


def test_couplings_exist_by_triangle_and_parity() -> None:
    labels = [(l, p) for l in range(5) for p in (1, -1)]
    for a in labels:
        for b in labels:
            expected = [(l, a[1] * b[1]) for l in range(abs(a[0] - b[0]), a[0] + b[0] + 1)]
            assert sorted(products(a, b)) == sorted(expected)
    assert products((2, 0), (1, 0)) == ((1, 0), (2, 0), (3, 0))
    assert coupling((1, 0), (1, 1), (0, 1)) is None


@pytest.mark.parametrize("labels", [(1, 1, 1), (2, 1, 3), (4, 3, 2), (6, 6, 12)])
def test_couplings_are_orthonormal_and_exchange_with_a_sign(labels: tuple[int, int, int]) -> None:
    a, b, c = labels
    table = coupling((a, 1), (b, 1), (c, 1))
    assert table is not None
    assert np.allclose(np.einsum("abm,abn->mn", table, table), np.eye(2 * c + 1), atol=1e-10)
    other = coupling((b, 1), (a, 1), (c, 1))
    assert other is not None
    if a == b:
        assert np.allclose(other.transpose(1, 0, 2), (-1) ** (a + b + c) * table, atol=1e-10)


def test_the_fixed_element_is_represented_unitarily() -> None:
    for degree in range(5):
        matrix = turned((degree, 1))
        assert np.allclose(matrix @ matrix.conj().T, np.eye(2 * degree + 1), atol=1e-12)
        assert np.allclose(turned((degree, -1)), -matrix)
        assert np.allclose(
            raising(degree) @ raising(degree).T - raising(degree).T @ raising(degree),
            2 * np.diag(np.arange(-degree, degree + 1.0)),
        )  # [J+, J-] = 2 Jz


def test_products_are_strict_about_sizes() -> None:
    one = np.ones((1, 2), dtype=np.complex128)
    with pytest.raises(Refused, match="axis u is 1 and 3"):
        product(["u"], (one, "uv"), (np.ones(3, dtype=np.complex128), "u"))
    with pytest.raises(Refused, match="has no size"):
        product(["w"], (one, "uv"))


LEGS = "leg v: 1o, u=2, on atom; leg w: 1o, u=2, on atom; leg s: 0e, u=2, on atom; leg e: 1o, u=2, on edge; "


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("(v @ w)[0e+1e]", ""),
        ("(v @ w)[1o]", "nothing couples to 1o"),
        ("(v @ w)[3e]", "nothing couples to 3e"),
        ("(v @ w).paths(1o*1o->1o)", "no coupling 1o x 1o -> 1o"),
        ("(v @ w).on(u,uv->u)", "3 names|names for"),
        ("v @ e", "rows .* meet"),
        ("v + e", "rows .* meet"),
        ("v.pull(reverse)", "shape|mismatch"),
        ("v.map(silu)", "does not transform"),
        ("v.scale(w)", "does not transform|numbers for"),
        ("s.map(silu).softmax(system)", ""),
        ("v.harmonics(2, norm)", "without channels"),
        ("v.power(2, basis=reduced)[1e]", "no term is left"),
        ("v[2o]", "not there"),
        ("v.select(1o: 1)", "out of bounds"),
        ("v.select(1o: -1)", "numbered from 0"),
        ("network[fuse a b > c; a=1o b=1o c=1o](a=v, b=w)", "no coupling 1o 1o 1o"),
        ("v.split(3)", "2 in 3 parts"),
        ("v.shuffle(0 0)", "not a permutation"),
    ],
)
def test_verdicts(text: str, refused: str) -> None:
    verdict = judge(parse(LEGS + text))
    assert verdict.legal == (not refused)
    if refused:
        (reason,) = verdict.refused.values()
        assert re.search(refused, reason), reason


def test_zero_terms() -> None:
    assert set().union(*judge(parse(LEGS + "(v @ v)[0e+1e]")).zeros.terms.values()) == {"1o x 1o -> 1e"}
    assert not judge(parse(LEGS + "(v @ w)[0e+1e]")).zeros.terms
    assert not judge(parse(LEGS + "(v @ v).on(u,v->uv)[1e]")).zeros.terms
    assert list(judge(parse("leg x: 1o, on atom; x.power(3)")).zeros.combs.values()) == [(4, 7)]
    assert list(judge(parse("leg x: 0e+1o, on atom; x.power(2, basis=reduced)[0e+1e]")).zeros.absent.values()) == [
        {"1e"}
    ]


def test_what_is_behind_a_refused_node_is_not_judged() -> None:
    verdict = judge(parse(LEGS + "(v @ w)[1o].map(silu).split(7)"))
    assert len(verdict.refused) == 1
    assert len(verdict.unjudged) == 2
