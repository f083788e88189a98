"""How far rewritten sums are from the dense value of the declared ones, where solid harmonics are taken apart."""

from __future__ import annotations

import numpy as np
import torch

import fusion_compiler
from fusion import Wire, evaluate
from fusion.diagram import Diagram
from fusion.sampling import random_tensors
from fusion_compiler.passes.addition import taken_apart
from fusion_compiler.passes.worth import program_of
from fusion_compiler.polynomial.plain import plain


def error_apart(declared: Wire | Diagram, rewritten: Diagram | None, seed: int, rows: tuple[int, ...] = ()) -> float:
    """Return the largest error of a rewritten diagram, compiled, against the dense value of the declared one.

    Solid harmonics of a difference are polynomials of both parts; errors are relative to the terms of those, too.
    Without a rewritten diagram, the declared one is compiled with every pass.
    """
    diagram = Diagram.of(declared)
    inputs = random_tensors(diagram, np.random.default_rng(seed), rows)
    expected = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    apart = plain(taken_apart(diagram)).diagram
    terms = evaluate(apart, inputs.tensors, inputs.parameters, inputs.sizes)
    if rewritten is None:
        block = fusion_compiler.compile(diagram, dtype=torch.float64)
    else:
        block = fusion_compiler.Block(diagram, program_of(rewritten), {}, "interpret", torch.float64)
    block.load_coefficients(inputs.parameters)
    found = block({name: torch.as_tensor(np.array(x)) for name, x in inputs.tensors.items()}, sizes=inputs.sizes)
    values = found if isinstance(found, dict) else {"out": found}
    worst = 0.0
    for name, value in values.items():
        size = np.maximum(expected[name].magnitude, terms[name].magnitude) + 1e-300
        error = np.abs(value.detach().numpy() - expected[name].value) / size
        worst = max(worst, float(np.max(error, initial=0.0)))
    return worst
