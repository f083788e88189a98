"""Programs written by hand, and programs of diagrams; both run on random values in float64."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

import fusion_compiler
from fusion import Diagram, Wire, evaluate
from fusion.index import CONSTANT_SPACE
from fusion.sampling import random_tensors
from fusion_compiler.cost import program_spaces
from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune
from fusion_compiler.program import Array, Instruction, Program, Shape

ROWS = {"atom": 4, "edge": 7, CONSTANT_SPACE: 1}
MAPS = (("receiver", "edge", "atom"), ("sender", "edge", "atom"))


def program_of(diagram: Wire | Diagram) -> Program:
    """Return the program of a diagram without any pass on programs."""
    return lower(contract(prune(expand(Diagram.of(diagram)))))


def written(
    inputs: Mapping[str, Shape],
    constants: Mapping[str, Array],
    *instructions: tuple[Instruction, Shape],
    coefficients: Mapping[str, tuple[int, ...]] | None = None,
    outputs: Mapping[str, str] | None = None,
) -> Program:
    """Return a verified program; its output is the last value where nothing else is said."""
    axes = {f"${name}": Shape("", shape) for name, shape in (coefficients or {}).items()}
    tables = {name: Shape("", table.shape) for name, table in constants.items()}
    made = {instruction.out: shape for instruction, shape in instructions}
    program = Program(
        tuple(inputs.items()),
        (),
        MAPS,
        tuple(coefficients or {}),
        dict(constants),
        tuple(instruction for instruction, _ in instructions),
        {**inputs, **axes, **tables, **made},
        tuple((outputs or {"out": instructions[-1][0].out}).items()),
    )
    program.verify()
    return program


def run(
    program: Program, diagram: Diagram | None = None, given: Mapping[str, Array] | None = None
) -> dict[str, np.ndarray]:
    """Run a program with the interpreter on given values, on random ones of a diagram, or on random ones."""
    rng = np.random.default_rng(11)
    rows = dict(ROWS)
    if diagram is not None:
        inputs = random_tensors(diagram, rng)
        tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
        values = {name: torch.as_tensor(np.array(value)) for name, value in inputs.parameters.items()}
        block = fusion_compiler.compile(diagram, dtype=torch.float64)
        tensors = {**tensors, **block._derived(tensors)}
        rows = block._rows(tensors, inputs.sizes)
    else:
        numbers = dict(given or {})
        shapes = {f"${name}": program.shapes[f"${name}"].axes for name in program.coefficients}
        shapes.update({name: (ROWS[shape.on], *shape.axes) for name, shape in program.inputs})
        drawn = {name: numbers.get(name, rng.normal(size=shape)) for name, shape in shapes.items()}
        rows.update({shape.on: len(drawn[name]) for name, shape in program.inputs})
        tensors = {name: torch.as_tensor(drawn[name]) for name, _ in program.inputs}
        for name, source, target in program.maps:
            tensors[name] = torch.as_tensor(rng.integers(rows[target], size=rows[source]))
        values = {name: torch.as_tensor(drawn[f"${name}"]) for name in program.coefficients}
    assert set(program_spaces(program)) <= set(rows)
    found = runner(program, "interpret")(tensors, values, table_tensors(program, torch.float64), rows)
    return {name: value.numpy() for name, value in found.items()}


def error_of(diagram: Wire | Diagram, program: Program, seed: int, emitter: str = "source") -> float:
    """Return the largest error of a program against the dense value of its diagram."""
    inputs = random_tensors(diagram, np.random.default_rng(seed))
    expected = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    block = fusion_compiler.Block(diagram, program, {}, emitter, torch.float64)
    block.load_coefficients(inputs.parameters)
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
    found = block(tensors, sizes=inputs.sizes)
    values = found if isinstance(found, dict) else {"out": found}
    return max(expected[name].error(value.detach().numpy()) for name, value in values.items())
