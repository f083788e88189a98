"""Commands about potentials: ``train``, ``evaluate``, ``md``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from fusion_models.cli.console import output, print_line

DataRoot = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="FOLDER", help="Folder of reference data; FUSION_DATA when left out.", show_default=False
    ),
]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A checkpoint, model.safetensors.", show_default=False)]


def train(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET", help="ethanol (shipped), a file, or a name such as rmd17/ethanol.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the run.")] = Path("run"),
    data: DataRoot = None,
    split: Annotated[str, typer.Option(help="Name of the split.")] = "split1",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many passes over the training part.", show_default=False)
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps.", show_default=False)] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.001, help="Stop after so many minutes of training.", show_default=False)
    ] = None,
    channels: Annotated[int, typer.Option(min=1, help="Channels of all features.")] = 32,
    l_max: Annotated[int, typer.Option("--l-max", min=0, help="Degree of harmonics.")] = 2,
    hidden: Annotated[str, typer.Option(help="Irreps of the features between layers.")] = "0e+1o",
    layers: Annotated[int, typer.Option(min=1, help="Number of layers.")] = 2,
    powers: Annotated[str, typer.Option(help="Orders of the product, separated by commas.")] = "1,2,3",
    basis: Annotated[str, typer.Option(help="Couplings of the product: full or reduced.")] = "reduced",
    cutoff: Annotated[float, typer.Option(min=0.1, max=50.0, help="Cutoff in Å.")] = 5.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Structures per step.")] = 8,
    learning_rate: Annotated[float, typer.Option(min=0.0, help="Largest learning rate.")] = 0.01,
    energy_weight: Annotated[
        float, typer.Option(min=0.0, help="Weight of the energy error (eV per atom, squared).")
    ] = 100.0,
    force_weight: Annotated[float, typer.Option(min=0.0, help="Weight of the force error (eV/Å, squared).")] = 1.0,
    double: Annotated[bool, typer.Option("--double", help="Train in double precision.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of weights and batches.")] = 0,
    evaluate_every: Annotated[
        int, typer.Option(min=1, help="Steps between validations; each also saves the state.")
    ] = 250,
) -> None:
    """Train a potential on energies and forces.

    Writes model.safetensors (moving average of the weights), resume.safetensors and log.jsonl into the folder. Stop it
    with Ctrl-C at any time and go on with --resume.
    """
    import torch
    from pydantic import ValidationError

    from fusion_models.allocation import keep_freed_memory
    from fusion_models.checkpoint import short
    from fusion_models.data import load_dataset
    from fusion_models.errors import ConfigError
    from fusion_models.training import TrainConfig, Training, baseline
    from fusion_models.training import evaluate as measure
    from fusion_models.training.loop import MODEL_FILE, STATE_FILE, potential_for
    from fusion_models.training.state import load_state

    keep_freed_memory()
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; --out names the folder of the run")
    if not resume and (out / STATE_FILE).exists():
        raise ConfigError(
            f"{out} already holds a run; add --resume to go on with it, or name another folder with --out"
        )
    try:
        orders = tuple(int(part) for part in powers.split(","))
    except ValueError:
        raise ConfigError(f"--powers takes integers separated by commas, such as 1,2,3; got {powers!r}") from None
    try:
        limits: dict[str, Any] = {"epochs": epochs, "max_steps": steps, "max_seconds": minutes and 60.0 * minutes}
        if not any(limits.values()):
            limits = {"epochs": 200}
            if resume:  # a run that goes on keeps the end it had
                limits = load_state(out / STATE_FILE)[0].config.model_dump(
                    include={"epochs", "max_steps", "max_seconds"}
                )
        config = TrainConfig(
            **limits,
            batch_size=batch_size,
            learning_rate=learning_rate,
            energy_weight=energy_weight,
            force_weight=force_weight,
            dtype="float64" if double else "float32",
            seed=seed,
            evaluate_every=evaluate_every,
        )
        found = load_dataset(dataset, cutoff, split=split, data_dir=data)
        print_line(found.summary())
        torch.manual_seed(seed)
        potential = potential_for(
            found,
            config.torch_dtype,
            channels=channels,
            l_max=l_max,
            hidden=hidden,
            layers=layers,
            powers=orders,
            basis=basis,
        )
    except ValidationError as error:
        raise ConfigError(f"settings are not valid: {short(error)}") from None
    print_line(f"{sum(p.numel() for p in potential.parameters())} parameters, {torch.get_num_threads()} threads")
    result = Training(potential, found, config, out, resume=resume).run(print_line)
    if not result.finished:
        print_line(
            f"interrupted after {result.steps} steps; go on with: fusion train {dataset} --out {out} "
            "--resume and the same settings"
        )
        raise typer.Exit(130)
    if found.parts["test"]:
        _show_errors(asdict(measure(result.potential, found, "test")), asdict(baseline(found, "test")), "test")
    print_line(f"{result.steps} steps in {result.seconds:.0f} s; the potential is in {out / MODEL_FILE}")


def evaluate(
    model: Model,
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET", help="ethanol (shipped), a file, or a name such as rmd17/ethanol.", show_default=False
        ),
    ],
    data: DataRoot = None,
    split: Annotated[str, typer.Option(help="Name of the split.")] = "split1",
    part: Annotated[str, typer.Option(help="Part of the split: train, val or test.")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the energy and force errors of a potential, beside a baseline that predicts zero forces."""
    from fusion_models.checkpoint import load_potential
    from fusion_models.data import load_dataset
    from fusion_models.data.splits import PARTS
    from fusion_models.errors import ConfigError
    from fusion_models.training import baseline
    from fusion_models.training import evaluate as measure

    if part not in PARTS:
        raise ConfigError(f"--part is one of {', '.join(PARTS)}, not {part!r}")
    potential, _ = load_potential(model)
    found = load_dataset(dataset, potential.config.cutoff, split=split, data_dir=data)
    found.check_elements(potential.config.elements)
    errors, trivial = asdict(measure(potential, found, part)), asdict(baseline(found, part))
    if as_json:
        print_line(json.dumps({"data": found.origin, "part": part, "errors": errors, "baseline": trivial}))
    else:
        print_line(found.summary())
        _show_errors(errors, trivial, part)


