"""Random diagrams of which about half break a law: what the validator is tried on."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from fusion.diagram import Diagram, Power, Wire, walk_nodes
from fusion.sampling.diagrams import grow
from fusion.sampling.draw import chance
from fusion.sampling.report import digest
from fusion.sampling.slips import slip

_VARIANTS = 3
"""Cases made of one legal diagram: itself, and two with slips."""
_NUMBERS = 20_000
"""Most numbers that a row of any wire holds."""
_COMBS = 400


def random_cases(count: int, seed: int) -> Iterator[tuple[int, Wire | Diagram]]:
    """Return ``count`` diagrams with distinct digests and their numbers; some legal, some not.

    Case n is made by ``default_rng([seed, n // 3])`` and, unless it is the first of its three, changed by one or two
    slips drawn from ``default_rng([seed, n // 3, n % 3])``.
    """
    seen: set[str] = set()
    number = 0
    base: Wire | Diagram | None = None
    while len(seen) < count:
        root, variant = divmod(number, _VARIANTS)
        if base is None or variant == 0:
            base = grow(np.random.default_rng([seed, root]))
        diagram = _varied(base, np.random.default_rng([seed, root, variant])) if variant else base
        found = digest(diagram)
        if found not in seen and _manageable(diagram):
            seen.add(found)
            yield number, diagram
        number += 1


def _varied(value: Wire | Diagram, rng: np.random.Generator) -> Wire | Diagram:
    once = slip(value, rng)
    return slip(once, rng) if chance(rng, 0.2) else once


def _manageable(value: Wire | Diagram) -> bool:
    """Whether a diagram stays inside the limits, so that only laws decide, and is quick to judge."""
    for node in walk_nodes(value):
        if any(found.kind == "limit" for found in node.violations):
            return False
        if node.space.dim * math.prod(node.space.sizes) > _NUMBERS:
            return False
        if isinstance(node, Power) and node.base.space.irreps.paths ** max(node.orders) > _COMBS:
            return False
    return True
