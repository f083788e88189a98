"""Arithmetic instructions of a program: what a kernel that knows every zero would execute, per row.

A product counts one; so does a multiplication by a constant, together with the addition of its result. Products of
components times a constant table count one for each product that is used and one for each non-zero entry of the table;
a product that enters a single sum with factor 1 or -1 counts one in all. Zeros of constants, and of coefficients that
were made with them, are left out. What is done once per call, whatever the number of rows, is not counted here (see
:mod:`fusion_compiler.cost` for what the emitted code carries out).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fusion_compiler import program as ops
from fusion_compiler.program import Instruction, Program

ROUNDING = 1e-12
"""Factors this close to 1 are 1."""

Pattern = NDArray[np.bool_]
"""Where a value may be other than zero, without the axis of rows."""


def arithmetic(program: Program) -> dict[str, int]:
    """Return the arithmetic instructions per row of every index space, over all channels."""
    patterns = {name: table != 0.0 for name, table in program.constants.items()}
    found: dict[str, int] = {}
    for instruction in program.instructions:
        known = _pattern(instruction, patterns, program)
        if known is not None:
            patterns[instruction.out] = known
        rows = _rows(instruction, program)
        if rows:
            found[rows] = found.get(rows, 0) + _count(instruction, patterns, program)
    return found


def _rows(instruction: Instruction, program: Program) -> str:
    """Return the index space for each row of which an instruction is carried out."""
    if isinstance(instruction, ops.Scatter | ops.Collect | ops.Total):
        return program.shapes[instruction.x].on  # these add up the rows they read
    if isinstance(instruction, ops.Contract):
        spaces = {program.shapes[name].on for name in instruction.reads()} - {""}
        return program.shapes[instruction.out].on or next(iter(sorted(spaces)), "")
    return program.shapes[instruction.out].on


def _pattern(instruction: Instruction, known: dict[str, Pattern], program: Program) -> Pattern | None:
    """Return where the value of an instruction may differ from zero, or ``None`` for everywhere."""
    if not any(name in known for name in instruction.reads()):
        return None
    if isinstance(instruction, ops.Take):
        return np.take(known[instruction.x], instruction.index, axis=instruction.axis)
    if isinstance(instruction, ops.Concatenate):
        return np.concatenate([_of(name, known, program) for name in instruction.values], axis=-1)
    if isinstance(instruction, ops.Lookup):
        return np.asarray(known[instruction.x].any(axis=tuple(range(len(instruction.labels)))))
    if isinstance(instruction, ops.Contract) and not program.shapes[instruction.out].on:
        x, y = (_of(name, known, program).astype(np.int64) for name in (instruction.x, instruction.y))
        return np.einsum(instruction.equation, x, y, optimize=True) > 0
    return None


def _of(name: str, known: dict[str, Pattern], program: Program) -> Pattern:
    return known[name] if name in known else np.ones(program.shapes[name].axes, dtype=bool)


def _count(instruction: Instruction, known: dict[str, Pattern], program: Program) -> int:
    size = math.prod(program.shapes[instruction.out].axes)
    if isinstance(instruction, ops.Products):
        channels = math.prod(program.shapes[instruction.out].axes[:-1])
        table = program.constants.get(instruction.table)
        if table is None:  # made from coefficients: dense
            table = np.full(program.shapes[instruction.table].axes, np.nan)
        return channels * products_count(table)
    if isinstance(instruction, ops.Contract):
        return _contract(instruction, known, program)
    if isinstance(instruction, ops.Combine):
        return size * max(1, len(instruction.values) - 1, sum(f != 1.0 for f in instruction.factors))
    if isinstance(instruction, ops.Scatter | ops.Collect | ops.Total):
        return math.prod(program.shapes[instruction.x].axes)
    if isinstance(instruction, ops.Place):  # entries that meet are added
        count = len(instruction.index)
        return math.prod(program.shapes[instruction.x].axes) // count * (count - len(set(instruction.index)))
    if isinstance(instruction, ops.Multiply | ops.Function | ops.Geometry):
        return size
    return 0


def products_count(table: NDArray[np.float64]) -> int:
    """Return the instructions of selected products with a table (products, components)."""
    entries = np.count_nonzero(table, axis=1)
    units = np.isclose(np.abs(table), 1.0, rtol=0.0, atol=ROUNDING)
    alone = (entries == 1) & np.all((table == 0.0) | units, axis=1)
    return int(np.sum(entries + np.where(alone, 0, 1)))


def _contract(instruction: ops.Contract, known: dict[str, Pattern], program: Program) -> int:
    """Return the number of pairs of numbers that meet and may both differ from zero, less the plain copies."""
    inputs, _, result = instruction.equation.partition("->")
    x, _, y = (part.replace("N", "") for part in inputs.partition(","))
    left, right = (_of(name, known, program).astype(np.int64) for name in (instruction.x, instruction.y))
    pairs = int(np.einsum(f"{x},{y}->", left, right, optimize=True))
    constant = next((name for name in (instruction.x, instruction.y) if name in program.constants), "")
    if not constant:
        return pairs
    letters = x if constant == instruction.x else y
    table = program.constants[constant]
    summed = tuple(axis for axis, letter in enumerate(letters) if letter not in result)
    plain = np.all((table == 0.0) | (table == 1.0), axis=summed) & np.any(table != 0.0, axis=summed)
    # a number that is only copied costs nothing, nor does the first of a plain sum
    whole = math.prod(program.shapes[instruction.out].axes) // max(1, plain.size)
    return pairs - int(np.count_nonzero(plain)) * whole
