"""What a diagram costs as a program: the measure by which rewrites of diagrams are judged."""

from __future__ import annotations

from functools import lru_cache

from fusion.diagram import Diagram
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.limits import MAX_ORDER
from fusion_compiler.cost import program_spaces, totals
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune
from fusion_compiler.program import Program

NEIGHBOURS = 20
"""Rows of the source of a map for every row of its target, for the decision; n**k for tuples of k of them."""
ROWS = 100
"""Rows of an index space that no map leaves, for the decision."""

FLOPS, BYTES, CALL = 4e4, 1e4, 8.0
"""Operations and bytes of a microsecond, and the microseconds of an instruction, on one CPU core with torch.

The planner weighs forms of one vertex by the same figures (:mod:`fusion_compiler.steps`).
"""


@lru_cache(maxsize=32)
def program_of(diagram: Diagram) -> Program:
    """Return the program of a diagram without further rewrites."""
    return lower(contract(prune(expand(diagram))))


def program_cost(program: Program, before: Program) -> float:
    """Return the expected microseconds of a program, for numbers of rows that represent it and the one before it."""
    rows = representative_rows(before, program)
    found = totals(program, {space: rows[space] for space in program_spaces(program) if space in rows})
    return found.flops / FLOPS + found.bytes / BYTES + len(program.instructions) * CALL


def cheaper(first: Diagram, second: Diagram) -> bool:
    """Whether the first diagram costs less than the second."""
    before = program_of(second)
    return program_cost(program_of(first), before) < program_cost(before, before)


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
