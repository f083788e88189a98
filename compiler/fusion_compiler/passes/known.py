"""Instructions whose operands are all constants, evaluated in float64 exactly as the interpreter would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusion_compiler import program as ops
from fusion_compiler.program import Array, Instruction

Values = Callable[[str], Array]


def evaluated(instruction: Instruction, values: Values, axes: tuple[int, ...]) -> Array | None:
    """Return the result of an instruction on constants, or ``None`` for one that is left to run time.

    Args:
        instruction: any instruction; functions, and what concerns rows, are left.
        values: the constant of every operand; values on an index space have their one row as their first axis.
        axes: those of one row of the result, or of the result when it has no rows.
    """
    rule = _RULES.get(type(instruction))
    return None if rule is None else np.asarray(rule(instruction, values), dtype=np.float64).reshape(axes)


def _segment(i: ops.Segment, values: Values) -> Array:
    x = values(i.x)[..., i.start : i.start + i.paths * i.dim]
    return x.reshape(*x.shape[:-1], i.paths, i.dim)


def _join(i: ops.Join, values: Values) -> Array:
    return np.concatenate([values(name).reshape(*values(name).shape[:-2], -1) for name in i.values], axis=-1)


def _products(i: ops.Products, values: Values) -> Array:
    return (values(i.x)[..., list(i.left)] * values(i.y)[..., list(i.right)]) @ values(i.table)


def _combine(i: ops.Combine, values: Values) -> Array:
    total = i.factors[0] * values(i.values[0])
    for name, factor in zip(i.values[1:], i.factors[1:], strict=True):
        total = total + factor * values(name)
    return total


def _transpose(i: ops.Transpose, values: Values) -> Array:
    x = values(i.x)
    rows = x.ndim - len(i.order)
    return x.transpose(*range(rows), *(rows + axis for axis in i.order))


_RULES: dict[type[Instruction], Callable[[Any, Values], Array]] = {
    ops.Take: lambda i, values: np.take(values(i.x), i.index, axis=i.axis),
    ops.Segment: _segment,
    ops.Join: _join,
    ops.Concatenate: lambda i, values: np.concatenate([values(name) for name in i.values], axis=-1),
    ops.Contract: lambda i, values: np.einsum(i.equation, values(i.x), values(i.y)),
    ops.Products: _products,
    ops.Multiply: lambda i, values: values(i.x) * values(i.y),
    ops.Combine: _combine,
    ops.Reshape: lambda i, values: values(i.x),
    ops.Transpose: _transpose,
}
