"""The stages of the demo, one after the other, each shown on the terminal and kept for the report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from rich.console import Console

import fusion_compiler
from fusion import FusionError, SelectionRuleError, check, leg
from fusion.draw import svg, text
from fusion_models.calculator import FusionCalculator
from fusion_models.checkpoint import package_versions
from fusion_models.data import Dataset, load_dataset
from fusion_models.files import write_atomic
from fusion_models.md import Trajectory, run_nve
from fusion_models.potential import Potential
from fusion_models.report import CurvePoint, Drawing, Drift, ErrorRow, Parity, ReportData, cost_rows, write_report
from fusion_models.training import Metrics, TrainConfig, Training, TrainingResult, baseline
from fusion_models.training.loop import potential_for
from fusion_models.training.metrics import Predictions, predict

TRAINING_SECONDS = 285.0
SHORT_SECONDS = 60.0
MODEL = {"channels": 32, "l_max": 2, "hidden": "0e+1o", "layers": 2, "powers": (1, 2, 3), "basis": "reduced"}
CUTOFF = 5.0
SIZES = {"system": 1, "atom": 9, "edge": 72}
"""Rows of one ethanol molecule, for which costs are shown."""
NVE_STEPS = 1000
NVE_TIMESTEP_FS = 0.25


@dataclass
class Stages:
    """Prints a heading for each stage and keeps its seconds."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.console.rule(name, align="left")
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 2)


def run_demo(folder: Path, *, short: bool = False) -> None:
    """Run all stages and write ``report.html`` and ``summary.json`` into ``folder``."""
    console = Console(soft_wrap=True, highlight=False)
    stage = Stages(console)
    folder.mkdir(parents=True, exist_ok=True)
    with stage("a selection rule"):
        wrong, repair = rule_and_repair()
        console.print(wrong, markup=False)
        console.print(f"\nrepaired: {repair}", markup=False)
    with stage("data"):
        data = load_dataset("ethanol", CUTOFF)
        console.print(data.summary(), markup=False)
    with stage("diagrams and compilation"):
        torch.manual_seed(0)
        potential = potential_for(data, torch.float32, **MODEL)
        drawing = draw(potential, folder)
        console.print(f"{potential.diagram}\n", markup=False)
        console.print(text(potential.diagram), markup=False, soft_wrap=True)
        report = fusion_compiler.explain(potential.block, rows=SIZES).text
        console.print("costs" + report.split("== costs", 1)[1].split("\n== ", 1)[0], markup=False)
    with stage("training"):
        result, trained = train(potential, data, folder, SHORT_SECONDS if short else TRAINING_SECONDS, console)
        console.print(trained, markup=False)
        if not result.finished:
            raise KeyboardInterrupt
    with stage("test errors"):
        predictions = predict(result.potential, data, data.parts["test"])
        trivial = baseline(data, "test")
        show_errors(console, predictions.metrics, trivial)
    with stage("dynamics"):
        trajectory = dynamics(result.potential, data)
        console.print(
            f"{NVE_STEPS} steps of {NVE_TIMESTEP_FS} fs at constant energy, mean temperature "
            f"{trajectory.temperature.mean():.0f} K: "
            f"energy drift {trajectory.drift_mev_per_atom_per_ps:+.4f} meV/atom/ps",
            markup=False,
        )
    with stage("report"):
        report = report_data(
            potential, data, wrong, repair, drawing, result, predictions, trivial, trajectory, stage.seconds
        )
        write_report(folder / "report.html", report)
    write_atomic(
        folder / "summary.json",
        json.dumps(summary(data, result, predictions, trivial, trajectory, stage.seconds), indent=2) + "\n",
    )
    console.print(f"\nreport:  {folder / 'report.html'}\nsummary: {folder / 'summary.json'}", markup=False)


def rule_and_repair() -> tuple[str, str]:
    """Return the message of a selection-rule error, and the expression that mends it."""
    v, w = leg("v", "1o", channels=16), leg("w", "1o", channels=16)
    try:
        check((v @ w)["0e+1o"])
    except SelectionRuleError as error:
        mended = (v @ w)[f"0e+{error.violations[0].suggestion}"]
        check(mended)
        return f"SelectionRuleError: {error}", f"{mended}   is legal: {mended.space}"
    raise FusionError("two vectors must not couple to 1o")


def draw(potential: Potential, folder: Path) -> Drawing:
    """Draw the diagram of the potential, into the folder and for the report."""
    picture = svg(potential.diagram)
    write_atomic(folder / "potential.svg", picture)
    return Drawing("potential", picture, str(potential.diagram))


