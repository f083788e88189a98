"""verify: every check of a block, and the certificate."""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from fusion import __version__
from fusion.diagram import walk_nodes
from fusion.errors import FusionError
from fusion.symbols import table_digest
from fusion_compiler.block import Block
from fusion_compiler.verify import derivatives, graphs, values
from fusion_compiler.verify.certificate import Certificate, Check
from fusion_compiler.verify.subject import Subject

Measure = Callable[[Subject, float], tuple[float, str]]
"""From a block and the limit to the largest error and how it was found."""
LIMITS: dict[str, tuple[float, float]] = {
    "dense agreement": (1e-12, 2e-5),
    "equivariance": (1e-10, 1e-4),
    "gradient": (1e-8, 1e-4),
    "second gradient": (1e-8, 1e-3),
    "closed-loop work": (1e-10, 1e-4),
    "compiled": (1e-12, 2e-5),
    "exported": (1e-12, 2e-5),
}
"""Every check with the largest error that passes, in float64 and in float32."""
CHECKS = tuple(LIMITS)
MAX_ELEMENTS = 100_000
MAX_ROWS = 1_000


def verify(block: Block, *, seed: int = 0, rows: Sequence[int] = (3, 4), elements: int = 100) -> Certificate:
    """Measure what a block promises, on the device that it is on and with the coefficients that it has.

    A check never raises: whatever goes wrong in it is a failed check. ``torch.compiler.reset()`` is called, so that
    other compiled modules of the process are compiled again when they are next used.

    Args:
        block: a compiled block; it is not changed.
        seed: the same seed draws the same inputs.
        rows: numbers of rows to draw inputs with; 0 and 1 are checked besides.
        elements: number of random group elements for equivariance.

    Raises:
        FusionError: a seed, a number of rows or a number of elements out of range.
    """
    _whole("the seed", seed, 0, 2**63)
    _whole("the number of elements", elements, 1, MAX_ELEMENTS)
    if not rows:
        raise FusionError("give at least one number of rows, for instance rows=(3, 4)")
    for count in rows:
        _whole("a number of rows", count, 2, MAX_ROWS)
    begin = time.perf_counter()
    subject = Subject(block, seed, tuple(rows))
    measures: dict[str, Measure] = {
        "dense agreement": values.dense,
        "equivariance": partial(values.equivariance, elements=elements),
        "gradient": derivatives.gradient,
        "second gradient": derivatives.second_gradient,
        "closed-loop work": derivatives.work,
        "compiled": graphs.compiled,
        "exported": graphs.exported,
    }
    column = 0 if block.dtype == torch.float64 else 1
    checks = tuple(_check(name, measure, subject, LIMITS[name][column]) for name, measure in measures.items())
    text = str(block.diagram)
    degree = max(4, *(irrep.l for node in walk_nodes(block.diagram) for _, irrep in node.space.irreps))
    return Certificate(
        diagram=text,
        diagram_sha256=hashlib.sha256(text.encode()).hexdigest(),
        coefficients_sha256=_digest(subject),
        group="SO(3)" if values.lacks_parity(subject) else "O(3)",
        emitter=block.emitter,
        dtype=str(block.dtype).removeprefix("torch."),
        device=str(subject.device),
        couplings=table_digest(degree),
        couplings_degree=degree,
        seed=seed,
        rows=tuple(rows),
        elements=elements,
        packages={
            "fusion-networks": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
        },
        seconds=round(time.perf_counter() - begin, 3),
        checks=checks,
    )


def _check(name: str, measure: Measure, subject: Subject, limit: float) -> Check:
    try:
        measured, detail = measure(subject, limit)
    except Exception as error:  # whatever a check meets belongs into the certificate
        return Check(name, math.inf, limit, f"{type(error).__name__}: {str(error)[:500]}")
    return Check(name, measured if math.isfinite(measured) else math.inf, limit, detail)


def _digest(subject: Subject) -> str:
    """Return the SHA-256 of all coefficients: names, shapes and numbers."""
    found = hashlib.sha256()
    for name, array in sorted(subject.parameters.items()):
        found.update(f"{name} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return found.hexdigest()


def _whole(what: str, number: int, low: int, high: int) -> None:
    if type(number) is not int or not low <= number <= high:
        raise FusionError(f"{what} must be a whole number from {low} to {high}, got {number!r}")
