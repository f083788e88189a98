"""batch: contractions of one value are one, and so are equal instructions on parts of a value; values stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compiler.passes.programs import error_of, program_of, run, written
from corpus import DIAGRAMS
from fusion import leg
from fusion.sampling import random_diagrams
from fusion_compiler import program as ops
from fusion_compiler.cost import per_row
from fusion_compiler.emit.tables import index_tables
from fusion_compiler.passes.batch import batch
from fusion_compiler.passes.fold import fold
from fusion_compiler.passes.rewriting import representative_totals
from fusion_compiler.program import Program, Shape

X = Shape("atom", (8, 3))
WIDE = Shape("atom", (4, 3))


def opcodes(program: Program) -> list[str]:
    return [item.opcode for item in program.instructions]


def checked(program: Program) -> Program:
    """Return the batched program: the same values, costs that do not rise, and nothing left to batch."""
    batched = batch(program)
    expected, found = run(program), run(batched)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-13)
    before, after = representative_totals(program), representative_totals(batched)
    assert all(new <= old for new, old in zip(after, before, strict=True))
    assert batch(batched) is batched
    assert all(batched.constants[name] is program.constants[name] for name in batched.constants)
    return batched


def mixes(count: int, x: str = "x", maps: tuple[str, ...] = ()) -> Program:
    """Contract one value with several matrices; gather each result along a map where there is one."""
    instructions: list[tuple[ops.Instruction, Shape]] = []
    outputs: dict[str, str] = {}
    for number in range(count):
        name = f"%{len(instructions)}"
        instructions.append((ops.Contract(name, x, f"$w{number}", "NaM,QPab->NbM"), WIDE))
        if maps:
            made = f"%{len(instructions)}"
            instructions.append((ops.Gather(made, name, maps[number]), replace(WIDE, on="edge")))
            name = made
        outputs[f"out{number}"] = name
    weights = {f"w{number}": (1, 1, 8, 4) for number in range(count)}
    return written({"x": X, "y": Shape("edge", (1,))}, {}, *instructions, coefficients=weights, outputs=outputs)


def test_contractions_of_one_value_are_one() -> None:
    program = mixes(3)
    batched = checked(program)
    assert opcodes(batched) == ["concatenate", "contract", "take", "take", "take"]
    assert per_row(batched)["atom"].flops == per_row(program)["atom"].flops
    assert per_row(batched)["atom"].numbers == per_row(program)["atom"].numbers - 2 * 24
    given = {"x": np.random.default_rng(0).normal(size=(4, 8, 3))}
    given.update({f"$w{i}": np.random.default_rng(i).normal(size=(1, 1, 8, 4)) for i in range(3)})
    for number in range(3):
        expected = np.einsum("nam,ab->nbm", given["x"], given[f"$w{number}"][0, 0])
        np.testing.assert_allclose(run(batched, given=given)[f"out{number}"], expected, rtol=1e-13)


def test_coefficients_of_other_widths_are_stacked_and_of_other_depths_are_not() -> None:
    shapes = {"a": (1, 1, 8, 2), "b": (1, 1, 8, 5), "c": (2, 1, 8, 5)}
    program = written(
        {"x": Shape("atom", (8, 1, 3))},
        {},
        *(
            (ops.Contract(f"%{n}", "x", f"${name}", "NaPM,QPab->NbQM"), Shape("atom", (shape[3], shape[0], 3)))
            for n, (name, shape) in enumerate(shapes.items())
        ),
        coefficients=shapes,
        outputs={"a": "%0", "b": "%1", "c": "%2"},
    )
    batched = checked(program)
    assert sorted(opcodes(batched)) == ["concatenate", "contract", "contract", "take", "take"]


def test_one_contraction_stays() -> None:
    program = mixes(1)
    assert batch(program) is program


def test_results_taken_up_by_one_map_are_gathered_at_once() -> None:
    batched = checked(mixes(3, maps=("sender",) * 3))
    assert opcodes(batched) == ["concatenate", "contract", "gather", "take", "take", "take"]


def test_results_taken_up_by_several_maps_are_not_stacked() -> None:
    """Gathering from a part of a value is slower than from a whole one."""
    program = mixes(2, maps=("sender", "receiver"))
    assert batch(program) is program


def test_coefficients_that_come_later_are_not_waited_for() -> None:
    program = written(
        {"x": X},
        {"#0": np.ones(2)},
        (ops.Contract("%0", "x", "$a", "NaM,ab->NbM"), WIDE),
        (ops.Contract("%1", "$b", "#0", "abc,c->ab"), Shape("", (8, 4))),
        (ops.Contract("%2", "x", "%1", "NaM,ab->NbM"), WIDE),
        coefficients={"a": (8, 4), "b": (8, 4, 2)},
        outputs={"a": "%0", "b": "%2"},
    )
    assert batch(program) is program


def test_a_value_that_is_smaller_than_its_coefficients_is_read_again() -> None:
    """One row for all: copying the coefficients costs more than reading it."""
    constant = Shape("constant", (8, 1))
    program = written(
        {"x": constant},
        {},
        *((ops.Contract(f"%{n}", "x", f"$w{n}", "NaM,ab->NbM"), Shape("constant", (4, 1))) for n in range(3)),
        coefficients={f"w{n}": (8, 4) for n in range(3)},
        outputs={f"out{n}": f"%{n}" for n in range(3)},
    )
    assert batch(program) is program


@pytest.mark.parametrize("name", ["function", "scatter", "reshape"])
def test_equal_instructions_on_parts_are_one(name: str) -> None:
    made = {
        "function": (ops.Function("", "", "tanh"), lambda size: Shape("edge", (size, 2))),
        "scatter": (ops.Scatter("", "", "receiver"), lambda size: Shape("atom", (size, 2))),
        "reshape": (ops.Reshape("", "", ()), lambda size: Shape("edge", (size, 2, 1))),
    }
    instruction, shape = made[name]
    ranges = ((3, 4, 5), (0, 1, 2), (7,))
    instructions: list[tuple[ops.Instruction, Shape]] = []
    for number, index in enumerate(ranges):
        cut, out = f"%{2 * number}", f"%{2 * number + 1}"
        after = shape(len(index))
        axes = {"axes": after.axes} if name == "reshape" else {}
        instructions.append((ops.Take(cut, "x", index, -2), Shape("edge", (len(index), 2))))
        instructions.append((replace(instruction, out=out, x=cut, **axes), after))
    program = written(
        {"x": Shape("edge", (8, 2))},
        {},
        *instructions,
        outputs={"b": "%1", "a": "%3", "c": "%5"},
    )
    batched = checked(program)
    assert opcodes(batched).count(name) == 2, "the third part does not touch the others"


def test_a_function_across_channels_is_not_widened() -> None:
    program = written(
        {"x": Shape("edge", (8, 2))},
        {},
        (ops.Take("%0", "x", (0, 1, 2, 3), -2), Shape("edge", (4, 2))),
        (ops.Function("%1", "%0", "layer_norm", channels=1), Shape("edge", (4, 2))),
        (ops.Take("%2", "x", (4, 5, 6, 7), -2), Shape("edge", (4, 2))),
        (ops.Function("%3", "%2", "layer_norm", channels=1), Shape("edge", (4, 2))),
        outputs={"a": "%1", "b": "%3"},
    )
    assert batch(program) is program


def test_mixes_of_one_wire_in_a_diagram() -> None:
    x = leg("x", "1o", channels=8)
    diagram = (x.mix("u->v", v=8, name="a") @ x.mix("u->v", v=8, name="b"))["0e"]
    program = fold(program_of(diagram))
    batched = batch(program)
    assert opcodes(batched).count("contract") == opcodes(program).count("contract") - 1
    assert error_of(diagram, batched, 0) < 1e-12


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_corpus_keeps_its_values_and_costs_no_more(name: str) -> None:
    diagram = DIAGRAMS[name]
    for program in (program_of(diagram), fold(program_of(diagram))):
        batched = batch(program)
        before, after = representative_totals(program), representative_totals(batched)
        assert all(new <= old for new, old in zip(after, before, strict=True))
        assert batch(batched) is batched
        if batched is not program:
            assert error_of(diagram, batched, 3) < 1e-12
            assert str(batch(program)) == str(batched)
            assert set(batched.constants) == set(program.constants)
            assert index_tables(batched) == index_tables(program)


@pytest.mark.parametrize("part", range(2))
def test_random_diagrams_keep_their_values(part: int) -> None:
    for number, diagram in random_diagrams(40, 950 + part):
        assert error_of(diagram, batch(fold(program_of(diagram))), number) < 1e-12, diagram
