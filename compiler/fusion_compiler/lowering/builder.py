"""The builder of a program from a plan: a writer of instructions that keeps the layout of every wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fusion import diagram as nodes
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import parameters
from fusion_compiler import program as ops
from fusion_compiler.expansion import Expansion
from fusion_compiler.layout import Layout
from fusion_compiler.plan import ContractionPlan, Plan
from fusion_compiler.program import Program, Shape
from fusion_compiler.writer import Writer

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""Einsum letters of channel axes; upper-case letters stand for rows, paths and components."""


@dataclass
class Value:
    """A lowered wire: the name of its value and the paths it holds."""

    name: str
    layout: Layout


@dataclass
class Builder(Writer):
    """What a lowering has made so far: values of wires, instructions, constants, and what the program takes."""

    plan: Plan
    values: dict[Node, Value] = field(default_factory=dict[Node, Value])

    def __post_init__(self) -> None:
        self.expansion: Expansion = self.plan.expansion
        self.contractions: dict[Node, list[ContractionPlan]] = {}
        for contraction in self.plan.contractions:
            self.contractions.setdefault(contraction.root, []).append(contraction)
        for parameter in parameters(self.expansion.diagram):
            self.add_coefficients(parameter.name, Shape("", parameter.shape))

    def emit(self, make: Callable[[str], ops.Instruction], shape: Shape) -> str:
        """Add the instruction made for a name unless an equal one is there already; return the name of its value.

        What is made row by row from values of one row has one row, on whatever index space it is needed.
        """
        instruction = make("")
        if not isinstance(instruction, ops.Expand | ops.Gather | ops.Scatter | ops.Lookup):
            spaces = {self.shapes[name].on for name in instruction.reads()} - {""}
            if shape.on and spaces == {CONSTANT_SPACE}:
                shape = replace(shape, on=CONSTANT_SPACE)
        return self.add(instruction, shape)

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
        self.maps[index_map.name] = (index_map.source, index_map.target)
        return index_map.name

    def use_label(self, label: nodes.Label) -> tuple[str, tuple[str, ...]]:
        self.labels[label.name] = (label.on, label.classes)
        return label.name, tuple(self.use_map(step) for step in label.maps)

    def live(self, node: nodes.Wire) -> Layout:
        return Layout(self.expansion.live[node])

    def finish(self) -> Program:
        return self.program((name, self.values[wire].name) for name, wire in self.expansion.diagram.outputs)


def aligned(build: Builder, wire: nodes.Wire, wanted: Layout) -> str:
    """Return the value of a wire, restricted to some of its paths."""
    return build.take(build.values[wire], wanted)
