"""The compiled block: a ``torch.nn.Module`` that runs a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.diagram import Diagram, Label, Leg, Map, Pull, Sum, Wire, walk_nodes
from fusion.errors import InputError
from fusion.index import CONSTANT_SPACE, IndexMap, derived_from
from fusion.parameters import parameters
from fusion_compiler.autograd import Differentiable, full_precision
from fusion_compiler.checks import check_inputs
from fusion_compiler.coefficients import Coefficients
from fusion_compiler.cost import is_view
from fusion_compiler.emit import Runner, runner, source_text
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.passes.batch import batch
from fusion_compiler.program import Program
from fusion_compiler.rows import product_rows


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one pass: the level it gave, whether it was on, and whether it gave anything else than it took."""

    name: str
    level: str
    on: bool
    changed: bool


class Block(nn.Module):
    """A compiled diagram.

    Call it with the diagram's legs, labels and index maps by name; every value has shape (rows, *channels,
    components) as :class:`fusion.space.Space` says::

        block(h=h, Y=Y, R=R, z=z, sender=sender, receiver=receiver)

    It returns the tensor of the single output, or a dict of tensors. ``sizes={"system": 3}`` gives numbers of rows of
    index spaces on which no tensor stands. Coefficients are parameters named as in
    :func:`fusion.parameters.parameters`, drawn from a normal distribution of variance 1 / fan-in; their names and
    shapes depend on the diagram alone, never on options. Tables are constants and not in the ``state_dict``.

    Attributes:
        diagram: the diagram as declared.
        program: the instructions.
        unbatched: the instructions before the pass *batch*; derivatives are made from these.
        emitter: which emitter made the running function.
        passes: what became of every pass of the pipeline.
    """

    def __init__(
        self,
        diagram: Wire | Diagram,
        program: Program,
        levels: Mapping[str, str],
        emitter: str,
        dtype: torch.dtype,
        passes: tuple[Ran, ...] = (),
        unbatched: Program | None = None,
    ) -> None:
        super().__init__()
        self.diagram = Diagram.of(diagram)
        self.program = program
        self.unbatched = program if unbatched is None else unbatched
        self.levels = dict(levels)
        self.emitter = emitter
        self.passes = passes
        learned: dict[str, nn.Parameter] = {}
        self.fitted: dict[str, str] = {}
        for parameter in parameters(self.diagram):
            value = torch.empty(parameter.shape, dtype=dtype)
            if parameter.learned:
                nn.init.normal_(value, std=parameter.fan_in**-0.5)
                learned[parameter.name] = nn.Parameter(value)
            else:
                self.fitted[parameter.name] = f"fitted_{parameter.name}"
                self.register_buffer(self.fitted[parameter.name], torch.full_like(value, torch.nan))
        self.coefficients = Coefficients(learned)
        self.register_buffer(
            "anchor", torch.zeros((), dtype=dtype), persistent=False
        )  # follows .to(dtype) and .to(device)
        self.table_names: dict[str, str] = {}
        for name, table in table_tensors(program, dtype).items():
            self.table_names[name] = f"{'table' if name[0] == '#' else 'index'}_{name[1:]}"
            self.register_buffer(self.table_names[name], table, persistent=False)
        self._declared = declared_tensors(self.diagram)
        self._held = held_outputs(program)
        self._runner = self._function(self.emitter)

    def _function(self, emitter: str) -> Runner:
        """Return what runs the program, with derivative programs behind it where the pass ``differentiate`` is on."""
        on = {step.name for step in self.passes if step.on}
        if "differentiate" not in on:
            return runner(self.program, emitter)
        finish = (batch,) if "batch" in on else ()
        return Differentiable(self.unbatched, emitter, *finish)

    @property
    def source(self) -> str:
        """The emitted Python text."""
        return source_text(self.program)

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of coefficients and tables."""
        return self.get_buffer("anchor").dtype

    def set_emitter(self, emitter: str) -> None:
        """Let another emitter run the same program from now on; coefficients, device and limits stay.

        Raises:
            CompileError: an unknown emitter; the block stays as it was.
        """
        self._runner = self._function(emitter)
        self.emitter = emitter

    def load_coefficients(self, values: Mapping[str, Any]) -> None:
        """Set coefficients and fitted buffers by name from arrays or tensors; names and shapes must fit.

        Raises:
            InputError: an unknown name, a wrong shape, or coefficients that are parametrised.
        """
        loaded = [self._loaded(name, value) for name, value in values.items()]  # all of them, or none
        with torch.no_grad():
            for target, source in loaded:
                target.copy_(source)

    def _loaded(self, name: str, value: Any) -> tuple[Tensor, Tensor]:
        """Return what holds coefficients, and the numbers they are to have."""
        if name in self.coefficients:
            target = self.coefficients[name]
            if not isinstance(target, nn.Parameter):
                raise InputError(f"the coefficients {name!r} are computed by a parametrisation; set what it takes")
        elif name in self.fitted:
            target = self.get_buffer(self.fitted[name])
        else:
            known = ", ".join([*self.coefficients, *self.fitted]) or "nothing"
            raise InputError(f"the block has no coefficients {name!r}; it has: {known}")
        try:
            source = (
                value.detach() if isinstance(value, Tensor) else torch.from_numpy(np.array(value, dtype=np.float64))
            )
        except (TypeError, ValueError):
            raise InputError(f"coefficients {name!r} must be an array of numbers") from None
        if source.is_complex() or source.is_meta:
            raise InputError(f"coefficients {name!r} must be real numbers, got {source.dtype} on {source.device}")
        if source.shape != target.shape:
            raise InputError(f"coefficients {name!r} have shape {tuple(target.shape)}, got {tuple(source.shape)}")
        return target, source.to(target.dtype)

    def forward(
        self, inputs: Mapping[str, Tensor] | None = None, /, *, sizes: Mapping[str, int] | None = None, **named: Tensor
    ) -> Tensor | dict[str, Tensor]:
        """Run the block on tensors given by keyword, or in one dict (which is what ``torch.export`` wants).

        Raises:
            InputError: a tensor is missing, unknown, or has the wrong shape or type.
        """
        tensors = {**(inputs or {}), **named}
        if not torch.compiler.is_compiling():
            check_inputs(self.program, self._declared, tensors, sizes or {}, self.dtype)
            self._check_fitted()
        given = {**tensors, **self._derived(tensors)}
        coefficients: dict[str, Tensor] = dict(self.coefficients.items())
        coefficients.update({name: self.get_buffer(buffer) for name, buffer in self.fitted.items()})
        constants = {name: self.get_buffer(buffer) for name, buffer in self.table_names.items()}
        with full_precision(self.get_buffer("anchor")):
            outputs = self._runner(given, coefficients, constants, self._rows(given, sizes or {}))
            outputs = {name: value.clone() if name in self._held else value for name, value in outputs.items()}
        return outputs["out"] if list(outputs) == ["out"] else outputs

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move and convert as any module; tables are made again, so that a wider type has all its digits."""
        super()._apply(fn, recurse)
        anchor = self.get_buffer("anchor")
        for name, table in table_tensors(self.program, anchor.dtype, anchor.device).items():
            setattr(self, self.table_names[name], table)
        return self

    def _check_fitted(self) -> None:
        """Refuse to run on fitted coefficients that nobody has bound."""
        for name, buffer in self.fitted.items():
            if bool(self.get_buffer(buffer).isnan().any()):
                raise InputError(f"no coefficients are given for {name!r}; bind them with load_coefficients")

    def _derived(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute the maps of product spaces that were not given, bases before the products made from them."""
        found: dict[str, Tensor] = {}
        for name, source, target in self.program.maps:
            if IndexMap(name, source, target).derived is not None:
                _resolve(name, tensors, found)
        return found

    def _rows(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, int]) -> dict[str, int]:
        """Return the number of rows of every index space, from any tensor of the diagram that stands on it."""
        rows: dict[str, int] = {CONSTANT_SPACE: 1, **sizes}
        for name, on in self._declared.items():
            if name in tensors:
                rows.setdefault(on, tensors[name].shape[0])
        for name, source, target in self.program.maps:
            rows.setdefault(source, tensors[name].shape[0])
            derived = IndexMap(name, source, target).derived
            if derived is not None and derived[0] in tensors:
                rows.setdefault(target, tensors[derived[0]].shape[0])
            if target not in rows:
                raise InputError(
                    f"the number of rows of index space {target} (target of {name}) is unknown; give "
                    f"sizes={{'{target}': ...}}"
                )
        return rows

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_runner"]  # made again from the program
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._runner = self._function(self.emitter)

    def extra_repr(self) -> str:
        """Show the diagram and the emitter in the module's repr."""
        return f"{self.diagram}, emitter={self.emitter!r}"


def declared_tensors(diagram: Diagram) -> dict[str, str]:
    """Return the names of all legs, labels and index maps of a diagram, each with the index space of its rows.

    A map of tuples can be computed from its base, so that the base may be given in its place.
    """
    found: dict[str, str] = {}
    maps: list[IndexMap] = []
    for node in walk_nodes(diagram):
        if isinstance(node, Leg):
            found[node.source] = node.space.on
        elif isinstance(node, Label):
            found[node.name] = node.on
            maps.extend(node.maps)
        elif isinstance(node, Pull | Sum):
            maps.append(node.index_map)
        elif isinstance(node, Map) and node.over is not None:
            maps.append(node.over)
    for item in maps:
        found[item.name] = item.source
        if item.derived is not None:
            found.setdefault(item.derived[0], item.target)
    return found


def held_outputs(program: Program) -> frozenset[str]:
    """Return the outputs that are coefficients or tables of the block itself, or views of them."""
    held = {*program.constants, *(f"${name}" for name in program.coefficients)}
    for instruction in program.instructions:
        if is_view(instruction, program) and held.issuperset(instruction.reads()):
            held.add(instruction.out)
    return frozenset(name for name, value in program.outputs if value in held)


def _resolve(name: str, tensors: Mapping[str, Tensor], found: dict[str, Tensor]) -> Tensor:
    """Return a map that is given or can be computed from one that is, and keep what is computed in ``found``."""
    if name in tensors:
        return tensors[name]
    if name not in found:
        if torch.compiler.is_compiling():
            raise InputError(f"give the map {name!r} when compiling or exporting: its length depends on data")
        derived = derived_from(name)
        if derived is None:
            raise InputError(f"missing: {name}")
        base, order, position = derived
        found[name] = product_rows(_resolve(base, tensors, found), order)[position]
    return found[name]
