"""Symmetric powers: how many trees there are, how many are independent, and that these span the rest.

Counts are those of ``nbody_cormorant_fusion`` 4.3 (trees by enumeration, independent ones by characters).
"""

from __future__ import annotations

import numpy as np
import pytest

from fusion import LimitError, evaluate, leg
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.powers import combs, independent, power_paths, vanishing

WITH_PARITY = {
    (1, 2): ["2/2", "2/1", "1/1", "0/0"],
    (1, 3): ["4/2", "6/2", "3/1", "1/1"],
    (2, 2): ["3/3", "4/2", "4/3", "2/1"],
    (2, 3): ["11/5", "21/5", "23/6", "16/4"],
    (2, 4): ["55/9", "124/9", "148/13", "124/9"],
    (3, 2): ["4/4", "6/3", "7/5", "6/3"],
    (3, 3): ["23/8", "51/12", "65/14", "65/15"],
    (3, 4): ["204/23", "520/31", "720/46", "768/44"],
    (4, 3): ["42/14", "99/21", "139/29", "155/31"],
}
WITHOUT_PARITY = {
    (1, 2): ["2/2", "3/1", "1/1", "0/0"],
    (1, 3): ["5/2", "9/2", "5/1", "1/1"],
    (2, 2): ["3/3", "6/2", "6/4", "3/1"],
    (2, 3): ["15/5", "36/6", "40/8", "29/6"],
    (2, 4): ["91/9", "232/11", "280/19", "238/13"],
    (3, 2): ["4/4", "9/3", "11/7", "10/4"],
    (3, 3): ["34/8", "90/16", "120/21", "120/23"],
    (4, 3): ["65/15", "180/30", "260/46", "295/52"],
}


def legs(l_max: int, parity: bool) -> Irreps:
    return irreps_of(Irrep(l, (-1) ** l if parity else 0) for l in range(l_max + 1))


def counts(l_max: int, order: int, parity: bool) -> list[str]:
    irreps = legs(l_max, parity)
    outs = [Irrep(l, (-1) ** l if parity else 0) for l in range(4)]
    wanted = irreps_of(outs)
    trees = combs(irreps, order, wanted, None)
    kept = [trees[position] for position in independent(irreps, order, wanted, None)]
    return [f"{sum(t.out == out for t in trees)}/{sum(t.out == out for t in kept)}" for out in outs]


@pytest.mark.parametrize(("key", "expected"), WITH_PARITY.items())
def test_counts_with_parity(key: tuple[int, int], expected: list[str]) -> None:
    assert counts(*key, parity=True) == expected


@pytest.mark.parametrize(("key", "expected"), WITHOUT_PARITY.items())
def test_counts_without_parity(key: tuple[int, int], expected: list[str]) -> None:
    assert counts(*key, parity=False) == expected


@pytest.mark.parametrize(("out", "expected"), [("0e", (1, 4, 23)), ("1o", (1, 6, 51)), ("2e", (1, 7, 65))])
def test_counts_of_a_mace_product(out: str, expected: tuple[int, ...]) -> None:
    parts = power_paths(legs(3, True), (1, 2, 3), Irreps.parse(out), None, "full")
    assert tuple(len(trees) for _, trees, _ in parts) == expected
    assert leg("A", legs(3, True), channels=8).power(1, 2, 3)[out].space.irreps.paths == sum(expected)


def test_inner_lines_of_natural_parity_at_order_four() -> None:
    inner = legs(12, True)
    wanted = Irreps.parse("0e+1o+2e")
    found = combs(legs(3, True), 4, wanted, inner)
    assert [sum(t.out == out for t in found) for out in wanted.kinds()] == [158, 284, 358]
    assert all(line in inner.kinds() for tree in found for line in tree.inner)


def test_a_comb_is_a_chain_of_fuses_in_the_same_order() -> None:
    x = leg("x", "0e+1o+2e", channels=2)
    value = np.random.default_rng(3).normal(size=(2, 2, 9))
    chain = (((x @ x)["0e+1o+1e+2e"]) @ x)["0e+2e"]
    power = x.power(3, inner="0e+1o+1e+2e")["0e+2e"]
    assert power.space == chain.space
    assert evaluate(power, {"x": value})["out"].error(evaluate(chain, {"x": value})["out"].value) < 1e-15


