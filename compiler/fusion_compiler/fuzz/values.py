"""Compiled blocks against brute-force evaluation: their values, with every emitter, and with passes switched off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fusion.dense import evaluate
from fusion.diagram import Diagram, Wire
from fusion.sampling import Inputs, random_tensors
from fusion_compiler.api import PIPELINE
from fusion_compiler.api import compile as compile_diagram
from fusion_compiler.block import Block
from fusion_compiler.fuzz.result import Outcome, Settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to compile: an emitter, and the passes that are off."""

    emitter: str
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"emitter {self.emitter}" + (f" without {', '.join(self.without)}" if self.without else "")


def values(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings) -> Outcome:
    """Compare the compiled values of every emitter with brute-force evaluation."""
    return compare(diagram, rng, settings, [Setting(emitter) for emitter in settings.emitters])


def passes(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings) -> Outcome:
    """Compare values with every pass on, with none, and with a random choice of them, with brute-force evaluation."""
    optional = [step.name for step in PIPELINE if step.off is not None]
    chosen = tuple(name for name in optional if rng.random() < 0.5)
    emitter = settings.emitters[int(rng.integers(len(settings.emitters)))]
    every = [Setting(emitter), Setting(emitter, tuple(optional)), Setting(emitter, chosen)]
    return compare(diagram, rng, settings, every)


def compare(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings, every: Sequence[Setting]) -> Outcome:
    """Compare the values of a diagram, compiled in every given way, with brute-force evaluation."""
    inputs = rounded(random_tensors(diagram, rng), settings.dtype)
    expected = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    if not all(np.isfinite(item.value).all() and np.isfinite(item.magnitude).all() for item in expected.values()):
        return Outcome(0.0, marks=("not finite there",))  # outside the domain of a function nothing is promised
    tensors = as_tensors(inputs, settings.dtype)
    marks = () if any(item.value.size for item in expected.values()) else ("no rows",)
    worst = Outcome(0.0, marks=marks)
    compiled: dict[tuple[str, ...], Block] = {}
    for setting in every:
        try:
            if setting.without in compiled:
                block = compiled[setting.without]
                block.set_emitter(setting.emitter)
            else:
                block = compile_diagram(diagram, emitter=setting.emitter, dtype=settings.dtype, without=setting.without)
                compiled[setting.without] = block
            block.load_coefficients(inputs.parameters)
            with torch.no_grad():
                found = block(**tensors, sizes=inputs.sizes)
            outputs = found if isinstance(found, dict) else {"out": found}
            arrays = {name: value.numpy().astype(np.float64) for name, value in outputs.items()}
        except Exception as error:  # any exception on a legal diagram with legal inputs is a finding
            return Outcome(math.inf, str(setting), f"{type(error).__name__}: {error}")
        if list(arrays) != list(expected):
            return Outcome(math.inf, str(setting), f"outputs {list(arrays)}, expected {list(expected)}")
        for name, item in expected.items():
            if arrays[name].shape != item.value.shape:
                shapes = f"shape {arrays[name].shape}, expected {item.value.shape}"
                return Outcome(math.inf, f"{setting}, output {name}", shapes)
            error = item.error(arrays[name], smallest=max(1e-300, torch.finfo(settings.dtype).tiny))
            if error > worst.error:
                worst = Outcome(error, f"{setting}, output {name}", marks=marks)
    return worst


def rounded(inputs: Inputs, dtype: torch.dtype) -> Inputs:
    """Return inputs that the floating type can hold, so that rounding them is not counted as an error."""
    if dtype == torch.float64:
        return inputs
    tensors = {
        name: array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in inputs.tensors.items()
    }
    parameters = {name: array.astype(np.float32).astype(np.float64) for name, array in inputs.parameters.items()}
    return Inputs(tensors, parameters, inputs.sizes)


def as_tensors(inputs: Inputs, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return legs, labels and index maps as tensors of their own memory."""
    return {name: torch.from_numpy(_contiguous(array, dtype).copy()) for name, array in inputs.tensors.items()}


def _contiguous(array: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Return floats in the floating type and integers as 64-bit ones."""
    if array.dtype.kind != "f":
        return np.ascontiguousarray(array, dtype=np.int64)
    return np.ascontiguousarray(array, dtype=np.float64 if dtype == torch.float64 else np.float32)
