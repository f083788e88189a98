"""The builder of a program: adds instructions and constants, equal ones once, and keeps the layout of every wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fusion import diagram as nodes
from fusion.index import IndexMap
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import parameters
from fusion_compiler import program as ops
from fusion_compiler.expansion import Expansion
from fusion_compiler.layout import Layout
from fusion_compiler.plan import ContractionPlan, Plan
from fusion_compiler.program import Array, Program, Shape

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""Einsum letters of channel axes; upper-case letters stand for rows, paths and components."""


@dataclass
class Value:
    """A lowered wire: the name of its value and the paths it holds."""

    name: str
    layout: Layout


@dataclass
class Builder:
    """What a lowering has made so far: values of wires, instructions, constants, and what the program takes."""

    plan: Plan
    values: dict[Node, Value] = field(default_factory=dict[Node, Value])
    instructions: list[ops.Instruction] = field(default_factory=list[ops.Instruction])
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    constants: dict[str, Array] = field(default_factory=dict[str, Array])
    inputs: dict[str, Shape] = field(default_factory=dict[str, Shape])
    labels: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    maps: dict[str, IndexMap] = field(default_factory=dict[str, IndexMap])
    coefficients: dict[str, Shape] = field(default_factory=dict[str, Shape])
    seen: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])

    def __post_init__(self) -> None:
        self.expansion: Expansion = self.plan.expansion
        self.contractions: dict[Node, list[ContractionPlan]] = {}
        for contraction in self.plan.contractions:
            self.contractions.setdefault(contraction.root, []).append(contraction)
        for parameter in parameters(self.expansion.diagram):
            self.coefficients[parameter.name] = Shape("", parameter.shape)
            self.shapes[f"${parameter.name}"] = Shape("", parameter.shape)

    # building

    def emit(self, make: Callable[[str], ops.Instruction], shape: Shape) -> str:
        """Add an instruction unless an equal one is there already; return the name of its value."""
        probe = make("")
        key = (type(probe), shape, str(probe), *(getattr(probe, name) for name in probe.__slots__))
        if key not in self.seen:
            name = f"%{len(self.instructions)}"
            self.instructions.append(make(name))
            self.shapes[name] = shape
            self.seen[key] = name
        return self.seen[key]

    def constant(self, table: NDArray[np.float64]) -> str:
        """Add a constant table, shared with an equal one."""
        key = ("constant", table.shape, table.tobytes())
        if key not in self.seen:
            name = f"#{len(self.constants)}"
            self.constants[name] = np.ascontiguousarray(table)
            self.shapes[name] = Shape("", table.shape)
            self.seen[key] = name
        return self.seen[key]

    def take(self, value: Value, wanted: Layout) -> str:
        """Return the value restricted to the paths of ``wanted``."""
        if value.layout == wanted:
            return value.name
        index = value.layout.components(wanted.paths)
        shape = self.shapes[value.name]
        return self.emit(lambda out: ops.Take(out, value.name, index), Shape(shape.on, (*shape.axes[:-1], len(index))))

    def segments(self, value: Value) -> dict[Irrep, str]:
        """Cut a value into one (..., paths, dim) value per irrep."""
        shape = self.shapes[value.name]
        found: dict[Irrep, str] = {}
        for irrep, start, numbers in value.layout.groups():
            count = len(numbers)
            found[irrep] = self.emit(
                lambda out, s=start, c=count, d=irrep.dim: ops.Segment(out, value.name, s, c, d),
                Shape(shape.on, (*shape.axes[:-1], count, irrep.dim)),
            )
        return found

    def join(self, parts: list[str], on: str, axes: tuple[int, ...]) -> str:
        dim = sum(self.shapes[part].axes[-1] * self.shapes[part].axes[-2] for part in parts)
        return self.emit(lambda out: ops.Join(out, tuple(parts)), Shape(on, (*axes, dim)))

    def expand(self, name: str, on: str) -> str:
        shape = self.shapes[name]
        if shape.on == on:
            return name
        return self.emit(lambda out: ops.Expand(out, name), Shape(on, shape.axes))

    def use_map(self, index_map: IndexMap) -> str:
        self.maps[index_map.name] = index_map
        return index_map.name

    def use_label(self, label: nodes.Label) -> tuple[str, tuple[str, ...]]:
        self.labels[label.name] = (label.on, label.classes)
        return label.name, tuple(self.use_map(step) for step in label.maps)

    def live(self, node: nodes.Wire) -> Layout:
        return Layout(self.expansion.live[node])

    def finish(self) -> Program:
        outputs: list[tuple[str, str]] = []
        for name, wire in self.expansion.diagram.outputs:
            outputs.append((name, self.values[wire].name))
        used: set[str] = {value for _, value in outputs}
        kept: list[ops.Instruction] = []
        for instruction in reversed(self.instructions):
            if instruction.out in used:
                kept.append(instruction)
                used.update(instruction.reads())
        program = Program(
            tuple(self.inputs.items()),
            tuple((name, on, classes) for name, (on, classes) in self.labels.items()),
            tuple((name, found.source, found.target) for name, found in self.maps.items()),
            tuple(self.coefficients),
            {name: table for name, table in self.constants.items() if name in used},
            tuple(reversed(kept)),
            self.shapes,
            tuple(outputs),
        )
        program.verify()
        return program


def aligned(build: Builder, wire: nodes.Wire, wanted: Layout) -> str:
    """Return the value of a wire, restricted to some of its paths."""
    return build.take(build.values[wire], wanted)
