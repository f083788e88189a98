"""A program as a module: it runs on tensors and coefficients that are given with every call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.passes.batch import batch
from fusion_compiler.passes.fold import fold
from fusion_compiler.program import Program


class Routine(nn.Module):
    """A program, folded and batched, with its tables, which follow the module's type and device and are no state."""

    def __init__(self, program: Program, emitter: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.program = program = batch(fold(program))
        self.emitter = emitter
        self.names: dict[str, str] = {}
        for name, table in table_tensors(program, dtype).items():
            self.names[name] = f"{'table' if name[0] == '#' else 'index'}_{name[1:]}"
            self.register_buffer(self.names[name], table, persistent=False)
        self._run = runner(program, emitter)

    def forward(
        self, tensors: Mapping[str, Tensor], coefficients: Mapping[str, Tensor], rows: Mapping[str, int]
    ) -> dict[str, Tensor]:
        """Return the outputs of the program by name.

        Args:
            tensors: inputs, labels and index maps by name; more than the program reads may be given.
            coefficients: by name.
            rows: numbers of rows of all index spaces.
        """
        constants = {name: self.get_buffer(buffer) for name, buffer in self.names.items()}
        return self._run(tensors, coefficients, constants, rows)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move and convert as any module; tables are made again, so that a wider type has all its digits."""
        super()._apply(fn, recurse)
        for name, table in table_tensors(self.program, torch.float64, "cpu").items():
            setattr(self, self.names[name], table.to(self.get_buffer(self.names[name])))
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_run"]  # made again from the program
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._run = runner(self.program, self.emitter)
