"""The selection rules against characters: how often an irrep occurs in a product is an integral over the group."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fusion.errors import FusionError
from fusion.irreps import Irrep
from fusion.limits import MAX_L
from fusion.rules import coupled, exchange_odd, violation
from fusion.symbols import exchange_sign

L = range(5)
ALL = [Irrep(l, p) for l in L for p in (1, -1)]


def occurrences(l1: int, l2: int, l3: int) -> int:
    """Integrate chi_1 chi_2 chi_3 over SO(3): (2 / pi) int_0^pi sin^2(w / 2) ... dw, exactly, by a fine trapezoid."""
    angle = (np.arange(4096) + 0.5) * np.pi / 4096
    characters = [np.sin((2 * l + 1) * angle / 2) / np.sin(angle / 2) for l in (l1, l2, l3)]
    value = 2 * np.mean(np.sin(angle / 2) ** 2 * np.prod(characters, axis=0))
    assert abs(value - round(value)) < 1e-10
    return round(value)


@pytest.mark.parametrize(("l1", "l2"), list(itertools.product(L, L)))
def test_triangle_rule_is_the_product_of_characters(l1: int, l2: int) -> None:
    found = coupled(Irrep(l1, 0), Irrep(l2, 0))
    assert [irrep.l for irrep in found] == [l for l in range(9) if occurrences(l1, l2, l)]
    assert sum(irrep.dim for irrep in found) == (2 * l1 + 1) * (2 * l2 + 1)
    assert all(irrep.p == 0 for irrep in found)


def test_one_function_allows_what_the_other_lists() -> None:
    for left, right, out in itertools.product(ALL, ALL, ALL):
        assert (violation(left, right, out) is None) == (out in coupled(left, right))
        assert all(irrep.p == left.p * right.p for irrep in coupled(left, right))


def test_degrees_stop_at_the_limit() -> None:
    assert coupled(Irrep(10, 1), Irrep(9, 1))[-1] == Irrep(MAX_L, 1)


@pytest.mark.parametrize(
    ("left", "right", "out", "message"),
    [
        ("1o", "1o", "1o", "fails parity: o x o = e, asked o"),
        ("1o", "1o", "3e", "fails triangle: 0 <= l <= 2, asked 3"),
        ("2e", "4o", "1e", "fails triangle: 2 <= l <= 6, asked 1; fails parity: e x o = o, asked e"),
        ("1", "2", "0", "fails triangle: 1 <= l <= 3, asked 0"),
        ("1o", "2", "1o", "mixes groups: 1o is of O(3), 2 of SO(3), 1o of O(3)"),
    ],
)
def test_reasons_give_the_numbers(left: str, right: str, out: str, message: str) -> None:
    assert violation(Irrep.parse(left), Irrep.parse(right), Irrep.parse(out)) == message


def test_groups_do_not_couple() -> None:
    with pytest.raises(FusionError, match=r"1o of O\(3\) and 2 of SO\(3\) cannot be coupled"):
        coupled(Irrep(1, -1), Irrep(2, 0))


def test_exchange_odd_is_the_sign_of_the_symbol() -> None:
    for left, right in itertools.product(ALL, ALL):
        for out in coupled(left, right):
            assert exchange_odd(left, right, out) == (exchange_sign(left.l, right.l, out.l) == -1)
