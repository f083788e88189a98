"""Derivative programs behind torch's autograd: the backward of a program runs its vector-Jacobian product.

That is a program too, so it has a backward of the same kind: gradients of every order run programs, each made when it
is first asked for. A run keeps the values its backward needs. While torch compiles, exports or transforms functions
(``torch.func``), the plain function runs, which torch differentiates itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fusion_compiler.derivatives.halves import keeping, kept_names, reverse
from fusion_compiler.derivatives.vjp import cotangent_names, depending
from fusion_compiler.emit import Runner, runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.passes.fold import fold
from fusion_compiler.program import Program
from fusion_compiler.vectorised import is_vectorised, vectorised

Tensors = Mapping[str, Tensor]
Finish = Callable[[Program], Program]


class Differentiable:
    """A function that runs a program, and whose gradients run derivative programs.

    Called as any runner (see :data:`fusion_compiler.emit.Runner`).

    Args:
        program: what is differentiated.
        emitter: what makes the running functions.
        finish: what is done to every program before it is emitted, with the same constants and index tables.
    """

    def __init__(self, program: Program, emitter: str, finish: Finish = lambda program: program) -> None:
        self.program = program
        self.emitter = emitter
        self.finish = finish
        self.run: Runner = runner(finish(program), emitter)
        self.floating = [*(name for name, _ in program.inputs), *(f"${name}" for name in program.coefficients)]
        self._kept: dict[tuple[str, ...], Kept] = {}

    def __call__(
        self, tensors: Tensors, coefficients: Tensors, constants: Tensors, rows: Mapping[str, int]
    ) -> dict[str, Tensor]:
        """Run the program so that autograd finds its derivative programs."""
        if torch.compiler.is_compiling() or not torch.is_grad_enabled() or _transformed():
            return self.run(tensors, coefficients, constants, rows)
        values = {name: coefficients[name[1:]] if name.startswith("$") else tensors[name] for name in self.floating}
        wrt = tuple(name for name, value in values.items() if value.requires_grad)
        if wrt not in self._kept:
            self._kept[wrt] = Kept(keeping(self.program, wrt), wrt, self.emitter, self.finish)
        kept = self._kept[wrt]
        if len(kept.fixed) == len(kept.distinct):
            return self.run(tensors, coefficients, constants, rows)
        given = (values[name] for name in kept.floating)
        found = dict(zip(kept.distinct, _Apply.apply(kept, tensors, rows, *given), strict=True))
        return {
            name: values[value] if value in values else found[value]
            for name, value in kept.program.outputs[: len(self.program.outputs)]
        }


@dataclass(frozen=True, slots=True)
class Reverse:
    """A vector-Jacobian product: its function, and the names by which it takes cotangents."""

    function: Differentiable
    cotangents: Mapping[str, str]


class Kept:
    """A program that gives the values its reverse needs, too; its function; and its reverses, made when needed.

    Attributes:
        program: see :func:`fusion_compiler.derivatives.halves.keeping`.
        distinct: the first output name of every value that is not an input.
        fixed: those of them that depend on nothing that needs a gradient.
        held: the distinct outputs that reverses read, by place, and the names by which they take them.
    """

    def __init__(self, program: Program, wrt: tuple[str, ...], emitter: str, finish: Finish) -> None:
        self.program = program
        self.emitter = emitter
        self.finish = finish
        self.run: Runner = runner(finish(program), emitter)
        self.floating = [*(name for name, _ in program.inputs), *(f"${name}" for name in program.coefficients)]
        self.distinct: dict[str, str] = {}
        for name, value in program.outputs:
            if value not in self.floating:
                self.distinct.setdefault(value, name)
        moving = depending(program.instructions, wrt)
        self.fixed = [name for value, name in self.distinct.items() if value not in moving]
        names = kept_names(program)
        moving_outputs = [name for name in self.distinct.values() if name not in self.fixed]
        present = [name for name in wrt if name in self.floating]
        read = {name for name, _ in reverse(program, present, moving_outputs).inputs} if moving_outputs else set[str]()
        # what no reverse reads is not saved, so that users may change it in place
        self.held = {place: names[name] for place, name in enumerate(self.distinct.values()) if names[name] in read}
        self._reverses: dict[tuple[tuple[bool, ...], tuple[str, ...]], Reverse | None] = {}
        self._tables: dict[tuple[Program, torch.dtype, torch.device], dict[str, Tensor]] = {}

    def reverse(self, needed: tuple[bool, ...], of: tuple[str, ...]) -> Reverse | None:
        """Return the reverse of some outputs for those inputs that need it; none where they depend on no such."""
        if (needed, of) not in self._reverses:
            used = used_values(self.program, of)
            wrt = [name for name, needs in zip(self.floating, needed, strict=True) if needs and name in used]
            found = None
            if wrt:
                function = Differentiable(fold(reverse(self.program, wrt, of)), self.emitter, self.finish)
                found = Reverse(function, cotangent_names(self.program, of))
            self._reverses[needed, of] = found
        return self._reverses[needed, of]

    def tables(self, program: Program, like: Tensor) -> dict[str, Tensor]:
        """Return the constants of a program with the type and device of a tensor."""
        kind = (program, like.dtype, like.device)
        if kind in self._tables:
            return self._tables[kind]
        found = table_tensors(program, like.dtype, like.device)
        if all(
            type(table) is Tensor for table in found.values()
        ):  # tensors of a mode such as FakeTensorMode end with it
            self._tables[kind] = found
        return found


class _Apply(torch.autograd.Function):
    """One run of a program."""

    @staticmethod
    def forward(ctx: Any, kept: Kept, tensors: Tensors, rows: Mapping[str, int], *values: Tensor) -> tuple[Tensor, ...]:
        """Run the program; keep its inputs and outputs, labels and maps among them, so that torch sees changes."""
        named = dict(zip(kept.floating, values, strict=True))
        others = {name: value for name, value in tensors.items() if name not in named}
        with full_precision(values[0]):
            found = kept.run({**others, **named}, _coefficients(named), kept.tables(kept.program, values[0]), rows)
        outputs = tuple(_own(found[name]) for name in kept.distinct.values())
        ctx.kept, ctx.rows, ctx.others = kept, rows, tuple(others)
        ctx.save_for_backward(*values, *(outputs[place] for place in kept.held), *others.values())
        ctx.set_materialize_grads(False)
        places = {name: place for place, name in enumerate(kept.distinct.values())}
        ctx.mark_non_differentiable(*(outputs[places[name]] for name in kept.fixed))
        return outputs

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        """Run the vector-Jacobian product of the outputs that matter, with respect to what needs it."""
        if is_vectorised(cotangents):
            return vectorised(lambda *each: _Apply.backward(ctx, *each), cotangents)
        kept: Kept = ctx.kept
        pairs = zip(kept.distinct.values(), cotangents, strict=True)
        given = {name: value for name, value in pairs if value is not None}
        back = kept.reverse(ctx.needs_input_grad[3:], tuple(given))
        found: dict[str, Tensor] = {}
        if back is not None:
            saved: tuple[Tensor, ...] = ctx.saved_tensors
            first, last = len(kept.floating), len(kept.floating) + len(kept.held)
            values = dict(zip(kept.floating, saved[:first], strict=True))
            tensors: dict[str, Tensor] = {
                **dict(zip(ctx.others, saved[last:], strict=True)),
                **values,
                **dict(zip(kept.held.values(), saved[first:last], strict=True)),
                **{back.cotangents[name]: value for name, value in given.items()},
            }
            constants = kept.tables(back.function.program, saved[0])
            with full_precision(saved[0]):
                found = back.function(tensors, _coefficients(values), constants, ctx.rows)
        return (None, None, None, *(found.get(name) for name in kept.floating))


def _own(value: Tensor) -> Tensor:
    """Return a value that is no view, so that its user may change it in place."""
    return value.clone() if value._is_view() else value


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Return a context without autocast: a block computes in its own type."""
    kind = like.device.type
    on = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if on else nullcontext()


def _transformed() -> bool:
    """Whether a transform of ``torch.func`` or forward-mode differentiation is under way, or inference mode is on.

    They may need what an autograd function cannot give.
    """
    forward = torch.autograd.forward_ad._current_level >= 0
    return forward or torch.is_inference_mode_enabled() or bool(torch._C._are_functorch_transforms_active())


def used_values(program: Program, of: tuple[str, ...]) -> set[str]:
    """Return the values that some outputs depend on."""
    used = {value for name, value in program.outputs if name in of}
    for instruction in reversed(program.instructions):
        if instruction.out in used:
            used.update(instruction.reads())
    return used


def _coefficients(values: Tensors) -> dict[str, Tensor]:
    return {name[1:]: value for name, value in values.items() if name.startswith("$")}
