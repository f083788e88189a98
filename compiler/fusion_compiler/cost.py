"""The cost of a program, exactly: arithmetic operations and bytes moved, per row of each index space.

An operation is one multiplication or one addition. Bytes count every operand read once and the result written once;
views (segments, plain ranges, reshapes of contiguous values) move nothing. Coefficients and tables are read once per
call, whatever the number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fusion_compiler import program as ops
from fusion_compiler.contraction import pair_flops
from fusion_compiler.emit.tables import contiguous
from fusion_compiler.errors import CompileError
from fusion_compiler.program import Instruction, Program

FUNCTION_FLOPS = 1
"""A registered function counts as one operation per component."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one instruction: what every row of ``on`` costs, and what is paid once per call.

    ``numbers`` are floating-point numbers moved; multiply by the size of one.
    """

    on: str
    flops_per_row: int
    numbers_per_row: int
    flops_once: int = 0
    numbers_once: int = 0


def instruction_cost(instruction: Instruction, program: Program) -> Cost:
    """Return the cost of one instruction of ``program``."""
    out = program.shapes[instruction.out]
    on = out.on
    if isinstance(instruction, ops.Scatter | ops.Gather):
        moved = program.shapes[instruction.x]
        on = moved.on if isinstance(instruction, ops.Scatter) else out.on
    size = math.prod(out.axes)
    flops = _flops(instruction, program, size)
    per_row, once = 0, 0
    if not _is_view(instruction):
        for name in instruction.reads():
            shape = program.shapes[name]
            per_row += math.prod(shape.axes) if shape.on else 0
            once += 0 if shape.on else math.prod(shape.axes)
        per_row, once = (per_row + size, once) if out.on else (per_row, once + size)
    return Cost(on, flops if on else 0, per_row if on else 0, 0 if on else flops, once)


def _is_view(instruction: Instruction) -> bool:
    if isinstance(instruction, ops.Take):
        return contiguous(instruction.index)
    return isinstance(instruction, ops.Segment | ops.Reshape | ops.Transpose | ops.Expand)


def _flops(instruction: Instruction, program: Program, size: int) -> int:
    if isinstance(instruction, ops.Contract):
        inputs, _, result = instruction.equation.partition("->")
        x, _, y = inputs.partition(",")
        sizes: dict[str, int] = {"N": 1}
        for letters, name in ((x, instruction.x), (y, instruction.y)):
            sizes.update(zip((c for c in letters if c != "N"), program.shapes[name].axes, strict=True))
        return pair_flops(x, y, result, sizes)
    if isinstance(instruction, ops.Products):
        terms = len(instruction.left)
        channels = math.prod(program.shapes[instruction.x].axes[:-1])
        return channels * (terms + 2 * terms * program.shapes[instruction.table].axes[1])
    if isinstance(instruction, ops.Multiply):
        return size
    if isinstance(instruction, ops.Scatter):
        return math.prod(program.shapes[instruction.x].axes)
    if isinstance(instruction, ops.Combine):
        return size * (len(instruction.values) - 1 + sum(factor != 1.0 for factor in instruction.factors))
    if isinstance(instruction, ops.Function):
        return size * FUNCTION_FLOPS
    if isinstance(instruction, ops.Geometry):
        return size * FUNCTION_FLOPS
    return 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals for given numbers of rows."""

    flops: int
    bytes: int


def totals(program: Program, rows: Mapping[str, int], itemsize: int = 8) -> Totals:
    """Return the exact totals of a program for given numbers of rows of its index spaces.

    Raises:
        CompileError: an index space of the program has no number of rows.
    """
    flops = numbers = 0
    for instruction in program.instructions:
        cost = instruction_cost(instruction, program)
        if cost.on and cost.on != "constant" and cost.on not in rows:
            raise CompileError(f"the cost needs the number of rows of {cost.on}; give rows={{'{cost.on}': ...}}")
        count = rows.get(cost.on, 1) if cost.on else 0
        flops += cost.flops_once + cost.flops_per_row * count
        numbers += cost.numbers_once + cost.numbers_per_row * count
    return Totals(flops, numbers * itemsize)


def per_row(program: Program) -> dict[str, Cost]:
    """Return the summed cost of each index space (and of coefficients, under the empty name)."""
    found: dict[str, Cost] = {}
    for instruction in program.instructions:
        cost = instruction_cost(instruction, program)
        known = found.get(cost.on, Cost(cost.on, 0, 0))
        found[cost.on] = Cost(
            cost.on,
            known.flops_per_row + cost.flops_per_row,
            known.numbers_per_row + cost.numbers_per_row,
            known.flops_once + cost.flops_once,
            known.numbers_once + cost.numbers_once,
        )
    return found
