"""compile: the visible pipeline from a diagram to a module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fusion.diagram import Diagram, Wire, walk_nodes
from fusion.parameters import parameters
from fusion.validate import check
from fusion_compiler.block import Block, Ran
from fusion_compiler.errors import CompileError, InternalError
from fusion_compiler.passes.contract import contract, contract_as_declared
from fusion_compiler.passes.distribute import distribute
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import keep_all, prune
from fusion_compiler.program import Program


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: its name, what it does, the level it gives, and what stands in for it when it is switched off.

    Without a stand-in (``off``) the pass cannot be switched off.
    """

    name: str
    run: Callable[[Any], Any]
    level: str
    off: Callable[[Any], Any] | None = None


def validate(diagram: Diagram) -> Diagram:
    """Return a diagram that breaks no law; raise with every violation otherwise."""
    check(diagram)
    return diagram


def unchanged(diagram: Diagram) -> Diagram:
    """Return the diagram as it is."""
    return diagram


PIPELINE: tuple[Pass, ...] = (
    Pass("validate", validate, "diagram"),
    Pass("distribute", distribute, "diagram", unchanged),
    Pass("expand", expand, "expansion"),
    Pass("prune", prune, "expansion", keep_all),
    Pass("contract", contract, "plan", contract_as_declared),
    Pass("lower", lower, "program"),
)
"""The passes in order. What a pass gives is verified before the next one takes it."""


def compile(
    diagram: Wire | Diagram,
    *,
    emitter: str = "source",
    dtype: torch.dtype | None = None,
    without: str | Sequence[str] = (),
) -> Block:
    """Compile a diagram into an ``nn.Module``.

    Args:
        diagram: a wire, or a diagram with several outputs.
        emitter: ``"source"`` (readable Python, the default) or ``"interpret"``.
        dtype: ``torch.float64`` or ``torch.float32``; torch's default when left out.
        without: names of passes that are switched off. Values and the ``state_dict`` do not depend on it.

    Raises:
        DiagramError: the diagram breaks a law; every violation is reported.
        CompileError: an unknown emitter or type, or a pass that cannot be switched off.
    """
    chosen = torch.get_default_dtype() if dtype is None else dtype
    if chosen not in (torch.float32, torch.float64):
        raise CompileError(f"blocks compute in torch.float32 or torch.float64, not {chosen}")
    off = (without,) if isinstance(without, str) else tuple(without)
    optional = [step.name for step in PIPELINE if step.off is not None]
    wrong = [name for name in off if name not in optional]
    if wrong:
        raise CompileError(f"the pass {wrong[0]!r} cannot be switched off; these can: {', '.join(optional)}")
    declared = Diagram.of(diagram)
    value: Any = declared
    levels: dict[str, str] = {"diagram": str(declared)}
    ran: list[Ran] = []
    for step in PIPELINE:
        on = step.off is None or step.name not in off
        before = value
        value = step.run(value) if on or step.off is None else step.off(value)
        if not isinstance(value, Diagram):
            value.verify()
            levels[step.level] = str(value)
        elif value is not before:
            _verify_rewritten(declared, value)
            levels["rewritten diagram"] = str(value)
        ran.append(Ran(step.name, step.level, on, value is not before))
    if not isinstance(value, Program):
        raise InternalError("the last pass gave no program", str(value))
    return Block(declared, value, levels, emitter, chosen, tuple(ran))


def _verify_rewritten(declared: Diagram, rewritten: Diagram) -> None:
    """Check that a rewritten diagram is legal node by node and has the outputs and coefficients that were declared.

    Several nodes of it may use the same coefficients.
    """
    for node in walk_nodes(rewritten):
        errors = [found for found in node.violations if found.severity == "error"]
        if errors:
            raise InternalError(f"a rewrite broke a law: {errors[0].headline}", str(rewritten))
    for (name, wire), (other, new) in zip(declared.outputs, rewritten.outputs, strict=True):
        before, after = wire.space, new.space
        if (name, before.irreps, before.sizes, before.on) != (other, after.irreps, after.sizes, after.on):
            raise InternalError(f"a rewrite changed the space of output {name}", str(rewritten))
    shapes = {parameter.name: parameter.shape for parameter in parameters(declared)}
    for parameter in parameters(rewritten):
        if shapes.get(parameter.name) != parameter.shape:
            raise InternalError(f"a rewrite changed the coefficients {parameter.name}", str(rewritten))
