"""The training loop: Adam (AMSGrad), moving average of the weights, exact resume, a log line for every evaluation."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor

from fusion_models.batch import AtomicBatch
from fusion_models.checkpoint import save_potential
from fusion_models.config import PotentialConfig
from fusion_models.data.dataset import Dataset
from fusion_models.derivatives import LossGradients, Prediction
from fusion_models.errors import CheckpointError, TrainingError
from fusion_models.files import write_atomic
from fusion_models.potential import Potential
from fusion_models.references import fit_references
from fusion_models.training import state as states
from fusion_models.training.config import TrainConfig
from fusion_models.training.metrics import Metrics, evaluate

MODEL_FILE = "model.safetensors"
STATE_FILE = "resume.safetensors"
LOG_FILE = "log.jsonl"


@dataclass
class TrainingResult:
    """The trained potential (moving average of the weights) and how it got there.

    Attributes:
        history: one entry per evaluation: step, epoch, seconds, loss, and validation errors.
        finished: ``False`` when the run was interrupted; it can be resumed.
    """

    potential: Potential
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0
    finished: bool = True


def potential_for(data: Dataset, dtype: torch.dtype, **settings: object) -> Potential:
    """Build a potential for a data set: its elements, reference energies, mean neighbours and force scale."""
    config = PotentialConfig.model_validate(
        {
            "elements": data.elements,
            "cutoff": data.cutoff,
            "neighbours": data.mean_neighbours,
            "scale": data.force_scale,
            **settings,
        }
    )
    references = fit_references(data.part("train"), config.elements)
    return Potential(config, torch.tensor(references), dtype=dtype)


class Training:
    """One run in one folder: ``model.safetensors`` (result), ``resume.safetensors`` and ``log.jsonl``.

    Args:
        potential: the potential to train.
        data: the data set; parts ``train`` and ``val`` are used.
        config: settings.
        folder: where files are written.
        resume: go on from the folder's resume file.

    Raises:
        TrainingError: nothing to learn from.
        CheckpointError: the resume file is of another run.
        DataError: the data hold elements that the potential does not know.
    """

    def __init__(
        self, potential: Potential, data: Dataset, config: TrainConfig, folder: str | Path, *, resume: bool = False
    ) -> None:
        self.potential, self.data, self.config = potential, data, config
        self.folder = Path(folder)
        self.train = np.array(data.parts["train"], dtype=np.int64)
        if not len(self.train):
            raise TrainingError(f"{data.origin}: the training part is empty")
        data.check_elements(potential.config.elements)
        for part, indices in data.parts.items():
            for frame in (data.frames[i] for i in indices):
                if frame.energy is None or frame.forces is None:
                    what = "energy" if frame.energy is None else "forces"
                    raise TrainingError(f"{frame.name}, of the part {part!r}, has no {what}; both labels are needed")
        self.gradients = LossGradients(potential)
        self.names = [name for name, _ in potential.named_parameters()]
        self.parameters = [value for _, value in potential.named_parameters()]
        self.average = [value.detach().clone() for value in self.parameters]
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=config.learning_rate, amsgrad=True, weight_decay=config.weight_decay
        )
        self.position = states.Position()
        self.history: list[dict[str, float]] = []
        self.stop = False
        if resume:
            self._resume()

    def run(self, report: Callable[[str], None] | None = None) -> TrainingResult:
        """Train until a limit is reached, or until interrupted (SIGINT, SIGTERM): then the state is saved.

        Args:
            report: receives one line per evaluation; a progress bar is shown as well when on a terminal.
        """
        say = report or (lambda _: None)
        began = time.perf_counter() - self.position.seconds
        progress = self._progress(began)
        columns = (
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}% {task.description}"),
            TimeElapsedColumn(),
        )
        with _interruptible(self), Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=1.0)
            loss = float("nan")
            while progress < 1.0 and not self.stop:
                loss = self._step(progress)
                self.position.seconds = time.perf_counter() - began
                progress = self._progress(began)
                bar.update(task, completed=progress, description=f"step {self.position.step}  loss {loss:.4f}")
                if self.position.step % self.config.evaluate_every == 0 and progress < 1.0:
                    say(self._evaluate(loss))
                    self._save_state()
                    began = time.perf_counter() - self.position.seconds  # evaluation is not training time
        evaluated = bool(self.history) and self.history[-1]["step"] == self.position.step
        if not self.stop and not evaluated:  # evaluated already: a finished run was resumed, and there was no step left
            say(self._evaluate(loss))
        self._save_state()
        with self._averaged():
            notes: dict[str, str | float | int] = {
                "data": self.data.origin,
                "steps": self.position.step,
                "seconds": round(self.position.seconds, 1),
            }
            save_potential(self.potential, self.folder / MODEL_FILE, notes)
        self._adopt_average()
        return TrainingResult(self.potential, self.history, self.position.seconds, self.position.step, not self.stop)

    def _progress(self, began: float) -> float:
        epoch = self.position.epoch + self.position.batch / self._batches
        return self.config.progress(self.position.step, epoch, time.perf_counter() - began)  # type: ignore[arg-type]

    @property
    def _batches(self) -> int:
        return max(1, -(-len(self.train) // self.config.batch_size))

    def _indices(self) -> list[int]:
        """Return the frames of the next batch; the order of an epoch depends on the seed and the epoch alone."""
        order = np.random.default_rng([self.config.seed, self.position.epoch]).permutation(len(self.train))
        start = self.position.batch * self.config.batch_size
        return self.train[order[start : start + self.config.batch_size]].tolist()

    def _step(self, progress: float) -> float:
        config = self.config
        indices = self._indices()
        for group in self.optimizer.param_groups:
            group["lr"] = config.rate(self.position.step, progress)
        batch = self.data.batch(indices, config.torch_dtype)
        loss, gradients = self.gradients(batch, partial(self._loss, batch))
        value_of_loss = float(loss)
        if not np.isfinite(value_of_loss):
            names = ", ".join(self.data.frames[i].name for i in indices)
            raise TrainingError(
                f"the loss is {value_of_loss} at step {self.position.step} on frames {names}; "
                "lower the learning rate or check these frames"
            )
        for name, value in zip(self.names, self.parameters, strict=True):
            value.grad = gradients[name]
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, config.clip))
        if not np.isfinite(norm):
            names = ", ".join(self.data.frames[i].name for i in indices)
            raise TrainingError(
                f"the gradient is {norm} at step {self.position.step} on frames {names}; "
                f"lower the learning rate or check them"
            )
        self.optimizer.step()
        self.position.step += 1
        self.position.batch += 1
        if self.position.batch >= self._batches:
            self.position.batch = 0
            self.position.epoch += 1
        decay = min(config.ema, (1 + self.position.step) / (10 + self.position.step))
        with torch.no_grad():
            for mean, value in zip(self.average, self.parameters, strict=True):
                mean.lerp_(value, 1.0 - decay)
        return value_of_loss

    def _loss(self, batch: AtomicBatch, found: Prediction) -> Tensor:
        if batch.energy is None or batch.forces is None:
            raise TrainingError(f"{self.data.origin}: a frame has no energy or no forces")
        atoms = batch.atoms_per_system().clamp(min=1)
        energy = (((found.energy - batch.energy) / atoms) ** 2).mean()
        forces = ((found.forces - batch.forces) ** 2).mean()
        return self.config.energy_weight * energy + self.config.force_weight * forces

    def _evaluate(self, loss: float) -> str:
        with self._averaged():
            found: Metrics | None = evaluate(self.potential, self.data, "val") if self.data.parts["val"] else None
        entry: dict[str, float] = {
            "step": self.position.step,
            "epoch": self.position.epoch,
            "seconds": round(self.position.seconds, 3),
            **({"loss": loss} if np.isfinite(loss) else {}),
            **({key: value for key, value in asdict(found).items() if key != "frames"} if found else {}),
        }
        self.history.append(entry)
        write_atomic(self.folder / LOG_FILE, "".join(json.dumps(item) + "\n" for item in self.history))
        errors = (
            f"F {found.force_mae_mev_per_a:.1f} meV/Å, E {found.energy_mae_mev_per_atom:.2f} meV/atom"
            if found
            else "no validation part"
        )
        return f"step {self.position.step:>6}  {self.position.seconds:>7.1f} s  loss {loss:.5f}  validation: {errors}"

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Use the averaged weights for a while."""
        kept = [value.detach().clone() for value in self.parameters]
        self._copy(self.average)
        try:
            yield
        finally:
            self._copy(kept)

    def _adopt_average(self) -> None:
        self._copy(self.average)

    def _copy(self, values: list[Tensor]) -> None:
        with torch.no_grad():
            for target, source in zip(self.parameters, values, strict=True):
                target.copy_(source)

    def _save_state(self) -> None:
        tensors = {f"model.{name}": value for name, value in self.potential.state_dict().items()}
        tensors.update({f"average.{name}": value for name, value in zip(self.names, self.average, strict=True)})
        tensors.update(states.optimizer_tensors(self.optimizer, self.names))
        manifest = states.StateManifest(
            config=self.config,
            potential=self.potential.config,
            data=self.data.origin,
            digest=self.data.digest,
            position=states.position_dict(self.position),
            history=self.history,
        )
        states.save_state(self.folder / STATE_FILE, manifest, tensors)

    def _resume(self) -> None:
        path = self.folder / STATE_FILE
        manifest, tensors = states.load_state(path)
        if manifest.potential != self.potential.config or manifest.data != self.data.origin:
            other = _differences(manifest.potential.model_dump(), self.potential.config.model_dump())
            if manifest.data != self.data.origin:
                other.append(f"data: {manifest.data}, not {self.data.origin}")
            raise CheckpointError(
                f"{path}: the run has {'; '.join(other)}; give its settings or train into a new folder"
            )
        if manifest.digest != self.data.digest:
            raise CheckpointError(
                f"{path}: {manifest.data} has changed since (other frames, labels or split); train into a new folder"
            )
        if manifest.config.model_dump(exclude=set(_LIMITS)) != self.config.model_dump(exclude=set(_LIMITS)):
            other = _differences(manifest.config.model_dump(), self.config.model_dump(), ignore=_LIMITS)
            raise CheckpointError(
                f"{path}: was made with other settings: {'; '.join(other)}; only {', '.join(_LIMITS)} may change"
            )
        try:
            self.potential.load_state_dict(
                {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
            )
            self.average = [tensors[f"average.{name}"].clone() for name in self.names]
            states.restore_optimizer(self.optimizer, self.names, tensors)
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"{path}: does not fit this potential ({error})") from None
        self.position = states.position_of(manifest)
        self.history = list(manifest.history)


_LIMITS = ("epochs", "max_steps", "max_seconds", "evaluate_every")
"""Settings that may change when a run is resumed."""


def _differences(stored: dict[str, object], given: dict[str, object], ignore: tuple[str, ...] = ()) -> list[str]:
    """Return what differs between two sets of settings, in words."""
    keys = [key for key in stored if key not in ignore and stored[key] != given.get(key)]
    return [f"{key}: {stored[key]}, not {given.get(key)}" for key in keys]


@contextmanager
def _interruptible(training: Training) -> Iterator[None]:
    """On SIGINT or SIGTERM finish the step, so that the state is saved whole. Outside the main thread: nothing."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        training.stop = True

    try:
        kept = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        kept = {}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
