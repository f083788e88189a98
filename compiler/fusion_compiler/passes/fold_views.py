"""Rules of fold for instructions that only relabel: views of views, parts of joined values, what changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace

from fusion_compiler import program as ops
from fusion_compiler.emit.tables import contiguous
from fusion_compiler.passes.rewriting import Draft
from fusion_compiler.program import Instruction, Shape


def nothing(draft: Draft, i: Instruction) -> str | None:
    """An instruction whose result is its operand."""
    if len(i.reads()) != 1:
        return None
    (x,) = i.reads()
    before, after = draft.shape(x), draft.shape(i.out)
    same = before == after and (
        isinstance(i, ops.Expand | ops.Concatenate | ops.Reshape)
        or (isinstance(i, ops.Take) and i.index == tuple(range(before.axes[i.axis])))
        or (isinstance(i, ops.Transpose) and i.order == tuple(range(len(i.order))))
        or (isinstance(i, ops.Combine) and i.factors == (1.0,))
    )
    return x if same else None


def single_join(draft: Draft, i: Instruction) -> str | None:
    """A join of one value is a reshape."""
    if not isinstance(i, ops.Join) or len(i.values) != 1:
        return None
    return draft.emit(ops.Reshape("", i.values[0], draft.shape(i.out).axes), draft.shape(i.out))


def view_of_view(draft: Draft, i: Instruction) -> str | None:
    """Two selections, reshapes, transposes or expansions in a row are one; all rows of an expansion are alike."""
    before = draft.state.producer(i.reads()[0]) if len(i.reads()) == 1 else None
    made: Instruction | None = None
    if isinstance(i, ops.Take) and isinstance(before, ops.Take) and i.axis == before.axis:
        made = replace(i, x=before.x, index=tuple(before.index[position] for position in i.index))
    elif isinstance(i, ops.Segment) and isinstance(before, ops.Take) and before.axis == -1:
        index = before.index[i.start : i.start + i.paths * i.dim]
        made = replace(i, x=before.x, start=index[0]) if contiguous(index) else None
    elif isinstance(i, ops.Transpose) and isinstance(before, ops.Transpose):
        made = replace(i, x=before.x, order=tuple(before.order[axis] for axis in i.order))
    elif isinstance(i, ops.Expand) and isinstance(before, ops.Expand):
        made = replace(i, x=before.x)
    elif isinstance(i, ops.Gather) and not i.label and isinstance(before, ops.Expand):
        made = before
    elif isinstance(i, ops.Reshape) and (isinstance(before, ops.Reshape) or _whole(draft, before)):
        made = replace(i, x=before.reads()[0]) if before is not None else None
    if made is None:
        return None
    return draft.emit(made, draft.shape(i.out))


ROWWISE = (
    (ops.Take | ops.Place | ops.Segment | ops.Reshape | ops.Transpose | ops.Join | ops.Concatenate)
    | (ops.Contract | ops.Products | ops.Multiply | ops.Combine)
    | ops.Function
)
"""Instructions that do the same for every row, when they name no map."""


def before_rows(draft: Draft, i: Instruction) -> str | None:
    """What is done to values without rows that are repeated for every row is done before they are repeated."""
    if not isinstance(i, ROWWISE) or (isinstance(i, ops.Function) and i.index_map):
        return None
    shape = draft.shape(i.out)
    mixed = isinstance(i, ops.Contract | ops.Products)  # their axes have names, or stand last: rows may be missing
    names: dict[str, str] = {}
    for name in i.reads():
        before = draft.state.producer(name)
        if isinstance(before, ops.Expand) and draft.shape(before.x) == Shape("", draft.shape(name).axes):
            names[name] = before.x
        elif draft.shape(name).on or not mixed:
            return None
    if not names or not shape.on:
        return None
    made = i.renamed(names)
    if isinstance(made, ops.Contract):
        made = replace(made, equation=made.equation.replace("N", ""))
    return draft.emit(ops.Expand("", draft.emit(made, Shape("", shape.axes))), shape)


def undone(draft: Draft, i: Instruction) -> str | None:
    """A cut that gives back the axes from before a reshape."""
    before = draft.state.producer(i.reads()[0]) if len(i.reads()) == 1 else None
    if isinstance(before, ops.Reshape) and _whole(draft, i) and draft.shape(before.x) == draft.shape(i.out):
        return before.x
    return None


def _whole(draft: Draft, i: Instruction | None) -> bool:
    """Whether an instruction cuts the whole last axis in two."""
    return isinstance(i, ops.Segment) and i.paths * i.dim == draft.shape(i.x).axes[-1]


def part(draft: Draft, i: Instruction) -> str | None:
    """A range of values side by side that lies in one of them is cut from that one."""
    if isinstance(i, ops.Take) and i.axis == -1 and contiguous(i.index):
        start, count = i.index[0], len(i.index)
    elif isinstance(i, ops.Segment):
        start, count = i.start, i.paths * i.dim
    else:
        return None
    before = draft.state.producer(i.x)
    if not isinstance(before, ops.Join | ops.Concatenate):
        return None
    joined = isinstance(before, ops.Join)
    for name in before.values:
        shape = draft.shape(name)
        size = math.prod(shape.axes[-2:]) if joined else shape.axes[-1]
        if start >= size:
            start -= size
        elif start + count > size:
            return None
        else:
            return _joined_part(draft, i, name, start) if joined else _part(draft, i, name, start)
    return None


def _part(draft: Draft, i: ops.Take | ops.Segment, name: str, start: int) -> str:
    shape = draft.shape(i.out)
    if isinstance(i, ops.Segment):
        return draft.emit(replace(i, x=name, start=start), shape)
    if draft.shape(name) == shape:
        return name
    return draft.emit(replace(i, x=name, index=tuple(range(start, start + len(i.index)))), shape)


def _joined_part(draft: Draft, i: ops.Take | ops.Segment, name: str, start: int) -> str:
    """Return a range of one of the values that were joined, whose components have two axes (paths, dim)."""
    shape, out = draft.shape(name), draft.shape(i.out)
    *lead, paths, dim = shape.axes
    if isinstance(i, ops.Segment) and i.dim == dim and start % dim == 0:
        if i.paths == paths:
            return name
        first = start // dim
        return draft.emit(ops.Take("", name, tuple(range(first, first + i.paths)), -2), out)
    flat = Shape(shape.on, (*lead, paths * dim))
    return _part(draft, i, draft.emit(ops.Reshape("", name, flat.axes), flat), start)


def chosen_of_joined(draft: Draft, i: Instruction) -> str | None:
    """A selection from values side by side puts ranges of them side by side: one copy in place of two."""
    if not isinstance(i, ops.Take) or i.axis != -1 or not i.index or contiguous(i.index):
        return None
    before = draft.state.producer(i.x)
    if not isinstance(before, ops.Concatenate):
        return None
    places = [(name, position) for name in before.values for position in range(draft.shape(name).axes[-1])]
    runs: list[tuple[str, list[int]]] = []
    for number in i.index:
        name, position = places[number]
        if runs and runs[-1][0] == name and runs[-1][1][-1] + 1 == position:
            runs[-1][1].append(position)
        else:
            runs.append((name, [position]))
    if len(runs) > MAX_RUNS:
        return None
    parts: list[str] = []
    for name, positions in runs:
        shape = draft.shape(name)
        if len(positions) == shape.axes[-1]:
            parts.append(name)
            continue
        cut = Shape(shape.on, (*shape.axes[:-1], len(positions)))
        parts.append(draft.emit(ops.Take("", name, tuple(positions)), cut))
    return draft.emit(ops.Concatenate("", tuple(parts)), draft.shape(i.out))


MAX_RUNS = 6
"""Ranges that a selection from values side by side is made of at most: each is a call of its own."""