def md(
    model: Model,
    structure: Annotated[
        Path, typer.Argument(metavar="STRUCTURE", help="A structure in any format that ASE reads.", show_default=False)
    ],
    steps: Annotated[int, typer.Option(min=20, help="Number of time steps.")] = 1000,
    timestep: Annotated[float, typer.Option(min=0.001, max=10.0, help="Time step in fs.")] = 0.5,
    temperature: Annotated[
        float, typer.Option(min=0.0, max=1e5, help="Temperature of the initial velocities in K.")
    ] = 300.0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the initial velocities.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the final structure (extended XYZ).", show_default=False)
    ] = None,
) -> None:
    """Run dynamics at constant energy with a potential, and print the energy drift."""
    from rich.progress import Progress

    from fusion_models.allocation import keep_freed_memory
    from fusion_models.calculator import FusionCalculator
    from fusion_models.cli.console import messages
    from fusion_models.errors import ConfigError
    from fusion_models.md import run_nve
    from fusion_models.structures import read_structure, structure_text

    keep_freed_memory()
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise ConfigError(f"{out} cannot be written: it is a folder, or lies in none")
    atoms = read_structure(structure)
    atoms.calc = FusionCalculator(model)
    with Progress(transient=True, console=messages()) as bar:
        task = bar.add_task("dynamics", total=steps)
        found = run_nve(
            atoms,
            steps=steps,
            timestep_fs=timestep,
            temperature_K=temperature,
            seed=seed,
            report=lambda step: bar.update(task, completed=step),
        )
    if out is not None:
        from fusion_models.files import write_atomic

        write_atomic(out, structure_text(found.final))
    print_line(
        f"{len(atoms)} atoms, {found.times_fs[-1] / 1000:.3f} ps, mean temperature {found.temperature.mean():.0f} K, "
        f"energy drift {found.drift_mev_per_atom_per_ps:+.4f} meV/atom/ps"
    )


def _show_errors(errors: dict[str, float], trivial: dict[str, float], part: str) -> None:
    table = Table("error", "potential", "zero forces", title=f"errors on {part} ({errors['frames']:.0f} frames)")
    names = {
        "force_mae_mev_per_a": "force MAE, meV/Å",
        "force_rmse_mev_per_a": "force RMSE, meV/Å",
        "energy_mae_mev_per_atom": "energy MAE, meV/atom",
        "energy_rmse_mev_per_atom": "energy RMSE, meV/atom",
    }
    for key, name in names.items():
        table.add_row(name, f"{errors[key]:.2f}", f"{trivial[key]:.2f}")
    output().print(table)
