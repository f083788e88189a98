"""What every node computes, written out once more without asking any rule: see ``docs/conventions.md``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusion.diagram import (
    Add,
    Apply,
    DirectSum,
    Fuse,
    Geometry,
    Map,
    Merge,
    Mix,
    Power,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
)
from fusion.functions import ELEMENTWISE
from fusion.sampling.oracle.coefficients import mix_sizes
from fusion.sampling.oracle.couplings import coupling, label_text
from fusion.sampling.oracle.given import Given, channels_of
from fusion.sampling.oracle.values import Array, Blocks, Refused, common_rows, product, shape_of, spread
from fusion.sampling.oracle.vertices import fuse, power


def _each(blocks: Blocks, change: Callable[[Array], Array]) -> Blocks:
    return {label: change(block) for label, block in blocks.items()}


def _pull(given: Given, node: Pull) -> Blocks:
    delta = given.delta(node.index_map)
    return _each(given.values[node.wire], lambda x: np.moveaxis(np.tensordot(delta, x, axes=(1, 1)), 1, 0))


def _sum(given: Given, node: Sum) -> Blocks:
    delta = given.delta(node.index_map)
    if node.by is None:
        return _each(given.values[node.wire], lambda x: np.moveaxis(np.tensordot(delta.T, x, axes=(1, 1)), 1, 0))
    rows, classes = given.shapes[node.by].rows, given.shapes[node.by].axes[0]
    kinds = given.numbers(rows, classes)

    def added(x: Array) -> Array:
        rest = [("axis", place) for place in range(x.ndim - 2)]
        return product(["b", "i", "a", *rest], (delta, "ei"), (kinds, "ea"), (x, ["b", "e", *rest]))

    return _each(given.values[node.wire], added)


def _mix(given: Given, node: Mix) -> Blocks:
    shape = given.shapes[node.wire]
    sizes = mix_sizes(node, shape)
    rows = given.shapes[node.per[0]].rows if node.per and shape.rows == 1 else shape.rows
    for label in node.per:
        if given.shapes[label].rows != rows:
            raise Refused(f"classes on {given.shapes[label].rows} rows, values on {rows}")
    if node.shared and len({count for _, count in shape.paths}) > 1:
        raise Refused("one table for irreps with different numbers of paths")
    found: Blocks = {}
    for label, block in given.values[node.wire].items():
        paths = ["path"] if node.each else ["path out", "path in"]
        table = given.numbers(
            *(block.shape[-2:-1] if node.each else (node.out_paths, block.shape[-2])), *sizes.values()
        )
        wire = (spread(block, rows), ["batch", "row", *node.pattern.operands[0], paths[-1], "component"])
        out = ["batch", "row", *node.pattern.result, paths[0], "component"]
        found[label] = product(out, wire, (table, [*paths, *sizes]))
    return found


def _scale(given: Given, node: Scale) -> Blocks:
    wire, by = given.shapes[node.wire], given.shapes[node.by]
    left, right, result = channels_of(node.pattern, wire.axes, by.axes)
    if (left or sorted(result)) != (result if left else sorted(right)) or not set(right) <= set(result):
        raise Refused("a scale keeps the axes of its wire")
    paths = sum(count for _, count in wire.paths)
    numbers = sum(count for _, count in by.paths)
    if numbers not in (1, len(wire.paths), paths):
        raise Refused(f"{numbers} numbers for {len(wire.paths)} irreps and {paths} paths")
    # Every component of the scaling wire as a number of its own: a covariant one gives what does not transform.
    factors = np.concatenate([x.reshape(*x.shape[:-2], -1) for x in given.values[node.by].values()], axis=-1)
    rows = common_rows(wire.rows, by.rows)
    found: Blocks = {}
    for label, block in given.values[node.wire].items():
        total: Array = np.zeros((), dtype=np.complex128)
        for place in range(factors.shape[-1]):
            factor = spread(factors[..., place], rows)
            names = ["batch", "row", *left, "path", "component"]
            out = ["batch", "row", *result, "path", "component"]
            total = total + (place + 1.0) * product(
                out, (spread(block, rows), names), (factor, ["batch", "row", *right])
            )
        found[label] = total
    return found


def _add(given: Given, node: Add) -> Blocks:
    wires = [wire for _, wire in node.terms]
    rows = common_rows(*(given.shapes[wire].rows for wire in wires))
    if len({(given.shapes[wire].axes, given.shapes[wire].paths) for wire in wires}) > 1:
        raise Refused("terms of different shapes")
    first, *rest = [_each(given.values[wire], lambda x: spread(x, rows)) for wire in wires]
    return {label: block + sum(other[label] for other in rest) for label, block in first.items()}


def _direct_sum(given: Given, node: DirectSum) -> Blocks:
    rows = common_rows(*(given.shapes[part].rows for part in node.parts))
    if len({given.shapes[part].axes for part in node.parts}) > 1:
        raise Refused("parts with different channels")
    found: dict[Any, list[Array]] = {}
    for part in node.parts:
        for label, block in given.values[part].items():
            found.setdefault(label, []).append(spread(block, rows))
    return {label: np.concatenate(blocks, axis=-2) for label, blocks in found.items()}


def _select(given: Given, node: Select) -> Blocks:
    blocks = given.values[node.wire]
    found: Blocks = {}
    for irrep, paths in node.keep:
        label = (irrep.l, irrep.p)
        if label not in blocks or label in found:
            raise Refused(f"{label_text(label)} is not there, or taken twice")
        if any(path < 0 for path in paths or ()):
            raise Refused("paths are numbered from 0")
        found[label] = blocks[label] if paths is None else blocks[label][..., list(paths), :]
    return {label: block for label, block in found.items() if block.shape[-2]}


def _map(given: Given, node: Map) -> Blocks:
    if node.function == "layer_norm" and not given.shapes[node.wire].axes:
        raise Refused("nothing to normalise over")

    def applied(x: Array) -> Array:
        raised = np.exp(0.3 * x) + 0.1 * x**2  # neither even nor odd: stands for every smooth function
        if node.over is not None:
            delta = given.delta(node.over)
            total = np.tensordot(delta.T, np.exp(0.3 * x), axes=(1, 1))
            return raised * np.moveaxis(np.tensordot(delta, total, axes=(1, 0)), 1, 0)
        if node.function not in ELEMENTWISE:
            return raised + raised.mean(axis=tuple(range(2, x.ndim - 2)), keepdims=True)
        return raised

    return _each(given.values[node.wire], applied)


def _geometry(given: Given, node: Geometry) -> Blocks:
    shape = given.shapes[node.wire]
    if len(shape.paths) != 1 or shape.axes:
        raise Refused("one displacement without channels")
    (label, paths), (vector,) = shape.paths[0], given.values[node.wire].values()
    unit, odd = (0, label[1] and 1), (1, label[1] and -1)
    if paths != 1:
        raise Refused("one displacement")
    shape_of({odd: vector})  # transforms as a displacement
    found: Blocks = {unit: np.ones((2, shape.rows, 1, 1), dtype=np.complex128)}
    if node.function in ("harmonics", "solid_harmonics"):
        for degree in range(1, node.count + 1):
            out = (degree, label[1] and (-1) ** degree)
            tensor = coupling((degree - 1, label[1] and (-1) ** (degree - 1)), odd, out)
            if tensor is None:
                raise Refused("no such harmonics")
            lower = found[degree - 1, label[1] and (-1) ** (degree - 1)]
            found[out] = np.einsum("bnqx,bnqy,xym->bnqm", lower, vector, tensor)
        return found
    square = coupling(odd, odd, unit)
    if square is None:
        raise Refused("no length")
    length = np.einsum("bnqx,bnqy,xym->bnqm", vector, vector, square)
    if node.function in ("bessel", "gaussian"):
        return {unit: np.stack([np.cos((n + 1) * length) for n in range(node.count)], axis=2)}
    return {unit: np.cos(length)}


def _split(given: Given, node: Split) -> Blocks:
    axes = given.shapes[node.wire].axes
    place = range(len(axes))[node.axis]
    if node.groups < 1 or axes[place] % node.groups:
        raise Refused(f"{axes[place]} in {node.groups} parts")
    cut = (*axes[:place], node.groups, axes[place] // node.groups, *axes[place + 1 :])
    return _each(given.values[node.wire], lambda x: x.reshape(*x.shape[:2], *cut, *x.shape[-2:]))


def _merge(given: Given, node: Merge) -> Blocks:
    axes = given.shapes[node.wire].axes
    place = range(len(axes))[node.axis]
    if place == 0:
        raise Refused("no axis before this one")
    joined = (*axes[: place - 1], axes[place - 1] * axes[place], *axes[place + 1 :])
    return _each(given.values[node.wire], lambda x: x.reshape(*x.shape[:2], *joined, *x.shape[-2:]))


def _reorder(given: Given, node: Reorder) -> Blocks:
    before, after = node.pattern.operands[0], node.pattern.result
    if len(set(before) & set(after)) != len(before):
        raise Refused("an axis is dropped")
    ends = ["path", "component"]
    return _each(
        given.values[node.wire],
        lambda x: product(["batch", "row", *after, *ends], (x, ["batch", "row", *before, *ends])),
    )


def _shuffle(given: Given, node: Shuffle) -> Blocks:
    axes = given.shapes[node.wire].axes
    place = range(len(axes))[node.axis]
    if set(node.order) != set(range(axes[place])) or len(node.order) != axes[place]:
        raise Refused("not a permutation")
    return _each(given.values[node.wire], lambda x: np.take(x, node.order, axis=2 + place))


def _apply(given: Given, node: Apply) -> Blocks:
    labels = {name: (irrep.l, irrep.p) for name, irrep in node.network.lines}
    for vertex in node.network.vertices:
        here = [labels[line] for line in vertex.lines]
        if vertex.kind == "split":
            here = [*here[1:], here[0]]
        if len(here) == 2:  # a bend: the invariant pairing of two lines
            here.append((0, here[0][1] and 1))
        if coupling(here[0], here[1], here[2]) is None:
            raise Refused(f"no coupling {' '.join(map(label_text, here))}")
    starts = [line for vertex in node.network.vertices for line in vertex.leaves]
    ends = [line for vertex in node.network.vertices for line in vertex.enters]
    ins = sorted(line for line in labels if line not in starts)
    outs = sorted(line for line in labels if line not in ends)
    if sorted(end for end, _ in node.wires) != ins or len(outs) > 1:
        raise Refused("ends and wires do not match")
    for end, wire in node.wires:
        if given.shapes[wire].paths != ((labels[end], 1),):
            raise Refused(f"the wire at {end} is another")
    rows = common_rows(*(given.shapes[wire].rows for _, wire in node.wires))
    axes = {given.shapes[wire].axes for _, wire in node.wires} - {()}
    if len(axes) > 1:
        raise Refused("different channels")
    bare = any(parity == 0 for _, parity in labels.values())
    out = labels[outs[0]] if outs else (0, 0 if bare else 1)
    return {out: np.zeros((2, rows, *(axes.pop() if axes else ()), 1, 2 * out[0] + 1), dtype=np.complex128)}


MEANINGS: dict[type[Wire], Callable[[Given, Any], Blocks]] = {
    Fuse: fuse,
    Power: power,
    Pull: _pull,
    Sum: _sum,
    Mix: _mix,
    Scale: _scale,
    Add: _add,
    DirectSum: _direct_sum,
    Select: _select,
    Map: _map,
    Geometry: _geometry,
    Split: _split,
    Merge: _merge,
    Reorder: _reorder,
    Shuffle: _shuffle,
    Apply: _apply,
}
