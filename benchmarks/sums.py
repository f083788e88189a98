"""Time of a product over nu neighbours against the number n of neighbours: summed over tuples, and distributed.

The block couples nu different wires of the neighbours (0e + 1o, 8 channels) to a scalar and sums over all n^nu tuples
of every atom. With the pass ``distribute`` no tuple is formed and the time grows as n nu. One thread, float64, seconds
per atom: the least of five runs of both forms in turn, values compared first. The explicit sum has fewer atoms, the
distributed one enough for the fixed cost of a call not to count.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure

import fusion_compiler
from fusion import Wire, leg, tuples

ATOMS, EXPLICIT_ATOMS = 512, 8
CHANNELS = 8
COUNTS = (5, 10, 20, 50, 100, 200)
ORDERS = (2, 3, 4)
MAX_TUPLES = 100_000
"""Rows of the space of tuples above which only the distributed form runs."""
RUNS = 5


def body(order: int) -> Wire:
    """Return the sum over all tuples of the product of ``order`` different wires of the neighbours."""
    maps = tuples("receiver", order)
    wires = [leg(f"x{i}", "0e+1o", channels=CHANNELS, on="edge").pull(maps[i]) for i in range(order)]
    product = wires[0]
    for wire in wires[1:]:
        product = (product @ wire)["0e+1o"]
    return product["0e"].sum(maps[0]).sum("receiver")


def measure(order: int, count: int) -> tuple[float, float | None]:
    """Return the seconds per atom of the distributed form and, where it fits, of the explicit sum."""
    forms = [((), ATOMS), ("distribute", EXPLICIT_ATOMS)]
    forms = forms if EXPLICIT_ATOMS * count**order <= MAX_TUPLES else forms[:1]
    generator = torch.Generator().manual_seed(count)
    wires = {
        f"x{i}": torch.randn((ATOMS * count, CHANNELS, 4), dtype=torch.float64, generator=generator)
        for i in range(order)
    }
    blocks = [fusion_compiler.compile(body(order), dtype=torch.float64, without=without) for without, _ in forms]
    inputs: list[dict[str, torch.Tensor]] = []
    for _, atoms in forms:
        rows = {name: wire[: atoms * count] for name, wire in wires.items()}
        inputs.append({**rows, "receiver": torch.arange(atoms).repeat_interleave(count)})
    best = [math.inf for _ in forms]
    values: list[torch.Tensor] = [torch.empty(0) for _ in forms]
    with torch.no_grad():
        for run in range(RUNS + 1):
            for place, (block, (_, atoms)) in enumerate(zip(blocks, forms, strict=True)):
                start = time.perf_counter()
                values[place] = block(inputs[place], sizes={"atom": atoms})
                if run:  # the first one warms up
                    best[place] = min(best[place], (time.perf_counter() - start) / atoms)
    few = values[0][:EXPLICIT_ATOMS]
    if any(bool((value[:EXPLICIT_ATOMS] - few).abs().max() > 1e-10 * few.abs().max()) for value in values):
        raise SystemExit("the two forms differ")
    return best[0], best[1] if len(best) > 1 else None


def exponent(times: dict[int, float]) -> float:
    """Return the slope of the logarithms of time and count between the two largest counts."""
    (n, first), (m, second) = sorted(times.items())[-2:]
    return math.log(second / first) / math.log(m / n)


def main(folder: Path | None) -> None:
    """Print the table and the exponents; draw them into a folder when one is given."""
    torch.set_num_threads(1)
    print("sums over nu neighbours, seconds per atom: distributed / explicit")
    print(f"{'n':>5} " + " ".join(f"{f'nu = {order}':>21}" for order in ORDERS))
    fast: dict[int, dict[int, float]] = {order: {} for order in ORDERS}
    slow: dict[int, dict[int, float]] = {order: {} for order in ORDERS}
    for count in COUNTS:
        cells: list[str] = []
        for order in ORDERS:
            fast[order][count], explicit = measure(order, count)
            if explicit is not None:
                slow[order][count] = explicit
            cells.append(f"{fast[order][count]:>10.2e}/{'-' if explicit is None else f'{explicit:.2e}':>10}")
        print(f"{count:>5} " + " ".join(cells))
    for order in ORDERS:
        print(f"nu = {order}: exponents {exponent(fast[order]):.2f} / {exponent(slow[order]):.2f}")
    if folder is not None:
        draw(fast, slow, folder / "sums.svg")


def draw(fast: dict[int, dict[int, float]], slow: dict[int, dict[int, float]], file: Path) -> None:
    """Draw time against the number of neighbours, both on logarithmic scales."""
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    for place, order in enumerate(ORDERS):
        for times, style, name in ((fast, "o-", "distributed"), (slow, "s--", "explicit")):
            axes.loglog(
                list(times[order]), list(times[order].values()), style, color=f"C{place}", label=f"{order}, {name}"
            )
    axes.set(xlabel="neighbours n", ylabel="time per atom / s", title="Sum over all tuples of nu neighbours")
    axes.legend(title="nu")
    figure.savefig(file)
