"""The cost model against operations counted while torch carries the instructions out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import fusion_compiler
from corpus import DIAGRAMS
from fusion_compiler.cost import instruction_costs
from fusion_compiler.derivatives import vjp
from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.memory import row_spaces
from fusion_compiler.program import Function, Geometry, Instruction, Program

MOVES = (
    "_reshape_alias _unsafe_view alias as_strided cat clone constant_pad_nd copy_ detach empty expand fill_ gather "
    "index_select permute select slice squeeze stack t transpose unbind unsqueeze view zeros"
)
"""What torch does without arithmetic."""
ROWS = (3, 5, 7, 11)


class Counter(TorchDispatchMode):
    """Counts multiplications and additions of floating-point numbers; an operation that it does not know is an error.

    A product of matrices is one multiplication and one addition for every summed term; a single term is not added.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if isinstance(result, Tensor) and result.is_floating_point() and name not in MOVES.split():
            self.count += self.operations(name, args, result)
        return result

    @staticmethod
    def operations(name: str, args: Any, result: Tensor) -> int:
        if name in ("mm", "bmm"):
            terms = args[0].shape[-1]
            return result.numel() * (2 * terms if terms > 1 else 1)
        if name in ("mul", "add"):
            return result.numel()
        if name in ("index_add", "index_add_"):
            return args[3].numel()
        if name == "sum":
            return args[0].numel() if args[0].numel() > result.numel() else 0
        raise AssertionError(f"what does {name} cost?")


def counted(instruction: Instruction, program: Program, rows: dict[str, int]) -> int:
    """Return the operations of one instruction, run as a program of its own on zeros."""
    reads = dict.fromkeys(instruction.reads())
    alone = replace(
        program,
        inputs=tuple((name, program.shapes[name]) for name in reads),
        coefficients=(),
        constants={},
        instructions=(instruction,),
        outputs=(("out", instruction.out),),
    )
    tensors: dict[str, Tensor] = {}
    for name, shape in alone.inputs:
        tensors[name] = torch.zeros((rows[shape.on], *shape.axes) if shape.on else shape.axes, dtype=torch.float64)
    tensors.update({name: torch.zeros(rows[on], dtype=torch.int64) for name, on, _ in alone.labels})
    tensors.update({name: torch.zeros(rows[source], dtype=torch.int64) for name, source, _ in alone.maps})
    run, tables = runner(alone, "interpret"), table_tensors(alone, torch.float64)
    with torch.no_grad(), Counter() as counter:
        run(tensors, {}, tables, rows)
    return counter.count


def _single_row(instruction: Instruction, program: Program) -> bool:
    """Whether an instruction sums over the one row of the constant space, which counts as any sum over rows."""
    spaces = {program.shapes[name].on for name in instruction.reads()}
    return program.shapes[instruction.out].on == "" and "constant" in spaces and spaces <= {"", "constant"}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_operations_are_those_counted(name: str) -> None:
    """Functions and geometry apart, which count one operation for each component by definition."""
    program = fusion_compiler.compile(DIAGRAMS[name]).program
    floating = [*(name for name, _ in program.inputs), *(f"${name}" for name in program.coefficients)]
    for each in (program, vjp(program, floating)) if floating and program.instructions else (program,):
        rows = {"constant": 1, **dict(zip(row_spaces(each), ROWS, strict=False))}
        for instruction in each.instructions:
            if not isinstance(instruction, Function | Geometry) and not _single_row(instruction, each):
                costs = instruction_costs(instruction, each)
                forecast = sum(cost.flops * (rows[cost.on] if cost.on else 1) for cost in costs)
                assert counted(instruction, each, rows) == forecast, f"{instruction}: {each.shapes[instruction.out]}"
