"""recouple: weighted sums of trees take the cheapest shape, with the weights transformed by 6j symbols.

See :mod:`fusion_compiler.polynomial.reshape`. A sum whose weights lie behind no mix keeps its shape: there the
coefficients of recoupling would have to be carried out for every row. The new trees list their couplings, or are fuses,
which are contracted together: whatever costs less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from fusion.diagram import Diagram, Fuse, Leg, Mix, Wire, walk_nodes
from fusion.errors import LimitError
from fusion.trees import Shape
from fusion_compiler.passes.mixes import moved
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.passes.worth import program_cost, program_of
from fusion_compiler.polynomial.nodes import Couple, Weigh
from fusion_compiler.polynomial.reshape import Group, best_shapes, groups_of, reshaped
from fusion_compiler.polynomial.weighted import Weighted, weighted_of

MAX_JUDGED = 16
"""Shapes of one weighted sum whose programs are compared; beyond, the instructions of its trees decide."""


def recouple(diagram: Diagram) -> Diagram:
    """Return the diagram with weighted sums of trees in cheaper shapes, wherever the whole program gets cheaper."""
    found = rewritten(diagram, recoupled_sum, then=(moved, fused_sum))
    return rewritten(found, fused_sum, then=(moved,))


def recoupled_sum(node: Mix | Weigh) -> Wire | None:
    """Return a weighted sum in its cheapest shapes, with couplings listed, or ``None`` where it is that already."""
    found = weighted_of(node)
    if found is None or found.order < 3:
        return None
    chosen: dict[Group, Shape] = {}
    judged = 0
    for group, trees in groups_of(found).items():
        if len(group.legs) > 2:
            ranked = best_shapes(group, trees, weights_first=found.diagonal)
            judged += len(ranked)
            best = ranked[0] if judged > MAX_JUDGED else min(ranked, key=partial(_cost, found, chosen, group))
            if best != group.shape:
                chosen[group] = best
    if not chosen and not any(isinstance(inner, Fuse) and not inner.weighted for inner in walk_nodes(node)):
        return None
    try:
        new = reshaped(found, chosen)
    except LimitError:  # the way to the new shape needs a label that is too large: the trees stay as they are
        return None
    return None if new is None else new.node()


@dataclass(frozen=True, slots=True)
class _Sum:
    """A weighted sum in some shapes; equal for two that differ in names of legs and coefficients alone."""

    key: str
    chosen: tuple[tuple[Group, Shape], ...]
    found: Weighted = field(compare=False)


def _cost(found: Weighted, chosen: dict[Group, Shape], group: Group, shape: Shape) -> float:
    """Return what the sum costs in the chosen shapes and one more, with its legs as given."""
    legs = tuple(replace(own, wire=Leg(f"x{number}", own.wire.space)) for number, own in enumerate(found.legs))
    targets = tuple(replace(target, tensor=f"w{number}") for number, target in enumerate(found.targets))
    bare = replace(found, legs=legs, targets=targets)
    return _alone(_Sum(bare.node().key, (*chosen.items(), (group, shape)), bare))


@lru_cache(maxsize=256)
def _alone(case: _Sum) -> float:
    """Return what the program of a sum costs, in the cheapest of the ways in which it can be written."""
    try:
        new = reshaped(case.found, dict(case.chosen))
    except LimitError:
        return math.inf
    if new is None:
        return math.inf
    node = new.node()
    ways = [node, new.node(fuses=True), moved(node)]
    programs = [program_of(Diagram.of(way)) for way in ways if way is not None]
    return min(program_cost(program, program) for program in programs)


def fused_sum(node: Mix | Weigh) -> Wire | None:
    """Return a weighted sum whose trees are fuses, or ``None`` where no vertex lists its couplings."""
    found = weighted_of(node)
    if found is None or not any(isinstance(inner, Couple) for inner in walk_nodes(node)):
        return None
    return found.node(fuses=True)
