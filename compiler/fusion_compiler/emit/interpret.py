"""The interpreter: runs a program instruction by instruction. It defines what instructions mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from fusion_compiler import program as ops
from fusion_compiler.emit import kernels
from fusion_compiler.emit.forms import Einsum, contract, exchanged, form_of, turned
from fusion_compiler.emit.functions import ELEMENTWISE, layer_norm, softmax
from fusion_compiler.emit.tables import contiguous, index_tables
from fusion_compiler.program import Program, last_read

Runner = Callable[
    [Mapping[str, Tensor], Mapping[str, Tensor], Mapping[str, Tensor], Mapping[str, int]], dict[str, Tensor]
]
"""(tensors, coefficients, constants, rows of index spaces) -> outputs."""


@dataclass(frozen=True)
class Run:
    """The values of one run, and what instructions look up."""

    values: dict[str, Tensor]
    tensors: Mapping[str, Tensor]
    rows: Mapping[str, int]
    targets: Mapping[str, str]
    indices: Mapping[tuple[int, ...], str]
    shapes: Mapping[str, ops.Shape]

    def label(self, name: str, maps: tuple[str, ...]) -> Tensor:
        return kernels.pulled(self.tensors[name], [self.tensors[step] for step in maps])

    def target_rows(self, index_map: str) -> int:
        return self.rows[self.targets[index_map]]


def interpret(program: Program) -> Runner:
    """Return a function that interprets ``program``."""
    indices = index_tables(program)
    targets = {name: target for name, _, target in program.maps}
    freed = list(zip(program.instructions, last_read(program), strict=True))

    def run(
        tensors: Mapping[str, Tensor],
        coefficients: Mapping[str, Tensor],
        constants: Mapping[str, Tensor],
        rows: Mapping[str, int],
    ) -> dict[str, Tensor]:
        values = {name: tensors[name] for name, _ in program.inputs}
        values.update({f"${name}": coefficients[name] for name in program.coefficients})
        values.update(constants)
        state = Run(values, tensors, rows, targets, indices, program.shapes)
        for instruction, dead in freed:
            values[instruction.out] = _RULES[type(instruction)](instruction, state)
            for name in dead:
                del values[name]
        return {name: values[value] for name, value in program.outputs}

    return run


def _take(i: ops.Take, run: Run) -> Tensor:
    x = run.values[i.x]
    if contiguous(i.index):
        return x.narrow(i.axis, i.index[0], len(i.index))
    return kernels.take(x, run.values[run.indices[i.index]], i.axis)


def _place(i: ops.Place, run: Run) -> Tensor:
    x = run.values[i.x]
    if contiguous(i.index):
        return kernels.pad(x, i.index[0], i.size, i.axis)
    return kernels.place(x, run.values[run.indices[i.index]], i.size, i.axis)


def _gather(i: ops.Gather, run: Run) -> Tensor:
    x, index = run.values[i.x], run.tensors[i.index_map]
    if i.label:
        return kernels.gather_by(x, index, run.label(i.label, i.label_maps))
    return x.index_select(0, index)


def _collect(i: ops.Collect, run: Run) -> Tensor:
    sizes = run.shapes[i.out].axes[: len(i.labels)]
    return kernels.collect(run.values[i.x], [run.label(name, maps) for name, maps in i.labels], sizes)


def _reshape(i: ops.Reshape, run: Run) -> Tensor:
    x = run.values[i.x]
    return x.reshape(*x.shape[:1], *i.axes) if run.shapes[i.x].on else x.reshape(i.axes)


def _transpose(i: ops.Transpose, run: Run) -> Tensor:
    x = run.values[i.x]
    return x.permute(0, *(axis + 1 for axis in i.order)) if run.shapes[i.x].on else x.permute(i.order)


def _contract(i: ops.Contract, run: Run) -> Tensor:
    form, x, y = form_of(i.equation), run.values[i.x], run.values[i.y]
    if isinstance(form, Einsum) and exchanged(i.equation, run.shapes[i.x].axes, run.shapes[i.y].axes):
        return contract(Einsum(turned(i.equation)), y, x)
    return contract(form, x, y)


def _scatter(i: ops.Scatter, run: Run) -> Tensor:
    x, index, count = run.values[i.x], run.tensors[i.index_map], run.target_rows(i.index_map)
    if i.label:
        return kernels.scatter_by(x, index, count, run.label(i.label, i.label_maps), i.classes)
    return kernels.scatter(x, index, count)


def _function(i: ops.Function, run: Run) -> Tensor:
    x = run.values[i.x]
    if i.name == "layer_norm":
        return layer_norm(x, i.channels)
    if i.name == "softmax":
        return softmax(x, run.tensors[i.index_map], run.target_rows(i.index_map))
    return ELEMENTWISE[i.name](x)


_RULES: dict[type[ops.Instruction], Callable[[Any, Run], Tensor]] = {
    ops.Take: _take,
    ops.Place: _place,
    ops.Segment: lambda i, run: kernels.segment(run.values[i.x], i.start, i.paths, i.dim),
    ops.Join: lambda i, run: kernels.join([run.values[name] for name in i.values]),
    ops.Concatenate: lambda i, run: kernels.concatenate([run.values[name] for name in i.values]),
    ops.Contract: _contract,
    ops.Products: lambda i, run: kernels.products(
        run.values[i.x],
        run.values[i.y],
        run.values[i.table],
        run.values[run.indices[i.left]],
        run.values[run.indices[i.right]],
    ),
    ops.Multiply: lambda i, run: run.values[i.x] * run.values[i.y],
    ops.Gather: _gather,
    ops.Scatter: _scatter,
    ops.Lookup: lambda i, run: kernels.lookup(run.values[i.x], [run.label(name, maps) for name, maps in i.labels]),
    ops.Collect: _collect,
    ops.Combine: lambda i, run: kernels.combine([run.values[name] for name in i.values], i.factors),
    ops.Reshape: _reshape,
    ops.Transpose: _transpose,
    ops.Expand: lambda i, run: run.values[i.x].expand(run.rows[run.shapes[i.out].on], *run.shapes[i.out].axes),
    ops.Total: lambda i, run: run.values[i.x].sum(0, keepdim=bool(run.shapes[i.out].on)),
    ops.Function: _function,
    ops.Geometry: lambda i, run: kernels.geometry_value(
        run.values[i.x], i.name, i.count, i.lengths, i.normalization, i.order
    ),
}
