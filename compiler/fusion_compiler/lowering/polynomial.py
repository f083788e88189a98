"""Lowering of the nodes that rewrites make: vertices that list their couplings, recombinations, mapped weights."""

from __future__ import annotations

import numpy as np

from fusion_compiler import program as ops
from fusion_compiler.layout import Layout, Path
from fusion_compiler.lowering.builder import LETTERS, Builder, Value
from fusion_compiler.lowering.kinds import gains, kinds_of, lower_kinds
from fusion_compiler.lowering.linear import letter_axes
from fusion_compiler.polynomial.nodes import Column, Couple, Recombine, Weigh
from fusion_compiler.polynomial.tables import linear_table, product_table
from fusion_compiler.program import Array, Shape


def lower_couple(build: Builder, node: Couple) -> Value:
    """A vertex: the products of components that it needs, and its table; or kind by kind where that is less work."""
    wanted, on, sizes = build.live(node), node.space.on, node.space.sizes
    left, right = build.values[node.left], build.values[node.right]
    rows, table = product_table(node.terms, left.layout, right.layout, wanted, square=node.square)
    kinds = kinds_of(node, wanted)
    if kinds and gains(kinds, len(rows), wanted.dim, sizes):
        return lower_kinds(build, node, kinds, wanted)
    shape = Shape(on, (*sizes, wanted.dim))
    if not len(rows):  # all of it is zero; a product that is there anyway gives the rows
        rows, table = np.zeros((1, 2), dtype=np.int64), np.zeros((1, wanted.dim))
    x = _aligned(build, left.name, node.pattern.operands[0], node.pattern.result, on)
    y = _aligned(build, right.name, node.pattern.operands[1], node.pattern.result, on)
    constant = build.constant(table)
    pairs = tuple(tuple(int(i) for i in column) for column in rows.T)
    return Value(build.emit(lambda out: ops.Products(out, x, y, constant, pairs[0], pairs[1]), shape), wanted)


def _aligned(build: Builder, name: str, letters: str, result: str, on: str) -> str:
    """Return a value with its channel axes in the order of the result, with axes of size one where it has none."""
    name = build.expand(name, on)
    axes = build.shapes[name].axes
    order = tuple(letters.index(letter) for letter in result if letter in letters)
    if order != tuple(sorted(order)):
        turned = (*(axes[i] for i in order), axes[-1])
        name = build.emit(lambda out, n=name: ops.Transpose(out, n, (*order, len(order))), Shape(on, turned))
        letters, axes = "".join(letters[i] for i in order), turned
    wide = (*letter_axes(letters, result, axes[:-1]), axes[-1])
    return name if wide == axes else build.emit(lambda out, n=name: ops.Reshape(out, n, wide), Shape(on, wide))


def lower_recombine(build: Builder, node: Recombine) -> Value:
    """A selection where every path is one path of the wire as it is, else a constant matrix on the components."""
    wanted, value = build.live(node), build.values[node.wire]
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    source: dict[Path, Path] = {term.out: term.path for term in node.terms if term.factor == 1.0}
    kept = [term for term in node.terms if term.out in set(wanted.paths)]
    if len(kept) == len(wanted.paths) == len({term.out for term in kept if term.factor == 1.0}):
        index = value.layout.components(source[path] for path in wanted.paths)
        if index == tuple(range(value.layout.dim)):
            return Value(value.name, wanted)
        return Value(build.emit(lambda out: ops.Take(out, value.name, index), shape), wanted)
    table = build.constant(linear_table(node.terms, value.layout, wanted))
    letters = LETTERS[: len(node.space.channels)]
    equation = f"N{letters}M,MO->N{letters}O"
    return Value(build.emit(lambda out: ops.Contract(out, value.name, table, equation), shape), wanted)


def lower_weigh(build: Builder, node: Weigh) -> Value:
    """Mapped weights: the declared ones through their matrices, once per call, then one matrix product per irrep."""
    on, value = node.space.on, build.values[node.wire]
    entering = {(column.irrep, row) for column in node.columns for row in column.rows}
    layout = value.layout.keep(entering)
    source = Value(build.take(value, layout), layout)
    segments, kept = build.segments(source), {irrep: numbers for irrep, _, numbers in layout.groups()}
    rename = dict(zip(node.pattern.letters, LETTERS, strict=False))
    ins, outs, weights = (
        "".join(rename[c] for c in part)
        for part in (node.pattern.operands[0], node.pattern.result, node.pattern.letters)
    )
    parts: list[str] = []
    for count, irrep in node.space.irreps:
        tables = [
            _mapped(build, node, column, _rows(column, kept[irrep]), weights)
            for column in node.columns
            if column.irrep == irrep
        ]
        table = _looked_up(build, node, _beside(build, tables))  # (paths in, *letters, paths out)
        x = build.expand(segments[irrep], on)
        equation = f"N{ins}SM,{'N' if node.per else ''}S{weights}Q->N{outs}QM"
        shape = Shape(on, (*node.space.sizes, count, irrep.dim))
        parts.append(build.emit(lambda out, x=x, t=table, e=equation: ops.Contract(out, x, t, e), shape))
    return Value(build.join(parts, on, node.space.sizes), Layout.full(node.space))


def _rows(column: Column, kept: tuple[int, ...]) -> Array:
    """Return the matrix of a column over all kept paths, zero for those that do not enter."""
    matrix = np.zeros((len(kept), column.matrix.shape[1]))
    for row, values in zip(column.rows, column.matrix, strict=True):
        matrix[kept.index(row)] = values
    return matrix


def _mapped(build: Builder, node: Weigh, column: Column, matrix: Array, letters: str) -> str:
    """Return declared weights through a matrix: (*classes, paths in, *letters, paths out)."""
    name, shape, lead = f"${column.tensor}", column.shape, len(node.per)
    if column.tensor not in build.coefficients:
        build.add_coefficients(column.tensor, Shape("", shape))
    if column.picks != tuple(range(shape[lead])):
        axis = lead - len(shape)
        shape = (*shape[:lead], len(column.picks), *shape[lead + 1 :])
        name = build.emit(lambda out, n=name: ops.Take(out, n, column.picks, axis), Shape("", shape))
    constant = build.constant(matrix)
    classes = "ABCDEFGH"[:lead]
    sizes = dict(zip(f"{classes}QP{letters}S", (*shape, len(matrix)), strict=True))
    order = f"{classes}S{letters}Q"
    equation = f"{classes}QP{letters},SP->{order}"
    axes = tuple(sizes[c] for c in order)
    return build.emit(lambda out, n=name: ops.Contract(out, n, constant, equation), Shape("", axes))


def _beside(build: Builder, tables: list[str]) -> str:
    """Put tables side by side on their last axis."""
    if len(tables) == 1:
        return tables[0]
    axes = build.shapes[tables[0]].axes[:-1]
    total = sum(build.shapes[table].axes[-1] for table in tables)
    return build.emit(lambda out: ops.Concatenate(out, tuple(tables)), Shape("", (*axes, total)))


def _looked_up(build: Builder, node: Weigh, table: str) -> str:
    if not node.per:
        return table
    labels, axes = tuple(build.use_label(label) for label in node.per), build.shapes[table].axes[len(node.per) :]
    return build.emit(lambda out: ops.Lookup(out, table, labels), Shape(node.space.on, axes))
