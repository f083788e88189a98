"""Gradients of compiled blocks against directional derivatives of the definition, and emitters against each other.

With random cotangents ``c`` and a random direction ``v`` in all float inputs and coefficients, a block is measured by
two numbers: ``<g, v>``, where ``g`` is the gradient of ``<c, outputs>``, and ``<h, v>``, where ``h`` is the gradient
of ``<g, v>``. They are the first and second derivative of ``<c, outputs>`` along ``v``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.diagram import Diagram, Wire
from fusion.parameters import parameters
from fusion.sampling import Inputs, random_tensors
from fusion_compiler.api import compile as compile_diagram
from fusion_compiler.block import Block
from fusion_compiler.fuzz.forward import NotSmooth, taylor
from fusion_compiler.fuzz.result import Outcome, Settings
from fusion_compiler.fuzz.series import Array, Series
from fusion_compiler.fuzz.values import as_tensors, rounded

ORDERS = ("value", "gradient", "second derivative")


@dataclass(frozen=True)
class _Problem:
    """What every emitter is given, and what it has to find.

    Attributes:
        diagram: the diagram.
        draw: its inputs and coefficients.
        direction: the direction in both.
        cotangents: one array per output.
        series: the outputs along the direction, by the definition.
    """

    diagram: Wire | Diagram
    draw: Inputs
    direction: Inputs
    cotangents: dict[str, Array]
    series: dict[str, Series]

    def expected(self, order: int) -> tuple[float, float]:
        """Return the derivative of ``<c, outputs>`` along the direction, and its magnitude."""
        both = [(self.cotangents[name], item) for name, item in self.series.items()]
        value = sum(float(np.sum(c * item.value[order])) for c, item in both)
        magnitude = sum(float(np.sum(np.abs(c) * item.magnitude[order])) for c, item in both)
        return math.factorial(order) * value, math.factorial(order) * magnitude


@dataclass(frozen=True)
class _Found:
    """What one emitter makes of a problem: its outputs, and the two derivatives along the direction."""

    outputs: dict[str, NDArray[np.float64]]
    derivatives: tuple[float, float]


def gradients(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings) -> Outcome:
    """Compare the first and second derivative of every emitter with those of the definition."""
    problem = _problem(diagram, rng, settings)
    if isinstance(problem, str):
        return Outcome(0.0, marks=(problem,))
    block, worst = _compiled(diagram, settings.emitters[0], settings), Outcome(0.0)
    if isinstance(block, Outcome):
        return block
    for emitter in settings.emitters:
        block.set_emitter(emitter)
        found = _measured(block, problem)
        if isinstance(found, Outcome):
            return found
        for order, value in enumerate(found.derivatives, start=1):
            expected, magnitude = problem.expected(order)
            error = _error(value, expected, magnitude)
            if error > worst.error:
                worst = Outcome(error, f"emitter {emitter}, {ORDERS[order]}")
            if error > settings.tolerance:  # a wrong gradient makes the second derivative wrong, too
                return worst
    return worst


def emitters(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings) -> Outcome:
    """Compare values and derivatives of every emitter with those of every other, also on no rows and on one."""
    worst, marks = Outcome(0.0), list[str]()
    blocks: dict[str, Block] = {}
    for emitter in settings.emitters:
        block = _compiled(diagram, emitter, settings)
        if isinstance(block, Outcome):
            return block
        blocks[emitter] = block
    for rows in ((), (0,), (1,)):
        problem = _problem(diagram, rng, settings, rows)
        if isinstance(problem, str):
            marks.append(problem)
            continue
        found: dict[str, _Found] = {}
        for emitter, block in blocks.items():
            item = _measured(block, problem)
            if isinstance(item, Outcome):
                return item
            found[emitter] = item
        for first, second in combinations(found, 2):
            error, what = _difference(problem, found[first], found[second])
            if error > worst.error:
                counts = f", {rows[0]} rows" if rows else ""
                worst = Outcome(error, f"emitters {first} and {second}, {what}{counts}")
    return Outcome(worst.error, worst.where, worst.exception, tuple(dict.fromkeys(marks)))


def _problem(
    diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings, rows: tuple[int, ...] = ()
) -> _Problem | str:
    """Draw inputs, a direction and cotangents, all of which the floating type can hold; else say what is wrong."""
    draw = rounded(random_tensors(diagram, rng, rows), settings.dtype)
    fans = {parameter.name: parameter.fan_in for parameter in parameters(diagram)}
    direction = Inputs(
        {name: rng.normal(size=x.shape) for name, x in draw.tensors.items() if x.dtype.kind == "f"},
        {name: rng.normal(scale=max(1.0, fans[name]) ** -0.5, size=x.shape) for name, x in draw.parameters.items()},
    )
    direction = rounded(direction, settings.dtype)
    try:
        with np.errstate(all="ignore"):
            series = taylor(diagram, draw, direction)
    except NotSmooth:
        return "no derivatives there"
    largest = float(torch.finfo(settings.dtype).max) ** 0.75  # what comes up on the way is larger than the result
    if not all(bool(np.all(item.magnitude < largest)) for item in series.values()):  # false for NaN, too
        return "too large there"
    cotangents = Inputs(_cotangents(series, rng, settings.dtype))
    held = rounded(cotangents, settings.dtype).tensors
    return _Problem(diagram, draw, direction, {name: c.astype(np.float64) for name, c in held.items()}, series)


def _cotangents(
    series: Mapping[str, Series], rng: np.random.Generator, dtype: torch.dtype
) -> dict[str, NDArray[np.generic]]:
    """Draw cotangents, divided by the magnitude of the derivative that they meet, of the first or the second order.

    Otherwise large entries of an output would hide an error in the small ones.
    """
    order, largest = int(rng.integers(1, 3)), float(torch.finfo(dtype).max) ** 0.25
    found: dict[str, NDArray[np.generic]] = {}
    for name, item in series.items():
        magnitude = item.magnitude[order]
        scale = np.clip(np.where(magnitude > 0, magnitude, 1.0), 1 / largest, largest)
        found[name] = rng.normal(size=magnitude.shape) / scale
    return found


def _compiled(diagram: Wire | Diagram, emitter: str, settings: Settings) -> Block | Outcome:
    """Compile a diagram; any exception on a legal one is a finding."""
    try:
        return compile_diagram(diagram, emitter=emitter, dtype=settings.dtype)
    except Exception as error:
        return Outcome(math.inf, f"emitter {emitter}", f"{type(error).__name__}: {error}")


def _measured(block: Block, problem: _Problem) -> _Found | Outcome:
    """Run a block forwards, and backwards twice; an exception or a wrong shape is a finding."""
    try:
        block.load_coefficients(problem.draw.parameters)
        tensors = as_tensors(problem.draw, block.dtype)
        leaves, slopes = _leaves(block, tensors, problem.direction)
        found = block(tensors, sizes=problem.draw.sizes)
        outputs: dict[str, Tensor] = found if isinstance(found, dict) else {"out": found}
        shapes = {name: tuple(value.shape) for name, value in outputs.items()}
        wanted = {name: item.value.shape[1:] for name, item in problem.series.items()}
        if shapes != wanted:
            return Outcome(math.inf, f"emitter {block.emitter}", f"outputs of shapes {shapes}, expected {wanted}")
        derivatives = _derivatives(outputs, problem.cotangents, leaves, slopes)
    except Exception as error:
        return Outcome(math.inf, f"emitter {block.emitter}", f"{type(error).__name__}: {error}")
    return _Found({name: value.detach().double().numpy() for name, value in outputs.items()}, derivatives)


def _leaves(block: Block, tensors: Mapping[str, Tensor], direction: Inputs) -> tuple[list[Tensor], list[Tensor]]:
    """Return all float inputs and all coefficients, fitted ones included, and the direction in each."""
    slopes = as_tensors(direction, block.dtype)
    pairs = [(tensors[name], slopes[name]) for name in slopes]
    for name, slope in direction.parameters.items():
        learned = name in block.coefficients
        leaf = block.coefficients[name] if learned else block.get_buffer(block.fitted[name])
        pairs.append((leaf, torch.as_tensor(slope, dtype=block.dtype)))
    return [leaf.requires_grad_() for leaf, _ in pairs], [slope for _, slope in pairs]


def _derivatives(
    outputs: Mapping[str, Tensor], cotangents: Mapping[str, Array], leaves: list[Tensor], slopes: list[Tensor]
) -> tuple[float, float]:
    """Return the first and second derivative of ``<c, outputs>`` along the direction."""
    value = _inner([(torch.from_numpy(cotangents[name]), output) for name, output in outputs.items()])
    found: list[float] = []
    for _ in range(2):
        if value.requires_grad:
            grads = torch.autograd.grad(value, leaves, create_graph=True, allow_unused=True)
            value = _inner([(slope, grad) for slope, grad in zip(slopes, grads, strict=True) if grad is not None])
        else:
            value = torch.zeros((), dtype=torch.float64)
        found.append(float(value.detach()))
    return found[0], found[1]


def _inner(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return the sum of inner products, added in double precision."""
    return sum(((a.double() * b.double()).sum() for a, b in pairs), torch.zeros((), dtype=torch.float64))


def _difference(problem: _Problem, first: _Found, second: _Found) -> tuple[float, str]:
    """Return by how much two emitters differ at most, and in what."""
    errors: dict[str, float] = {}
    for name, value in first.outputs.items():
        magnitude = problem.series[name].magnitude[0]
        if value.size:
            difference = np.abs(value - second.outputs[name])
            worst = float(np.max(difference / np.maximum(magnitude, 1e-300)))
            errors[f"output {name}"] = worst if math.isfinite(worst) else math.inf
    for order, (a, b) in enumerate(zip(first.derivatives, second.derivatives, strict=True), start=1):
        errors[ORDERS[order]] = _error(a, b, problem.expected(order)[1])
    what = max(errors, key=errors.__getitem__)
    return errors[what], what


def _error(found: float, expected: float, magnitude: float) -> float:
    return abs(found - expected) / max(magnitude, 1e-300) if math.isfinite(found) else math.inf
