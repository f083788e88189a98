"""The sections of an explanation that show one program: outcomes of passes, costs, memory, coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fusion.parameters import parameters
from fusion_compiler.arithmetic import arithmetic
from fusion_compiler.block import Block
from fusion_compiler.cost import Cost, instruction_costs, per_row, totals
from fusion_compiler.explain.dead import Dead
from fusion_compiler.explain.sizes import Sizes
from fusion_compiler.memory import forecast, shown_rows


def outcome_lines(block: Block) -> list[str]:
    """Return a line for each pass: its name, the level it gives, and what became of it."""
    lines: list[str] = []
    for ran in block.passes:
        became = "switched off" if not ran.on else "ran" if ran.changed else "ran, changed nothing"
        lines.append(f"{ran.name:<14} {ran.level:<10} {became}")
    return lines


def cost_lines(block: Block, sizes: Sizes) -> list[str]:
    """Return the table of the instructions with their exact costs, the sums per row, and the totals."""
    program, size = block.program, sizes.itemsize
    lines = [f"{'value':>8} {'instruction':<12} {'result':<26} {'flops':>12} {'bytes':>12}  per row of"]
    for instruction in program.instructions:
        name, code, shape = instruction.out, instruction.opcode, str(program.shapes[instruction.out])
        costs = instruction_costs(instruction, program) or (Cost(program.shapes[instruction.out].on),)
        for cost in costs:
            where = cost.on or "(once)"
            lines.append(f"{name:>8} {code:<12} {shape:<26} {cost.flops:>12} {cost.bytes(size):>12}  {where}")
            name = code = shape = ""
    lines.append("")
    for space, cost in sorted(per_row(program).items()):
        where = f"per row of {space}" if space else "once per call"
        lines.append(f"{where}: {cost.flops} flops, {cost.bytes(size)} bytes")
    for space, count in sorted(arithmetic(program).items()):
        lines.append(f"per row of {space} with every zero left out: {count} arithmetic instructions")
    rows = sizes.rows(program)
    total = totals(program, rows, size)
    lines.append(f"totals for {shown_rows(rows) or 'no rows'}: {total.flops} flops, {total.bytes} bytes")
    return lines


def memory_lines(block: Block, sizes: Sizes) -> list[str]:
    """Return the forecast of the memory of a run without autograd."""
    rows = sizes.rows(block.program)
    found = forecast(block.program, rows, sizes.itemsize)
    lines = [
        f"peak for {shown_rows(rows) or 'no rows'}: {found.peak} bytes without autograd",
        f"inputs {found.inputs}, coefficients and tables {found.held}, values at their largest {found.values}",
    ]
    lines.extend(f"largest at: {item}" for item in block.program.instructions if item.out == found.at)
    return lines


def coefficient_lines(block: Block) -> tuple[str, list[str]]:
    """Return the title and the lines of the section on learned coefficients."""
    learned = [parameter for parameter in parameters(block.diagram) if parameter.learned]
    count = sum(math.prod(parameter.shape) for parameter in learned)
    lines = [f"{p.name}: {' x '.join(map(str, p.shape))} ({' '.join(p.letters)}), fan-in {p.fan_in}" for p in learned]
    return f"coefficients: {count} learned numbers", lines


def dead_lines(dead: Sequence[Dead]) -> list[str]:
    """Return a line for each tensor of coefficients with numbers that no output depends on."""
    return [str(item) for item in dead] or ["none: every learned number receives a gradient"]
