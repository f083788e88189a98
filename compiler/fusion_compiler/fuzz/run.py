"""Draw diagrams, check each, and make the first failing ones small."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fusion.diagram import Diagram, Wire
from fusion.errors import FusionError
from fusion.sampling import random_cases, random_diagrams, shrink
from fusion_compiler.emit import EMITTERS
from fusion_compiler.fuzz.gradients import emitters as compare_emitters
from fusion_compiler.fuzz.gradients import gradients
from fusion_compiler.fuzz.result import FuzzResult, Outcome, Reproducer, Settings
from fusion_compiler.fuzz.rules import rules
from fusion_compiler.fuzz.values import passes, values

TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}
"""Largest error that passes, by floating type."""
_DRAWS = 3
"""Inputs tried for each smaller diagram when a reproducer is sought: another diagram draws other numbers of rows."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fuzz.

    Attributes:
        check: how wrong one diagram comes out; its random numbers are those of the case.
        draw: distinct diagrams with their numbers, from how many there shall be and a seed.
        legal: whether all of them are legal, and need inputs.
        emitters: how many emitters it needs at least.
    """

    check: Callable[[Wire | Diagram, np.random.Generator, Settings], Outcome]
    draw: Callable[[int, int], Iterator[tuple[int, Wire | Diagram]]] = random_diagrams
    legal: bool = True
    emitters: int = 0


KINDS: dict[str, Kind] = {
    "values": Kind(values),
    "passes": Kind(passes),
    "gradients": Kind(gradients),
    "emitters": Kind(compare_emitters, emitters=2),
    "rules": Kind(rules, random_cases, legal=False),
}
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
    stop: int = 0,
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
        stop: end the run after so many mismatches; never when 0.

    Raises:
        FusionError: unknown kind, emitter or type, too few emitters, or a number of cases below one.
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
    kind, chosen = KINDS[what], tuple(emitters or EMITTERS)
    if len(set(chosen)) < kind.emitters:
        raise FusionError(
            f"fuzzing {what} compares emitters, so it needs {kind.emitters} or more, got {len(set(chosen))}"
        )
    settings = Settings(dtype, chosen, TOLERANCES[dtype] if tolerance is None else tolerance)
    result, begin = FuzzResult(what, seed), time.perf_counter()
    for number, diagram in kind.draw(cases, seed):
        draw = (seed, number, 0)
        outcome = kind.check(diagram, np.random.default_rng(draw), settings)
        result.cases += 1
        result.distribution.count(diagram)
        result.marks.update(outcome.marks)
        if outcome.error > settings.tolerance:
            result.mismatches += 1
            if len(result.reproducers) < reproducers:
                result.reproducers.append(_reproducer(kind, settings, diagram, draw, trials))
        else:
            result.worst = max(result.worst, outcome.error)
        result.seconds = time.perf_counter() - begin
        if progress is not None:
            progress(result)
        if stop and result.mismatches >= stop:
            break
    return result


def _reproducer(
    kind: Kind, settings: Settings, diagram: Wire | Diagram, draw: tuple[int, int, int], trials: int
) -> Reproducer:
    """Make a failing diagram small, keeping the kind of failure: a wrong value or one type of exception."""
    first = kind.check(diagram, np.random.default_rng(draw), settings)
    found: dict[str, tuple[tuple[int, ...], Outcome]] = {str(diagram): (draw, first)}

    def fails(candidate: Wire | Diagram) -> bool:
        for attempt in range(_DRAWS if kind.legal else 1):
            trial = (*draw[:2], attempt)
            outcome = kind.check(candidate, np.random.default_rng(trial), settings)
            alike = outcome.exception.partition(":")[0] == first.exception.partition(":")[0]
            if outcome.error > settings.tolerance and alike:
                found[str(candidate)] = (trial, outcome)
                return True
        return False

    text = str(shrink(diagram, fails, trials, legal=kind.legal))
    return Reproducer(draw[1], text, *found[text], str(diagram), kind.legal)
