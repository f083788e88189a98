"""The pass ``contract``: what it plans, what it does not do when switched off, and how large its tables are."""

from __future__ import annotations

import random

import pytest
import torch

import fusion_compiler
from compiler.groups import random_group
from compiler.running import case
from fusion import Diagram, Wire, leg
from fusion_compiler import search
from fusion_compiler.passes.contract import contract, contract_as_declared
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.prune import prune


def four_legs(channels: int) -> Wire:
    """Every coupling of four distinct legs with l <= 3 to 2e."""
    a, b, c, d = (leg(name, "0e+1o+2e+3o", channels=channels) for name in "abcd")
    return (a @ b @ c @ d)["2e"]


def test_switched_off_nothing_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("searched")

    search.best_order.cache_clear()
    monkeypatch.setattr(search, "_Search", fail)
    monkeypatch.setattr(search, "dense_order", fail)
    product = leg("x0", "0e+1o")
    for number in range(1, 7):
        product = (product @ leg(f"x{number}", "0e+1o"))["0e+1o"]
    expansion = prune(expand(Diagram.of(product)))
    (found,) = contract_as_declared(expansion).contractions
    assert found.order.strategy == "declared"
    assert len(found.operands) == 13
    with pytest.raises(AssertionError, match="searched"):
        contract(expansion)


def test_many_operands_are_compared_with_the_declared_order() -> None:
    product = leg("x0", "0e+1o", channels=4)
    for number in range(1, 7):
        product = (product @ leg(f"x{number}", "0e+1o"))["0e+1o"]
    (found,) = contract(prune(expand(Diagram.of(product)))).contractions
    assert found.order.strategy in ("dp", "declared")
    assert found.flops <= found.declared_flops
    assert case(product, rows=(2,)).error() < 1e-12


def test_all_720_paths_of_four_legs() -> None:
    """The whole table of the last vertex has 1.8 x 10^8 entries; what is formed is a thousandth of it."""
    expansion = prune(expand(Diagram.of(four_legs(4))))
    assert sum(len(group.terms) for group in expansion.groups) == 720
    (plan,) = contract(expansion).contractions
    assert max(table.size for table in plan.tables.values()) > 10**8
    program = fusion_compiler.compile(four_legs(4), dtype=torch.float64).program
    assert sum(table.nbytes for table in program.constants.values()) < 2**20
    assert plan.flops < 64 * 1_200_000  # 1.5 x 10^9 a row with whole tables


def test_all_720_paths_have_the_dense_value() -> None:
    assert case(four_legs(1), rows=(1,)).error() < 1e-12


def test_orders_do_not_change_values() -> None:
    rng = random.Random(5)
    for _ in range(12):
        assert case(random_group(rng, rng.randint(3, 4)), rows=(2,)).error() < 1e-12
