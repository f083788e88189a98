"""distribute: take every sum over neighbours, and over tuples of them, over the factors that depend on it.

See :mod:`fusion_compiler.passes.positions` for the rewrite, and :mod:`fusion_compiler.passes.addition`,
:mod:`fusion_compiler.passes.regroup` and :mod:`fusion_compiler.passes.classes` for what makes more products fall into
factors. Of these ways, and of none, the one with which the whole program costs least for representative numbers of rows
is taken (:mod:`fusion_compiler.passes.worth`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from fusion.diagram import Diagram, Label, Map, Pull, Sum, Wire, walk_nodes
from fusion.index import IndexMap
from fusion.node import Node
from fusion.rebuild import rebuild
from fusion_compiler.passes.addition import taken_apart
from fusion_compiler.passes.classes import taken_together, told_apart
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.positions import NEVER, Distribution, tuple_base
from fusion_compiler.passes.worth import program_cost, program_of

MAX_DEPTH = 100
"""Nodes between a sum and the last sum before it; a deeper diagram is left as it is."""
MAX_TRIALS = 12
"""Sums that are judged one by one; of more, all are rewritten or none."""


@dataclass(frozen=True, slots=True)
class _Root:
    """A sum that can be rewritten, with the base, order and position of its map."""

    node: Sum
    base: IndexMap
    order: int
    position: int


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to rewrite a diagram: which sums of it, and which products may take another order (``Distribution``)."""

    diagram: Diagram
    roots: tuple[_Root, ...]
    regroup: int

    def rewritten(self) -> Diagram:
        """Return the diagram with these sums rewritten."""
        chosen: dict[Node, _Root] = {root.node: root for root in self.roots}
        new: dict[Node, Node] = {}
        for node in walk_nodes(self.diagram):
            root = chosen.get(node)
            new[node] = rebuild(node, new) if root is None else _distributed(root, new, self.regroup)
        return taken_together(Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in self.diagram.outputs)))

    def without(self, root: _Root) -> _Way:
        """Return the way that leaves one sum as it is."""
        return replace(self, roots=tuple(other for other in self.roots if other != root))


def distribute(diagram: Diagram) -> Diagram:
    """Return the diagram with sums taken over the factors that depend on them, or as it is when that costs no less."""
    written = _written(diagram)
    ways = [] if written is None else _ways(written)
    if written is None or not ways:
        return diagram
    before = program_of(written)
    given = {name for name, _, _ in before.maps}
    found: dict[Diagram, _Way] = {}
    for way in ways:
        # What a block must be given does not depend on passes: the base of tuples has to be in the program already.
        way = replace(way, roots=tuple(root for root in way.roots if root.order == 1 or root.base.name in given))
        found.setdefault(way.rewritten(), way)
    costs = {trial: program_cost(program_of(trial), before) for trial in found}
    best = min(costs, key=costs.__getitem__)  # the first of equal ones
    way, least = found[best], costs[best]
    for root in way.roots if 1 < len(way.roots) <= MAX_TRIALS else ():
        fewer = way.without(root)
        trial = fewer.rewritten()
        if trial != best and (cost := program_cost(program_of(trial), before)) < least:
            best, least, way = trial, cost, fewer
    return best if least < program_cost(before, before) else diagram


def distribute_all(diagram: Diagram) -> Diagram:
    """Return the diagram with all sums taken over the factors that depend on them, whatever that costs."""
    written = _written(diagram)
    ways = [] if written is None else _ways(written)
    return ways[-1].rewritten() if ways else diagram


def _written(diagram: Diagram) -> Diagram | None:
    """Return the diagram with coefficients named; nothing when there is no sum in it."""
    return write_out(diagram) if any(isinstance(node, Sum) for node in walk_nodes(diagram)) else None


def _ways(written: Diagram) -> list[_Way]:
    """Return the ways to rewrite sums, the ones that change more after those that change less."""
    ways: list[_Way] = []
    apart = told_apart(written)
    for source in dict.fromkeys((written, apart, taken_apart(apart))):
        known = {item.name: item for item in _maps(source)}
        for regroup in (NEVER, 2, 1):
            roots = _roots(source, known, regroup)
            if roots:
                ways.append(_Way(source, tuple(roots), regroup))
    return ways


def _roots(diagram: Diagram, known: dict[str, IndexMap], regroup: int) -> list[_Root]:
    """Return the sums of a diagram that a rewrite of their own would change."""
    nodes = walk_nodes(diagram)
    depth: dict[Node, int] = {}
    same: dict[Node, Node] = {node: node for node in nodes}
    found: list[_Root] = []
    for node in nodes:
        depth[node] = 1 + max((depth[child] for child in node.inputs), default=0)
        if not isinstance(node, Sum):
            continue
        base = tuple_base(node.index_map, known)
        # The rewrite recurses; tuples are looked through, so that only sums over single rows begin anew.
        if node.by is None and base is not None and depth[node] <= MAX_DEPTH:
            root = _Root(node, *base)
            if _distributed(root, same, regroup) != node:
                found.append(root)
        if node.index_map.derived is None:
            depth[node] = 0
    return found


def _distributed(root: _Root, new: dict[Node, Node], regroup: int) -> Wire:
    return Distribution(root.base, new, regroup).sum(root.node, root.order, root.position)


def _maps(diagram: Diagram) -> list[IndexMap]:
    """Return the maps that stand in a diagram."""
    found: list[IndexMap] = []
    for node in walk_nodes(diagram):
        if isinstance(node, Pull | Sum):
            found.append(node.index_map)
        elif isinstance(node, Label):
            found.extend(node.maps)
        elif isinstance(node, Map) and node.over is not None:
            found.append(node.over)
    return found
