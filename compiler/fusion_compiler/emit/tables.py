"""Index tables of a program: the selections that are not plain ranges, as integer tensors that live with the block."""

from __future__ import annotations

import torch
from torch import Tensor

from fusion_compiler.program import Place, Products, Program, Take


def contiguous(index: tuple[int, ...]) -> bool:
    """Whether the index is a range, so that a view does."""
    return bool(index) and index == tuple(range(index[0], index[0] + len(index)))


def index_tables(program: Program) -> dict[tuple[int, ...], str]:
    """Return the name of the integer tensor of every selection."""
    found: dict[tuple[int, ...], str] = {}
    for instruction in program.instructions:
        if isinstance(instruction, Take | Place) and not contiguous(instruction.index):
            found.setdefault(instruction.index, f"@{len(found)}")
        elif isinstance(instruction, Products):
            for index in (instruction.left, instruction.right):
                found.setdefault(index, f"@{len(found)}")
    return found


def table_tensors(program: Program, dtype: torch.dtype, device: torch.device | str | None = None) -> dict[str, Tensor]:
    """Return all constants of a program as tensors: tables in ``dtype``, selections as int64.

    They are on torch's default device when none is given.
    """
    tables = {name: torch.tensor(table, dtype=dtype, device=device) for name, table in program.constants.items()}
    for index, name in index_tables(program).items():
        tables[name] = torch.tensor(index, dtype=torch.int64, device=device)
    return tables
