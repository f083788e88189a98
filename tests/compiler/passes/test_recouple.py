"""recouple: the cheapest shape of the trees behind a weighted sum, for the same function."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fusion_compiler
from compiler.passes.measured import error_of, plain_error_of
from fusion import Wire, leg
from fusion.diagram import Diagram, Mix, walk_nodes
from fusion.trees import FusionTree, Shape, shapes
from fusion_compiler.arithmetic import arithmetic
from fusion_compiler.passes.mixes import moved
from fusion_compiler.passes.recouple import _cost, fused_sum, recouple, recoupled_sum
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.passes.symmetrise import symmetrise
from fusion_compiler.passes.worth import program_cost, program_of
from fusion_compiler.polynomial.nodes import Couple, Weigh
from fusion_compiler.polynomial.reshape import Group, best_shapes, group_cost, groups_of, neighbours
from fusion_compiler.polynomial.weighted import weighted_of

LETTERS = "abcde"


def in_shape(shape: Shape, legs: list[Wire]) -> Wire:
    """Return the fuses of a shape, complete."""
    return legs[shape] if isinstance(shape, int) else in_shape(shape[0], legs) @ in_shape(shape[1], legs)


def weighted(shape: Shape, irreps: list[str], total: str, pattern: str = "u->u") -> Mix:
    legs: list[Wire] = [leg(name, item, channels=2, on="atom") for name, item in zip(LETTERS, irreps, strict=False)]
    return in_shape(shape, legs)[total].mix(pattern, name="w")


def group_and_trees(declared: Mix) -> tuple[Group, list[list[FusionTree]]]:
    found = weighted_of(declared)
    assert found is not None
    ((group, trees),) = groups_of(found).items()
    return group, trees


def test_four_legs_in_a_comb_become_balanced() -> None:
    """``style_anchors`` 5.4: four legs 0e+1o+2e+3o to 0e; a balanced tree costs less than the comb."""
    declared = weighted((((0, 1), 2), 3), ["0e+1o+2e+3o"] * 4, "0e")
    found = recouple(Diagram.of(declared))
    before, after = (arithmetic(program_of(diagram))["atom"] for diagram in (Diagram.of(declared), found))
    assert after < before / 1.5
    group, trees = group_and_trees(declared)
    assert best_shapes(group, trees, weights_first=True)[0] == ((0, 1), (2, 3))
    assert error_of(declared, found, 0) < 1e-12


@pytest.mark.parametrize(
    ("irreps", "total"),
    [
        (["0e+1o"] * 4, "0e"),
        (["0e+1o"] * 4, "1o"),
        (["0e+1o+2e", "1o", "0e+1o", "2e"], "0e"),
        (["1o", "2e"] * 2, "2e"),
        (["1o"] * 5, "1o"),
        (["1o", "2e", "1o", "1o", "1o"], "0e"),
    ],
)
@pytest.mark.parametrize("pattern", ["u->u", "u->v"])
def test_the_chosen_shape_is_the_best_of_all(irreps: list[str], total: str, pattern: str) -> None:
    comb: Shape = 0
    for place in range(1, len(irreps)):
        comb = (comb, place)
    declared = weighted(comb, irreps, total, pattern)
    found = weighted_of(declared)
    assert found is not None
    costs = {}
    for shape in shapes(len(irreps)):
        other = weighted_of(weighted(shape, irreps, total, pattern))
        assert other is not None
        ((group, trees),) = groups_of(other).items()
        costs[shape] = group_cost(group, trees, group.shape, weights_first=found.diagonal)
    group, trees = group_and_trees(declared)
    chosen = best_shapes(group, trees, weights_first=found.diagonal)[0]
    assert group_cost(group, trees, chosen, weights_first=found.diagonal) == min(costs.values())


def test_weights_are_transformed_exactly() -> None:
    for shape, total in itertools.product((((0, 1), (2, 3)), (0, (1, (2, 3)))), ("0e", "1o", "2e")):
        declared = weighted(shape, ["0e+1o", "1o+2e", "0e+1o", "1o"], total)
        found = rewritten(Diagram.of(declared), recoupled_sum, always=True)
        assert error_of(declared, found, 1) < 1e-12
        assert plain_error_of(declared, found, 2) < 1e-12


def test_capped_inner_lines_lose_nothing() -> None:
    legs = [leg(name, "0e+1o+2e", channels=2, on="atom") for name in "abcd"]
    capped = ((((legs[0] @ legs[1])["0e+1o"]) @ legs[2])["0e+1o"] @ legs[3])["0e"].mix("u->u", name="w")
    found = rewritten(Diagram.of(capped), recoupled_sum, always=True)
    assert error_of(capped, found, 3) < 1e-12


def test_more_than_five_legs_move_while_that_gains() -> None:
    names = "abcdef"
    product: Wire = leg("a", "1o", channels=2, on="atom")
    for name in names[1:]:
        product = product @ leg(name, "1o", channels=2, on="atom")
    declared = product["0e"].mix("u->u", name="w")
    group, trees = group_and_trees(declared)
    chosen = best_shapes(group, trees, weights_first=True)[0]
    least = group_cost(group, trees, chosen, weights_first=True)
    assert least < group_cost(group, trees, group.shape, weights_first=True)
    for shape in neighbours(chosen):
        assert group_cost(group, trees, shape, weights_first=True) >= least
    assert error_of(declared, recouple(Diagram.of(declared)), 4) < 1e-12


def test_labels_that_would_be_too_large_leave_the_shape_alone() -> None:
    wires = [leg(name, "9e", channels=2, on="atom") for name in "abc"]
    for x, y, z in (wires, [wires[0]] * 3):
        declared = ((x @ y)["0e"] @ z)["9e"].mix("u->u", name="w")
        assert error_of(declared, recouple(symmetrise(Diagram.of(declared))), 0) < 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_random_products_keep_their_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = "abc"[: int(rng.integers(1, 4))]
    pool = [leg(name, str(rng.choice(["0e+1o", "1o+2e", "2x0e+1e", "1o"])), channels=2, on="atom") for name in names]
    parts: list[Wire] = [pool[int(rng.integers(len(pool)))] for _ in range(int(rng.integers(3, 5)))]
    while len(parts) > 1:
        first, second = (parts.pop(int(rng.integers(len(parts)))) for _ in range(2))
        parts.append(first @ second)
    declared = parts[0].mix(str(rng.choice(["u->u", "u->v"])), name="w")
    found = rewritten(Diagram.of(declared), recoupled_sum, always=True)
    assert error_of(declared, found, seed) < 1e-12
    assert error_of(declared, rewritten(found, moved, always=True), seed) < 1e-12


@pytest.mark.parametrize("pattern", ["u->u", "u->v"])
@pytest.mark.parametrize(
    ("irreps", "total"),
    [(["0e+1o", "0e+2e", "0e+1o+2e", "0e+1o+2e"], "2e"), (["0e+1o", "1o", "1o+2e"], "1o"), (["0e+1o"] * 4, "0e")],
)
def test_every_declared_shape_ends_near_the_cheapest(irreps: list[str], total: str, pattern: str) -> None:
    """By the cost of programs, contraction and moved weights included, against every shape compiled as declared."""

    def cost(shape: Shape, *without: str) -> float:
        legs: list[Wire] = [
            leg(name, item, channels=32, on="atom") for name, item in zip(LETTERS, irreps, strict=False)
        ]
        program = fusion_compiler.compile(in_shape(shape, legs)[total].mix(pattern, name="w"), without=without).program
        return program_cost(program, program)

    every = list(shapes(len(irreps)))
    least = min(cost(shape, "recouple") for shape in every)
    for shape in every[:: max(1, len(every) // 4)]:
        assert cost(shape) <= 1.15 * least


@pytest.mark.parametrize("pattern", ["u->u", "u->v"])
@pytest.mark.parametrize("irreps", [["0e+1o", "1o", "1o+2e"], ["0e+1o", "0e+2e", "1o", "0e+1o"]])
def test_the_program_of_the_chosen_shape_costs_least_of_all(irreps: list[str], pattern: str) -> None:
    comb: Shape = 0
    for place in range(1, len(irreps)):
        comb = (comb, place)
    declared = weighted(comb, irreps, "1o", pattern)
    found, node = weighted_of(declared), recoupled_sum(declared)
    assert found is not None and isinstance(node, Weigh)
    ((group, _),) = groups_of(found).items()
    chosen = weighted_of(node)
    assert chosen is not None
    costs = [_cost(found, {}, group, shape) for shape in shapes(len(irreps))]
    ((own, _),) = groups_of(chosen).items()
    assert _cost(chosen, {}, own, own.shape) == min(costs)


def test_trees_become_fuses_where_these_are_contracted_together() -> None:
    """A comb of distinct legs that mixes channels: reshaped, and left to the contraction."""
    a, d = leg("a", "0e+1o", channels=32, on="atom"), leg("d", "0e+2e", channels=32, on="atom")
    b, c = (leg(name, "0e+1o+2e", channels=32, on="atom") for name in "bc")
    declared = (a @ d @ c @ b)["2e"].mix("u->v", name="w")
    found = recouple(Diagram.of(declared))
    kinds = [node.kind for node in walk_nodes(found)]
    assert "fuse" in kinds and "couple" not in kinds
    assert error_of(declared, found, 0, (2,)) < 1e-12 and plain_error_of(declared, found, 1) < 1e-12


@pytest.mark.parametrize("seed", range(8))
def test_fuses_have_the_values_of_vertices_that_list_their_couplings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = [leg(name, str(rng.choice(["0e+1o", "1o+2e", "2x0e+1e", "1o"])), channels=2, on="atom") for name in "ab"]
    parts: list[Wire] = [pool[int(rng.integers(2))] for _ in range(3)]
    declared = (parts[0] @ parts[1] @ parts[2]).mix(str(rng.choice(["u->u", "u->v"])), name="w")
    listed = rewritten(Diagram.of(declared), recoupled_sum, always=True)
    found = rewritten(listed, fused_sum, always=True)
    assert not any(isinstance(node, Couple) for node in walk_nodes(found))
    assert error_of(declared, found, seed) < 1e-12 and plain_error_of(declared, found, seed) < 1e-12
