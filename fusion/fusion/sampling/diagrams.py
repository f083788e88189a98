"""Random legal diagrams that use every node of the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fusion.dense import evaluate
from fusion.diagram import Diagram, Wire, outputs
from fusion.errors import LimitError
from fusion.index import CONSTANT_SPACE
from fusion.sampling.coupling import grow_fuse, grow_network, grow_power
from fusion.sampling.draw import chance, weighted
from fusion.sampling.growth import Growth, count_vertices
from fusion.sampling.invariant import grow_geometry, grow_map
from fusion.sampling.linear import grow_add, grow_direct_sum, grow_mix, grow_scale, grow_select
from fusion.sampling.report import digest
from fusion.sampling.shape import grow_merge, grow_pull, grow_reorder, grow_shuffle, grow_split, grow_sum
from fusion.sampling.tensors import random_tensors
from fusion.sampling.world import random_world
from fusion.validate import findings

Operation = Callable[[Growth], Wire | None]

_OPERATIONS: tuple[tuple[float, Operation], ...] = (
    (5.0, grow_fuse),
    (0.9, grow_power),
    (0.5, grow_network),
    (2.6, grow_mix),
    (1.2, grow_scale),
    (1.0, grow_add),
    (1.0, grow_map),
    (0.8, grow_geometry),
    (1.0, grow_pull),
    (1.2, grow_sum),
    (0.9, grow_direct_sum),
    (0.9, grow_select),
    (0.6, grow_split),
    (0.5, grow_merge),
    (0.6, grow_reorder),
    (0.5, grow_shuffle),
)
_STEPS = 90


def random_diagram(rng: np.random.Generator) -> Wire | Diagram:
    """Draw a legal diagram, small enough for :func:`fusion.evaluate` to take some ten milliseconds.

    Degrees go up to 4. One diagram in eight is of SO(3); one in four has several outputs. Functions with poles or
    steep growth get arguments that are safe whatever the legs hold, if displacements are kept away from zero (see
    :func:`fusion.sampling.tensors.random_tensors`).
    """
    while True:
        diagram = grow(rng)
        legal = not any(found.violation.severity == "error" for found in findings(diagram))
        if legal and (not _vanishes(diagram) or chance(rng, 0.1)):
            return diagram


def _vanishes(diagram: Wire | Diagram) -> bool:
    """Whether an output is zero whatever the inputs, as squares on exchange-odd paths are: little to test there."""
    inputs = random_tensors(diagram, np.random.default_rng(0), (3,))
    found = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes).values()
    return any(bool(np.all(np.abs(item.value) <= 1e-12 * item.magnitude)) for item in found)


def random_diagrams(count: int, seed: int) -> Iterator[tuple[int, Wire | Diagram]]:
    """Return ``count`` diagrams with distinct digests, each with its number n: made by ``default_rng([seed, n])``.

    Diagrams that repeat an earlier one are left out.
    """
    seen: set[str] = set()
    number = 0
    while len(seen) < count:
        diagram = random_diagram(np.random.default_rng([seed, number]))
        found = digest(diagram)
        if found not in seen:
            seen.add(found)
            yield number, diagram
        number += 1


def grow(rng: np.random.Generator) -> Wire | Diagram:
    growth = Growth(rng, random_world(rng), parity=not chance(rng, 0.12))
    for _ in range(int(rng.integers(1, 4))):
        growth.pool.append(growth.new_leg(growth.space()))
    operations = _favour(rng)
    target = int(rng.integers(6, 15))
    best: Wire = growth.pool[-1]
    most = count_vertices(best)
    for _ in range(_STEPS):
        operation = weighted(rng, operations)
        try:
            kept = growth.offer(operation(growth))
        except LimitError:  # too many couplings: draw something else
            continue
        made = growth.pool[-1]
        if not kept or made.space.on == CONSTANT_SPACE:
            continue
        vertices = count_vertices(made)
        if vertices >= most:
            best, most = made, vertices
            if most >= target:
                break
    if not chance(rng, 0.25):
        return best
    others = [wire for wire in growth.pool[-8:] if wire != best]
    extra = {f"y{place}": wire for place, wire in enumerate(others[: int(rng.integers(1, 3))])}
    return outputs(energy=best, **extra) if chance(rng, 0.5) else outputs(**extra, energy=best)


def _favour(rng: np.random.Generator) -> list[tuple[float, Operation]]:
    """Give some operations more weight in this diagram, so that diagrams differ in kind."""
    return [(weight * (4.0 if chance(rng, 0.15) else 1.0), operation) for weight, operation in _OPERATIONS]
