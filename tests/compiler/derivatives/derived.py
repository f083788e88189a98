"""What the tests of derivative programs share: run a program, and compare its derivatives with torch's autograd.

torch differentiates the interpreter, which defines what programs mean. Cotangents are random numbers, and those of one
order are inputs of the next, so that derivatives of order n are all partial derivatives of that order at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import fusion_compiler
from fusion import Diagram, Wire
from fusion.index import CONSTANT_SPACE, derived_from
from fusion.sampling import random_tensors
from fusion_compiler.block import declared_tensors
from fusion_compiler.derivatives import cotangent_names, vjp
from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.program import Program, Shape
from fusion_compiler.rows import product_rows
from fusion_compiler.writer import Writer


@dataclass
class Problem:
    """A program and everything to run it; values of coefficients are called ``$name``."""

    program: Program
    tensors: dict[str, Tensor]
    rows: dict[str, int]

    @property
    def floating(self) -> list[str]:
        return [*(name for name, _ in self.program.inputs), *(f"${name}" for name in self.program.coefficients)]

    def program_rows(self, name: str) -> bool:
        """Whether a tensor has rows of an index space that may be empty."""
        shapes = {**dict(self.program.inputs), "z": Shape("atom", ()), "bond": Shape("edge", ())}
        return name in shapes and shapes[name].on != CONSTANT_SPACE

    def run(self, program: Program, values: Mapping[str, Tensor], emitter: str = "interpret") -> dict[str, Tensor]:
        together = {**self.tensors, **values}
        coefficients = {name[1:]: value for name, value in together.items() if name.startswith("$")}
        return runner(program, emitter)(together, coefficients, table_tensors(program, torch.float64), self.rows)

    def errors(self, orders: int, emitter: str = "interpret", seed: int = 0) -> list[float]:
        """Return the largest error of each order: relative to the largest derivative with respect to that value.

        Derivatives that vanish or cancel are compared with a thousandth of the largest of all, or of one: all numbers
        that are drawn are of order one.
        """
        rng = np.random.default_rng(seed)
        leaves = {name: self.tensors[name].clone().requires_grad_() for name in self.floating}
        moved = list(leaves)
        program, expected, found = self.program, self.run(self.program, leaves), list[float]()
        for _ in range(orders):
            names = cotangent_names(program)
            given = {
                names[name]: torch.tensor(rng.normal(size=tuple(value.shape)), requires_grad=True)
                for name, value in expected.items()
            }
            total = torch.zeros(())
            for name, value in expected.items():
                total = total + (value * given[names[name]]).sum()
            leaves.update(given)
            program = vjp(program, moved)
            program.verify()
            expected = gradients(total, {name: leaves[name] for name in moved})
            with torch.no_grad():
                found.append(largest(expected, self.run(program, leaves, emitter)))
        return found


def gradients(total: Tensor, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return torch's gradient, with zeros where nothing depends."""
    if not leaves or not total.requires_grad:
        return {name: torch.zeros_like(value) for name, value in leaves.items()}
    found = torch.autograd.grad(total, list(leaves.values()), create_graph=True, allow_unused=True)
    pairs = zip(leaves.items(), found, strict=True)
    return {name: torch.zeros_like(value) if gradient is None else gradient for (name, value), gradient in pairs}


def largest(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> float:
    assert {name: value.shape for name, value in expected.items()} == {n: v.shape for n, v in found.items()}
    sizes = {name: float(value.abs().max()) if value.numel() else 0.0 for name, value in expected.items()}
    floor = 1e-3 * max([1.0, *sizes.values()])
    errors = [float((found[n] - v).abs().max()) / max(sizes[n], floor) for n, v in expected.items() if v.numel()]
    assert all(np.isfinite(errors)), errors
    return max(errors, default=0.0)


def problem(diagram: Wire | Diagram, seed: int = 0, rows: tuple[int, ...] = ()) -> Problem:
    """Return the program of a diagram with random inputs and coefficients."""
    given = random_tensors(diagram, np.random.default_rng(seed), rows)
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in given.tensors.items()}
    counts = {CONSTANT_SPACE: 1, **given.sizes}

    def image(name: str) -> Tensor:
        """Return a map; those of product spaces are computed from their base."""
        derived = derived_from(name)
        if name not in tensors and derived is not None:
            tensors[name] = product_rows(image(derived[0]), derived[1])[derived[2]]
        return tensors[name]

    for name, source, target in program.maps:
        counts[source] = len(image(name))
        derived = derived_from(name)
        if derived is not None:
            counts[target] = len(image(derived[0]))
    declared = declared_tensors(Diagram.of(diagram))
    counts.update({on: len(tensors[name]) for name, on in declared.items() if name in tensors})
    tensors.update({f"${name}": torch.as_tensor(np.array(value)) for name, value in given.parameters.items()})
    return Problem(program, tensors, counts)


def written(
    writer: Writer, outputs: Mapping[str, str], rows: Mapping[str, int], seed: int = 0, **given: Tensor
) -> Problem:
    """Return a program written by hand, with random inputs and coefficients; labels and maps are given."""
    program = writer.program(outputs.items())
    rng = np.random.default_rng(seed)
    counts = {CONSTANT_SPACE: 1, **rows}
    shapes = {**dict(program.inputs), **{f"${name}": program.shapes[f"${name}"] for name in program.coefficients}}
    drawn = {
        name: torch.tensor(rng.normal(size=((counts[shape.on],) if shape.on else ()) + shape.axes))
        for name, shape in shapes.items()
    }
    return Problem(program, {**drawn, **given}, counts)
