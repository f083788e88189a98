"""distribute: take every sum over neighbours, and over tuples of them, over the factors that depend on it.

See :mod:`fusion_compiler.passes.positions` for the rewrite. It is kept where the exact cost of the whole program falls
for ``NEIGHBOURS`` rows behind every row of a map's target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from fusion.diagram import Diagram, Label, Map, Pull, Sum, Wire, walk_nodes
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.limits import MAX_ORDER
from fusion.node import Node
from fusion_compiler.cost import program_spaces, totals
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand, write_out
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.positions import Distribution, tuple_base
from fusion_compiler.passes.prune import prune
from fusion_compiler.passes.rebuild import rebuild
from fusion_compiler.program import Program

NEIGHBOURS = 20
"""Rows of the source of a map for every row of its target, for the decision; n**k for tuples of k of them."""
ROWS = 100
"""Rows of an index space that no map leaves, for the decision."""
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


def distribute(diagram: Diagram) -> Diagram:
    """Return the diagram with sums taken over the factors that depend on them, or as it is when that costs no less."""
    written, roots = _prepared(diagram)
    if not roots:
        return diagram
    before = _program(written)
    given = {name for name, _, _ in before.maps}
    # What a block must be given does not depend on passes, so the base of tuples has to be in the program already.
    roots = [root for root in roots if root.order == 1 or root.base.name in given]
    best = _rewritten(written, roots)
    least = _cost(_program(best), before)
    for root in roots if 1 < len(roots) <= MAX_TRIALS else ():
        trial = _rewritten(written, [other for other in roots if other != root])
        if trial != best and (cost := _cost(_program(trial), before)) < least:
            best, least, roots = trial, cost, [other for other in roots if other != root]
    return best if least < _cost(before, before) else diagram


def distribute_all(diagram: Diagram) -> Diagram:
    """Return the diagram with all sums taken over the factors that depend on them, whatever that costs."""
    return _rewritten(*_prepared(diagram))


def _prepared(diagram: Diagram) -> tuple[Diagram, list[_Root]]:
    """Return the diagram with coefficients named, and its sums that a rewrite changes."""
    if not any(isinstance(node, Sum) for node in walk_nodes(diagram)):
        return diagram, []
    written = write_out(diagram)
    return written, _roots(written, {item.name: item for item in _maps(written)})


def _roots(diagram: Diagram, known: dict[str, IndexMap]) -> list[_Root]:
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
            if _distributed(root, same) != node:
                found.append(root)
        if node.index_map.derived is None:
            depth[node] = 0
    return found


def _distributed(root: _Root, new: dict[Node, Node]) -> Wire:
    return Distribution(root.base, new).sum(root.node, root.order, root.position)


def _rewritten(diagram: Diagram, roots: Iterable[_Root]) -> Diagram:
    """Return the diagram with these sums rewritten."""
    chosen: dict[Node, _Root] = {root.node: root for root in roots}
    new: dict[Node, Node] = {}
    for node in walk_nodes(diagram):
        new[node] = _distributed(chosen[node], new) if node in chosen else rebuild(node, new)
    return Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in diagram.outputs))


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


def _program(diagram: Diagram) -> Program:
    return lower(contract(prune(expand(diagram))))


def _cost(program: Program, before: Program) -> tuple[int, int]:
    """Return the flops of a program, then its bytes, for numbers of rows that represent it and the one before it."""
    rows = representative_rows(before, program)
    found = totals(program, {space: rows[space] for space in program_spaces(program) if space in rows})
    return found.flops, found.bytes


def representative_rows(*programs: Program, neighbours: int = NEIGHBOURS) -> dict[str, int]:
    """Return numbers of rows: ``ROWS`` where no map begins, and ``neighbours`` times more with every map to it."""
    spaces = {space for program in programs for space in program_spaces(program)} - {CONSTANT_SPACE}
    maps = [IndexMap(*item) for item in dict.fromkeys(item for program in programs for item in program.maps)]
    ranks = dict.fromkeys(sorted(spaces), 0)
    for _ in ranks:  # as often as the longest chain of maps has links; circles of maps end there, too
        for item in maps:
            if item.source == item.target:
                continue
            # tuples of k rows of a space of rank r, which stands over one of rank r - 1
            rank = ranks[item.target] + 1 if item.derived is None else max(ranks[item.target], 1) + item.derived[1] - 1
            ranks[item.source] = min(max(ranks[item.source], rank), len(ranks) + MAX_ORDER)
    return {space: ROWS * neighbours**rank for space, rank in ranks.items()}
