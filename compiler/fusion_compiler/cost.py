"""The cost of a program, exactly: arithmetic operations and bytes moved, per row of each index space.

An operation is one multiplication or one addition; a registered function or a function of a displacement counts one
per component of its result, and a sum over rows one per number that is added. Bytes count every operand read once and
the result written once, index maps, labels and index tables (eight bytes an entry) included. Views move nothing:
segments, plain ranges, transposes, expansions, and reshapes, unless they reshape a transposed value, which copies it.
Coefficients and tables are read once per call, whatever the number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fusion.index import CONSTANT_SPACE
from fusion_compiler import program as ops
from fusion_compiler.contraction import pair_flops
from fusion_compiler.emit.tables import contiguous
from fusion_compiler.errors import CompileError
from fusion_compiler.program import Instruction, Program

INDEX_BYTES = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """What every row of the index space ``on`` costs; with ``on`` empty, what is paid once per call.

    Attributes:
        flops: operations.
        numbers: floating-point numbers moved.
        indices: integers moved.
    """

    on: str
    flops: int = 0
    numbers: int = 0
    indices: int = 0

    def bytes(self, itemsize: int) -> int:
        """Return the bytes moved, for floating-point numbers of ``itemsize`` bytes."""
        return self.numbers * itemsize + self.indices * INDEX_BYTES

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.on, self.flops + other.flops, self.numbers + other.numbers, self.indices + other.indices)


def instruction_costs(instruction: Instruction, program: Program) -> tuple[Cost, ...]:
    """Return the cost of one instruction, one entry per index space it touches and one for what is paid once."""
    found: dict[str, Cost] = {}

    def charge(on: str, flops: int = 0, numbers: int = 0, indices: int = 0) -> None:
        found[on] = found.get(on, Cost(on)) + Cost(on, flops, numbers, indices)

    out = program.shapes[instruction.out]
    size = math.prod(out.axes)
    rows = _worked(instruction, program)
    charge(rows, flops=_flops(instruction, program, size))
    if not is_view(instruction, program):
        charge(out.on, numbers=size)
        for name in instruction.reads():
            shape = program.shapes[name]
            gathered = isinstance(instruction, ops.Gather | ops.Lookup)  # reads one row for every row of its result
            charge(out.on if gathered else shape.on, numbers=size if gathered else math.prod(shape.axes))
        for on, count in _indices(instruction, rows):
            charge(on, indices=count)
    return tuple(cost for cost in found.values() if cost.flops or cost.numbers or cost.indices)


def _worked(instruction: Instruction, program: Program) -> str:
    """Return the index space over whose rows the work is done: that of the result, or the one that is summed over."""
    if isinstance(instruction, ops.Scatter | ops.Collect | ops.Total):
        return program.shapes[instruction.x].on
    if isinstance(instruction, ops.Contract) and "N" not in instruction.equation.partition("->")[2]:
        spaces = dict.fromkeys(program.shapes[name].on for name in instruction.reads())
        return next((on for on in spaces if on not in ("", CONSTANT_SPACE)), next(iter(spaces)))
    return program.shapes[instruction.out].on


def _indices(instruction: Instruction, rows: str) -> list[tuple[str, int]]:
    """Return the integers an instruction reads: per row of an index space, or once for index tables."""
    if isinstance(instruction, ops.Gather | ops.Scatter):
        return [(rows, 1 + (1 + len(instruction.label_maps) if instruction.label else 0))]
    if isinstance(instruction, ops.Lookup | ops.Collect):
        return [(rows, sum(1 + len(maps) for _, maps in instruction.labels))]
    if isinstance(instruction, ops.Function) and instruction.index_map:
        return [(rows, 1)]
    if isinstance(instruction, ops.Take | ops.Place) and not contiguous(instruction.index):
        return [("", len(instruction.index))]
    if isinstance(instruction, ops.Products):
        return [("", len(instruction.left) + len(instruction.right))]
    return []


def is_view(instruction: Instruction, program: Program) -> bool:
    """Whether an instruction gives a view of what it reads, and moves nothing."""
    if isinstance(instruction, ops.Take):
        return contiguous(instruction.index)
    if isinstance(instruction, ops.Reshape):
        return not _transposed(instruction.x, program)
    return isinstance(instruction, ops.Segment | ops.Transpose | ops.Expand)


def _transposed(value: str, program: Program) -> bool:
    """Whether a value is a view of a transposed one."""
    for instruction in program.instructions:
        if instruction.out == value:
            if isinstance(instruction, ops.Transpose):
                return instruction.order != tuple(range(len(instruction.order)))
            view = isinstance(instruction, ops.Segment | ops.Expand) or (
                isinstance(instruction, ops.Take) and contiguous(instruction.index)
            )
            return view and _transposed(instruction.reads()[0], program)
    return False


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
        channels = math.prod(program.shapes[instruction.out].axes[:-1])
        return channels * (terms + 2 * terms * program.shapes[instruction.table].axes[1])
    if isinstance(instruction, ops.Scatter | ops.Collect | ops.Total):
        return math.prod(program.shapes[instruction.x].axes)
    if isinstance(instruction, ops.Place):
        return 0 if contiguous(instruction.index) else math.prod(program.shapes[instruction.x].axes)
    if isinstance(instruction, ops.Combine):
        return size * (len(instruction.values) - 1 + sum(factor != 1.0 for factor in instruction.factors))
    if isinstance(instruction, ops.Multiply | ops.Function | ops.Geometry):
        return size
    return 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals for given numbers of rows."""

    flops: int
    bytes: int


def totals(program: Program, rows: Mapping[str, int], itemsize: int = 8) -> Totals:
    """Return the exact totals of a program for given numbers of rows of its index spaces.

    Raises:
        CompileError: an index space has no number of rows, or a negative one, or is not one of the program.
    """
    costs = per_row(program)
    spaces = program_spaces(program)
    wrong = [space for space, count in rows.items() if space not in spaces or count < 0]
    if wrong:
        raise CompileError(
            f"rows are numbers >= 0 of {', '.join(spaces) or 'nothing'}; got {wrong[0]}={rows[wrong[0]]}"
        )
    flops = moved = 0
    for space, cost in costs.items():
        if space and space != CONSTANT_SPACE and space not in rows:
            raise CompileError(f"the cost needs the number of rows of {space}; give rows={{'{space}': ...}}")
        count = rows.get(space, 1) if space else 1
        flops += cost.flops * count
        moved += cost.bytes(itemsize) * count
    return Totals(flops, moved)


def program_spaces(program: Program) -> tuple[str, ...]:
    """Return the index spaces of a program, sorted."""
    maps = {space for _, source, target in program.maps for space in (source, target)}
    return tuple(sorted({shape.on for shape in program.shapes.values() if shape.on} | maps))


def per_row(program: Program) -> dict[str, Cost]:
    """Return the summed cost of each index space, and under the empty name what is paid once."""
    found: dict[str, Cost] = {}
    for instruction in program.instructions:
        for cost in instruction_costs(instruction, program):
            found[cost.on] = found.get(cost.on, Cost(cost.on)) + cost
    return found
