"""compile: the visible pipeline from a diagram to a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fusion.diagram import Diagram, Wire, walk_nodes
from fusion.parameters import parameters
from fusion.validate import check
from fusion_compiler.block import Block, Ran
from fusion_compiler.derivatives import differentiate
from fusion_compiler.errors import CompileError, InternalError
from fusion_compiler.memory import MemoryLimit, row_spaces
from fusion_compiler.passes.batch import batch
from fusion_compiler.passes.canonical import canonical
from fusion_compiler.passes.contract import contract, contract_as_declared
from fusion_compiler.passes.distribute import distribute
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.fold import fold
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.mixes import mixes
from fusion_compiler.passes.prune import keep_all, prune
from fusion_compiler.passes.recouple import recouple
from fusion_compiler.passes.share import share
from fusion_compiler.passes.symmetrise import symmetrise
from fusion_compiler.passes.unshare import unshare
from fusion_compiler.polynomial.nodes import Weigh
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


def unchanged(value: Any) -> Any:
    """Return a level as it is: what stands in for a rewrite that is off."""
    return value


PIPELINE: tuple[Pass, ...] = (
    Pass("validate", validate, "diagram"),
    Pass("distribute", distribute, "diagram", unchanged),
    Pass("canonical", canonical, "diagram", unchanged),
    Pass("unshare", unshare, "diagram", unchanged),
    Pass("symmetrise", symmetrise, "diagram", unchanged),
    Pass("recouple", recouple, "diagram", unchanged),
    Pass("mixes", mixes, "diagram", unchanged),
    Pass("share", share, "diagram", unchanged),
    Pass("expand", expand, "expansion"),
    Pass("prune", prune, "expansion", keep_all),
    Pass("contract", contract, "plan", contract_as_declared),
    Pass("lower", lower, "program"),
    Pass("fold", fold, "program", unchanged),
    Pass("differentiate", differentiate, "program", unchanged),
    Pass("batch", batch, "program", unchanged),
)
"""The passes in order. What a pass gives is verified before the next one takes it."""


def compile(
    diagram: Wire | Diagram,
    *,
    emitter: str = "source",
    dtype: torch.dtype | None = None,
    without: str | Sequence[str] = (),
    max_memory: int | None = None,
    rows: Mapping[str, int] | None = None,
) -> Block:
    """Compile a diagram into an ``nn.Module``.

    Args:
        diagram: a wire, or a diagram with several outputs.
        emitter: ``"source"`` (readable Python, the default) or ``"interpret"``.
        dtype: ``torch.float64`` or ``torch.float32``; torch's default when left out.
        without: names of passes that are switched off. Values and the ``state_dict`` do not depend on it.
        max_memory: bytes that a run may hold, its inputs, coefficients and tables included (see
            :class:`fusion_compiler.memory.Memory`); what autograd keeps for gradients comes on top. Every call whose
            rows need more is refused before it allocates.
        rows: numbers of rows of all index spaces that must fit into ``max_memory``; without them, coefficients and
            tables must. What does not fit is refused here, before the block allocates anything.

    Raises:
        DiagramError: the diagram breaks a law; every violation is reported.
        CompileError: an unknown emitter or type, a pass that cannot be switched off, or rows of other index spaces.
        MemoryLimitError: ``max_memory`` does not suffice; the message says what would fit.
    """
    chosen = torch.get_default_dtype() if dtype is None else dtype
    if chosen not in (torch.float32, torch.float64):
        raise CompileError(f"blocks compute in torch.float32 or torch.float64, not {chosen}")
    if max_memory is not None and (type(max_memory) is not int or max_memory < 1):
        raise CompileError(f"max_memory is a positive whole number of bytes, not {max_memory!r}")
    if rows is not None and max_memory is None:
        raise CompileError("rows= says what must fit into max_memory=; give both, or neither")
    declared = Diagram.of(diagram)
    ran = run_passes(declared, without)
    levels: dict[str, str] = {"diagram": str(declared)}
    for stage in ran:
        if not isinstance(stage.after, Diagram):
            levels[stage.step.level] = str(stage.after)
        elif stage.changed:
            levels["rewritten diagram"] = str(stage.after)
    program = ran[-1].after
    if not isinstance(program, Program):
        raise InternalError("the last pass gave no program", str(program))
    limit = None
    if max_memory is not None:
        limit = MemoryLimit(program, max_memory)
        limit.check(dict.fromkeys(row_spaces(program), 0) if rows is None else rows, chosen.itemsize)
    passes = tuple(Ran(stage.step.name, stage.step.level, stage.on, stage.changed) for stage in ran)
    block = Block(declared, program, levels, emitter, chosen, passes, ran[-1].before)
    if limit is not None:
        block.register_forward_pre_hook(limit, with_kwargs=True)
    return block


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass at work: what it took, and what it gave."""

    step: Pass
    on: bool
    before: Any
    after: Any

    @property
    def changed(self) -> bool:
        """Whether it gave anything else than it took."""
        return self.after is not self.before


def run_passes(declared: Diagram, without: str | Sequence[str] = ()) -> tuple[Stage, ...]:
    """Run the pipeline on a diagram; what every pass gives is verified.

    Args:
        declared: a diagram.
        without: names of passes that are switched off.

    Raises:
        DiagramError: the diagram breaks a law.
        CompileError: a pass that cannot be switched off.
    """
    off = (without,) if isinstance(without, str) else tuple(without)
    optional = [step.name for step in PIPELINE if step.off is not None]
    wrong = [name for name in off if name not in optional]
    if wrong:
        raise CompileError(f"the pass {wrong[0]!r} cannot be switched off; these can: {', '.join(optional)}")
    value: Any = declared
    stages: list[Stage] = []
    for step in PIPELINE:
        on = step.off is None or step.name not in off
        before = value
        value = step.run(value) if on or step.off is None else step.off(value)
        if not isinstance(value, Diagram):
            value.verify()
        elif value is not before:
            _verify_rewritten(declared, value)
        stages.append(Stage(step, on, before, value))
    return tuple(stages)


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
    used = [(parameter.name, parameter.shape) for parameter in parameters(rewritten)]
    weighings = [node for node in walk_nodes(rewritten) if isinstance(node, Weigh)]
    used.extend((column.tensor, column.shape) for node in weighings for column in node.columns)
    for coefficients, shape in used:
        if shapes.get(coefficients) != shape:
            raise InternalError(f"a rewrite changed the coefficients {coefficients}", str(rewritten))
