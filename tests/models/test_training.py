"""Training: it learns, it resumes bit by bit, and it stops with a reason."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from fusion_models.data import Dataset
from fusion_models.errors import CheckpointError, DataError, TrainingError
from fusion_models.frames import Frame, frame
from fusion_models.neighbours import neighbours
from fusion_models.references import fit_references
from fusion_models.training import TrainConfig, Training, baseline, evaluate
from fusion_models.training.loop import potential_for
from models.structures import molecule

SETTINGS = {"channels": 4, "l_max": 1, "hidden": "0e", "radial_widths": (8,), "readout_width": 4, "powers": (1, 2)}


def labelled(seed: int) -> Frame:
    """A molecule in a harmonic field: something that can be learned."""
    base = molecule(seed)
    delta = base.positions - molecule(0).positions
    return frame(
        base.numbers,
        base.positions,
        energy=-4200.0 + 5.0 * float((delta**2).sum()),
        forces=-10.0 * delta,
        name=f"molecule{seed}",
    )


def dataset(count: int = 12) -> Dataset:
    frames = tuple(labelled(seed) for seed in range(count))
    found = tuple(neighbours(f.positions, 4.0, name=f.name) for f in frames)
    third = count // 3
    parts = {
        "train": tuple(range(2 * third)),
        "val": tuple(range(2 * third, count)),
        "test": tuple(range(2 * third, count)),
    }
    return Dataset(frames, found, parts, 4.0, "made up")


def start(folder: Path, *, resume: bool = False, data: Dataset | None = None, **config: object) -> Training:
    torch.manual_seed(0)
    found = data or dataset()
    potential = potential_for(found, torch.float64, **SETTINGS)
    settings = {"batch_size": 3, "dtype": "float64", "evaluate_every": 100, **config}
    return Training(potential, found, TrainConfig.model_validate(settings), folder, resume=resume)


def test_training_lowers_the_error(tmp_path: Path) -> None:
    data = dataset()
    training = start(tmp_path, data=data, max_steps=40, learning_rate=0.02)
    before = evaluate(training.potential, data, "train")
    result = training.run()
    assert result.finished
    assert evaluate(result.potential, data, "train").force_mae_mev_per_a < before.force_mae_mev_per_a
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 40
    assert (tmp_path / "model.safetensors").is_file()


def test_resuming_is_exact(tmp_path: Path) -> None:
    """Seven steps in one go and in three parts give equal weights to the last bit; epochs have three batches."""
    whole = start(tmp_path / "whole", max_steps=7, warmup_steps=2)
    whole.run()
    parts = start(tmp_path / "parts", max_steps=7, warmup_steps=2)
    for stop in (2, 5):
        _run_until(parts, stop)
        parts = start(tmp_path / "parts", resume=True, max_steps=7, warmup_steps=2)
    parts.run()
    for a, b in zip(whole.average, parts.average, strict=True):
        assert torch.equal(a, b)
    assert [e["step"] for e in parts.history] == [7]


def _run_until(training: Training, step: int) -> None:
    """Interrupt a run after some steps, as a signal would."""
    inner = training._step

    def stepped(progress: float) -> float:
        loss = inner(progress)
        training.stop = training.position.step >= step
        return loss

    training._step = stepped  # type: ignore[method-assign]
    assert not training.run().finished


def test_resume_refuses_other_runs(tmp_path: Path) -> None:
    start(tmp_path, max_steps=2).run()
    with pytest.raises(CheckpointError, match="other settings"):
        start(tmp_path, resume=True, max_steps=4, learning_rate=0.5)
    with pytest.raises(CheckpointError, match="no such file"):
        start(tmp_path / "empty", resume=True, max_steps=4)
    (tmp_path / "resume.safetensors").write_bytes(b"not a file")
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        start(tmp_path, resume=True, max_steps=4)


def test_a_finished_run_can_go_further(tmp_path: Path) -> None:
    start(tmp_path, max_steps=2).run()
    result = start(tmp_path, resume=True, max_steps=4).run()
    assert result.steps == 4


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    training = start(tmp_path, max_steps=3)
    with torch.no_grad():
        training.potential.block.coefficients["embedding_0e"].fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"the loss is nan at step 0 on frames molecule"):
        training.run()


def test_data_that_cannot_be_learned_from_are_refused(tmp_path: Path) -> None:
    data = dataset()
    empty = Dataset(data.frames, data.neighbours, {**data.parts, "train": ()}, 4.0, "made up")
    with pytest.raises((TrainingError, ValueError)):
        start(tmp_path, data=empty, max_steps=1)
    potential = potential_for(data, torch.float64, **SETTINGS)
    other = frame([7], [[0, 0, 0]], energy=1.0, forces=np.zeros((1, 3)), name="nitrogen")
    strange = Dataset(
        (*data.frames, other), (*data.neighbours, neighbours(other.positions, 4.0)), data.parts, 4.0, "made up"
    )
    with pytest.raises(DataError, match="nitrogen holds N"):
        Training(potential, strange, TrainConfig(max_steps=1), tmp_path)


def test_references_are_exact_where_compositions_determine_them() -> None:
    frames = [
        frame([1] * a + [8] * b, np.arange(3 * (a + b)).reshape(-1, 3), energy=-13.0 * a - 2040.0 * b, name="x")
        for a, b in ((2, 1), (1, 1), (3, 2))
    ]
    assert np.allclose(fit_references(frames, (1, 8)), [-13.0, -2040.0], atol=1e-9)


def test_baseline_predicts_no_forces() -> None:
    data = dataset()
    forces = np.concatenate([f.forces for f in data.part("test") if f.forces is not None])
    assert np.isclose(baseline(data, "test").force_mae_mev_per_a, 1000 * np.abs(forces).mean())


@pytest.mark.parametrize(
    "settings", [{}, {"max_steps": 0}, {"max_steps": 1, "ema": 1.5}, {"max_steps": 1, "surprise": 1}]
)
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig.model_validate(settings)


@pytest.mark.parametrize(
    "settings", [{}, {"energy_weight": 0.0, "force_weight": 0.0}, {"energy_weight": math.inf}, {"clip": math.nan}]
)
def test_settings_that_train_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig.model_validate({**settings, "max_steps": 1 if settings else None})


def test_the_rate_warms_up_and_falls() -> None:
    config = TrainConfig(max_steps=100, warmup_steps=9, learning_rate=0.1)
    assert np.isclose(config.rate(0, 0.0), 0.01)
    assert np.isclose(config.rate(50, 0.0), 0.1)
    assert np.isclose(config.rate(100, 1.0), 0.001)
    assert config.progress(50, 0, 0.0) == 0.5


def test_a_finished_run_can_be_resumed_without_a_step_left(tmp_path: Path) -> None:
    """Nothing is trained or logged again, and the folder stays usable."""
    start(tmp_path, max_steps=2).run()
    log = (tmp_path / "log.jsonl").read_text()
    for _ in range(2):
        assert start(tmp_path, resume=True, max_steps=2).run().steps == 2
    assert (tmp_path / "log.jsonl").read_text() == log


def test_resume_refuses_data_that_have_changed(tmp_path: Path) -> None:
    start(tmp_path, max_steps=2).run()
    data = dataset()
    frames = (data.frames[1], data.frames[0], *data.frames[2:])
    found = (data.neighbours[1], data.neighbours[0], *data.neighbours[2:])
    changed = Dataset(frames, found, data.parts, 4.0, data.origin)
    with pytest.raises(CheckpointError, match="made up has changed"):
        start(tmp_path, resume=True, max_steps=4, data=changed)


def test_a_gradient_that_is_not_finite_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = start(tmp_path, max_steps=3)
    inner = training.gradients.pull_back
    monkeypatch.setattr(training.gradients, "pull_back", lambda *given: {k: v / 0 for k, v in inner(*given).items()})
    with pytest.raises(TrainingError, match=r"the gradient is (nan|inf) at step 0 on frames molecule"):
        training.run()


def test_baseline_of_data_that_are_all_test() -> None:
    """Published test files have no training part to fit reference energies to."""
    data = dataset()
    only = Dataset(data.frames, data.neighbours, {"train": (), "val": (), "test": data.parts["test"]}, 4.0, "made up")
    assert np.isfinite(baseline(only, "test").energy_mae_mev_per_atom)
