"""The plan table of a compiled block, as rows of a report."""

from __future__ import annotations

import torch

from fusion_compiler import Block
from fusion_compiler.cost import Cost, instruction_costs
from fusion_models.report.data import CostRow


def cost_rows(name: str, block: Block) -> tuple[CostRow, ...]:
    """Return a row for each instruction of ``block``, called ``name``, and each index space that it touches."""
    program = block.program
    size = torch.finfo(block.dtype).bits // 8
    rows: list[CostRow] = []
    for instruction in program.instructions:
        shape = str(program.shapes[instruction.out])
        found = instruction_costs(instruction, program) or (Cost(program.shapes[instruction.out].on),)
        each = [cost for cost in found if cost.on] or list(found)
        once = sum(cost.bytes(size) for cost in found if cost not in each)
        for number, cost in enumerate(each):
            rows.append(
                CostRow(
                    name,
                    instruction.out,
                    instruction.opcode,
                    shape,
                    cost.flops,
                    cost.bytes(size),
                    cost.on,
                    once if number == 0 else 0,
                )
            )
    return tuple(rows)
