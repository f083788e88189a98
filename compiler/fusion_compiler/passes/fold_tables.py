"""Rules of fold for tables: constants with constants, and linear instructions with a table after one another."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass, replace

import numpy as np

from fusion.index import CONSTANT_SPACE
from fusion_compiler import program as ops
from fusion_compiler.passes.known import evaluated
from fusion_compiler.passes.rewriting import ROUNDING, Draft
from fusion_compiler.program import Array, Instruction, Shape

MAX_TABLE = 1 << 20
"""Numbers of the largest table that is made."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A contraction of a value with a table: letters of both and of the result."""

    value: str
    letters: str
    table: Array
    table_letters: str
    result: str

    @property
    def equation(self) -> str:
        return f"{self.letters},{self.table_letters}->{self.result}"


def linear(draft: Draft, i: Instruction | None) -> Linear | None:
    """Return a contraction as one of a value with a table; nothing when it is another instruction, or has none."""
    if not isinstance(i, ops.Contract):
        return None
    inputs, _, result = i.equation.partition("->")
    x, _, y = inputs.partition(",")
    constants = draft.state.constants
    if i.y in constants and i.x not in constants:
        return Linear(i.x, x, constants[i.y], y, result)
    if i.x in constants and i.y not in constants:
        return Linear(i.y, y, constants[i.x], x, result)
    return None


def constants(draft: Draft, i: Instruction) -> str | None:
    """An instruction on constants is a constant."""
    if not i.reads() or isinstance(i, ops.Expand):
        return None
    known = {name: draft.state.known(name) for name in i.reads()}
    shape = draft.shape(i.out)
    if any(table is None for table in known.values()) or math.prod(shape.axes) > MAX_TABLE:
        return None
    if not shape.on and any(draft.shape(name).on not in ("", CONSTANT_SPACE) for name in known):
        return None  # a sum over rows, of which nobody knows the number
    table = evaluated(i, lambda name: np.asarray(known[name]), shape.axes)
    if table is None:
        return None
    name = draft.table(table)
    return draft.emit(ops.Expand("", name), shape) if shape.on else name


def repeated(draft: Draft, i: Instruction) -> str | None:
    """A value without rows that is repeated for every row is contracted as it is."""
    if not isinstance(i, ops.Contract):
        return None
    inputs, _, result = i.equation.partition("->")
    x, _, y = inputs.partition(",")
    for name, other, letters, others in ((i.x, i.y, x, y), (i.y, i.x, y, x)):
        before = draft.state.producer(name)
        if not isinstance(before, ops.Expand) or draft.shape(before.x).on or "N" not in letters + others:
            continue
        if "N" not in others or draft.shape(other).on != draft.shape(name).on:
            continue
        value = _as(draft, before.x, draft.shape(name).axes)
        plain = letters.replace("N", "")
        made = ops.Contract("", other, value, f"{others},{plain}->{result}")
        return draft.emit(made, draft.shape(i.out))
    return None


def _as(draft: Draft, name: str, axes: tuple[int, ...]) -> str:
    """Return a value without rows with other axes."""
    if draft.shape(name).axes == axes:
        return name
    table = draft.state.constants.get(name)
    return (
        draft.emit(ops.Reshape("", name, axes), Shape("", axes)) if table is None else draft.table(table.reshape(axes))
    )


def known_factor(draft: Draft, i: Instruction) -> str | None:
    """Selected products with constants, the same for all channels, are a contraction with a table."""
    if not isinstance(i, ops.Products) or i.table not in draft.state.constants:
        return None
    for known, other, mine, theirs in ((i.y, i.x, i.right, i.left), (i.x, i.y, i.left, i.right)):
        numbers = draft.state.known(known)
        if (
            numbers is None
            or draft.shape(other) == draft.shape(i.out)
            or draft.shape(other).on != draft.shape(i.out).on
        ):
            continue
        row = numbers.reshape(-1, numbers.shape[-1])
        if not len(row) or not np.array_equal(row, np.broadcast_to(row[0], row.shape)):
            continue
        terms = draft.state.constants[i.table]
        axes = draft.shape(other).axes
        table = np.zeros((axes[-1], terms.shape[1]))
        np.add.at(table, list(theirs), row[0][list(mine), None] * terms)
        lead = ("N" if draft.shape(other).on else "") + string.ascii_lowercase[: len(axes) - 1]
        made = ops.Contract("", other, draft.table(table), f"{lead}A,AB->{lead}B")
        return draft.emit(made, draft.shape(i.out))
    return None


