"""Time and exact cost of the published blocks of the corpus with and without the passes on programs.

Every block of ``tests/corpus/published`` at the sizes it has there, on 20 atoms and 300 edges, one thread, float64; and
the program of the gradient of its first output with respect to all inputs and coefficients. The forms run in turn, the
least time of each counts; values are compared first. The last line has geometric means.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from fusion import Diagram, Wire
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.sampling import random_tensors
from fusion_compiler import PIPELINE, compile
from fusion_compiler.cost import program_spaces, totals
from fusion_compiler.derivatives.vjp import gradient
from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.passes.batch import batch
from fusion_compiler.passes.fold import fold
from fusion_compiler.program import Program
from fusion_compiler.rows import product_rows

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

ROWS = {CONSTANT_SPACE: 1, "system": 2, "atom": 20, "edge": 300, "triplet": 1000, "parent": 4, "node": 20, "pair": 300}
"""Rows of every index space of the blocks; maps spread them evenly."""
ROWS |= {"node.parent^3": 4 * 5**3, "receiver^2": 20 * 15**2}
RUNS = 31
FORMS: dict[str, Callable[[Program], Program]] = {"fold": fold, "batch": batch, "both": lambda p: batch(fold(p))}
OFF = tuple(step.name for step in PIPELINE if step.name in FORMS)
"""The passes that a block is compiled without, to be applied here."""

Tensors = Mapping[str, torch.Tensor]


def inputs(diagram: Wire | Diagram, program: Program) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return tensors and coefficients of a block for the numbers of rows above."""
    rng = np.random.default_rng(0)
    tensors: dict[str, torch.Tensor] = {}
    for name, source, target in program.maps:
        if IndexMap(name, source, target).derived is None:
            tensors[name] = torch.arange(ROWS[source]) % ROWS[target]
    for name, source, target in program.maps:
        derived = IndexMap(name, source, target).derived
        if derived is not None:
            base, order, position = derived
            start = tensors.get(base, torch.arange(ROWS[target]) % (20 if target == "edge" else 4))
            tensors[name] = product_rows(start, order)[position]
    for name, on, classes in program.labels:
        tensors[name] = torch.as_tensor(rng.integers(classes, size=ROWS[on]))
    for name, shape in program.inputs:
        tensors[name] = torch.as_tensor(rng.normal(size=(ROWS[shape.on], *shape.axes)))
    drawn = random_tensors(diagram, rng, (1,)).parameters
    return tensors, {name: torch.as_tensor(np.array(value)) for name, value in drawn.items()}


def measure(programs: Mapping[str, Program], tensors: Tensors, weights: Tensors) -> dict[str, tuple[float, ...]]:
    """Return seconds, operations, bytes and the number of instructions of every form of a program."""
    runs = {name: (runner(item, "source"), table_tensors(item, torch.float64)) for name, item in programs.items()}
    times: dict[str, list[float]] = {name: [] for name in programs}
    values: dict[str, dict[str, torch.Tensor]] = {}
    with torch.no_grad():
        for number in range(RUNS + 3):
            for name, (run, tables) in runs.items():
                start = time.perf_counter()
                values[name] = run(tensors, weights, tables, ROWS)
                if number >= 3:  # the first ones warm up
                    times[name].append(time.perf_counter() - start)
    for name, found in values.items():
        for output, expected in values["plain"].items():
            if bool((found[output] - expected).abs().max() > 1e-9 * expected.abs().max().clamp(min=1.0)):
                raise SystemExit(f"{name} changes the value of {output}")
    result: dict[str, tuple[float, ...]] = {}
    for name, program in programs.items():
        cost = totals(program, {space: ROWS[space] for space in program_spaces(program)})
        result[name] = (min(times[name]), cost.flops, cost.bytes, len(program.instructions))
    return result


def table(title: str, programs: Mapping[str, tuple[Program, Tensors, Tensors]]) -> None:
    """Print the table of some programs."""
    print(f"{title}, ratios to the plain program: time flops bytes instructions")
    print(f"{'block':<28} {'plain':>9} " + " ".join(f"{name:^27}" for name in FORMS))
    logs: dict[str, list[list[float]]] = {name: [] for name in FORMS}
    for block, (plain, tensors, weights) in programs.items():
        found = measure({"plain": plain, **{name: form(plain) for name, form in FORMS.items()}}, tensors, weights)
        cells: list[str] = []
        for name in FORMS:
            ratios = [new / old if old else 1.0 for new, old in zip(found[name], found["plain"], strict=True)]
            cells.append(" ".join(f"{ratio:6.3f}" for ratio in ratios))
            logs[name].append([math.log(max(ratio, 1e-3)) for ratio in ratios])
        print(f"{block:<28} {found['plain'][0] * 1e6:>6.0f} us " + " ".join(cells))
    means = [" ".join(f"{math.exp(sum(c) / len(c)):6.3f}" for c in zip(*logs[n], strict=True)) for n in FORMS]
    print(f"{'geometric mean':<28} {'':>9} " + " ".join(means))


def main(folder: Path | None) -> None:
    """Print the tables; there is nothing to draw."""
    from corpus import PUBLISHED

    torch.set_num_threads(1)
    values: dict[str, tuple[Program, Tensors, Tensors]] = {}
    gradients: dict[str, tuple[Program, Tensors, Tensors]] = {}
    for name, diagram in PUBLISHED.items():
        program = compile(diagram, dtype=torch.float64, without=OFF).program
        values[name] = (program, *inputs(diagram, program))
        wrt = [*(leg for leg, _ in program.inputs), *(f"${item}" for item in program.coefficients)]
        if wrt:
            gradients[name] = (gradient(program, program.outputs[0][0], wrt), *values[name][1:])
    table("published blocks", values)
    table("gradients of published blocks", gradients)


if __name__ == "__main__":
    main(None)
