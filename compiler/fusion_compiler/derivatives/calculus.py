"""Instructions that know their own shapes: what the rules of derivatives are written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fusion.index import CONSTANT_SPACE
from fusion_compiler import program as ops
from fusion_compiler.errors import InternalError
from fusion_compiler.program import Array, Program, Shape
from fusion_compiler.writer import Writer

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""Einsum letters of the axes of one row."""


class Calculus(Writer):
    """A writer with one method an operation; every method returns the name of its value.

    Attributes:
        active: the values that depend on what is differentiated with respect to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.active: set[str] = set()

    def repeat(self, program: Program, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """Write a whole program; return the new names of its values.

        The values in ``given`` are inputs by another name.
        """
        self.labels.update({name: (on, classes) for name, on, classes in program.labels})
        self.maps.update({name: (source, target) for name, source, target in program.maps})
        names = {name: self.add_input(name, shape) for name, shape in program.inputs}
        for name in program.coefficients:
            names[f"${name}"] = self.add_coefficients(name, program.shapes[f"${name}"])
        names.update({value: name for value, name in (given or {}).items() if name in names})
        names.update({name: self.constant(table) for name, table in program.constants.items()})
        for instruction in program.instructions:
            names[instruction.out] = self.add(instruction.renamed(names), program.shapes[instruction.out])
        return names

    def filled(self, number: float, shape: Shape) -> str:
        """Return a value that is one number everywhere."""
        if shape.on:
            return self.expand(self.constant(np.full(shape.axes, number)), shape.on)
        ones = self.constant(np.ones(shape.axes))  # a value of its own: tables belong to the block
        return self.add(ops.Combine("", (ones,), (number,)), shape)

    def expand(self, x: str, on: str) -> str:
        """Return one row, or a value without rows, repeated for every row of an index space."""
        shape = self.shapes[x]
        return x if shape.on == on else self.add(ops.Expand("", x), Shape(on, shape.axes))

    def total(self, x: str, on: str) -> str:
        """Return the sum of all rows: one row of the constant space, or (``on`` empty) a value without rows."""
        shape = self.shapes[x]
        return x if shape.on == on else self.add(ops.Total("", x), Shape(on, shape.axes))

    def reshape(self, x: str, axes: tuple[int, ...]) -> str:
        """Return the same numbers with other axes."""
        shape = self.shapes[x]
        return x if shape.axes == axes else self.add(ops.Reshape("", x, axes), Shape(shape.on, axes))

    def take(self, x: str, index: Sequence[int], axis: int = -1) -> str:
        """Return entries of one axis."""
        shape, chosen = self.shapes[x], tuple(index)
        if chosen == tuple(range(shape.axes[axis])):
            return x
        return self.add(ops.Take("", x, chosen, axis), Shape(shape.on, resized(shape.axes, axis, len(chosen))))

    def place(self, x: str, index: Sequence[int], size: int, axis: int = -1) -> str:
        """Return zeros with entries added along one axis; a permutation is taken by its inverse."""
        shape, places = self.shapes[x], tuple(index)
        if sorted(places) == list(range(size)):
            return self.take(x, np.argsort(places).tolist(), axis)
        return self.add(ops.Place("", x, places, size, axis), Shape(shape.on, resized(shape.axes, axis, size)))

    def concatenate(self, values: Sequence[str]) -> str:
        """Return values side by side on the last axis."""
        shape = self.shapes[values[0]]
        size = sum(self.shapes[value].axes[-1] for value in values)
        return self.add(ops.Concatenate("", tuple(values)), Shape(shape.on, (*shape.axes[:-1], size)))

    def contract(self, x: str, y: str, equation: str) -> str:
        """Return a pairwise contraction."""
        terms, _, result = equation.partition("->")
        sizes: dict[str, int] = {}
        rows: list[str] = []
        for letters, name in zip(terms.split(","), (x, y), strict=True):
            shape = self.shapes[name]
            sizes.update(zip(letters.replace("N", ""), shape.axes, strict=True))
            rows.extend([shape.on] if "N" in letters else [])
        axes = tuple(sizes[letter] for letter in result if letter != "N")
        return self.add(ops.Contract("", x, y, equation), Shape(joint(*rows) if "N" in result else "", axes))

    def multiply(self, x: str, y: str) -> str:
        """Return the elementwise product; axes of size one are repeated."""
        left, right = self.shapes[x], self.shapes[y]
        axes = tuple(max(pair) for pair in zip(left.axes, right.axes, strict=True))
        return self.add(ops.Multiply("", x, y), Shape(joint(left.on, right.on), axes))

    def products(self, x: str, y: str, table: Array, left: tuple[int, ...], right: tuple[int, ...]) -> str:
        """Return selected products of components, contracted with a table (product, component of the result)."""
        first, second = self.shapes[x], self.shapes[y]
        lead = (max(pair) for pair in zip(first.axes[:-1], second.axes[:-1], strict=True))
        shape = Shape(joint(first.on, second.on), (*lead, table.shape[1]))
        return self.add(ops.Products("", x, y, self.constant(table), left, right), shape)

    def combine(self, terms: Sequence[tuple[float, str]]) -> str:
        """Return a linear combination of one or more values; equal ones are added up."""
        factors: dict[str, float] = {}
        for factor, name in terms:
            factors[name] = factors.get(name, 0.0) + factor
        if set(factors.values()) == {1.0} and len(factors) == 1:
            return next(iter(factors))
        return self.add(ops.Combine("", tuple(factors), tuple(factors.values())), self.shapes[next(iter(factors))])

    def function(self, name: str, x: str) -> str:
        """Return a registered function of every component."""
        return self.add(ops.Function("", x, name), self.shapes[x])

    def summed(self, x: str, y: str, shape: Shape) -> str:
        """Return ``x * y`` summed to a shape in which some axes are one: the adjoint of a broadcast product."""
        left, right = self.shapes[x], self.shapes[y]
        full = [max(pair) for pair in zip(left.axes, right.axes, strict=True)]
        if tuple(full) == shape.axes:
            return self.fitted(self.multiply(x, y), shape)
        operands: list[str] = []
        parts: list[str] = []
        for name, mine in ((x, left), (y, right)):
            kept = [i for i, size in enumerate(mine.axes) if size == full[i]]
            parts.append("N" + "".join(LETTERS[i] for i in kept))
            operands.append(self.reshape(name, tuple(mine.axes[i] for i in kept)))
        result = "N" + "".join(LETTERS[i] for i, size in enumerate(shape.axes) if size == full[i])
        found = self.contract(operands[0], operands[1], f"{parts[0]},{parts[1]}->{result}")
        return self.fitted(self.reshape(found, shape.axes), shape)

    def fitted(self, x: str, shape: Shape) -> str:
        """Return a cotangent with the shape of the value it belongs to: summed where one row or entry served many."""
        axes = self.shapes[x].axes
        repeated = [i for i, size in enumerate(axes) if size != shape.axes[i]]
        if repeated:
            letters = LETTERS[: len(axes)]
            ones = self.constant(np.ones([axes[i] for i in repeated]))
            summed = "".join(letters[i] for i in repeated)
            kept = "".join(letter for letter in letters if letter not in summed)
            x = self.reshape(self.contract(x, ones, f"N{letters},{summed}->N{kept}"), shape.axes)
        return self.total(x, shape.on) if shape.on == CONSTANT_SPACE else x


def resized(axes: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    """Return axes with one of them changed; it counts from the end."""
    place = len(axes) + axis
    return (*axes[:place], size, *axes[place + 1 :])


def joint(*spaces: str) -> str:
    """Return the index space of a value made from values on these: one row is repeated for all."""
    found = dict.fromkeys(spaces)
    if len(found) > 1:
        found.pop(CONSTANT_SPACE, None)
    if len(found) != 1:
        raise InternalError(f"values on the index spaces {', '.join(found)} meet in one instruction", "")
    return next(iter(found))