def single_number(draft: Draft, i: Instruction) -> str | None:
    """A contraction with a table of one number, or with a multiple of the unit matrix, is a factor."""
    found = linear(draft, i)
    if found is None:
        return None
    shape = draft.shape(i.out)
    if draft.shape(found.value).on != shape.on:
        return None
    if found.table.size == 1:
        sizes = dict(zip(found.letters.replace("N", ""), draft.shape(found.value).axes, strict=True))
        have = [c for c in found.letters if sizes.get(c) != 1]
        want = [c for c in found.result if c in found.letters and sizes.get(c) != 1]
        if have != want:
            return None
    elif not _unit(found):
        return None
    name, factor = found.value, float(found.table.flat[0])
    if draft.shape(name) != shape:
        name = draft.emit(ops.Reshape("", name, shape.axes), shape)
    return name if factor == 1.0 else draft.emit(ops.Combine("", (name,), (factor,)), shape)


def _unit(found: Linear) -> bool:
    """Whether the table is a multiple of the unit matrix that puts its own letter in the place of one of the value."""
    if len(found.table_letters) != 2 or found.table.shape[0] != found.table.shape[1]:
        return False
    summed, kept = sorted(found.table_letters, key=lambda c: c in found.result)
    if summed in found.result or kept in found.letters or found.letters.replace(summed, kept) != found.result:
        return False
    return bool(np.array_equal(found.table, found.table[0, 0] * np.eye(len(found.table))))


def bias(draft: Draft, i: Instruction) -> str | None:
    """Coefficients times the constant one are the coefficients, with their axes in another order."""
    if not isinstance(i, ops.Contract):
        return None
    inputs, _, result = i.equation.partition("->")
    y = inputs.partition(",")[2]
    one, other, shape = draft.state.known(i.x), draft.shape(i.y), draft.shape(i.out)
    if one is None or one.size != 1 or float(one.flat[0]) != 1.0 or other.on or i.y in draft.state.constants:
        return None
    if draft.shape(i.x).on != shape.on or "N" in y:
        return None
    sizes = dict(zip(y, other.axes, strict=True))
    order = [c for c in result if c in sizes]
    if any(sizes[c] != 1 for c in y if c not in order):
        return None
    order += [c for c in y if c not in order]
    name = i.y
    if [c for c in order if sizes[c] != 1] != [c for c in y if sizes[c] != 1]:
        turned = Shape("", tuple(sizes[c] for c in order))
        name = draft.emit(ops.Transpose("", name, tuple(y.index(c) for c in order)), turned)
    name = _as(draft, name, shape.axes)
    return draft.emit(ops.Expand("", name), shape) if shape.on else name


def equal_entries(draft: Draft, i: Instruction) -> str | None:
    """A table that is the same along an axis which the value and the result have, too, does without it."""
    found = linear(draft, i)
    if found is None:
        return None
    for axis, letter in enumerate(found.table_letters):
        if letter not in found.letters or letter not in found.result or found.table.ndim < 2:
            continue
        first = found.table.take([0], axis=axis)
        if found.table.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, found.table.shape), found.table):
            letters = found.table_letters.replace(letter, "")
            return _contract(draft, replace(found, table=first.squeeze(axis), table_letters=letters), i)
    return None


def taken(draft: Draft, i: Instruction) -> str | None:
    """A selection of components is one of the columns of the table that makes them."""
    if not isinstance(i, ops.Take) or i.axis != -1:
        return None
    before = draft.state.producer(i.x)
    if isinstance(before, ops.Products):
        table = draft.state.constants.get(before.table)
        return None if table is None else _products(draft, before, table[:, list(i.index)], i)
    found = linear(draft, before)
    if found is None or found.result[-1:] not in found.table_letters or found.result[-1] in found.letters:
        return None
    table = np.take(found.table, i.index, axis=found.table_letters.index(found.result[-1]))
    return _contract(draft, replace(found, table=table), i)


def terms(draft: Draft, i: Instruction) -> str | None:
    """Products whose table row is zero are not formed; equal products are formed once."""
    if not isinstance(i, ops.Products) or i.table not in draft.state.constants:
        return None
    return _products(draft, i, draft.state.constants[i.table], i)


