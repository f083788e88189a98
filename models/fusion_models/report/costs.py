"""The plan table of a compiled block, as rows of a report."""

from __future__ import annotations

import torch

from fusion_compiler import Block
from fusion_compiler.cost import instruction_cost
from fusion_models.report.data import CostRow


def cost_rows(name: str, block: Block) -> tuple[CostRow, ...]:
    """Return one row for each instruction of ``block``, called ``name`` in the table."""
    program = block.program
    size = torch.finfo(block.dtype).bits // 8
    rows: list[CostRow] = []
    for instruction in program.instructions:
        cost = instruction_cost(instruction, program)
        flops = cost.flops_per_row if cost.on else cost.flops_once
        per_row, once = (cost.numbers_per_row, cost.numbers_once) if cost.on else (cost.numbers_once, 0)
        shape = str(program.shapes[instruction.out])
        rows.append(
            CostRow(name, instruction.out, instruction.opcode, shape, flops, per_row * size, cost.on, once * size)
        )
    return tuple(rows)
