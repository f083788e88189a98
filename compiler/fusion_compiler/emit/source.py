"""The source emitter: a program as readable Python over torch, one line an instruction.

Names in the text are generated (``v0``, ``x0``, ``w0``, ...), never copied from user text, so nothing a user writes
can become code. The text is kept and shown by ``Block.source``; tracebacks point into it.
"""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable
from typing import Any, cast

from fusion_compiler import program as ops
from fusion_compiler.emit import forms, functions, kernels
from fusion_compiler.emit.interpret import Runner
from fusion_compiler.emit.tables import contiguous, index_tables
from fusion_compiler.program import Program, last_read


class _Writer:
    """Names of everything in the emitted text."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.indices = index_tables(program)
        self.targets = {name: target for name, _, target in program.maps}
        self.names: dict[str, str] = {}
        self.tensor_names: dict[str, str] = {}
        self.space_names: dict[str, str] = {}
        self.prologue: list[str] = []

    def tensor(self, name: str) -> str:
        """Return the variable of an input, label or map."""
        if name not in self.tensor_names:
            self.tensor_names[name] = f"x{len(self.tensor_names)}"
            self.prologue.append(f"{self.tensor_names[name]} = tensors[{name!r}]")
        return self.tensor_names[name]

    def rows(self, space: str) -> str:
        """Return the variable with the number of rows of an index space."""
        if space not in self.space_names:
            self.space_names[space] = f"n{len(self.space_names)}"
            self.prologue.append(f"{self.space_names[space]} = rows[{space!r}]")
        return self.space_names[space]

    def __call__(self, value: str) -> str:
        """Return the variable of a value."""
        if value not in self.names:
            if value.startswith("%"):
                self.names[value] = f"v{value[1:]}"
            elif value.startswith(("#", "@")):
                self.names[value] = f"{'k' if value[0] == '#' else 'i'}{value[1:]}"
                self.prologue.append(f"{self.names[value]} = constants[{value!r}]")
            elif value.startswith("$"):
                self.names[value] = f"w{sum(name.startswith('w') for name in self.names.values())}"
                self.prologue.append(f"{self.names[value]} = coefficients[{value[1:]!r}]")
            else:
                self.names[value] = self.tensor(value)
        return self.names[value]

    def index(self, index: tuple[int, ...]) -> str:
        return self(self.indices[index])

    def label(self, name: str, maps: tuple[str, ...]) -> str:
        text = self.tensor(name)
        for step in maps:
            text += f".index_select(0, {self.tensor(step)})"
        return text

    def many(self, values: tuple[str, ...]) -> str:
        return "[" + ", ".join(map(self, values)) + "]"


def source_text(program: Program) -> str:
    """Return the emitted Python text of a program."""
    write = _Writer(program)
    body: list[str] = []
    for instruction, dead in zip(program.instructions, last_read(program), strict=True):
        line = f"{write(instruction.out)} = {_RULES[type(instruction)](instruction, write)}"
        freed = f"; del {', '.join(map(write, dead))}" if dead else ""
        body.append(f"{line}{freed}  # {program.shapes[instruction.out]}")
    result = ", ".join(f"{name!r}: {write(value)}" for name, value in program.outputs)
    lines = ["def run(tensors, coefficients, constants, rows):", *write.prologue, *body, f"return {{{result}}}"]
    return "\n    ".join(lines) + "\n"


def source_function(program: Program) -> Runner:
    """Return the function defined by the emitted text."""
    text = source_text(program)
    filename = f"<fusion program {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"kernels": kernels, "functions": functions}
    exec(compile(text, filename, "exec"), namespace)  # the text is made of generated names and literals only
    return cast("Runner", namespace["run"])


def _take(i: ops.Take, write: _Writer) -> str:
    if contiguous(i.index):
        return f"{write(i.x)}.narrow({i.axis}, {i.index[0]}, {len(i.index)})"
    return f"kernels.take({write(i.x)}, {write.index(i.index)}, {i.axis})"


def _place(i: ops.Place, write: _Writer) -> str:
    if contiguous(i.index):
        return f"kernels.pad({write(i.x)}, {i.index[0]}, {i.size}, {i.axis})"
    return f"kernels.place({write(i.x)}, {write.index(i.index)}, {i.size}, {i.axis})"


def _aligned(name: str, present: tuple[bool, ...]) -> str:
    if all(present):
        return name
    return f"{name}[{', '.join(':' if here else 'None' for here in present)}]"


def _contract(i: ops.Contract, write: _Writer) -> str:
    x, y = write(i.x), write(i.y)
    form = forms.form_of(i.equation)
    if isinstance(form, forms.Product):
        return f"{_aligned(x, form.left)} * {_aligned(y, form.right)}"
    if isinstance(form, forms.MatMul):
        left = x if form.summed == 1 else f"{x}.flatten({-form.summed})"
        table = write.program.shapes[i.y].axes
        right, tail = y, ""
        if form.summed > 1:
            right = f"{y}.flatten(0, {form.summed - 1})"
        if form.kept != 1:
            right = f"{right}.flatten(1)" if form.kept > 1 else f"{right}.unsqueeze(-1)"
            tail = f".unflatten(-1, {table[form.summed :]})" if form.kept > 1 else ".squeeze(-1)"
        return f"({left} @ {right}){tail}" if tail else f"{left} @ {right}"
    if forms.exchanged(i.equation, write.program.shapes[i.x].axes, write.program.shapes[i.y].axes):
        return f"kernels.einsum({forms.turned(i.equation)!r}, {y}, {x})"
    return f"kernels.einsum({form.equation!r}, {x}, {y})"


def _scatter(i: ops.Scatter, write: _Writer) -> str:
    count = write.rows(write.targets[i.index_map])
    arguments = f"{write(i.x)}, {write.tensor(i.index_map)}, {count}"
    if i.label:
        return f"kernels.scatter_by({arguments}, {write.label(i.label, i.label_maps)}, {i.classes})"
    return f"kernels.scatter({arguments})"


def _gather(i: ops.Gather, write: _Writer) -> str:
    if i.label:
        return f"kernels.gather_by({write(i.x)}, {write.tensor(i.index_map)}, {write.label(i.label, i.label_maps)})"
    return f"{write(i.x)}.index_select(0, {write.tensor(i.index_map)})"


def _labels(i: ops.Lookup | ops.Collect, write: _Writer) -> str:
    return f"[{', '.join(write.label(name, maps) for name, maps in i.labels)}]"


def _reshape(i: ops.Reshape, write: _Writer) -> str:
    rows = (f"{write(i.x)}.shape[0]",) if write.program.shapes[i.x].on else ()
    return f"{write(i.x)}.reshape({_tuple(*rows, *i.axes)})"


def _transpose(i: ops.Transpose, write: _Writer) -> str:
    order = (0, *(axis + 1 for axis in i.order)) if write.program.shapes[i.x].on else i.order
    return f"{write(i.x)}.permute({_tuple(*order)})"


def _expand(i: ops.Expand, write: _Writer) -> str:
    shape = write.program.shapes[i.out]
    return f"{write(i.x)}.expand({_tuple(write.rows(shape.on), *shape.axes)})"


def _tuple(*entries: object) -> str:
    return f"({', '.join(map(str, entries))}{',' if len(entries) == 1 else ''})"


def _function(i: ops.Function, write: _Writer) -> str:
    if i.name == "layer_norm":
        return f"functions.layer_norm({write(i.x)}, {i.channels})"
    if i.name == "softmax":
        count = write.rows(write.targets[i.index_map])
        return f"functions.softmax({write(i.x)}, {write.tensor(i.index_map)}, {count})"
    return f"functions.ELEMENTWISE[{i.name!r}]({write(i.x)})"


_RULES: dict[type[ops.Instruction], Callable[[Any, _Writer], str]] = {
    ops.Take: _take,
    ops.Place: _place,
    ops.Segment: lambda i, w: f"kernels.segment({w(i.x)}, {i.start}, {i.paths}, {i.dim})",
    ops.Join: lambda i, w: f"kernels.join({w.many(i.values)})",
    ops.Concatenate: lambda i, w: f"kernels.concatenate({w.many(i.values)})",
    ops.Contract: _contract,
    ops.Products: lambda i, w: (
        f"kernels.products({w(i.x)}, {w(i.y)}, {w(i.table)}, {w.index(i.left)}, {w.index(i.right)})"
    ),
    ops.Multiply: lambda i, w: f"{w(i.x)} * {w(i.y)}",
    ops.Gather: _gather,
    ops.Scatter: _scatter,
    ops.Lookup: lambda i, w: f"kernels.lookup({w(i.x)}, {_labels(i, w)})",
    ops.Collect: lambda i, w: (
        f"kernels.collect({w(i.x)}, {_labels(i, w)}, {_tuple(*w.program.shapes[i.out].axes[: len(i.labels)])})"
    ),
    ops.Combine: lambda i, w: " + ".join(
        w(name) if factor == 1.0 else f"{w(name)} * {factor!r}"
        for name, factor in zip(i.values, i.factors, strict=True)
    ),
    ops.Reshape: _reshape,
    ops.Transpose: _transpose,
    ops.Expand: _expand,
    ops.Total: lambda i, w: f"{w(i.x)}.sum(0{', keepdim=True' if w.program.shapes[i.out].on else ''})",
    ops.Function: _function,
    ops.Geometry: lambda i, w: (
        f"kernels.geometry_value({w(i.x)}, {i.name!r}, {i.count}, {i.lengths!r}, {i.normalization!r}, {i.order})"
    ),
}