def after_products(draft: Draft, i: Instruction) -> str | None:
    """A table after selected products goes into their own table."""
    found = linear(draft, i)
    before, cut = (None, None) if found is None else _source(draft, found.value)
    if found is None or not isinstance(before, ops.Products) or before.table not in draft.state.constants:
        return None
    width = 2 if cut is not None else 1
    lead, last = found.letters[:-width], found.letters[-width:]
    rest = found.result[len(lead) :]
    if not found.result.startswith(lead) or set(lead) & set(found.table_letters) or len(set(rest)) != len(rest):
        return None
    table = _cut(draft.state.constants[before.table], 1, cut)
    new = np.einsum(f"@{last},{found.table_letters}->@{rest}".replace("@", _fresh(found.equation)), table, found.table)
    return _products(draft, before, new.reshape(len(table), math.prod(new.shape[1:])), i)


def after_contract(draft: Draft, i: Instruction) -> str | None:
    """A table after a contraction with a table is one contraction, with the product of the tables."""
    outer = linear(draft, i)
    before, cut = (None, None) if outer is None else _source(draft, outer.value)
    inner = linear(draft, before)
    if outer is None or inner is None or not inner.result:
        return None
    last = inner.result[-1]
    if cut is not None and (last in inner.letters or last not in inner.table_letters):
        return None
    pool = (c for c in string.ascii_letters if c != "N" and c not in outer.equation)
    width = 2 if cut is not None else 1
    names = dict(zip(inner.result[:-1], outer.letters[:-width], strict=True))
    names[last] = outer.letters[-width:]
    names["N"] = "N"
    for letter in inner.letters + inner.table_letters:
        if letter not in names:
            fresh = next(pool, None)
            if fresh is None:
                return None
            names[letter] = fresh
    table = _cut(inner.table, inner.table_letters.index(last), cut) if cut is not None else inner.table
    letters = "".join(names[c] for c in inner.letters)
    first = "".join(names[c] for c in inner.table_letters)
    have = set(first + outer.table_letters)
    kept = [c for c in letters if c in have] + [c for c in outer.result if c in have and c not in letters]
    sizes = {**dict(zip(first, table.shape, strict=True)), **_sizes(outer)}
    if math.prod(sizes[c] for c in kept) > MAX_TABLE:
        return None
    equation = f"{first},{outer.table_letters}->{''.join(kept)}"
    new = np.einsum(equation, table, outer.table)
    size = np.einsum(equation, abs(table), abs(outer.table))
    new = np.where(abs(new) <= ROUNDING * size, 0.0, new)  # sums that cancel exactly
    return _contract(draft, Linear(inner.value, letters, new, "".join(kept), outer.result), i)


def _sizes(found: Linear) -> dict[str, int]:
    return dict(zip(found.table_letters, found.table.shape, strict=True))


def _fresh(used: str) -> str:
    return next(c for c in string.ascii_letters if c not in used)


def _source(draft: Draft, name: str) -> tuple[Instruction | None, ops.Segment | None]:
    """Return what defines a value, and the cut of its last axis in two that comes between."""
    before = draft.state.producer(name)
    if isinstance(before, ops.Segment):
        return draft.state.producer(before.x), before
    return before, None


def _cut(table: Array, axis: int, cut: ops.Segment | None) -> Array:
    """Return a table with one axis cut in two."""
    if cut is None:
        return table
    part = table.take(range(cut.start, cut.start + cut.paths * cut.dim), axis=axis)
    return part.reshape(*table.shape[:axis], cut.paths, cut.dim, *table.shape[axis + 1 :])


def _contract(draft: Draft, found: Linear, old: Instruction) -> str:
    made = ops.Contract("", found.value, draft.table(found.table), found.equation)
    return draft.emit(made, draft.shape(old.out))


def _products(draft: Draft, before: ops.Products, table: Array, old: Instruction) -> str | None:
    """Return products with another table, without terms that nothing needs; nothing when nothing has changed."""
    rows: dict[tuple[int, int], Array] = {}
    same = before.x == before.y
    for left, right, row in zip(before.left, before.right, table, strict=True):
        key = (right, left) if same and right < left else (left, right)
        rows[key] = rows[key] + row if key in rows else row
    scale = abs(table).max(initial=0.0)
    kept = {key: row for key, row in rows.items() if np.any(abs(row) > ROUNDING * scale)} or rows
    if old is before and len(kept) == len(before.left):
        return None
    if not kept:
        return None
    shape = draft.shape(before.out)
    left, right = zip(*kept, strict=True)
    made = replace(before, table=draft.table(np.array(list(kept.values()))), left=left, right=right)
    wide = Shape(shape.on, (*shape.axes[:-1], table.shape[1]))
    name = draft.emit(made, wide)
    out = draft.shape(old.out)
    return name if wide == out else draft.emit(ops.Reshape("", name, out.axes), out)
