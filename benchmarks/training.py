"""Time of energies and forces, and of a training step, by derivative programs and by torch's autograd.

Both run the same compiled potential with the emitter ``source``: once differentiated by torch (twice, for the gradient
of a loss of forces), once by its derivative programs. One thread, single precision, ethanol: the median of runs of
both in turn, values compared first. The process keeps freed memory, as in training.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_models.allocation import keep_freed_memory
from fusion_models.batch import AtomicBatch
from fusion_models.data import load_dataset
from fusion_models.demo.run import CUTOFF, MODEL
from fusion_models.derivatives import LossGradients, Prediction, energy_forces_stress
from fusion_models.potential import ENERGY, Potential
from fusion_models.training.loop import potential_for

LARGE = {**MODEL, "channels": 128, "l_max": 3}
CASES = (("demo", MODEL, 1), ("demo", MODEL, 8), ("demo", MODEL, 32), ("128 channels, l_max 3", LARGE, 8))
"""What is measured: name, settings of the potential, molecules at once."""
RUNS = 15
TOLERANCE = 1e-3
"""Largest difference of two gradients in single precision, relative to the largest entry."""


def energies(potential: Potential) -> Callable[[AtomicBatch], Tensor]:
    """Return the function of the energies that torch differentiates."""
    program = potential.block.program
    run, tables = runner(program, "source"), table_tensors(program, potential.dtype)

    def energy(batch: AtomicBatch) -> Tensor:
        tensors, rows = potential.tensors(batch), potential.rows(batch)
        coefficients = dict(potential.block.coefficients.items())
        return potential.total(run(tensors, coefficients, tables, rows)[ENERGY], tensors["z"], batch)

    return energy


def by_autograd(energy: Callable[[AtomicBatch], Tensor], batch: AtomicBatch, *, graph: bool = False) -> Prediction:
    """Return energies and forces by torch's autograd."""
    positions = batch.positions.detach().requires_grad_()
    found = energy(replace(batch, positions=positions))
    return Prediction(found, -torch.autograd.grad(found.sum(), positions, create_graph=graph)[0])


def loss(batch: AtomicBatch, found: Prediction) -> Tensor:
    """Return the loss of a training step."""
    if batch.energy is None or batch.forces is None:
        raise SystemExit("the data have no labels")
    return (found.energy - batch.energy).square().mean() + (found.forces - batch.forces).square().mean()


def measure(settings: dict[str, object], molecules: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of autograd and of programs, for energies and forces and for a training step."""
    data = load_dataset("ethanol", CUTOFF)
    torch.manual_seed(0)
    potential = potential_for(data, torch.float32, **settings)
    batch = data.batch(list(data.parts["train"][:molecules]), torch.float32)
    energy, gradients = energies(potential), LossGradients(potential)
    parameters = list(potential.parameters())

    def step_by_autograd() -> list[Tensor]:
        found = loss(batch, by_autograd(energy, batch, graph=True))
        return list(torch.autograd.grad(found, parameters, materialize_grads=True))

    def forces_by_autograd() -> list[Tensor]:
        return [by_autograd(energy, batch).forces]

    ways: dict[str, tuple[Callable[[], list[Tensor]], Callable[[], list[Tensor]]]] = {
        "energy + forces": (forces_by_autograd, lambda: [energy_forces_stress(potential, batch).forces]),
        "training step": (step_by_autograd, lambda: list(gradients(batch, partial(loss, batch))[1].values())),
    }
    found: dict[str, tuple[float, float]] = {}
    for name, both in ways.items():
        first, second = (way() for way in both)
        if any(bool((a - b).abs().max() > TOLERANCE * a.abs().max()) for a, b in zip(first, second, strict=True)):
            raise SystemExit(f"{name}: the two ways differ")
        found[name] = medians(both)
    return found


def medians(ways: tuple[Callable[[], object], Callable[[], object]]) -> tuple[float, float]:
    """Return the median milliseconds of two functions that run in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        for way, times in zip(ways, seconds, strict=True):
            start = time.perf_counter()
            way()
            times.append(time.perf_counter() - start)
    first, second = (1000 * statistics.median(times) for times in seconds)
    return first, second


def main(folder: Path | None) -> None:
    """Print the table; draw the ratios into a folder when one is given."""
    torch.set_num_threads(1)
    keep_freed_memory()
    print("milliseconds by torch's autograd, by derivative programs, and their ratio")
    print(f"{'potential':<24}{'molecules':>10}  {'':<16}{'autograd':>10}{'programs':>10}{'ratio':>7}")
    ratios: dict[str, dict[str, float]] = {}
    for name, settings, molecules in CASES:
        for what, (autograd, programs) in measure(settings, molecules).items():
            ratio = autograd / programs
            print(f"{name:<24}{molecules:>10}  {what:<16}{autograd:>10.1f}{programs:>10.1f}{ratio:>7.2f}")
            ratios.setdefault(what, {})[f"{name}, {molecules}"] = ratio
    if folder is not None:
        draw(ratios, folder / "training.svg")


def draw(ratios: dict[str, dict[str, float]], file: Path) -> None:
    """Draw how many times faster derivative programs are."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(ratios)
    for place, (what, cases) in enumerate(ratios.items()):
        axes.barh([row + place * height for row in range(len(cases))], list(cases.values()), height, label=what)
    names = list(next(iter(ratios.values())))
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(names))], names)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(xlabel="time of autograd / time of derivative programs")
    axes.legend()
    figure.savefig(file)
