"""The result of verifying a block, and its JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

FORMAT = "fusion-certificate"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was measured.

    Attributes:
        name: what was checked.
        measured: the largest error; infinite where there was no number to compare, such as after an exception.
        limit: the largest error that passes.
        detail: how it was measured, or what went wrong, in words.
    """

    name: str
    measured: float
    limit: float
    detail: str

    @property
    def passed(self) -> bool:
        """Whether the error is within its limit."""
        return self.measured <= self.limit


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was verified, with what, and how it came out.

    Attributes:
        diagram: text of the diagram; ``fusion.parse`` reads it.
        diagram_sha256: SHA-256 of that text.
        coefficients_sha256: SHA-256 of the coefficients, so that the certificate belongs to one set of weights.
        group: ``O(3)``, or ``SO(3)`` when some wire has no parity.
        emitter: the emitter of the block.
        dtype: ``float64`` or ``float32``.
        device: where the block was run.
        couplings: digest of the coupling tables up to ``couplings_degree`` (``fusion.symbols.table_digest``).
        couplings_degree: the largest degree on a wire, at least 4.
        seed: the random numbers are those of this seed.
        rows: numbers of rows that inputs were drawn with.
        elements: number of group elements of the check of equivariance.
        packages: versions.
        seconds: time that all checks took.
        checks: every check, in order.
    """

    diagram: str
    diagram_sha256: str
    coefficients_sha256: str
    group: str
    emitter: str
    dtype: str
    device: str
    couplings: str
    couplings_degree: int
    seed: int
    rows: tuple[int, ...]
    elements: int
    packages: dict[str, str]
    seconds: float
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def to_json(self) -> str:
        """Return JSON: ``format``, ``version``, ``passed`` and every attribute; each check also says if it passed.

        JSON has no infinity: ``measured`` is null where it is infinite.
        """
        content = {"format": FORMAT, "version": VERSION, "passed": self.passed, **asdict(self)}
        content["checks"] = [
            {
                **asdict(check),
                "measured": check.measured if math.isfinite(check.measured) else None,
                "passed": check.passed,
            }
            for check in self.checks
        ]
        return json.dumps(content, indent=2, allow_nan=False) + "\n"
