"""What a run of fuzzing is told, and what it finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import torch

from fusion.sampling import Distribution


@dataclass(frozen=True, slots=True)
class Settings:
    """What a kind of fuzz is told: the floating type, the emitters to compare, the largest error that passes."""

    dtype: torch.dtype
    emitters: tuple[str, ...]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one diagram came out.

    Attributes:
        error: the largest ``|a - b| / magnitude``, infinite where there are no numbers to compare.
        where: where it was met.
        exception: what went wrong in words, such as an exception; its part before ``:`` is the kind of failure.
        marks: what the report counts this diagram under.
    """

    error: float
    where: str = ""
    exception: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproducer:
    """A failing diagram made small.

    Attributes:
        number: which case of the run failed.
        text: notation of the small diagram; read it with ``fusion.parse``.
        draw: its inputs are ``random_tensors(diagram, numpy.random.default_rng(draw))``.
        outcome: how it fails.
        original: notation of the diagram as drawn.
        inputs: whether the failure needs inputs at all.
    """

    number: int
    text: str
    draw: tuple[int, ...]
    outcome: Outcome
    original: str
    inputs: bool = True

    def __str__(self) -> str:
        how = self.outcome.exception or f"error {self.outcome.error:.3g}"
        lines = [f"case {self.number}, {self.outcome.where}: {how}", f"    {self.text}"]
        if self.inputs:
            lines.append(f"    inputs: random_tensors(diagram, default_rng({list(self.draw)}))")
        return "\n".join(lines)


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
    marks: Counter[str] = field(default_factory=Counter[str])
    reproducers: list[Reproducer] = field(default_factory=list[Reproducer])

    def summary(self) -> str:
        """Return the last line of a report: cases and mismatches."""
        worst = max([self.worst, *(reproducer.outcome.error for reproducer in self.reproducers)])
        numbers = f"{self.cases} cases, {self.mismatches} mismatches"
        return f"{self.what}: {numbers} (seed {self.seed}, worst error {worst:.1e})"

    def __str__(self) -> str:
        lines = [str(self.distribution)]
        if self.marks:
            shares = (f"{mark} {count / self.cases:.1%}" for mark, count in self.marks.most_common())
            lines.append("verdicts       " + ", ".join(shares))
        lines += [f"\nmismatch in {reproducer}" for reproducer in self.reproducers]
        return "\n".join([*lines, *([""] * bool(self.reproducers)), self.summary()])
