"""vjp and gradient: names, zeros, refusals, texts and costs; and the closed chain of derivatives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from compiler.derivatives.derived import problem
from corpus import DIAGRAMS
from fusion import leg, outputs
from fusion_compiler import CompileError
from fusion_compiler.cost import instruction_costs, totals
from fusion_compiler.derivatives import cotangent_names, differentiate, gradient, vjp
from fusion_compiler.errors import InternalError
from fusion_compiler.program import Instruction, Shape
from fusion_compiler.writer import Writer

D = leg("d", "1o", on="edge")
H = leg("h", "0e+1o", channels=2, on="atom")
ENERGY = outputs(
    energy=(H.pull("sender") @ D.harmonics(1))["0e"].scale(D.bessel(2, 4.0)).mix("u->", name="w").sum("receiver"),
    other=H.mix("u->v", name="v"),
)  # fmt: skip


def test_names_and_shapes() -> None:
    program = problem(ENERGY).program
    assert cotangent_names(program) == {"energy": "~energy", "other": "~other"}
    back = vjp(program, ["d", "$w_0e"], ["energy"])
    assert [name for name, _ in back.outputs] == ["d", "$w_0e"]
    assert dict(back.inputs) == {**dict(program.inputs), "~energy": program.shapes[dict(program.outputs)["energy"]]}
    assert [str(back.shapes[value]) for _, value in back.outputs] == ["edge x 3", str(program.shapes["$w_0e"])]
    assert cotangent_names(back) == {"d": "~d", "$w_0e": "~$w_0e"}
    assert cotangent_names(vjp(back, ["d", "~energy"], ["d"])) == {"d": "~~d", "~energy": "~~~energy"}


def test_cotangents_never_clash() -> None:
    found = problem(ENERGY, rows=(2,))
    program = found.program
    for _ in range(3):
        program = vjp(program, [name for name, _ in program.inputs])
    names = [name for name, _ in program.inputs]
    assert len(set(names)) == len(names)


def test_gradient_gives_outputs_and_gradients_of_the_sum() -> None:
    found = problem(ENERGY, seed=1, rows=(3,))
    program = gradient(found.program, "energy", ["d", "$w_0e", "$v_0e"])
    assert [n for n, _ in program.outputs] == ["energy", "other", "energy/d", "energy/$w_0e", "energy/$v_0e"]
    values = {name: found.tensors[name].clone().requires_grad_() for name in found.floating}
    plain = found.run(found.program, values)
    expected = torch.autograd.grad(plain["energy"].sum(), [values["d"], values["$w_0e"]])
    for emitter in ("interpret", "source"):
        given = found.run(program, values, emitter)
        assert torch.equal(given["energy"], plain["energy"])
        assert torch.allclose(given["energy/d"], expected[0], rtol=0, atol=1e-13)
        assert torch.allclose(given["energy/$w_0e"], expected[1], rtol=0, atol=1e-13)
        assert torch.equal(given["energy/$v_0e"], torch.zeros_like(values["$v_0e"]))


def test_gradients_of_gradients_against_differences() -> None:
    """The gradient of the sum of all forces, by central differences of the force program."""
    found = problem(ENERGY, seed=2, rows=(3,))
    forces = gradient(found.program, "energy", ["d"])
    twice = gradient(forces, "energy/d", ["d"])
    values, step = {name: found.tensors[name] for name in found.floating}, 1e-5

    def moved(row: int, axis: int, by: float) -> Tensor:
        d = values["d"].clone()
        d[row, axis] += by
        return found.run(forces, {**values, "d": d})["energy/d"].sum()

    exact = found.run(twice, values)["energy/d/d"]
    for row in range(len(exact)):
        for axis in range(3):
            slope = (moved(row, axis, step) - moved(row, axis, -step)) / (2 * step)
            assert abs(float(slope - exact[row, axis])) < 1e-8


def test_what_nothing_depends_on_is_zero() -> None:
    found = problem(ENERGY, rows=(3,))
    back = vjp(found.program, ["d", "h", "$w_0e"], ["other"])
    values = {name: found.tensors[name] for name in found.floating}
    other = found.run(found.program, values)["other"]
    for emitter in ("interpret", "source"):
        given = found.run(back, {**values, "~other": torch.ones_like(other)}, emitter)
        assert torch.equal(given["d"], torch.zeros_like(values["d"]))
        assert torch.equal(given["$w_0e"], torch.zeros_like(values["$w_0e"]))
        assert given["h"].abs().max() > 0


def test_an_input_may_be_an_output() -> None:
    found = problem(outputs(one=D, two=D * 2.0), rows=(3,))
    back = vjp(found.program, ["d"])
    one, two = torch.randn(2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    given = found.run(back, {"d": found.tensors["d"], "~one": one, "~two": two})
    assert torch.allclose(given["d"], one + 2 * two, rtol=0, atol=1e-15)


def test_unknown_and_repeated_names_are_refused() -> None:
    program = problem(ENERGY).program
    with pytest.raises(CompileError, match=r"no input or coefficients 'x' to differentiate; it has: .*h, .*\$w_0e"):
        vjp(program, ["x"])
    with pytest.raises(CompileError, match="no output 'force' to differentiate; it has: energy, other"):
        gradient(program, "force", ["d"])
    with pytest.raises(CompileError, match="given twice: d, d"):
        vjp(program, ["d", "d"])


def test_chains_of_derivatives_verify_print_and_cost() -> None:
    program = problem(DIAGRAMS["mace_interaction"]).program
    inputs = [name for name, _ in program.inputs]
    for _ in range(3):
        program = vjp(program, inputs)
        program.verify()
        assert str(program).count("\n") > len(program.instructions)
        assert totals(program, {"atom": 3, "edge": 7}).flops > 0
        assert all(cost.flops >= 0 for step in program.instructions for cost in instruction_costs(step, program))


def test_a_gradient_costs_a_few_times_its_program() -> None:
    """Reverse differentiation of products costs at most three times as much, and the values themselves."""
    for name in ("mace_layer", "nequip_layer", "allegro_layer", "ace_pairs_of_neighbours"):
        program = problem(DIAGRAMS[name]).program
        rows = dict.fromkeys({shape.on for shape in program.shapes.values()} - {"", "constant"}, 20)
        wrt = [*(n for n, _ in program.inputs), *(f"${n}" for n in program.coefficients)]
        before, after = (totals(p, rows).flops for p in (program, vjp(program, wrt)))
        assert after <= 4 * before


def test_the_pass_checks_that_every_instruction_has_a_rule() -> None:
    program = problem(ENERGY).program
    assert differentiate(program) is program

    @dataclass(frozen=True, slots=True)
    class Round(Instruction):
        x: str

    writer = Writer()
    rounded = writer.add(Round("", writer.add_input("x", Shape("atom", (3,)))), Shape("atom", (3,)))
    with pytest.raises(InternalError, match="no derivative of '%0 = round x'"):
        differentiate(writer.program([("out", rounded)]))


SCRIPT = """
import sys; sys.path.insert(0, "tests")
from corpus import DIAGRAMS
import fusion_compiler
from fusion_compiler.derivatives import vjp
from fusion_compiler.emit import source_text
program = fusion_compiler.compile(DIAGRAMS["triplet_block"]).program
for _ in range(2):
    program = vjp(program, [name for name, _ in program.inputs])
print(program); print(source_text(program))
"""


def test_texts_do_not_depend_on_the_process() -> None:
    texts = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert texts[0] == texts[1] and np.char.count(texts[0], "def run(") == 1
