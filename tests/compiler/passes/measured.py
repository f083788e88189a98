"""How far a rewritten diagram is from the dense value of the declared one."""

from __future__ import annotations

import numpy as np
import torch

import fusion_compiler
from fusion import Wire, evaluate
from fusion.diagram import Diagram
from fusion.sampling import random_tensors
from fusion_compiler.passes.worth import program_of
from fusion_compiler.polynomial.plain import plain


def error_of(declared: Wire | Diagram, rewritten: Diagram | None, seed: int, rows: tuple[int, ...] = ()) -> float:
    """Return the largest error of the compiled rewritten diagram, relative to magnitudes.

    Without a rewritten diagram, the declared one is compiled with every pass.
    """
    inputs = random_tensors(declared, np.random.default_rng(seed), rows)
    expected = evaluate(declared, inputs.tensors, inputs.parameters, inputs.sizes)
    if rewritten is None:
        block = fusion_compiler.compile(declared, dtype=torch.float64)
    else:
        block = fusion_compiler.Block(declared, program_of(rewritten), {}, "interpret", torch.float64)
    block.load_coefficients(inputs.parameters)
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
    found = block(tensors, sizes=inputs.sizes)
    values = found if isinstance(found, dict) else {"out": found}
    return max(expected[name].error(value.detach().numpy()) for name, value in values.items())


def plain_error_of(declared: Wire | Diagram, rewritten: Diagram, seed: int) -> float:
    """Return the largest error of the rewritten diagram written out in the language, both evaluated densely."""
    inputs = random_tensors(declared, np.random.default_rng(seed))
    expected = evaluate(declared, inputs.tensors, inputs.parameters, inputs.sizes)
    written = plain(rewritten)
    found = evaluate(written.diagram, inputs.tensors, written.coefficients(inputs.parameters), inputs.sizes)
    return max(expected[name].error(item.value) for name, item in found.items())
