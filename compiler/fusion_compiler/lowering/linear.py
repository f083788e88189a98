"""Lowering of mix, scale, add, direct sum and select."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fusion import diagram as nodes
from fusion.coefficients import Buffer, Constant, Tied
from fusion.index import CONSTANT_SPACE
from fusion.inference.common import default_pattern
from fusion.irreps import Irrep
from fusion.parameters import letter_sizes, mix_axes, tensor_name
from fusion_compiler import program as ops
from fusion_compiler.errors import CompileError
from fusion_compiler.layout import Layout, Path
from fusion_compiler.lowering.builder import LETTERS, Builder, Value, aligned
from fusion_compiler.program import Shape


def lower_mix(build: Builder, node: nodes.Mix) -> Value:
    pattern, space = node.pattern, node.space
    rename = dict(zip(pattern.letters, LETTERS, strict=False))
    ins, outs, weights = (
        "".join(rename[c] for c in part) for part in (pattern.operands[0], pattern.result, pattern.letters)
    )
    source, wanted = build.values[node.wire], build.live(node)
    if node.each:
        source = Value(build.take(source, wanted), wanted)
    lead, ends = "N" if node.per else "", "P" if node.each else "QP"
    kept = {irrep: numbers for irrep, _, numbers in source.layout.groups()}
    kinds = {irrep for irrep, _ in wanted.paths}
    layout = wanted if node.each else Layout.full(space).keep(p for p in Layout.full(space).paths if p[0] in kinds)
    numbers = tuple({path for _, path in layout.paths})
    if node.shared and source.layout == layout and len(numbers) == 1:
        # One path of each irrep and one matrix for all: their components are one axis.
        table = _looked_up(build, node, layout.paths[0][0], numbers)
        equation = f"N{ins}M,{lead}{ends}{weights}->N{outs}M"
        x, shape = build.expand(source.name, space.on), Shape(space.on, (*space.sizes, layout.dim))
        return Value(build.emit(lambda out: ops.Contract(out, x, table, equation), shape), layout)
    segments = build.segments(source)
    parts: list[str] = []
    for count, irrep in space.irreps:
        if irrep not in kinds:
            continue
        axes = (*space.sizes, len(kept.get(irrep, ())) if node.each else count, irrep.dim)
        if irrep not in segments:
            raise CompileError(f"no path of {irrep} reaches a mix; it is zero")
        table = _looked_up(build, node, irrep, kept[irrep])
        equation = f"N{ins}PM,{lead}{ends}{weights}->N{outs}{ends[0]}M"
        x = build.expand(segments[irrep], space.on)  # the coefficients of a constant may be per label
        parts.append(
            build.emit(lambda out, x=x, t=table, e=equation: ops.Contract(out, x, t, e), Shape(space.on, axes))
        )
    return Value(build.join(parts, space.on, space.sizes), layout)


def _looked_up(build: Builder, node: nodes.Mix, irrep: Irrep, kept: tuple[int, ...]) -> str:
    """Return the coefficients of a mix for one irrep and the kept paths, those of each row's classes."""
    table = _coefficients(build, node, irrep, kept)
    if not node.per:
        return table
    labels, axes = tuple(build.use_label(label) for label in node.per), build.shapes[table].axes[len(node.per) :]
    return build.emit(lambda out: ops.Lookup(out, table, labels), Shape(node.space.on, axes))


def _coefficients(build: Builder, node: nodes.Mix, irrep: Irrep, kept: tuple[int, ...]) -> str:
    """Return the coefficients of a mix for one irrep and the kept paths: (*classes, paths out, paths in, *letters).

    There is one axis of paths only where every path is by itself.
    """
    sizes = letter_sizes(node)
    paths = node.wire.space.irreps.count(irrep)
    letters = node.pattern.letters
    _, counts = mix_axes(node, paths)
    shape = (*counts, *(sizes[c] for c in letters))
    if isinstance(node.coefficients, Constant):
        tensor = node.coefficients.tensor(irrep)
        full = np.broadcast_to(np.zeros(()) if tensor is None else tensor, shape)
        return build.constant(np.ascontiguousarray(np.take(full, kept, axis=len(counts) - 1)))
    own = node.coefficients.name if isinstance(node.coefficients, Buffer) else node.name
    name = f"${tensor_name(node, own, irrep)}"
    if isinstance(node.coefficients, Tied):
        tied = node.coefficients
        table = build.constant(tied.tensor)
        rename = dict(zip(dict.fromkeys(letters + tied.tensor_letters + tied.weight_letters), LETTERS, strict=False))
        lead = "ABCDEFGHIJ"[: len(counts)]
        equation = (
            f"{lead}{''.join(rename[c] for c in tied.weight_letters)},{''.join(rename[c] for c in tied.tensor_letters)}"
            f"->{lead}{''.join(rename[c] for c in letters)}"
        )
        name = build.emit(lambda out, n=name: ops.Contract(out, n, table, equation), Shape("", shape))
    if len(kept) != paths:
        axis = -1 - len(letters)
        selected = (*counts[:-1], len(kept), *shape[len(counts) :])
        name = build.emit(lambda out, n=name: ops.Take(out, n, kept, axis), Shape("", selected))
    return name


