"""The last level: straight-line instructions over named values, with a shape for each.

A value has the rows of one index space (or none, for coefficients and constants) and a fixed shape per row. Emitters
turn the instructions into a function; ``interpret`` defines what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fusion_compiler.errors import InternalError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """Index space of the rows (empty for coefficients and constants) and the axes of one row."""

    on: str
    axes: tuple[int, ...]

    def __str__(self) -> str:
        return " x ".join(map(str, (*([self.on] if self.on else []), *self.axes))) or "number"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; ``out`` is the value it defines. Fields that name values are listed by :meth:`reads`."""

    out: str

    @property
    def opcode(self) -> str:
        """The name of the instruction in listings."""
        return type(self).__name__.lower()

    def reads(self) -> tuple[str, ...]:
        """Return the values this instruction reads."""
        found: list[str] = []
        for name in _value_fields(type(self)):
            value = getattr(self, name)
            if value:
                found.extend(value if isinstance(value, tuple) else (value,))
        return tuple(found)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the instruction reading other values, where ``names`` has one."""
        changes: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _VALUE_FIELDS:
                many = isinstance(value, tuple)
                changes[field.name] = tuple(names.get(v, v) for v in value) if many else names.get(value, value)
        return replace(self, **changes)

    def __str__(self) -> str:
        parts: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "out" or value in ("", ()) or value == field.default:
                continue
            if isinstance(value, tuple):
                text = " ".join(map(str, value))
                value = text if len(text) <= 60 else f"{text[:57]}..."
            parts.append(f"{value}" if field.name in _VALUE_FIELDS else f"{field.name}={value}")
        return f"{self.out} = {self.opcode} {', '.join(parts)}"


_VALUE_FIELDS = ("x", "y", "table", "values")


@cache
def _value_fields(kind: type[Instruction]) -> tuple[str, ...]:
    """Return the fields of a kind of instruction that name values, in their order."""
    return tuple(field.name for field in fields(kind) if field.name in _VALUE_FIELDS)


@dataclass(frozen=True, slots=True)
class Take(Instruction):
    """Entries ``index`` of one axis of every row; ``axis`` counts from the end (-1 is the component axis)."""

    x: str
    index: tuple[int, ...]
    axis: int = -1


@dataclass(frozen=True, slots=True)
class Place(Instruction):
    """Zeros with ``size`` entries along one axis, and entry k of ``x`` added at ``index[k]``: what undoes a take."""

    x: str
    index: tuple[int, ...]
    size: int
    axis: int = -1


@dataclass(frozen=True, slots=True)
class Segment(Instruction):
    """Components ``start`` .. ``start + paths * dim`` of the last axis, as two axes (paths, dim)."""

    x: str
    start: int
    paths: int
    dim: int


@dataclass(frozen=True, slots=True)
class Join(Instruction):
    """Flatten the last two axes (paths, dim) of each value and put them side by side on the last axis."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concatenate(Instruction):
    """Values side by side on the last axis."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract(Instruction):
    """Pairwise einsum. Letter N is the row; a value without rows has no N. Without N in the result, rows are summed."""

    x: str
    y: str
    equation: str


@dataclass(frozen=True, slots=True)
class Products(Instruction):
    """Selected products of components, then a table: ``sum_t x[..., left[t]] y[..., right[t]] table[t, :]``.

    The axes before the components are equal or 1.
    """

    x: str
    y: str
    table: str
    left: tuple[int, ...]
    right: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Multiply(Instruction):
    """Elementwise product; the axes of both are equal or 1."""

    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Gather(Instruction):
    """Row i is row ``map[i]`` of ``x``; with ``label``, the entry of its class on the first axis of that row."""

    x: str
    index_map: str
    label: str = ""
    label_maps: tuple[str, ...] = ()
    classes: int = 0


@dataclass(frozen=True, slots=True)
class Scatter(Instruction):
    """Row j is the sum of the rows i of ``x`` with ``map[i] = j``; with ``label``, its classes are kept apart."""

    x: str
    index_map: str
    label: str = ""
    label_maps: tuple[str, ...] = ()
    classes: int = 0


@dataclass(frozen=True, slots=True)
class Lookup(Instruction):
    """Row i is ``x[label[i]]``: coefficients per class. Several labels index the leading axes."""

    x: str
    labels: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Collect(Instruction):
    """The sum of the rows of every class; several labels give the leading axes. It has no rows."""

    x: str
    labels: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Combine(Instruction):
    """Linear combination of values of one shape."""

    values: tuple[str, ...]
    factors: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reshape(Instruction):
    """The same numbers with the axes of one row changed to ``axes``."""

    x: str
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Transpose(Instruction):
    """Permute the axes of one row: axis i of the result is axis ``order[i]``."""

    x: str
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expand(Instruction):
    """One row, or a value without rows, repeated for every row of the index space of ``out``."""

    x: str


@dataclass(frozen=True, slots=True)
class Total(Instruction):
    """The sum of all rows: one row, or a value without rows, as the shape of ``out`` says."""

    x: str


@dataclass(frozen=True, slots=True)
class Function(Instruction):
    """A registered function of every component; ``layer_norm`` acts across ``channels`` axes, softmax over a map."""

    x: str
    name: str
    index_map: str = ""
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Geometry(Instruction):
    """A function of a displacement (see :class:`fusion.diagram.Geometry`), also ``direction`` and ``inverse_length``.

    Of a function of the length alone it is the derivative of ``order`` with respect to the length.
    """

    x: str
    name: str
    count: int
    lengths: tuple[float, ...] = ()
    normalization: str = ""
    order: int = 0


@dataclass(frozen=True, eq=False)
class Program:
    """Inputs, coefficients and constants, the instructions, and the outputs.

    Values are called ``%n``, constants ``#n`` and coefficients ``$name``, so that no leg's name can clash with them.

    Attributes:
        inputs: tensors by name, with their shapes.
        labels: label legs by name, with index space and number of classes.
        maps: index maps by name, with (source, target).
        coefficients: learned tensors and fitted buffers by name.
        constants: tables by value name.
        instructions: in order of execution.
        shapes: the shape of every value.
        outputs: (output name, value).
    """

    inputs: tuple[tuple[str, Shape], ...]
    labels: tuple[tuple[str, str, int], ...]
    maps: tuple[tuple[str, str, str], ...]
    coefficients: tuple[str, ...]
    constants: dict[str, Array]
    instructions: tuple[Instruction, ...]
    shapes: dict[str, Shape]
    outputs: tuple[tuple[str, str], ...]

    def verify(self) -> None:
        """Check that every value is defined once, before it is read, and read by something."""
        known = {name for name, _ in self.inputs} | {f"${name}" for name in self.coefficients} | set(self.constants)
        read: set[str] = {value for _, value in self.outputs}
        for instruction in self.instructions:
            missing = [name for name in instruction.reads() if name not in known]
            if missing or instruction.out in known:
                raise InternalError(f"instruction '{instruction}' reads {missing} or defines a value twice", str(self))
            known.add(instruction.out)
            read.update(instruction.reads())
            if instruction.out not in self.shapes:
                raise InternalError(f"value {instruction.out} has no shape", str(self))
        dead = [i.out for i in self.instructions if i.out not in read]
        if dead or any(value not in known for _, value in self.outputs):
            raise InternalError(f"dead or missing values: {dead}", str(self))

    def listing(self) -> Iterator[str]:
        """Yield the program as text, a line an instruction."""
        for name, shape in self.inputs:
            yield f"input {name}: {shape}"
        for name, on, classes in self.labels:
            yield f"label {name}: {classes} classes on {on}"
        for name, source, target in self.maps:
            yield f"map {name}: {source} > {target}"
        for name in self.coefficients:
            yield f"coefficients {name}: {self.shapes[f'${name}']}"
        for name, table in self.constants.items():
            yield f"constant {name}: {self.shapes[name]}, {np.count_nonzero(table)} non-zero"
        for instruction in self.instructions:
            yield f"{instruction}   : {self.shapes[instruction.out]}"
        for name, value in self.outputs:
            yield f"output {name} = {value}"

    def __str__(self) -> str:
        return "\n".join(self.listing())


def last_read(program: Program) -> list[tuple[str, ...]]:
    """Return for every instruction the results of earlier ones that nothing reads after it, so that they can go."""
    made = {instruction.out for instruction in program.instructions}
    seen = {value for _, value in program.outputs}
    found: list[tuple[str, ...]] = []
    for instruction in reversed(program.instructions):
        ends = tuple(name for name in dict.fromkeys(instruction.reads()) if name in made and name not in seen)
        seen.update(ends)
        found.append(ends)
    return found[::-1]
