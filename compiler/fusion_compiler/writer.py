"""The writer of a program: adds instructions and constants, equal ones once, and drops what no output needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion_compiler.program import Array, Instruction, Program, Shape


@dataclass
class Writer:
    """A program being written: what it takes, its instructions and constants, and the shape of every value.

    Attributes:
        inputs: shapes of the tensors that it takes.
        labels: index space and number of classes of each label.
        maps: source and target of each index map.
        coefficients: names of the coefficients.
    """

    inputs: dict[str, Shape] = field(default_factory=dict[str, Shape], init=False)
    labels: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]], init=False)
    maps: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]], init=False)
    coefficients: list[str] = field(default_factory=list[str], init=False)
    constants: dict[str, Array] = field(default_factory=dict[str, Array], init=False)
    instructions: list[Instruction] = field(default_factory=list[Instruction], init=False)
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape], init=False)
    seen: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str], init=False)

    def add_input(self, name: str, shape: Shape) -> str:
        """Declare a tensor that the program takes; its value has the same name."""
        self.inputs[name] = self.shapes[name] = shape
        return name

    def add_coefficients(self, name: str, shape: Shape) -> str:
        """Declare coefficients, which may be there already; return the name of their value."""
        if f"${name}" not in self.shapes:
            self.coefficients.append(name)
        self.shapes[f"${name}"] = shape
        return f"${name}"

    def add(self, instruction: Instruction, shape: Shape) -> str:
        """Add an instruction unless an equal one is there already; return the name of its value."""
        key = (replace(instruction, out=""), shape)
        if key not in self.seen:
            name = f"%{len(self.instructions)}"
            self.instructions.append(replace(instruction, out=name))
            self.shapes[name] = shape
            self.seen[key] = name
        return self.seen[key]

    def constant(self, table: NDArray[np.float64]) -> str:
        """Add a constant table, shared with an equal one."""
        key = ("constant", table.shape, table.tobytes())
        if key not in self.seen:
            name = f"#{len(self.constants)}"
            self.constants[name] = np.array(table, order="C")
            self.shapes[name] = Shape("", table.shape)
            self.seen[key] = name
        return self.seen[key]

    def program(self, outputs: Iterable[tuple[str, str]]) -> Program:
        """Return the verified program with these outputs (name, value), without instructions that none of them needs.

        Raises:
            InternalError: a value is missing or defined twice.
        """
        given = tuple(outputs)
        used: set[str] = {value for _, value in given}
        kept: list[Instruction] = []
        for instruction in reversed(self.instructions):
            if instruction.out in used:
                kept.append(instruction)
                used.update(instruction.reads())
        named = {*self.inputs, *(f"${name}" for name in self.coefficients), *(i.out for i in kept)}
        program = Program(
            tuple(self.inputs.items()),
            tuple((name, on, classes) for name, (on, classes) in self.labels.items()),
            tuple((name, source, target) for name, (source, target) in self.maps.items()),
            tuple(self.coefficients),
            {name: table for name, table in self.constants.items() if name in used},
            tuple(reversed(kept)),
            {name: shape for name, shape in self.shapes.items() if name in named or name in used},
            given,
        )
        program.verify()
        return program
