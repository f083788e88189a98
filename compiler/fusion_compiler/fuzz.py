"""Fuzzing: random diagrams against the definition of what they mean, with minimal reproducers.

Every kind of fuzz is one function in :data:`KINDS` that tells how wrong one diagram comes out. An error is
``|a - b| / magnitude``, where the magnitude is the sum of the absolute values of all terms of that output.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from fusion.dense import evaluate
from fusion.diagram import Diagram, Wire
from fusion.errors import FusionError
from fusion.sampling import Distribution, Inputs, random_diagrams, random_tensors, shrink
from fusion_compiler.api import compile as compile_diagram
from fusion_compiler.emit import EMITTERS

TOLERANCES = {torch.float64: 1e-12, torch.float32: 2e-5}
"""Largest error that passes, by floating type."""
_DRAWS = 3
"""Inputs tried for each smaller diagram when a reproducer is sought: another diagram draws other numbers of rows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a kind of fuzz is told: the floating type, the emitters to compare, the largest error that passes."""

    dtype: torch.dtype
    emitters: tuple[str, ...]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one diagram came out: the largest error, and where it was met or which exception was raised."""

    error: float
    where: str = ""
    exception: str = ""


Kind = Callable[[Wire | Diagram, np.random.Generator, Settings], Outcome]


@dataclass(frozen=True, slots=True)
class Reproducer:
    """A failing diagram made small.

    Attributes:
        number: which case of the run failed.
        text: notation of the small diagram; read it with ``fusion.parse``.
        draw: its inputs are ``random_tensors(diagram, numpy.random.default_rng(draw))``.
        outcome: how it fails.
        original: notation of the diagram as drawn.
    """

    number: int
    text: str
    draw: tuple[int, ...]
    outcome: Outcome
    original: str

    def __str__(self) -> str:
        how = self.outcome.exception or f"error {self.outcome.error:.3g}"
        return (
            f"case {self.number}, {self.outcome.where}: {how}\n"
            f"    {self.text}\n"
            f"    inputs: random_tensors(diagram, default_rng({list(self.draw)}))"
        )


@dataclass
class FuzzResult:
    """What a run found; ``str`` is a report whose last line states cases and mismatches."""

    what: str
    seed: int
    cases: int = 0
    mismatches: int = 0
    worst: float = 0.0
    seconds: float = 0.0
    distribution: Distribution = field(default_factory=Distribution)
    reproducers: list[Reproducer] = field(default_factory=list[Reproducer])

    def summary(self) -> str:
        """Return the last line of a report: cases and mismatches."""
        worst = max([self.worst, *(reproducer.outcome.error for reproducer in self.reproducers)])
        numbers = f"{self.cases} cases, {self.mismatches} mismatches"
        return f"{self.what}: {numbers} (seed {self.seed}, worst error {worst:.1e})"

    def __str__(self) -> str:
        mismatches = [f"\nmismatch in {reproducer}" for reproducer in self.reproducers]
        return "\n".join([str(self.distribution), *mismatches, *([""] * bool(mismatches)), self.summary()])


def values(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings) -> Outcome:
    """Compare the compiled values of every emitter with brute-force evaluation."""
    inputs = _rounded(random_tensors(diagram, rng), settings.dtype)
    expected = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    if not all(np.isfinite(item.value).all() and np.isfinite(item.magnitude).all() for item in expected.values()):
        return Outcome(0.0)  # outside the domain of a function: nothing is promised there
    tensors = {name: torch.from_numpy(_contiguous(array, settings.dtype)) for name, array in inputs.tensors.items()}
    worst = Outcome(0.0)
    for emitter in settings.emitters:
        try:
            block = compile_diagram(diagram, emitter=emitter, dtype=settings.dtype)
            block.load_coefficients(inputs.parameters)
            with torch.no_grad():
                found = block(**tensors, sizes=inputs.sizes)
        except Exception as error:  # any exception on a legal diagram with legal inputs is a finding
            return Outcome(math.inf, f"emitter {emitter}", f"{type(error).__name__}: {error}")
        outputs = found if isinstance(found, dict) else {"out": found}
        if list(outputs) != list(expected):
            return Outcome(math.inf, f"emitter {emitter}", f"outputs {list(outputs)}, expected {list(expected)}")
        for name, item in expected.items():
            if tuple(outputs[name].shape) != item.value.shape:
                shapes = f"shape {tuple(outputs[name].shape)}, expected {item.value.shape}"
                return Outcome(math.inf, f"emitter {emitter}, output {name}", shapes)
            error = item.error(outputs[name].double().numpy())
            if error > worst.error:
                worst = Outcome(error, f"emitter {emitter}, output {name}")
    return worst


