"""What every pass changed, and what it saved: the program with it against the program without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fusion.diagram import Diagram, walk_nodes
from fusion_compiler.api import Stage, run_passes
from fusion_compiler.block import Block
from fusion_compiler.cost import Cost, per_row, totals
from fusion_compiler.explain.sizes import Sizes
from fusion_compiler.memory import forecast, shown_rows
from fusion_compiler.program import Program

_WIDTH = 400
"""Characters of a diagram's text that are shown."""


def pass_lines(block: Block, stages: Sequence[Stage], sizes: Sizes) -> list[str]:
    """Return lines about every pass that ran; what it saved only where it can be switched off."""
    off = [stage.step.name for stage in stages if not stage.on]
    lines: list[str] = []
    for stage in stages:
        lines.append(f"{stage.step.name} ({stage.step.level}): {_outcome(stage)}")
        if stage.on and stage.changed:
            lines.extend(f"  {line}" for line in _rewritten(stage))
            if stage.step.off is not None:
                without = run_passes(block.diagram, [*off, stage.step.name])[-1].after
                lines.extend(f"  {line}" for line in _saved(without, stages[-1].after, sizes))
    return lines


def _outcome(stage: Stage) -> str:
    if not stage.on:
        return "switched off"
    if not stage.changed or str(stage.after) == str(stage.before):
        return "changed nothing"
    if type(stage.before) is not type(stage.after):
        return f"made {_headline(stage.after)}"
    changes = _census_changes(stage.before, stage.after)
    return changes or f"{_headline(stage.before)} -> {_headline(stage.after)}"


def _headline(value: Any) -> str:
    """Return one line about a level."""
    if isinstance(value, Program):
        numbers = sum(table.size for table in value.constants.values())
        return f"{len(value.instructions)} instructions, {len(value.constants)} tables of {numbers} numbers"
    return str(value).partition("\n")[0].partition(": ")[2] if not isinstance(value, Diagram) else str(value)[:_WIDTH]


def _census_changes(before: Any, after: Any) -> str:
    """Return how many nodes or instructions of each kind there are before and after; empty for other levels."""
    old, new = _census(before), _census(after)
    changed = [kind for kind in sorted({*old, *new}) if old[kind] != new[kind]]
    return ", ".join(f"{kind} {old[kind]} -> {new[kind]}" for kind in changed)


def _census(value: Any) -> Counter[str]:
    if isinstance(value, Program):
        return Counter(instruction.opcode for instruction in value.instructions)
    return Counter(node.kind for node in walk_nodes(value)) if isinstance(value, Diagram) else Counter()


def _rewritten(stage: Stage) -> Iterator[str]:
    """Yield the text of a diagram before and after."""
    if isinstance(stage.before, Diagram) and isinstance(stage.after, Diagram):
        for sign, value in (("-", stage.before), ("+", stage.after)):
            text = str(value)
            yield f"{sign} {text if len(text) <= _WIDTH else f'{text[: _WIDTH - 3]}...'}"


def _saved(without: Program, program: Program, sizes: Sizes) -> Iterator[str]:
    """Yield the costs without and with a pass: per row of each index space where they differ, and in all."""
    old, new = per_row(without), per_row(program)
    for space in sorted({*old, *new}):
        before, after = (_shown(costs.get(space, Cost(space)), sizes.itemsize) for costs in (old, new))
        if before != after:
            yield f"{f'per row of {space}' if space else 'once'}: {before} -> {after}"
    rows = {**sizes.rows(program), **sizes.rows(without)}
    (flops, moved, peak), (flops_now, moved_now, peak_now) = (_totals(value, sizes) for value in (without, program))
    yield (
        f"for {shown_rows(rows) or 'no rows'}: {_change(flops, flops_now, 'flops')}, "
        f"{_change(moved, moved_now, 'bytes')}, peak memory {_change(peak, peak_now, 'bytes')}"
    )


def _totals(program: Program, sizes: Sizes) -> tuple[int, int, int]:
    rows = sizes.rows(program)
    found = totals(program, rows, sizes.itemsize)
    return found.flops, found.bytes, forecast(program, rows, sizes.itemsize).peak


def _shown(cost: Cost, itemsize: int) -> str:
    free = not (cost.flops or cost.numbers or cost.indices)
    return "nothing" if free else f"{cost.flops} flops, {cost.bytes(itemsize)} bytes"


def _change(before: int, after: int, unit: str) -> str:
    if before == after:
        return f"{after} {unit} as without it"
    saved = 100 * (before - after) / max(before, 1)
    return f"{before} -> {after} {unit} ({abs(saved):.1f} % {'saved' if saved > 0 else 'more'})"
