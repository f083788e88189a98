"""Lowering of map and geometry."""

from __future__ import annotations

from dataclasses import replace

from fusion import diagram as nodes
from fusion_compiler import program as ops
from fusion_compiler.layout import Layout
from fusion_compiler.lowering.builder import Builder, Value, aligned
from fusion_compiler.program import Shape


def lower_map(build: Builder, node: nodes.Map) -> Value:
    full = Layout.full(node.space)
    x = aligned(build, node.wire, full)
    index_map = build.use_map(node.over) if node.over is not None else ""
    channels = len(node.space.channels) if node.function == "layer_norm" else 0
    shape = Shape(node.space.on, (*node.space.sizes, full.dim))
    return Value(build.emit(lambda out: ops.Function(out, x, node.function, index_map, channels), shape), full)


def lower_geometry(build: Builder, node: nodes.Geometry) -> Value:
    full = Layout.full(node.space)
    x = aligned(build, node.wire, Layout.full(node.wire.space))
    shape = Shape(node.space.on, (*node.space.sizes, full.dim))
    make = ops.Geometry("", x, node.function, node.count, node.lengths, node.normalization)
    return Value(build.emit(lambda out: replace(make, out=out), shape), full)