KINDS: dict[str, Kind] = {"values": values}
"""Every kind of fuzz, by the name that ``fusion fuzz --what`` takes."""


def run_fuzz(
    what: str = "values",
    cases: int = 200,
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float64,
    emitters: Sequence[str] | None = None,
    tolerance: float | None = None,
    progress: Callable[[FuzzResult], None] | None = None,
    reproducers: int = 5,
    trials: int = 300,
) -> FuzzResult:
    """Draw distinct diagrams and check each; make the first failing ones small.

    Args:
        what: a name in :data:`KINDS`.
        cases: number of diagrams.
        seed: the same seed draws the same diagrams and inputs.
        dtype: ``torch.float64`` or ``torch.float32``.
        emitters: the emitters to check; all that there are when left out.
        tolerance: largest error that passes; see :data:`TOLERANCES`.
        progress: called after every case with the result so far.
        reproducers: how many mismatches are made small.
        trials: most diagrams tried for one reproducer.

    Raises:
        FusionError: unknown kind, emitter or type, or a number of cases below one.
    """
    if what not in KINDS:
        raise FusionError(f"there is no fuzz of {what[:40]!r}; kinds: {', '.join(KINDS)}")
    unknown = [emitter for emitter in emitters or () if emitter not in EMITTERS]
    if unknown:
        raise FusionError(f"unknown emitter {unknown[0][:40]!r}; this build has: {', '.join(EMITTERS)}")
    if dtype not in TOLERANCES:
        raise FusionError(f"fuzzing is done in {' or '.join(map(str, TOLERANCES))}, not {dtype}")
    if cases < 1:
        raise FusionError(f"the number of cases must be positive, got {cases}")
    settings = Settings(dtype, tuple(emitters or EMITTERS), TOLERANCES[dtype] if tolerance is None else tolerance)
    kind, result, begin = KINDS[what], FuzzResult(what, seed), time.perf_counter()
    for number, diagram in random_diagrams(cases, seed):
        draw = (seed, number, 0)
        outcome = kind(diagram, np.random.default_rng(draw), settings)
        result.cases += 1
        result.distribution.count(diagram)
        if outcome.error > settings.tolerance:
            result.mismatches += 1
            if len(result.reproducers) < reproducers:
                result.reproducers.append(_reproducer(kind, settings, diagram, draw, trials))
        else:
            result.worst = max(result.worst, outcome.error)
        result.seconds = time.perf_counter() - begin
        if progress is not None:
            progress(result)
    return result


def _reproducer(
    kind: Kind, settings: Settings, diagram: Wire | Diagram, draw: tuple[int, int, int], trials: int
) -> Reproducer:
    """Make a failing diagram small, keeping the kind of failure: a wrong value or one type of exception."""
    first = kind(diagram, np.random.default_rng(draw), settings)
    found: dict[str, tuple[tuple[int, ...], Outcome]] = {str(diagram): (draw, first)}

    def fails(candidate: Wire | Diagram) -> bool:
        for attempt in range(_DRAWS):
            trial = (*draw[:2], attempt)
            outcome = kind(candidate, np.random.default_rng(trial), settings)
            alike = outcome.exception.partition(":")[0] == first.exception.partition(":")[0]
            if outcome.error > settings.tolerance and alike:
                found[str(candidate)] = (trial, outcome)
                return True
        return False

    text = str(shrink(diagram, fails, trials))
    return Reproducer(draw[1], text, *found[text], str(diagram))


def _rounded(inputs: Inputs, dtype: torch.dtype) -> Inputs:
    """Return inputs that the floating type can hold, so that rounding them is not counted as an error."""
    if dtype == torch.float64:
        return inputs
    tensors = {
        name: array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in inputs.tensors.items()
    }
    parameters = {name: array.astype(np.float32).astype(np.float64) for name, array in inputs.parameters.items()}
    return Inputs(tensors, parameters, inputs.sizes)


def _contiguous(array: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Return floats in the floating type and integers as 64-bit ones."""
    if array.dtype.kind != "f":
        return np.ascontiguousarray(array, dtype=np.int64)
    return np.ascontiguousarray(array, dtype=np.float64 if dtype == torch.float64 else np.float32)
