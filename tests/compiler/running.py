"""What the compiler's tests share: compile a diagram, feed it random inputs, compare with the dense definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import fusion_compiler
from fusion import Diagram, Evaluation, Wire, evaluate
from fusion.sampling import random_tensors


@dataclass
class Case:
    """A compiled diagram with inputs and its dense value."""

    block: fusion_compiler.Block
    tensors: dict[str, Tensor]
    sizes: dict[str, int]
    dense: dict[str, Evaluation]

    def run(self, tensors: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        found = self.block(tensors or self.tensors, sizes=self.sizes)
        return found if isinstance(found, dict) else {"out": found}

    def error(self) -> float:
        found = self.run()
        return max(self.dense[name].error(value.detach().numpy()) for name, value in found.items())

    @property
    def floating(self) -> list[str]:
        used = {name for name, _ in self.block.program.inputs}
        return [name for name, value in self.tensors.items() if value.is_floating_point() and name in used]


def case(
    diagram: Wire | Diagram,
    seed: int = 0,
    emitter: str = "source",
    rows: tuple[int, ...] = (),
    dtype: torch.dtype = torch.float64,
) -> Case:
    inputs = random_tensors(diagram, np.random.default_rng(seed), rows)
    block = fusion_compiler.compile(diagram, emitter=emitter, dtype=dtype)
    block.load_coefficients(inputs.parameters)
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
    tensors = {name: value.to(dtype) if value.is_floating_point() else value for name, value in tensors.items()}
    return Case(block, tensors, inputs.sizes, evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes))
