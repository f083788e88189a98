"""Rules of fold for linear combinations: sums of sums, and factors that a table can take."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fusion_compiler import program as ops
from fusion_compiler.passes.rewriting import ROUNDING, Draft
from fusion_compiler.program import Instruction

LINEAR = (ops.Take | ops.Place | ops.Segment | ops.Reshape | ops.Transpose | ops.Expand | ops.Total) | (
    ops.Gather | ops.Scatter | ops.Lookup | ops.Collect
)
"""Instructions that are linear in their one operand and add nothing of their own."""


def flattened(draft: Draft, i: Instruction) -> str | None:
    """A combination of combinations is one; equal terms are added, and terms that cancel are dropped."""
    if not isinstance(i, ops.Combine):
        return None
    terms: dict[str, list[float]] = {}
    for name, factor in zip(i.values, i.factors, strict=True):
        before = draft.state.producer(name)
        if isinstance(before, ops.Combine) and draft.state.uses[name] == 1:
            for inner, own in zip(before.values, before.factors, strict=True):
                terms.setdefault(inner, []).append(factor * own)
        else:
            terms.setdefault(name, []).append(factor)
    found = {name: sum(factors) for name, factors in terms.items()}
    kept = {name: f for name, f in found.items() if abs(f) > ROUNDING * sum(map(abs, terms[name]))} or found
    zero = [name for name in kept if (table := draft.state.known(name)) is not None and not np.any(table)]
    if len(zero) < len(kept):
        kept = {name: factor for name, factor in kept.items() if name not in zero}
    if tuple(kept) == i.values:
        return None
    return draft.emit(ops.Combine("", tuple(kept), tuple(kept.values())), draft.shape(i.out))


def factors(draft: Draft, i: Instruction) -> str | None:
    """Factors of a combination go into the tables that its terms come from."""
    if not isinstance(i, ops.Combine) or all(factor == 1.0 for factor in i.factors):
        return None
    found: list[tuple[str, float]] = []
    for name, factor in zip(i.values, i.factors, strict=True):
        taken = None if factor == 1.0 else scaled(draft, name, factor)
        found.append((name, factor) if taken is None else (taken, 1.0))
    if tuple(found) == tuple(zip(i.values, i.factors, strict=True)):
        return None
    if len(found) == 1 and found[0][1] == 1.0:
        return found[0][0]
    values, kept = zip(*found, strict=True)
    return draft.emit(ops.Combine("", values, kept), draft.shape(i.out))


def scaled(draft: Draft, name: str, factor: float) -> str | None:
    """Return ``factor`` times a value that nothing else reads, where a table or a combination before it can take it."""
    state = draft.state
    if name in state.constants:
        return draft.table(state.constants[name] * factor)
    before = state.producer(name)
    if before is None or state.uses[name] != 1:
        return None
    if isinstance(before, ops.Products):
        return _again(draft, name, replace(before, table=draft.table(state.constants[before.table] * factor)))
    if isinstance(before, ops.Combine):
        return _again(draft, name, replace(before, factors=tuple(factor * own for own in before.factors)))
    if isinstance(before, ops.Contract | ops.Multiply):
        for field in sorted(("x", "y"), key=lambda side: getattr(before, side) not in state.constants):
            found = scaled(draft, getattr(before, field), factor)
            if found is not None:
                return _again(draft, name, replace(before, **{field: found}))
        return None
    if isinstance(before, LINEAR):
        found = scaled(draft, before.x, factor)
        return None if found is None else _again(draft, name, replace(before, x=found))
    if isinstance(before, ops.Join | ops.Concatenate):
        parts = [scaled(draft, part, factor) for part in before.values]
        kept = tuple(part for part in parts if part is not None)
        return _again(draft, name, replace(before, values=kept)) if len(kept) == len(parts) else None
    return None


def _again(draft: Draft, name: str, instruction: Instruction) -> str:
    return draft.emit(instruction, draft.shape(name))


def by_constant(draft: Draft, i: Instruction) -> str | None:
    """A product with a constant of equal entries is a factor."""
    if not isinstance(i, ops.Multiply):
        return None
    for x, y in ((i.x, i.y), (i.y, i.x)):
        table = draft.state.known(y)
        if table is None or draft.shape(x) != draft.shape(i.out) or not table.size or table.min() != table.max():
            continue
        factor = float(table.flat[0])
        if math.isfinite(factor):
            return x if factor == 1.0 else draft.emit(ops.Combine("", (x,), (factor,)), draft.shape(i.out))
    return None
