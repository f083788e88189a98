"""explain: what the compiler made of a diagram, level by level, with the plan and its exact costs."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from fusion.parameters import parameters
from fusion_compiler.block import Block
from fusion_compiler.cost import instruction_cost, per_row, totals

LEVELS = ("diagram", "expansion", "plan", "program")


def explain(block: Block, *, rows: Mapping[str, int] | None = None) -> str:
    """Return a report: every level, the instructions with their costs, coefficients, and totals.

    Args:
        block: a compiled block.
        rows: numbers of rows of index spaces for the totals; 1 each when left out.
    """
    program = block.program
    lines: list[str] = []
    for level in LEVELS:
        lines.extend((f"== {level}", block.levels[level], ""))
    lines.append(f"== costs of the program (emitter {block.emitter}, {block.dtype})")
    lines.append(f"{'value':>8} {'instruction':<12} {'result':<26} {'flops/row':>12} {'bytes/row':>12}  on")
    size = torch.finfo(block.dtype).bits // 8
    for instruction in program.instructions:
        cost = instruction_cost(instruction, program)
        shape = str(program.shapes[instruction.out])
        flops, numbers = cost.flops_per_row + cost.flops_once, cost.numbers_per_row
        lines.append(
            f"{instruction.out:>8} {instruction.opcode:<12} {shape:<26} {flops:>12} {numbers * size:>12}  "
            f"{cost.on or 'once'}"
        )
    lines.append("")
    for space, cost in sorted(per_row(program).items()):
        lines.append(
            f"per row of {space or 'nothing (once)'}: {cost.flops_per_row + cost.flops_once} flops, "
            f"{cost.numbers_per_row * size} bytes"
        )
    counts = {space: 1 for space in per_row(program) if space}
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