def lower_scale(build: Builder, node: nodes.Scale) -> Value:
    space, by = node.wire.space, node.by.space
    pattern = node.pattern or default_pattern(space, by)
    if pattern is None:
        raise CompileError("a scale without a pattern reached the compiler")
    wanted = build.live(node)
    x = build.take(build.values[node.wire], wanted)
    scale = build.values[node.by].name
    sizes = letter_axes(pattern.operands[1], pattern.result, build.shapes[scale].axes[:-1])
    shape = Shape(space.on, (*node.space.sizes, wanted.dim))
    on = build.shapes[scale].on
    order = tuple(pattern.operands[1].index(c) for c in pattern.result if c in pattern.operands[1])
    if order != tuple(sorted(order)):
        axes = build.shapes[scale].axes
        scale = build.emit(
            lambda out, s=scale: ops.Transpose(out, s, (*order, len(order))),
            Shape(on, (*(axes[i] for i in order), axes[-1])),
        )
        sizes = letter_axes(
            "".join(c for c in pattern.result if c in pattern.operands[1]),
            pattern.result,
            build.shapes[scale].axes[:-1],
        )
    count = by.irreps.paths
    if sizes != build.shapes[scale].axes[:-1]:
        scale = build.emit(lambda out, s=scale: ops.Reshape(out, s, (*sizes, count)), Shape(on, (*sizes, count)))
    if len(build.shapes[x].axes) - 1 < len(sizes):
        ones = (*(1 for _ in sizes), wanted.dim)
        x = build.emit(lambda out, v=x: ops.Reshape(out, v, ones), Shape(build.shapes[x].on, ones))
    if count > 1:
        owner = _scale_owner(node, wanted)
        scale = build.emit(lambda out, s=scale: ops.Take(out, s, owner), Shape(on, (*sizes, len(owner))))
    out_shape = replace(shape, on=space.on if space.on != CONSTANT_SPACE else by.on)
    name = build.emit(lambda out: ops.Multiply(out, x, scale), out_shape)
    return Value(name, wanted)


def letter_axes(letters: str, result: str, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of a value aligned with ``result``: its size where it has the letter, else 1."""
    size = dict(zip(letters, sizes, strict=True))
    return tuple(size.get(letter, 1) for letter in result)


def _scale_owner(node: nodes.Scale, wanted: Layout) -> tuple[int, ...]:
    """Return, for every component of the wire, the path of the scaling wire that multiplies it."""
    space, by = node.wire.space, node.by.space
    full = Layout.full(space).paths
    per_path = by.irreps.paths == space.irreps.paths
    kinds = [irrep for _, irrep in space.irreps]
    number = {path: position if per_path else kinds.index(path[0]) for position, path in enumerate(full)}
    return tuple(number[path] for path in wanted.paths for _ in range(path[0].dim))


def lower_add(build: Builder, node: nodes.Add) -> Value:
    wanted = build.live(node)
    names = tuple(aligned(build, wire, wanted) for _, wire in node.terms)
    names = tuple(build.expand(name, node.space.on) for name in names)
    factors = tuple(factor for factor, _ in node.terms)
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return Value(build.emit(lambda out: ops.Combine(out, names, factors), shape), wanted)


def lower_direct_sum(build: Builder, node: nodes.DirectSum) -> Value:
    wanted = build.live(node)
    start: dict[Irrep, int] = {}
    pieces: list[tuple[nodes.Wire, Layout]] = []
    shifted: list[Path] = []
    for part in node.parts:
        mine = Layout.full(part.space).keep((irrep, path - start.get(irrep, 0)) for irrep, path in wanted.paths)
        if mine.paths:
            pieces.append((part, mine))
            shifted.extend((irrep, path + start.get(irrep, 0)) for irrep, path in mine.paths)
        for count, irrep in part.space.irreps:
            start[irrep] = start.get(irrep, 0) + count
    names = tuple(build.expand(aligned(build, part, mine), node.space.on) for part, mine in pieces)
    stacked = Layout(tuple(shifted))
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    name = names[0] if len(names) == 1 else build.emit(lambda out: ops.Concatenate(out, names), shape)
    return Value(build.take(Value(name, stacked), wanted), wanted)


def lower_select(build: Builder, node: nodes.Select) -> Value:
    wanted = build.live(node)
    chosen = dict(node.keep)
    source: list[Path] = []
    for irrep, path in wanted.paths:
        numbers = chosen[irrep]
        source.append((irrep, path if numbers is None else numbers[path]))
    value = build.values[node.wire]
    index = value.layout.components(source)
    shape = Shape(node.space.on, (*node.space.sizes, len(index)))
    if index == tuple(range(value.layout.dim)):
        return Value(value.name, wanted)
    return Value(build.emit(lambda out: ops.Take(out, value.name, index), shape), wanted)
