"""Time of planning contractions and of whole compilations, and the size of what they leave behind.

Planned are every coupling of four distinct legs with l <= 3 to 2e (720 paths), the power four of one such leg, a chain
of twelve fuses as one contraction of 25 operands, and the blocks of ``examples/diagrams``, of which the ten that take
longest to compile are shown. Seconds: the least of five runs, every plan searched anew.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

import fusion_compiler
from fusion import Diagram, Wire, leg
from fusion.files import load
from fusion_compiler.cost import per_row
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.prune import prune
from fusion_compiler.search import Problem, best_order, declared_order
from fusion_compiler.tables import Coupling, Table

RUNS = 5
CHANNELS = 4
SLOWEST = 10
EXAMPLES = Path(__file__).parent.parent / "examples" / "diagrams"


def blocks() -> dict[str, Wire]:
    """Return the blocks with many paths."""
    a, b, c, d = (leg(name, "0e+1o+2e+3o", channels=CHANNELS) for name in "abcd")
    return {"four legs, 720 paths": (a @ b @ c @ d)["2e"], "power four": a.power(4)["2e"]}


def chain(steps: int) -> Problem:
    """Return a chain of fuses of l = 3 with 64 channels as one contraction."""
    names = iter("ABCDEFGHIJKLMOPQRSTUVWXYZ")
    value = next(names)
    letters, declared, count, last = [f"Nc{value}"], list[tuple[int, int]](), 2 * steps + 1, 0
    for step in range(steps):
        own, out = next(names), next(names)
        letters += [f"Nc{own}", f"{value}{own}{out}"]
        declared += [(last, 2 * step + 1), (count + 2 * step, 2 * step + 2)]
        last, value = count + 2 * step + 1, out
    table = Table((7, 7, 7), (Coupling(0, 0, 0, (3, 3, 3)),))
    components = {letter: 7 for own in letters for letter in own if letter.isupper()}
    return Problem(
        tuple(letters),
        f"Nc{value}",
        tuple(sorted({**components, "N": 64, "c": 64}.items())),
        tuple((2 * step + 2, table) for step in range(steps)),
        tuple(range(count)),
        tuple(declared),
    )


def seconds(run: Callable[[], object]) -> float:
    """Return the least time of some runs, each of which searches every plan anew."""
    best = math.inf
    for _ in range(RUNS):
        best_order.cache_clear()
        declared_order.cache_clear()
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def report(name: str, diagram: Wire | Diagram) -> tuple[float, str]:
    """Return the time of a compilation, and a row of the table."""
    expansion = prune(expand(Diagram.of(diagram)))
    planning = seconds(lambda: contract(expansion))
    compiling = seconds(lambda: fusion_compiler.compile(diagram, dtype=torch.float64))
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    flops = sum(cost.flops for space, cost in per_row(program).items() if space)
    held = sum(table.nbytes for table in program.constants.values())
    row = f"{name:<28} {planning:>10.2e} {compiling:>10.2e} {len(program.instructions):>12} {flops:>12} {held:>10}"
    return compiling, row


def main(folder: Path | None) -> None:
    """Print the tables; nothing is drawn."""
    torch.set_num_threads(1)
    print("planning contractions, seconds; operations per row of every index space; bytes of tables in float64")
    print(f"{'block':<28} {'contract':>10} {'compile':>10} {'instructions':>12} {'operations':>12} {'tables':>10}")
    for name, wire in blocks().items():
        print(report(name, wire)[1])
    found = [report(file.stem, load(file)) for file in sorted(EXAMPLES.iterdir())]
    for _, row in sorted(found, reverse=True)[:SLOWEST]:
        print(row)
    problem = chain(12)
    print(f"chain of twelve fuses, {len(problem.letters)} operands: {seconds(lambda: best_order(problem)):.2e}")
