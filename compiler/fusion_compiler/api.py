"""compile: the visible pipeline from a diagram to a module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from fusion.diagram import Diagram, Wire
from fusion.validate import check
from fusion_compiler.block import Block
from fusion_compiler.errors import CompileError, InternalError
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune
from fusion_compiler.program import Program


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: its name, what it does, and the level it gives."""

    name: str
    run: Callable[[Any], Any]
    level: str


def validate(diagram: Diagram) -> Diagram:
    """Return a diagram that breaks no law; raise with every violation otherwise."""
    check(diagram)
    return diagram


PIPELINE: tuple[Pass, ...] = (
    Pass("validate", validate, "diagram"),
    Pass("expand", expand, "expansion"),
    Pass("prune", prune, "expansion"),
    Pass("contract", contract, "plan"),
    Pass("lower", lower, "program"),
)
"""The passes in order. What a pass gives is verified before the next one takes it."""


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
    declared = Diagram.of(diagram)
    value: Any = declared
    levels: dict[str, str] = {}
    for step in PIPELINE:
        value = step.run(value)
        if not isinstance(value, Diagram):
            value.verify()
        levels[step.level] = str(value)
    if not isinstance(value, Program):
        raise InternalError("the last pass gave no program", str(value))
    return Block(declared, value, levels, emitter, chosen)
