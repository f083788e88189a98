"""compile: the visible pipeline from a diagram to a module."""

from __future__ import annotations

import torch

from fusion.diagram import Diagram, Wire
from fusion.validate import check
from fusion_compiler.block import Block
from fusion_compiler.errors import CompileError
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune

PIPELINE = ("validate", "expand", "prune", "contract", "lower")
"""The passes in order: diagram -> diagram -> expansion -> expansion -> plan -> program."""


def compile(diagram: Wire | Diagram, *, emitter: str = "source", dtype: torch.dtype | None = None) -> Block:
    """Compile a diagram into an ``nn.Module``.

    Args:
        diagram: a wire, or a diagram with several outputs.
        emitter: ``"source"`` (readable Python, the default) or ``"interpret"``.
        dtype: ``torch.float64`` or ``torch.float32``; torch's default when left out.

    Raises:
        DiagramError: the diagram breaks a law; every violation is reported.
        CompileError: an unknown emitter or type.
    """
    chosen = torch.get_default_dtype() if dtype is None else dtype
    if chosen not in (torch.float32, torch.float64):
        raise CompileError(f"blocks compute in torch.float32 or torch.float64, not {chosen}")
    check(diagram)
    declared = Diagram.of(diagram)
    expanded = expand(declared)
    expanded.verify()
    pruned = prune(expanded)
    pruned.verify()
    plan = contract(pruned)
    plan.verify()
    program = lower(plan)
    levels = {"diagram": str(declared), "expansion": str(pruned), "plan": str(plan), "program": str(program)}
    return Block(declared, program, levels, emitter, chosen)