def train(
    potential: Potential, data: Dataset, folder: Path, seconds: float, console: Console
) -> tuple[TrainingResult, str]:
    """Train from the start for a given time."""
    config = TrainConfig(max_seconds=seconds, evaluate_every=250)
    count = sum(parameter.numel() for parameter in potential.parameters())
    result = Training(potential, data, config, folder).run(lambda line: console.print(line, markup=False))
    return (
        result,
        f"{count} parameters, {result.steps} steps in {result.seconds:.0f} s on {torch.get_num_threads()} threads",
    )


def show_errors(console: Console, found: Metrics, trivial: Metrics) -> None:
    """Print the test errors beside those of the baseline."""
    console.print(
        f"force MAE   {found.force_mae_mev_per_a:8.2f} meV/Å      (zero forces: {trivial.force_mae_mev_per_a:.1f})",
        markup=False,
    )
    console.print(
        f"energy MAE  {found.energy_mae_mev_per_atom:8.3f} meV/atom   (reference energies alone: "
        f"{trivial.energy_mae_mev_per_atom:.2f})",
        markup=False,
    )


def dynamics(potential: Potential, data: Dataset) -> Trajectory:
    """Run a short trajectory at constant energy from the first test frame, in double precision."""
    frame = data.part("test")[0]
    atoms = Atoms(numbers=frame.numbers, positions=frame.positions)
    atoms.calc = FusionCalculator(potential)
    return run_nve(atoms, steps=NVE_STEPS, timestep_fs=NVE_TIMESTEP_FS, temperature_K=300.0)


def report_data(
    potential: Potential,
    data: Dataset,
    wrong: str,
    repair: str,
    drawing: Drawing,
    result: TrainingResult,
    predictions: Predictions,
    trivial: Metrics,
    trajectory: Trajectory,
    seconds: dict[str, float],
) -> ReportData:
    """Collect what the report shows."""
    found = predictions.metrics
    return ReportData(
        title="Fusion: from diagrams to a trained potential",
        about=(
            "This message-passing potential was declared as one fusion diagram, checked against the selection rules, "
            "compiled, trained on energies and forces of ethanol, and used for molecular dynamics.\n\n"
            f"{data.summary()}. Labels: PBE/def2-SVP (see examples/data/README.md)."
        ),
        rule_error=wrong,
        rule_repair=repair,
        drawings=(drawing,),
        costs=cost_rows("potential", potential.block),
        curve=tuple(
            CurvePoint(entry["seconds"], entry["epoch"], entry["force_mae_mev_per_a"], entry["energy_mae_mev_per_atom"])
            for entry in result.history
            if "force_mae_mev_per_a" in entry
        ),
        curve_text=f"Errors on the {len(data.parts['val'])} validation frames, moving average of the weights.",
        tests=(
            ErrorRow("force, mean absolute", "meV/Å", found.force_mae_mev_per_a, trivial.force_mae_mev_per_a),
            ErrorRow("force, root mean square", "meV/Å", found.force_rmse_mev_per_a, trivial.force_rmse_mev_per_a),
            ErrorRow(
                "energy, mean absolute", "meV/atom", found.energy_mae_mev_per_atom, trivial.energy_mae_mev_per_atom
            ),
            ErrorRow(
                "energy, root mean square", "meV/atom", found.energy_rmse_mev_per_atom, trivial.energy_rmse_mev_per_atom
            ),
        ),
        tests_text=(
            f"{found.frames} test frames from trajectories of other seeds. The baseline predicts zero forces "
            "and reference energies."
        ),
        parity=Parity(
            predictions.energy / predictions.atoms,
            predictions.predicted_energy / predictions.atoms,
            predictions.forces,
            predictions.predicted_forces,
        ),
        drift=Drift(
            trajectory.times_fs / 1000.0,
            trajectory.total_energy,
            len(trajectory.final),
            trajectory.drift_mev_per_atom_per_ps,
            f"velocity Verlet, {NVE_TIMESTEP_FS} fs steps, started at 300 K from a test frame, double precision",
        ),
        stages=seconds,
        settings={name: shown(value) for name, value in potential.config.model_dump().items()},
        sizes=SIZES,
        versions=package_versions(),
    )


def shown(value: object) -> str:
    """Return a setting for reading."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def summary(
    data: Dataset,
    result: TrainingResult,
    predictions: Predictions,
    trivial: Metrics,
    trajectory: Trajectory,
    seconds: dict[str, float],
) -> dict[str, object]:
    """Return the numbers of the run for programs."""
    return {
        "data": data.origin,
        "test": asdict(predictions.metrics),
        "baseline": asdict(trivial),
        "training": {"seconds": round(result.seconds, 1), "steps": result.steps, "threads": torch.get_num_threads()},
        "nve": {
            "drift_mev_per_atom_per_ps": trajectory.drift_mev_per_atom_per_ps,
            "picoseconds": float(trajectory.times_fs[-1] / 1000.0),
            "mean_temperature_k": float(np.mean(trajectory.temperature)),
        },
        "seconds": seconds,
        "versions": package_versions(),
    }
