"""The order of a contraction, against all orders, on random groups of fuses; and the trap of a chain of fuses."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import product

import pytest
from opt_einsum.paths import greedy

from compiler.groups import random_group
from fusion import Diagram, Wire, leg
from fusion_compiler.contraction import Order, arranged, order_of, order_of_steps, pair_flops
from fusion_compiler.cost import totals
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune
from fusion_compiler.plan import ContractionPlan, Plan, operand_keys
from fusion_compiler.search import Planned, Problem, best_order, declared_order
from fusion_compiler.steps import Dense, order_flops, step_flops
from fusion_compiler.tables import Coupling, Table


def planned(wire: Wire) -> Plan:
    return contract(prune(expand(Diagram.of(wire))))


Tree = int | tuple["Tree", "Tree"]


def all_trees(operands: tuple[int, ...]) -> Iterator[Tree]:
    """Yield every way to contract some operands pair by pair."""
    if len(operands) == 1:
        yield operands[0]
        return
    first, *rest = operands
    for chosen in range(2 ** len(rest) - 1):
        one = (first, *(operand for number, operand in enumerate(rest) if chosen >> number & 1))
        two = tuple(operand for operand in operands if operand not in one)
        yield from product(all_trees(one), all_trees(two))


def random_tree(rng: random.Random, operands: int) -> Tree:
    """Draw one way to contract some operands."""
    parts: list[Tree] = list(range(operands))
    while len(parts) > 1:
        rng.shuffle(parts)
        parts.append((parts.pop(), parts.pop()))
    return parts[0]


def schedules(tree: Tree, made: int) -> Iterator[tuple[list[tuple[int, int]], int]]:
    """Yield pairs of positions that do a tree, each with the position of the result; ``made`` values exist before.

    Where two parts are products, either may come last, next to the step that takes both.
    """
    if isinstance(tree, int):
        yield [], tree
        return
    for first, second in (tree, tree[::-1]) if not any(isinstance(part, int) for part in tree) else (tree,):
        for pairs, one in schedules(first, made):
            for more, two in schedules(second, made + len(pairs)):
                done = [*pairs, *more, (one, two)]
                yield done, made + len(done) - 1


def least(plan: ContractionPlan, trees: Iterable[Tree]) -> int:
    """Return what the cheapest of some trees costs as it is carried out."""
    letters, keys = [operand.letters for operand in plan.operands], operand_keys(plan.operands)
    orders = (
        order_of_steps(letters, plan.result, pairs, "any")
        for tree in trees
        for pairs, _ in schedules(tree, len(letters))
    )
    return min(order_flops(letters, keys, plan.tables, order.pairs, dict(plan.sizes)) for order in orders)


@pytest.mark.parametrize(("legs", "groups"), [(2, 60), (3, 200), (4, 5)])
def test_no_order_is_cheaper(legs: int, groups: int) -> None:
    """3, 5 and 7 operands: the order that is taken costs as much as the cheapest of all of them."""
    rng = random.Random(legs)
    for _ in range(groups):
        for plan in planned(random_group(rng, legs)).contractions:
            assert plan.flops <= plan.declared_flops
            assert plan.flops == least(plan, all_trees(tuple(range(len(plan.operands))))), plan.equation()


def test_no_drawn_order_of_nine_operands_is_cheaper() -> None:
    rng = random.Random(5)
    for _ in range(3):
        for plan in planned(random_group(rng, 5)).contractions:
            assert plan.flops <= plan.declared_flops
            count = len(plan.operands)
            assert plan.flops <= least(plan, (random_tree(rng, count) for _ in range(300))), plan.equation()


def test_plans_count_the_operations_of_their_programs() -> None:
    rng = random.Random(17)
    for _ in range(25):
        plan = planned(random_group(rng, rng.randint(2, 4)))
        assert totals(lower(plan), {"atom": 64}).flops == sum(p.flops for p in plan.contractions)
        for part in plan.contractions:
            letters = [operand.letters for operand in part.operands]
            total = 0
            for step in part.steps():
                total += step_flops(step, letters, dict(part.sizes))
                letters.append(step.pair.result)
                if not isinstance(step, Dense):
                    letters.append(step.follow.result)
            assert total == part.flops


def chain(steps: int) -> Problem:
    """A chain of fuses of l = 3 with 64 channels as one contraction: ``steps + 1`` legs and ``steps`` tables."""
    names = iter("ABCDEFGHIJKLMOPQRSTUVWXYZ")
    value = next(names)
    letters, declared, tables = [f"Nc{value}"], list[tuple[int, int]](), list[tuple[int, Table]]()
    table = Table((7, 7, 7), (Coupling(0, 0, 0, (3, 3, 3)),))
    count, last = 2 * steps + 1, 0
    for step in range(steps):
        own, out = next(names), next(names)
        letters += [f"Nc{own}", f"{value}{own}{out}"]
        tables.append((2 * step + 2, table))
        declared += [(last, 2 * step + 1), (count + 2 * step, 2 * step + 2)]
        last, value = count + 2 * step + 1, out
    sizes = {"N": 64, "c": 64, **{letter: 7 for own in letters for letter in own if letter.isupper() and letter != "N"}}
    return Problem(
        tuple(letters), f"Nc{value}", tuple(sorted(sizes.items())), tuple(tables), tuple(range(count)), tuple(declared)
    )


def dense_flops(problem: Problem, order: Order) -> int:
    """Return the operations of an order with every operand dense."""
    letters = list(problem.letters)
    total = 0
    for pair in order.pairs:
        total += pair_flops(letters[pair.left], letters[pair.right], pair.result, dict(problem.sizes))
        letters.append(pair.result)
    return total


def test_a_chain_of_twelve_fuses_does_not_fall_into_the_trap() -> None:
    """A greedy order of these 25 operands costs 1e16 operations for 64 rows and the declared one 3.6e7."""
    problem = chain(12)
    assert len(problem.letters) == 25
    path = greedy([frozenset(own) for own in problem.letters], frozenset(problem.result), dict(problem.sizes))
    trap = order_of(problem.letters, problem.result, [(step[0], step[1]) for step in path], "greedy")
    each = 64 * 64 * 12 * (7**2 + 2 * 7**3)  # all products of components, then the whole table
    assert dense_flops(problem, declared_order(problem).order) == each
    assert dense_flops(problem, trap) > 10**8 * each
    found = best_order(problem)
    assert found.flops <= found.declared_flops <= each


def test_the_least_example_of_the_trap() -> None:
    """Three legs that share a batch of 1000 x 64: the order in which the published example has to be contracted."""
    problem = chain(2)
    found = best_order(problem)
    sizes = dict(problem.sizes)
    assert dense_flops(problem, found.order) == 2 * sizes["N"] * 64 * (7**2 + 2 * 7**3)


def test_equal_shapes_are_planned_once() -> None:
    best_order.cache_clear()
    a, b, c, d = (leg(name, "0e+1o+2e", channels=4) for name in "abcd")
    planned(a @ b)
    assert best_order.cache_info().misses == 1
    planned(c @ d)
    assert best_order.cache_info().misses == 1
    assert best_order.cache_info().hits == 1
    planned(c @ c)  # a square is another problem
    assert best_order.cache_info().misses == 2


def test_letters_stand_in_one_order() -> None:
    assert arranged("BaNb", ("NabB", "NbC", "BCA"), "NbaA") == "NbaB"
    assert arranged("ABN", ("NabB", "NbC", "BCA"), "NbaA") == "NBA"
    assert arranged("MKdc", ("NcA", "NdB", "ABKM"), "NM") == "cdKM"


def test_two_operands_have_one_order() -> None:
    problem = Problem(("NaA", "ab"), "NbA", (("A", 3), ("N", 64), ("a", 2), ("b", 4)), (), (0, 1), ((0, 1),))
    assert best_order(problem) == Planned(declared_order(problem).order, 64 * 3 * 8 * 2, 64 * 3 * 8 * 2)
