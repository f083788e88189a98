"""explain: what the compiler made of a diagram, level by level, with the plan and its exact costs."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from fusion.parameters import parameters
from fusion_compiler.block import Block
from fusion_compiler.cost import Cost, instruction_costs, per_row, program_spaces, totals

LEVELS = ("diagram", "rewritten diagram", "expansion", "plan", "program")


def explain(block: Block, *, rows: Mapping[str, int] | None = None) -> str:
    """Return a report: the passes, every level, the instructions with their costs, coefficients, and totals.

    The rewritten diagram is shown where a pass changed the declared one.

    Args:
        block: a compiled block.
        rows: numbers of rows of index spaces for the totals; 1 each when left out.
    """
    program = block.program
    lines = ["== passes"]
    for ran in block.passes:
        became = "switched off" if not ran.on else "ran" if ran.changed else "ran, changed nothing"
        lines.append(f"{ran.name:<12} {ran.level:<10} {became}")
    lines.append("")
    for level in LEVELS:
        if level in block.levels:
            lines.extend((f"== {level}", block.levels[level], ""))
    lines.append(f"== costs of the program (emitter {block.emitter}, {block.dtype})")
    lines.append(f"{'value':>8} {'instruction':<12} {'result':<26} {'flops':>12} {'bytes':>12}  per row of")
    size = torch.finfo(block.dtype).bits // 8
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
    counts = dict.fromkeys(program_spaces(program), 1)
    counts.update(rows or {})
    total = totals(program, counts, size)
    shown = ", ".join(f"{space}={count}" for space, count in sorted(counts.items())) or "no rows"
    lines.append(f"totals for {shown}: {total.flops} flops, {total.bytes} bytes")
    learned = [parameter for parameter in parameters(block.diagram) if parameter.learned]
    count = sum(block.coefficients[p.name].numel() for p in learned)
    lines.extend(("", f"== coefficients: {count} learned numbers"))
    lines.extend(
        f"{p.name}: {' x '.join(map(str, p.shape))} ({' '.join(p.letters)}), fan-in {p.fan_in}" for p in learned
    )
    return "\n".join(lines)
