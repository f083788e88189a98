"""symmetrise: identical legs need only the independent couplings, and the declared weights still mean what they did."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.passes.measured import error_of, plain_error_of
from fusion import Wire, label, leg
from fusion.diagram import Diagram, walk_nodes
from fusion.sampling import random_diagrams
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.passes.symmetrise import symmetrise, symmetrised
from fusion_compiler.polynomial.nodes import Weigh

PARITY = {  # l_max, legs: independent couplings for L = 0, 1, 2, 3 (character counts, natural parity)
    (1, 2): (2, 1, 1, 0),
    (1, 3): (2, 2, 1, 1),
    (2, 2): (3, 2, 3, 1),
    (2, 3): (5, 5, 6, 4),
    (2, 4): (9, 9, 13, 9),
    (3, 2): (4, 3, 5, 3),
    (3, 3): (8, 12, 14, 15),
    (3, 4): (23, 31, 46, 44),
    (4, 3): (14, 21, 29, 31),
}
ROTATIONS = {  # the same for SO(3)
    (1, 2): (2, 1, 1, 0),
    (1, 3): (2, 2, 1, 1),
    (2, 2): (3, 2, 4, 1),
    (2, 3): (5, 6, 8, 6),
    (2, 4): (9, 11, 19, 13),
    (3, 2): (4, 3, 7, 4),
    (3, 3): (8, 16, 21, 23),
    (3, 4): (26, 45, 75, 74),
    (4, 3): (15, 30, 46, 52),
}


def irreps(l_max: int, parity: bool) -> str:
    return "+".join(f"{l}{'eo'[l % 2] if parity else ''}" for l in range(l_max + 1))


def weighted_power(l_max: int, order: int, total: int, *, parity: bool) -> Wire:
    wanted = f"{total}{'eo'[total % 2]}" if parity else str(total)
    base = leg("A", irreps(l_max, parity), channels=2, on="atom")
    return base.power(order, basis="full")[wanted].mix("u->u", name="w")


def weighings(diagram: Diagram) -> list[Weigh]:
    return [node for node in walk_nodes(diagram) if isinstance(node, Weigh)]


@pytest.mark.parametrize(
    ("l_max", "order", "total", "parity", "rank"),
    [
        (l_max, order, total, parity, rank)
        for parity, table in ((True, PARITY), (False, ROTATIONS))
        for (l_max, order), ranks in table.items()
        for total, rank in enumerate(ranks)
        if rank
    ],
)
def test_ranks_equal_the_character_counts(l_max: int, order: int, total: int, parity: bool, rank: int) -> None:
    found = rewritten(Diagram.of(weighted_power(l_max, order, total, parity=parity)), symmetrised, always=True)
    columns = [column for node in weighings(found) for column in node.columns]
    kept = sum(len(column.rows) for column in columns)
    declared = weighted_power(l_max, order, total, parity=parity)
    assert kept == rank or (not columns and declared.inputs[0].space.irreps.paths == rank)  # nothing to reduce


@pytest.mark.parametrize("basis", ["full", "reduced"])
@pytest.mark.parametrize("pattern", ["u->u", "u->v"])
def test_declared_weights_enter_exactly(basis: str, pattern: str) -> None:
    base, z = leg("A", "0e+1o+2e", channels=3, on="atom"), label("z", 2, on="atom")
    for per in ((), (z,)):
        declared = base.power(1, 2, 3, basis=basis)["0e+1o"].mix(pattern, per=per, name="w")
        found = rewritten(Diagram.of(declared), symmetrised, always=True)
        assert weighings(found) or basis == "reduced"
        assert error_of(declared, found, 0) < 1e-12
        assert plain_error_of(declared, found, 1) < 1e-12


def test_only_legs_of_one_value_and_the_same_channels_are_identical() -> None:
    a, b = leg("a", "0e+1o", channels=2, on="atom"), leg("b", "0e+1o", channels=2, on="atom")
    different = Diagram.of((a @ b)["0e+1o"].mix("u->u"))
    outer = Diagram.of((a @ a).on("u,v->uv")["0e+1o"].mix("uv->uv"))
    for diagram in (different, outer):
        assert not weighings(symmetrise(diagram))
    same = Diagram.of((a @ leg("c", "0e+1o", channels=2, on="atom", same="a"))["0e+1o"].mix("u->u"))
    found = rewritten(same, symmetrised, always=True)
    assert [len(column.rows) for column in weighings(found)[0].columns] == [2, 1]


def test_several_paths_of_a_leg_are_told_apart() -> None:
    base = leg("A", "2x0e+2x1o", channels=2, on="atom")
    declared = base.power(2, 3, basis="full")["0e+1o"].mix("u->u", paths=2)
    found = symmetrise(Diagram.of(declared))
    assert weighings(found)
    assert error_of(declared, found, 3) < 1e-12


def test_one_path_selected_twice_has_the_sum_of_its_weights() -> None:
    base = leg("a", "1o+2e", channels=2, on="atom")
    twice = base.select({"1o": [0, 0], "2e": [0]})
    declared = (twice @ twice)["0e+2e"].mix("u->u")
    found = rewritten(Diagram.of(declared), symmetrised, always=True)
    assert [len(column.rows) for column in weighings(found)[0].columns] == [2, 2]
    assert error_of(declared, found, 4) < 1e-12


def test_a_weighted_sum_that_is_zero_keeps_its_form() -> None:
    base = leg("A", "1o", channels=2, on="atom")
    declared = (base @ base)["1e"].mix("u->u")
    assert symmetrise(Diagram.of(declared)) == Diagram.of(declared)


def test_random_diagrams_keep_their_values() -> None:
    changed = 0
    for number, diagram in random_diagrams(80, 5):
        found = rewritten(Diagram.of(diagram), symmetrised, always=True)
        if found != Diagram.of(diagram):
            changed += 1
            assert error_of(diagram, found, number) < 1e-12
    assert changed > 1


def test_a_chosen_basis_is_the_same_every_time() -> None:
    base = leg("A", "0e+1o+2e", channels=2, on="atom")
    declared = Diagram.of(base.power(1, 2, 3, basis="full")["0e"].mix("u->u"))
    assert str(symmetrise(declared)) == str(symmetrise(declared))
    matrix = weighings(symmetrise(declared))[0].columns[0].matrix
    assert np.linalg.matrix_rank(matrix) == len(matrix)
