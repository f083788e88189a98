"""Time of a sum over tuples of nu neighbours against the number n of neighbours: over all tuples, and distributed.

The blocks couple nu different wires of the neighbours (0e + 1o, 8 channels) to a scalar and sum over all n^nu tuples of
every atom; the last one couples two neighbours with solid harmonics (l = 0..2) of the displacement between them. With
the pass ``distribute`` no tuple is formed. One thread, float64, seconds per atom: the least of several runs of both
forms in turn, whose values are compared. The distributed form has enough atoms for the fixed cost of a call not to
count at large n; the explicit sum has fewer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

import fusion_compiler
from fusion import Wire, add, leg, tuples

EXPLICIT_ATOMS = 8
CHANNELS = 8
COUNTS = (5, 10, 20, 50, 100, 200)
MAX_TUPLES = 400_000
"""Rows of the space of tuples at most; above, only the distributed form runs."""
RUNS, SECONDS = 40, 1.0
"""Runs of each form at most, and the time after which no more are made."""
SLOPE_FROM = 20
"""Neighbours from which on the slope of the distributed form is fitted; below, atoms and calls count."""
TOLERANCE = 1e-12
"""Largest difference of the two forms, relative to the largest value."""

Times = dict[str, dict[int, float]]
"""Seconds per atom, by block and number of neighbours."""


def body(order: int) -> Wire:
    """Return the sum over all tuples of the product of ``order`` different wires of the neighbours."""
    maps = tuples("receiver", order)
    wires = [leg(f"x{i}", "0e+1o", channels=CHANNELS, on="edge").pull(maps[i]) for i in range(order)]
    product = wires[0]
    for wire in wires[1:]:
        product = (product @ wire)["0e+1o"]
    return product["0e"].sum(maps[0]).sum("receiver")


def tied() -> Wire:
    """Return the sum over all pairs of a product of two wires with a function of both neighbours."""
    first, second = tuples("receiver")
    x0, x1 = (leg(f"x{i}", "0e+1o", channels=CHANNELS, on="edge") for i in range(2))
    r = leg("r", "1o", on="edge")
    between = add(r.pull(first), -1 * r.pull(second)).solid_harmonics(2)
    return ((x0.pull(first) @ between)["0e+1o"] @ x1.pull(second))["0e"].sum(first).sum("receiver")


@dataclass(frozen=True, slots=True)
class Block:
    """A sum over tuples of ``order`` neighbours, and the number of atoms of its distributed form."""

    order: int
    wire: Wire
    atoms: int


BLOCKS: dict[str, Block] = {
    **{str(order): Block(order, body(order), 512) for order in (2, 3, 4)},
    "2, R(r1 - r2)": Block(2, tied(), 16),
}


def measure(block: Block, count: int) -> tuple[float, float | None]:
    """Return the seconds per atom of the distributed form and, where it fits, of the explicit sum."""
    few = min(EXPLICIT_ATOMS, MAX_TUPLES // count**block.order)
    forms = [((), block.atoms), ("distribute", few)][: 2 if few else 1]
    generator = torch.Generator().manual_seed(count)
    shapes = {"r": (3,), **{f"x{i}": (CHANNELS, 4) for i in range(block.order)}}
    wires = {
        name: torch.randn((block.atoms * count, *shape), dtype=torch.float64, generator=generator)
        for name, shape in shapes.items()
    }
    calls = [fusion_compiler.compile(block.wire, dtype=torch.float64, without=without) for without, _ in forms]
    inputs: list[dict[str, torch.Tensor]] = []
    for call, (_, atoms) in zip(calls, forms, strict=True):
        rows = {name: wires[name][: atoms * count] for name, _ in call.program.inputs if name in wires}
        inputs.append({**rows, "receiver": torch.arange(atoms).repeat_interleave(count)})
    times: list[list[float]] = [[] for _ in forms]
    values: list[torch.Tensor] = [torch.empty(0) for _ in forms]
    with torch.no_grad():
        for _ in range(RUNS + 1):
            for place, (call, (_, atoms)) in enumerate(zip(calls, forms, strict=True)):
                if len(times[place]) < 3 or sum(times[place]) < SECONDS:
                    start = time.perf_counter()
                    values[place] = call(inputs[place], sizes={"atom": atoms})
                    times[place].append(time.perf_counter() - start)
    if few and bool((values[1] - values[0][:few]).abs().max() > TOLERANCE * values[1].abs().max()):
        raise SystemExit("the two forms differ")
    best = [min(runs[1:]) / atoms for runs, (_, atoms) in zip(times, forms, strict=True)]  # the first one warms up
    return best[0], best[1] if few else None


def slope(times: dict[int, float], start: int = 0) -> float:
    """Return the slope of log(time) over log(count), fitted to all counts from ``start`` on."""
    counts = [count for count in times if count >= start]
    return float(np.polyfit(np.log(counts), np.log([times[count] for count in counts]), 1)[0])


def main(folder: Path | None) -> None:
    """Print the table and the slopes; draw them into a folder when one is given."""
    torch.set_num_threads(1)
    print("sums over tuples of nu neighbours, seconds per atom: distributed / explicit")
    print(f"{'n':>5} " + " ".join(f"{f'nu = {name}':>21}" for name in BLOCKS))
    fast: Times = {name: {} for name in BLOCKS}
    slow: Times = {name: {} for name in BLOCKS}
    for count in COUNTS:
        cells: list[str] = []
        for name, block in BLOCKS.items():
            fast[name][count], explicit = measure(block, count)
            if explicit is not None:
                slow[name][count] = explicit
            cells.append(f"{fast[name][count]:>10.2e}/{'-' if explicit is None else f'{explicit:.2e}':>10}")
        print(f"{count:>5} " + " ".join(cells))
    for name in BLOCKS:
        print(f"nu = {name}: slopes {slope(fast[name], SLOPE_FROM):.2f} / {slope(slow[name], SLOPE_FROM // 2):.2f}")
    if folder is not None:
        draw(fast, slow, folder / "sums.svg")


def draw(fast: Times, slow: Times, file: Path) -> None:
    """Draw time against the number of neighbours, both on logarithmic scales; the same times give the same file."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fusion", "font.size": 9}):
        figure = Figure(figsize=(5.5, 3.6), layout="constrained")
        axes = figure.subplots()
        for place, name in enumerate(BLOCKS):
            for times, style, form in ((fast, "o-", "distributed"), (slow, "s--", "over tuples")):
                found = times[name]
                axes.loglog(list(found), list(found.values()), style, ms=4, color=f"C{place}", label=f"{name}, {form}")
        axes.set(xlabel="neighbours n of an atom", ylabel="time per atom / s")
        axes.minorticks_off()
        axes.set_xticks(COUNTS, [str(count) for count in COUNTS])
        axes.grid(alpha=0.3)
        figure.legend(title="nu", loc="outside right upper", frameon=False)
        figure.savefig(file, metadata={"Date": None})
