"""Lowering of legs, pull and sum: what concerns the rows of a value."""

from __future__ import annotations

from fusion import diagram as nodes
from fusion_compiler import program as ops
from fusion_compiler.layout import Layout
from fusion_compiler.lowering.builder import Builder, Value, aligned
from fusion_compiler.program import Shape


def lower_leg(build: Builder, node: nodes.Leg) -> Value:
    shape = Shape(node.space.on, (*node.space.sizes, node.space.dim))
    build.inputs[node.source] = shape
    build.shapes[node.source] = shape
    return Value(node.source, Layout.full(node.space))


def lower_pull(build: Builder, node: nodes.Pull) -> Value:
    wanted = build.live(node)
    x, index_map = aligned(build, node.wire, wanted), build.use_map(node.index_map)
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return Value(build.emit(lambda out: ops.Gather(out, x, index_map), shape), wanted)


def lower_sum(build: Builder, node: nodes.Sum) -> Value:
    wanted = build.live(node)
    x, index_map = aligned(build, node.wire, wanted), build.use_map(node.index_map)
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    if node.by is None:
        return Value(build.emit(lambda out: ops.Scatter(out, x, index_map), shape), wanted)
    label, maps = build.use_label(node.by)
    classes = node.by.classes
    return Value(build.emit(lambda out: ops.Scatter(out, x, index_map, label, maps, classes), shape), wanted)
