"""Independent trees: what they span, and what the others are in terms of them."""

from __future__ import annotations

import numpy as np
import pytest

from fusion.symbols import clebsch_gordan
from fusion.trees import FusionTree, enumerate_trees, left_comb, recoupled, shapes
from fusion_compiler.errors import InternalError
from fusion_compiler.polynomial.independent import expressed, independent
from fusion_compiler.polynomial.normal import normal
from fusion_compiler.polynomial.sharing import Sharing, vertex_counts


def value(tree: FusionTree, x: dict[int, np.ndarray]) -> np.ndarray:
    """Return the value of a tree at one vector per leg (component l of it for irrep l)."""
    if tree.left is None or tree.right is None:
        start = tree.irrep.l**2
        return x[tree.leaf][start : start + tree.irrep.dim]
    table = clebsch_gordan(tree.left.irrep.l, tree.right.irrep.l, tree.irrep.l)
    return np.einsum("i,j,ijm->m", value(tree.left, x), value(tree.right, x), table)


def combs(total: str, legs: int, l_max: int = 2, leaf: int | None = 0) -> list[FusionTree]:
    irreps = "+".join(f"{l}{'eo'[l % 2]}" for l in range(l_max + 1))
    found = enumerate_trees(left_comb(legs), [irreps] * legs, total)
    return [tree.renumbered(dict.fromkeys(range(legs), leaf)) for tree in found] if leaf is not None else list(found)


@pytest.mark.parametrize(
    ("total", "legs", "rank"), [("0e", 3, 5), ("1o", 3, 5), ("2e", 3, 6), ("0e", 4, 9), ("1o", 4, 9)]
)
def test_all_trees_are_combinations_of_the_kept_ones(total: str, legs: int, rank: int) -> None:
    trees = combs(total, legs)
    found = independent(trees)
    assert len(found.kept) == rank
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = {0: rng.normal(size=9)}
        kept = np.array([value(tree, x) for tree in found.kept])
        assert np.allclose(found.matrix @ kept, [value(tree, x) for tree in trees], rtol=0, atol=1e-12)


def test_trees_of_distinct_legs_are_all_kept() -> None:
    trees = combs("0e", 3, leaf=None)
    found = independent(trees)
    assert len(found.kept) == len(trees)
    assert np.array_equal(np.sort(np.abs(found.matrix), axis=None)[-len(trees) :], np.ones(len(trees)))


def test_a_pool_is_used_only_where_it_spans_no_more() -> None:
    full = combs("0e", 3)
    capped = [tree for tree in full if all(line.l < 2 for line in tree.inner)]
    alone, helped = independent(capped), independent(capped, full)
    assert len(alone.kept) == len(helped.kept)
    whole = independent(full)
    assert len(whole.kept) > len(alone.kept)


def test_normal_order_has_the_sign_of_the_exchanges() -> None:
    rng = np.random.default_rng(1)
    x = {number: rng.normal(size=9) for number in range(4)}
    for shape in list(shapes(4))[::4]:
        for tree in enumerate_trees(shape, ["1o", "2e", "1o", "1o"], "2o")[:20]:
            turned, sign = normal(tree)
            assert np.allclose(value(tree, x), sign * value(turned, x), rtol=0, atol=1e-12)
            assert normal(turned) == (turned, 1.0)


def test_expressed_is_recoupling_for_distinct_legs() -> None:
    trees = enumerate_trees(left_comb(3), ["1o", "2e", "1o"], "2e")
    basis = enumerate_trees((0, (1, 2)), ["1o", "2e", "1o"], "2e")
    matrix = expressed(trees, basis)
    for tree, row in zip(trees, matrix, strict=True):
        exact = recoupled(tree, (0, (1, 2)))
        assert np.allclose(row, [exact.get(other, 0.0) for other in basis], rtol=0, atol=1e-12)


def test_what_lies_outside_is_refused() -> None:
    trees = enumerate_trees(left_comb(3), ["1o", "1o", "1o"], "1o")
    with pytest.raises(InternalError, match="outside the span"):
        expressed(trees, trees[:1])


@pytest.mark.parametrize("weights_first", [True, False])
def test_what_trees_cost_together_does_not_depend_on_their_order(weights_first: bool) -> None:
    trees = [normal(tree)[0] for tree in combs("0e", 4)]
    totals = {
        Sharing(weights_first=weights_first).total(order) for order in (trees, trees[::-1], trees[1::2] + trees[::2])
    }
    assert len(totals) == 1
    sharing = Sharing(weights_first=weights_first)
    sharing.total(trees[:5])
    before = sharing.cost(trees[7])
    sharing.total(trees[9:12])
    for tree in trees[9:12]:
        sharing.remove(tree)
    assert sharing.cost(trees[7]) == before


def test_products_of_a_pair_are_counted_once() -> None:
    assert vertex_counts(1, 1, (0,), square=False) == (3, 3)
    assert vertex_counts(1, 1, (0, 2), square=True)[0] == 6
    assert vertex_counts(1, 1, (0, 1, 2), square=False)[0] == 9
