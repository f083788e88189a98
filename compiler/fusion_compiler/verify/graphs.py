"""Graphs: the block under ``torch.compile`` and after ``torch.export`` gives what it gives when called."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from fusion_compiler.verify.subject import Drawn, Subject, outputs_of

BACKEND = "aot_eager"
"""Traces values and gradients as every backend does, and needs no C++ compiler."""
ROWS = ((0,), (1,), (2, 5), (9,))
"""Numbers of rows at which an exported block is run; it is traced at others."""


def _quiet(measure: Callable[[Subject, float], tuple[float, str]]) -> Callable[[Subject, float], tuple[float, str]]:
    """Keep to itself what torch says of its own deprecated functions while it traces."""

    @wraps(measure)
    def run(subject: Subject, limit: float) -> tuple[float, str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return measure(subject, limit)

    return run


@_quiet
def compiled(subject: Subject, limit: float) -> tuple[float, str]:
    """Compare values and gradients under ``torch.compile`` with those of the block."""
    torch.compiler.reset()  # the number of blocks that torch keeps is limited
    function = torch.compile(subject.block, fullgraph=True, backend=BACKEND)
    drawn = subject.draw("compiled")
    expected, gradients = _with_gradients(subject, subject.block, drawn)
    found, others = _with_gradients(subject, function, drawn)
    differences = [
        (one - other).abs().max() / one.abs().max().clamp(min=torch.finfo(one.dtype).tiny)
        for one, other in zip(gradients, others, strict=True)
        if one.numel()
    ]
    worst = [drawn.error(expected), drawn.error(found), *(float(difference) for difference in differences)]
    return _largest(worst), f"values and gradients under torch.compile, one graph, backend {BACKEND}"


@_quiet
def exported(subject: Subject, limit: float) -> tuple[float, str]:
    """Compare values of the block after ``torch.export`` with dynamic numbers of rows, 0 and 1 among them."""
    drawn, block = subject.draw("exported"), subject.block
    sizes = dict(drawn.inputs.sizes)
    shapes: dict[str, Any] = {"inputs": {name: {0: torch.export.Dim.AUTO} for name in drawn.tensors}}
    if sizes:
        shapes["sizes"] = dict.fromkeys(sizes, torch.export.Dim.DYNAMIC)
    keywords = {"sizes": sizes} if sizes else {}
    traced = torch.export.export(block, (drawn.tensors,), keywords, dynamic_shapes=shapes if drawn.tensors else None)
    # Where a number of rows is given as a number, torch guards against 0 although the graph is right for it.
    module = traced.module(check_guards=not sizes)
    errors: list[float] = []
    for rows in (subject.rows, *ROWS):
        other = subject.draw("exported again", rows)
        given = {"sizes": dict(other.inputs.sizes)} if sizes else {}
        with torch.no_grad():
            errors.append(other.error(outputs_of(module(other.tensors, **given))))
    by_number = f"; rows of {', '.join(sizes)} given as numbers, without torch's guards" if sizes else ""
    return _largest(errors), f"torch.export with dynamic rows, run at 0, 1, 2 to 5 and 9{by_number}"


def _largest(errors: list[float]) -> float:
    """Return the largest error; infinite where one is no number."""
    return max(errors, default=0.0) if all(math.isfinite(error) for error in errors) else math.inf


def _with_gradients(subject: Subject, function: Any, drawn: Drawn) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
    """Return outputs, and the gradients of the sum of all their squares by legs and learned coefficients."""
    legs = {name: drawn.tensors[name].detach().clone().requires_grad_() for name, _ in subject.block.program.inputs}
    with torch.enable_grad():
        outputs = outputs_of(function({**drawn.tensors, **legs}, sizes=dict(drawn.inputs.sizes)))
        total = torch.stack([value.square().sum() for value in outputs.values()]).sum()
    learned = [value for value in subject.block.coefficients.values() if value.requires_grad]
    if not total.requires_grad:
        return outputs, ()
    return outputs, torch.autograd.grad(total, [*legs.values(), *learned], allow_unused=True, materialize_grads=True)