@pytest.mark.parametrize(("text", "order"), [("0e+1o+2e", 3), ("2x1o", 2), ("1+2", 3), ("1o+1e", 4)])
def test_kept_trees_are_independent_and_span_the_rest(text: str, order: int) -> None:
    irreps = Irreps.parse(text)
    x = leg("x", irreps)
    value = np.random.default_rng(5).normal(size=(400, irreps.dim))
    full, reduced = x.power(order), x.power(order, basis="reduced")
    every = evaluate(full, {"x": value})["out"].value
    some = evaluate(reduced, {"x": value})["out"].value
    places = {segment.irrep: segment for segment in reduced.space.segments}
    for segment in full.space.segments:
        whole = every[:, segment.offset : segment.offset + segment.size].reshape(400, segment.paths, -1)
        columns = whole.transpose(0, 2, 1).reshape(-1, segment.paths)
        kept = places.get(segment.irrep)
        if kept is None:
            assert np.abs(columns).max() < 1e-12
            continue
        basis = some[:, kept.offset : kept.offset + kept.size].reshape(400, kept.paths, -1)
        basis = basis.transpose(0, 2, 1).reshape(-1, kept.paths)
        assert np.linalg.matrix_rank(basis, tol=1e-9) == np.linalg.matrix_rank(columns, tol=1e-9) == kept.paths
        rest = columns - basis @ np.linalg.lstsq(basis, columns, rcond=None)[0]
        assert np.abs(rest).max() < 1e-10 * np.abs(columns).max()


@pytest.mark.parametrize(("text", "order"), [("1o", 3), ("0e+1o", 3), ("2x1o", 2), ("1o+1e", 3), ("2e", 4)])
def test_zero_paths_are_those_whose_values_are_zero(text: str, order: int) -> None:
    x = leg("x", text)
    trees = combs(x.space.irreps, order, None, None)
    value = evaluate(x.power(order), {"x": np.random.default_rng(0).normal(size=(3, x.space.dim))})["out"]
    sizes: list[float] = []
    for segment in x.power(order).space.segments:
        part = value.value[:, segment.offset : segment.offset + segment.size]
        sizes += list(np.abs(part.reshape(3, segment.paths, segment.irrep.dim)).max(axis=(0, 2)))
    in_order = sorted(range(len(trees)), key=lambda place: trees[place].out)  # stable: as the wire lists its paths
    zero = {in_order[place] for place, size in enumerate(sizes) if size < 1e-12}
    assert set(vanishing(x.space.irreps, order, None, None)) == zero
    assert zero


def test_order_one_is_the_wire() -> None:
    irreps = Irreps.parse("2x0e+1o")
    assert independent(irreps, 1, None, None) == (0, 1, 2)
    assert [tree.out for tree in combs(irreps, 1, Irreps.parse("1o"), None)] == [Irrep(1, -1)]


def test_orders_stand_side_by_side_as_written() -> None:
    x = leg("x", "0e+1o")
    value = np.array([[2.0, 1.0, 2.0, 3.0]])
    found = evaluate(x.power(2, 1)["0e"], {"x": value})["out"].value[0]
    assert np.allclose(found, [4.0, 14.0 / np.sqrt(3), 2.0])
    assert np.allclose(evaluate(x.power(1, 2)["0e"], {"x": value})["out"].value[0], [2.0, 4.0, 14.0 / np.sqrt(3)])


@pytest.mark.parametrize(
    ("text", "order", "message"),
    [
        ("9o", 2, "reaches l = 18, above 16; restrict the coupled irreps"),
        ("6e", 3, "reaches l = 18, above 16; restrict the coupled irreps"),
        ("0e+1o+2e+3o", 6, "paths; restrict inner lines"),
        ("40x1o", 4, "paths; restrict inner lines"),
    ],
)
def test_limits(text: str, order: int, message: str) -> None:
    with pytest.raises(LimitError, match=message):
        combs(Irreps.parse(text), order, None, None)


def test_inner_lines_above_the_limit_are_not_dropped_in_silence() -> None:
    with pytest.raises(LimitError, match="restrict the inner lines"):
        combs(Irreps.parse("9e"), 3, Irreps.parse("1e"), None)
    assert combs(Irreps.parse("9e"), 3, Irreps.parse("1e"), Irreps.parse("8e+9e"))


def test_a_reduced_basis_that_is_too_large_is_refused() -> None:
    with pytest.raises(LimitError, match=r"the reduced basis of order 4 of .* is too large to compute"):
        independent(Irreps.parse("4x0e+4x1o+4x2e"), 4, Irreps.parse("0e"), None)
