"""The rule of every instruction: from the cotangent of its result to those of the values it reads.

A rule is a function of the calculus, the instruction and the cotangent of its result. It yields a
:class:`Contribution` for each value the instruction reads; all are made of instructions, so that they have rules again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fusion.index import CONSTANT_SPACE
from fusion_compiler import program as ops
from fusion_compiler.derivatives.calculus import Calculus
from fusion_compiler.derivatives.invariant import function_cotangent, geometry_cotangent
from fusion_compiler.derivatives.products import product_cotangents
from fusion_compiler.emit.tables import contiguous
from fusion_compiler.errors import InternalError
from fusion_compiler.program import Instruction, Shape


@dataclass(frozen=True, slots=True)
class Contribution:
    """A part of the cotangent of ``to``: ``factor`` times a value.

    With ``start`` the value belongs to the entries of the last axis from there on, else to all.
    """

    to: str
    value: str
    factor: float = 1.0
    start: int | None = None


Found = Iterator[Contribution]


def _take(c: Calculus, i: ops.Take, g: str) -> Found:
    if i.axis == -1 and contiguous(i.index):
        yield Contribution(i.x, g, start=i.index[0])
    else:
        yield Contribution(i.x, c.place(g, i.index, c.shapes[i.x].axes[i.axis], i.axis))


def _place(c: Calculus, i: ops.Place, g: str) -> Found:
    yield Contribution(i.x, c.take(g, i.index, i.axis))


def _segment(c: Calculus, i: ops.Segment, g: str) -> Found:
    shape = c.shapes[g]
    flat = Shape(shape.on, (*shape.axes[:-2], i.paths * i.dim))
    yield Contribution(i.x, c.add(ops.Join("", (g,)), flat), start=i.start)


def _join(c: Calculus, i: ops.Join, g: str) -> Found:
    start = 0
    for name in i.values:
        shape = c.shapes[name]
        paths, dim = shape.axes[-2:]
        yield Contribution(name, c.add(ops.Segment("", g, start, paths, dim), Shape(c.shapes[g].on, shape.axes)))
        start += paths * dim


def _concatenate(c: Calculus, i: ops.Concatenate, g: str) -> Found:
    start = 0
    for name in i.values:
        size = c.shapes[name].axes[-1]
        yield Contribution(name, c.take(g, range(start, start + size)))
        start += size


def _contract(c: Calculus, i: ops.Contract, g: str) -> Found:
    terms, _, result = i.equation.partition("->")
    x, y = terms.split(",")
    yield Contribution(i.x, _contracted(c, g, i.y, (result, y, x), c.shapes[i.x]))
    yield Contribution(i.y, _contracted(c, g, i.x, (result, x, y), c.shapes[i.y]))


def _contracted(c: Calculus, g: str, other: str, letters: tuple[str, str, str], shape: Shape) -> str:
    """Contract a cotangent with the other operand to an operand of this shape; letters of all three are given."""
    given, theirs, mine = letters
    if len(set(mine)) < len(mine):
        raise InternalError(f"no rule for a contraction of the diagonal {mine}", "")
    rows = {c.shapes[name].on for name, part in ((g, given), (other, theirs)) if "N" in part} - {CONSTANT_SPACE}
    one_row = shape.on == CONSTANT_SPACE and bool(rows)  # one row met many: they are summed
    found = "".join(letter for letter in mine if letter in given + theirs and not (one_row and letter == "N"))
    value = c.contract(g, other, f"{given},{theirs}->{found}")
    sizes = dict(zip(mine.replace("N", ""), shape.axes, strict=True))
    alone = [letter for letter in sizes if letter not in found]
    if alone:  # these were summed over in this operand alone
        ones = c.constant(np.ones([sizes[letter] for letter in alone]))
        wanted = "".join(letter for letter in mine if letter != "N" or "N" in found)
        value = c.contract(value, ones, f"{found},{''.join(alone)}->{wanted}")
    return c.expand(value, shape.on) if "N" in mine else value


def _products(c: Calculus, i: ops.Products, g: str) -> Found:
    for to, value in product_cotangents(c, i, g):
        yield Contribution(to, value)


def _multiply(c: Calculus, i: ops.Multiply, g: str) -> Found:
    yield Contribution(i.x, c.summed(g, i.y, c.shapes[i.x]))
    yield Contribution(i.y, c.summed(g, i.x, c.shapes[i.y]))


def _gather(c: Calculus, i: ops.Gather, g: str) -> Found:
    yield Contribution(i.x, c.add(ops.Scatter("", g, i.index_map, i.label, i.label_maps, i.classes), c.shapes[i.x]))


def _scatter(c: Calculus, i: ops.Scatter, g: str) -> Found:
    yield Contribution(i.x, c.add(ops.Gather("", g, i.index_map, i.label, i.label_maps, i.classes), c.shapes[i.x]))


def _lookup(c: Calculus, i: ops.Lookup, g: str) -> Found:
    yield Contribution(i.x, c.add(ops.Collect("", g, i.labels), c.shapes[i.x]))


def _collect(c: Calculus, i: ops.Collect, g: str) -> Found:
    yield Contribution(i.x, c.add(ops.Lookup("", g, i.labels), c.shapes[i.x]))


def _combine(c: Calculus, i: ops.Combine, g: str) -> Found:
    for name, factor in zip(i.values, i.factors, strict=True):
        yield Contribution(name, c.fitted(g, c.shapes[name]), factor)


def _reshape(c: Calculus, i: ops.Reshape, g: str) -> Found:
    yield Contribution(i.x, c.reshape(g, c.shapes[i.x].axes))


def _transpose(c: Calculus, i: ops.Transpose, g: str) -> Found:
    back = tuple(i.order.index(axis) for axis in range(len(i.order)))
    yield Contribution(i.x, c.add(ops.Transpose("", g, back), c.shapes[i.x]))


def _expand(c: Calculus, i: ops.Expand, g: str) -> Found:
    yield Contribution(i.x, c.total(g, c.shapes[i.x].on))


def _total(c: Calculus, i: ops.Total, g: str) -> Found:
    yield Contribution(i.x, c.expand(g, c.shapes[i.x].on))


def _function(c: Calculus, i: ops.Function, g: str) -> Found:
    for factor, value in function_cotangent(c, i, g):
        yield Contribution(i.x, value, factor)


def _geometry(c: Calculus, i: ops.Geometry, g: str) -> Found:
    value = geometry_cotangent(c, i, g)
    if value is not None:
        yield Contribution(i.x, value)


RULES: dict[type[Instruction], Callable[[Calculus, Any, str], Found]] = {
    ops.Take: _take,
    ops.Place: _place,
    ops.Segment: _segment,
    ops.Join: _join,
    ops.Concatenate: _concatenate,
    ops.Contract: _contract,
    ops.Products: _products,
    ops.Multiply: _multiply,
    ops.Gather: _gather,
    ops.Scatter: _scatter,
    ops.Lookup: _lookup,
    ops.Collect: _collect,
    ops.Combine: _combine,
    ops.Reshape: _reshape,
    ops.Transpose: _transpose,
    ops.Expand: _expand,
    ops.Total: _total,
    ops.Function: _function,
    ops.Geometry: _geometry,
}
"""Every instruction has its adjoint here: takes place, gathers scatter, lookups collect, expansions total."""
