"""fold: tables become one, views are taken once, values stay and no cost rises; each rule against numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from compiler.passes.programs import error_of, program_of, run, written
from corpus import DIAGRAMS
from fusion import Diagram
from fusion.sampling import random_diagrams
from fusion_compiler import program as ops
from fusion_compiler.cost import per_row
from fusion_compiler.derivatives.vjp import gradient
from fusion_compiler.passes.fold import fold
from fusion_compiler.passes.rewriting import representative_totals
from fusion_compiler.program import Program, Shape

RNG = np.random.default_rng(7)
X = Shape("atom", (2, 3))
Values = Mapping[str, np.ndarray]


def opcodes(program: Program) -> list[str]:
    return [item.opcode for item in program.instructions]


def checked(program: Program) -> Program:
    """Return the folded program: the same values, costs that do not rise, and nothing left to fold."""
    folded = fold(program)
    for name, value in run(program).items():
        np.testing.assert_allclose(run(folded)[name], value, rtol=1e-13, atol=1e-13)
    assert all(
        new <= old for new, old in zip(representative_totals(folded), representative_totals(program), strict=True)
    )
    assert fold(folded) is folded
    assert (folded.inputs, folded.coefficients, folded.maps) == (program.inputs, program.coefficients, program.maps)
    return folded


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_corpus_keeps_its_values_and_costs_no_more(name: str) -> None:
    diagram = DIAGRAMS[name]
    program = program_of(diagram)
    folded = fold(program)
    assert error_of(diagram, folded, 3) < 1e-12
    before, after = representative_totals(program), representative_totals(folded)
    assert all(new <= old for new, old in zip(after, before, strict=True))
    assert fold(folded) is folded
    assert str(fold(program)) == str(folded)


@pytest.mark.parametrize("part", range(3))
def test_random_diagrams_keep_their_values(part: int) -> None:
    for number, diagram in random_diagrams(25, 900 + part):
        folded = fold(program_of(diagram))
        assert error_of(diagram, folded, number) < 1e-12, diagram
        assert fold(folded) is folded


@pytest.mark.parametrize("name", [name for name in list(DIAGRAMS)[::4] if name != "network_theta"])
def test_derivatives_keep_their_values_and_cost_no_more(name: str) -> None:
    diagram = Diagram.of(DIAGRAMS[name])
    plain = program_of(diagram)
    wrt = [*(leg for leg, _ in plain.inputs), *(f"${item}" for item in plain.coefficients)]
    program = gradient(plain, plain.outputs[0][0], wrt)
    folded = fold(program)
    before, after = run(program, diagram), run(folded, diagram)
    for value in before:
        scale = max(np.abs(before[value]).max(initial=0.0), 1e-3)
        assert np.abs(after[value] - before[value]).max(initial=0.0) < 1e-11 * scale
    assert all(
        new <= old for new, old in zip(representative_totals(folded), representative_totals(program), strict=True)
    )
    assert fold(folded) is folded


def test_constants_with_constants() -> None:
    a, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5))
    program = written(
        {"x": X},
        {"#0": a, "#1": b},
        (ops.Contract("%0", "#0", "#1", "AB,BC->AC"), Shape("", (3, 5))),
        (ops.Contract("%1", "x", "%0", "NaA,AC->NaC"), Shape("atom", (2, 5))),
    )
    folded = checked(program)
    assert opcodes(folded) == ["contract"]
    np.testing.assert_allclose(folded.constants["#0"], a @ b, rtol=1e-14)


def test_one_row_for_all_is_a_constant() -> None:
    a = RNG.normal(size=(2, 3))
    program = written(
        {"x": X},
        {"#0": a},
        (ops.Expand("%0", "#0"), X),
        (ops.Multiply("%1", "%0", "%0"), X),
        (ops.Combine("%2", ("x", "%1"), (1.0, 2.0)), X),
    )
    folded = checked(program)
    assert opcodes(folded) == ["expand", "combine"]
    np.testing.assert_allclose(folded.constants["#0"] * 1.0, 2.0 * a * a, rtol=1e-15)
    assert per_row(folded)["atom"].flops == 6


def test_a_table_after_a_table_is_one() -> None:
    a, b = RNG.normal(size=(3, 6)), RNG.normal(size=(2, 6))
    program = written(
        {"x": X},
        {"#0": a, "#1": b},
        (ops.Contract("%0", "x", "#0", "NaA,AB->NaB"), Shape("atom", (2, 6))),
        (ops.Contract("%1", "%0", "#1", "NaB,CB->NaC"), Shape("atom", (2, 2))),
    )
    folded = checked(program)
    assert opcodes(folded) == ["contract"]
    np.testing.assert_allclose(folded.constants["#0"], a @ b.T, rtol=1e-14)


def test_a_value_that_others_read_keeps_its_instruction() -> None:
    a, b = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 6))
    program = written(
        {"x": X},
        {"#0": a, "#1": b},
        (ops.Contract("%0", "x", "#0", "NaA,AB->NaB"), Shape("atom", (2, 2))),
        (ops.Contract("%1", "%0", "#1", "NaB,BC->NaC"), Shape("atom", (2, 6))),
        outputs={"small": "%0", "large": "%1"},
    )
    assert fold(program) is program


def test_a_table_that_would_cost_more_stays() -> None:
    a, b = RNG.normal(size=(3, 1)), RNG.normal(size=(1, 6))  # through one number
    program = written(
        {"x": X},
        {"#0": a, "#1": b},
        (ops.Contract("%0", "x", "#0", "NaA,AB->NaB"), Shape("atom", (2, 1))),
        (ops.Contract("%1", "%0", "#1", "NaB,BC->NaC"), Shape("atom", (2, 6))),
    )
    flops = 2 * 2 * 3 * 6
    assert flops > per_row(program)["atom"].flops == 2 * 2 * 3 + 2 * 6  # a single term is not added
    assert fold(program) is program


def test_a_mix_of_paths_goes_into_the_table_of_products() -> None:
    table, mix = RNG.normal(size=(4, 6)), RNG.normal(size=(1, 2))
    program = written(
        {"x": X, "y": X},
        {"#0": table, "#1": mix},
        (ops.Products("%0", "x", "y", "#0", (0, 0, 1, 2), (0, 1, 1, 2)), Shape("atom", (2, 6))),
        (ops.Segment("%1", "%0", 0, 2, 3), Shape("atom", (2, 2, 3))),
        (ops.Contract("%2", "%1", "#1", "NaPM,QP->NaQM"), Shape("atom", (2, 1, 3))),
        (ops.Join("%3", ("%2",)), X),
    )
    folded = checked(program)
    assert opcodes(folded) == ["products"]
    expected = np.einsum("tpm,qp->tqm", table.reshape(4, 2, 3), mix).reshape(4, 3)
    np.testing.assert_allclose(folded.constants["#0"], expected, rtol=1e-14)


def test_products_that_cancel_are_not_formed() -> None:
    table = np.array([[1.0, 1.0], [2.0, 2.0], [0.5, 1.0]])
    program = written(
        {"x": X, "y": X},
        {"#0": table, "#1": np.array([[1.0], [-1.0]])},
        (ops.Products("%0", "x", "y", "#0", (0, 1, 2), (0, 1, 2)), Shape("atom", (2, 2))),
        (ops.Contract("%1", "%0", "#1", "NaA,AB->NaB"), Shape("atom", (2, 1))),
    )
    (only,) = checked(program).instructions
    assert isinstance(only, ops.Products)
    assert (only.left, only.right) == ((2,), (2,))


def test_equal_products_are_formed_once() -> None:
    program = written(
        {"x": X},
        {"#0": RNG.normal(size=(3, 2))},
        (ops.Products("%0", "x", "x", "#0", (0, 1, 2), (1, 0, 2)), Shape("atom", (2, 2))),
    )
    (only,) = checked(program).instructions
    assert isinstance(only, ops.Products)
    assert (only.left, only.right) == ((0, 2), (1, 2))


def test_selections_choose_columns() -> None:
    table = RNG.normal(size=(3, 5))
    program = written(
        {"x": X},
        {"#0": table},
        (ops.Contract("%0", "x", "#0", "NaA,AB->NaB"), Shape("atom", (2, 5))),
        (ops.Take("%1", "%0", (4, 0)), Shape("atom", (2, 2))),
    )
    folded = checked(program)
    assert opcodes(folded) == ["contract"]
    np.testing.assert_array_equal(folded.constants["#0"], table[:, [4, 0]])


def test_factors_go_into_the_table_before_them() -> None:
    table = RNG.normal(size=(3, 5))
    wide = Shape("edge", (2, 5))
    program = written(
        {"x": Shape("edge", (2, 3)), "y": Shape("atom", (2, 5))},
        {"#0": table},
        (ops.Contract("%0", "x", "#0", "NaA,AB->NaB"), wide),
        (ops.Scatter("%1", "%0", "receiver"), Shape("atom", (2, 5))),
        (ops.Combine("%2", ("%1", "y"), (0.25, 1.0)), Shape("atom", (2, 5))),
    )
    folded = checked(program)
    np.testing.assert_array_equal(folded.constants["#0"], 0.25 * table)
    assert per_row(folded)["atom"].flops == 10


def test_combinations_are_flattened_and_what_cancels_is_dropped() -> None:
    program = written(
        {"x": X, "y": X, "z": X},
        {},
        (ops.Combine("%0", ("x", "y"), (1.0, 2.0)), X),
        (ops.Combine("%1", ("%0", "z", "y"), (1.0, 1.0, -2.0)), X),
    )
    (only,) = checked(program).instructions
    assert isinstance(only, ops.Combine)
    assert (only.values, only.factors) == (("x", "z"), (1.0, 1.0))


def test_views_are_taken_once() -> None:
    program = written(
        {"x": Shape("atom", (6, 4)), "y": Shape("atom", (6, 2))},
        {},
        (ops.Concatenate("%0", ("x", "y")), Shape("atom", (6, 6))),
        (ops.Take("%1", "%0", (4, 5)), Shape("atom", (6, 2))),
        (ops.Reshape("%2", "%1", (2, 3, 2)), Shape("atom", (2, 3, 2))),
        (ops.Transpose("%3", "%2", (1, 0, 2)), Shape("atom", (3, 2, 2))),
        (ops.Transpose("%4", "%3", (1, 0, 2)), Shape("atom", (2, 3, 2))),
        (ops.Reshape("%5", "%4", (6, 2)), Shape("atom", (6, 2))),
        (ops.Function("%6", "%5", "tanh"), Shape("atom", (6, 2))),
    )
    (only,) = checked(program).instructions
    assert only.reads() == ("y",)


def test_joined_values_are_cut_from_their_parts() -> None:
    first, second = Shape("atom", (2, 2, 1)), Shape("atom", (2, 2, 3))
    program = written(
        {"x": first, "y": second},
        {},
        (ops.Join("%0", ("x", "y")), Shape("atom", (2, 8))),
        (ops.Segment("%1", "%0", 2, 2, 3), second),
        (ops.Function("%2", "%1", "tanh"), second),
        (ops.Segment("%3", "%0", 5, 1, 3), Shape("atom", (2, 1, 3))),
        (ops.Function("%4", "%3", "tanh"), Shape("atom", (2, 1, 3))),
        outputs={"all": "%2", "last": "%4"},
    )
    folded = checked(program)
    assert opcodes(folded) == ["function", "take", "function"]
    assert per_row(folded)["atom"].numbers == 2 * (2 * 2 * 3) + 2 * (2 * 3)


def test_a_selection_of_values_side_by_side_copies_once() -> None:
    program = written(
        {"x": Shape("atom", (2, 3)), "y": Shape("atom", (2, 3))},
        {},
        (ops.Concatenate("%0", ("x", "y")), Shape("atom", (2, 6))),
        (ops.Take("%1", "%0", (0, 3, 4, 5, 1, 2)), Shape("atom", (2, 6))),
    )
    folded = checked(program)
    assert opcodes(folded) == ["take", "take", "concatenate"]
    assert per_row(folded)["atom"].numbers == 24


def test_a_bias_is_its_coefficients() -> None:
    program = written(
        {"x": X},
        {"#0": np.ones((1, 1))},
        (ops.Expand("%0", "#0"), Shape("constant", (1, 1))),
        (ops.Contract("%1", "%0", "$b", "NPM,QPa->NaQM"), Shape("constant", (2, 3, 1))),
        (ops.Join("%2", ("%1",)), Shape("constant", (2, 3))),
        (ops.Expand("%3", "%2"), X),
        (ops.Combine("%4", ("x", "%3"), (1.0, 1.0)), X),
        coefficients={"b": (3, 1, 2)},
    )
    folded = checked(program)
    assert "contract" not in opcodes(folded)
    assert not folded.constants
    given = {"x": np.zeros((4, 2, 3)), "$b": RNG.normal(size=(3, 1, 2))}
    expected = np.broadcast_to(given["$b"][:, 0].T, (4, 2, 3))
    np.testing.assert_array_equal(run(folded, given=given)["out"], expected)


def test_what_is_alike_for_every_row_is_done_once() -> None:
    a = RNG.normal(size=(2, 3))
    program = written(
        {"x": X},
        {"#0": a},
        (ops.Expand("%0", "#0"), X),
        (ops.Contract("%1", "%0", "$w", "NaA,AB->NaB"), Shape("atom", (2, 4))),
        (ops.Contract("%2", "x", "%1", "NaA,NaB->NaAB"), Shape("atom", (2, 3, 4))),
        coefficients={"w": (3, 4)},
    )
    folded = checked(program)
    assert per_row(folded)["atom"].flops == 2 * 3 * 4
    assert per_row(folded)["atom"].numbers == 2 * 3 + 2 * 3 * 4
    assert per_row(folded)[""].flops == 2 * (2 * 3 * 4)


def test_products_with_constants_are_a_contraction() -> None:
    table, row = RNG.normal(size=(4, 2)), RNG.normal(size=3)
    program = written(
        {"x": X},
        {"#0": table, "#1": np.broadcast_to(row, (2, 3)).copy()},
        (ops.Expand("%0", "#1"), X),
        (ops.Products("%1", "x", "%0", "#0", (0, 1, 1, 2), (0, 1, 2, 0)), Shape("atom", (2, 2))),
    )
    folded = checked(program)
    assert opcodes(folded) == ["contract"]
    expected = np.zeros((3, 2))
    for left, right, terms in zip((0, 1, 1, 2), (0, 1, 2, 0), table, strict=True):
        expected[left] += row[right] * terms
    np.testing.assert_allclose(folded.constants["#0"], expected, rtol=1e-14)


def test_equal_entries_and_units() -> None:
    program = written(
        {"x": X},
        {"#0": np.repeat(RNG.normal(size=(1, 3, 4)), 2, 0), "#1": 3.0 * np.eye(4)},
        (ops.Contract("%0", "x", "#0", "NaA,aAB->NaB"), Shape("atom", (2, 4))),
        (ops.Contract("%1", "%0", "#1", "NaB,BC->NaC"), Shape("atom", (2, 4))),
    )
    folded = checked(program)
    assert opcodes(folded) == ["contract"]
    assert folded.constants["#0"].shape == (3, 4)


def test_a_table_of_one_number_is_a_factor() -> None:
    thin = Shape("atom", (2, 1, 3))
    program = written(
        {"x": thin},
        {"#0": np.array([[2.0]])},
        (ops.Contract("%0", "x", "#0", "NaPM,QP->NaQM"), thin),
        (ops.Join("%1", ("%0",)), X),
    )
    folded = checked(program)
    assert opcodes(folded) == ["combine", "reshape"]
    assert per_row(folded)["atom"].flops == 6


def test_a_unit_table_is_dropped() -> None:
    program = written(
        {"x": X},
        {"#0": np.eye(3)},
        (ops.Contract("%0", "#0", "x", "BA,NaA->NaB"), X),
        (ops.Function("%1", "%0", "tanh"), X),
    )
    assert opcodes(checked(program)) == ["function"]


def test_a_cut_undoes_a_reshape() -> None:
    program = written(
        {"x": Shape("atom", (2, 1, 3))},
        {},
        (ops.Reshape("%0", "x", (2, 3)), X),
        (ops.Segment("%1", "%0", 0, 1, 3), Shape("atom", (2, 1, 3))),
        (ops.Function("%2", "%1", "tanh"), Shape("atom", (2, 1, 3))),
    )
    assert opcodes(checked(program)) == ["function"]


def test_a_gather_of_rows_that_are_alike_is_none() -> None:
    program = written(
        {"x": Shape("edge", (3,))},
        {"#0": RNG.normal(size=3)},
        (ops.Expand("%0", "#0"), Shape("atom", (3,))),
        (ops.Gather("%1", "%0", "receiver"), Shape("edge", (3,))),
        (ops.Multiply("%2", "x", "%1"), Shape("edge", (3,))),
    )
    assert opcodes(checked(program)) == ["expand", "multiply"]


def test_a_constant_of_equal_entries_is_a_factor() -> None:
    program = written(
        {"x": X},
        {"#0": np.full((2, 3), 2.0)},
        (ops.Expand("%0", "#0"), X),
        (ops.Multiply("%1", "x", "%0"), X),
    )
    (only,) = checked(program).instructions
    assert isinstance(only, ops.Combine)
    assert (only.values, only.factors) == (("x",), (2.0,))


def test_sums_over_rows_are_left() -> None:
    """Nobody knows the number of rows, so a sum of the same number for every row is no constant."""
    program = written(
        {"x": X},
        {"#0": np.ones((2, 3))},
        (ops.Expand("%0", "#0"), X),
        (ops.Contract("%1", "%0", "%0", "NaA,NaA->aA"), Shape("", (2, 3))),
        (ops.Multiply("%2", "x", "%0"), X),
        outputs={"count": "%1", "out": "%2"},
    )
    folded = fold(program)
    for rows in (1, 5):
        given = {"x": np.ones((rows, 2, 3))}
        np.testing.assert_array_equal(run(folded, given=given)["count"], np.full((2, 3), float(rows)))


def test_outputs_are_values_of_their_own() -> None:
    program = written(
        {"x": X},
        {},
        (ops.Combine("%0", ("x",), (1.0,)), X),
        (ops.Function("%1", "x", "tanh"), X),
        (ops.Combine("%2", ("%1",), (1.0,)), X),
        outputs={"copy": "%0", "one": "%1", "other": "%2"},
    )
    values = [value for _, value in fold(program).outputs]
    assert len({"x", *values}) == 4


def test_the_whole_corpus_falls() -> None:
    ratios = np.array(
        [
            np.divide(representative_totals(fold(program)), np.maximum(representative_totals(program), 1))
            for program in map(program_of, DIAGRAMS.values())
        ]
    )
    assert ratios.max() <= 1.0
    assert (ratios[:, 1] < 1.0).sum() > 40
