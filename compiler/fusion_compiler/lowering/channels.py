"""Lowering of the nodes that cut, join and reorder channel axes."""

from __future__ import annotations

from fusion import diagram as nodes
from fusion_compiler import program as ops
from fusion_compiler.lowering.builder import Builder, Value, aligned
from fusion_compiler.program import Shape


def lower_channels(build: Builder, node: nodes.Split | nodes.Merge) -> Value:
    wanted = build.live(node)
    x = aligned(build, node.wire, wanted)
    axes = (*node.space.sizes, wanted.dim)
    return Value(build.emit(lambda out: ops.Reshape(out, x, axes), Shape(node.space.on, axes)), wanted)


def lower_reorder(build: Builder, node: nodes.Reorder) -> Value:
    wanted = build.live(node)
    x = aligned(build, node.wire, wanted)
    before = node.pattern.operands[0]
    order = (*(before.index(letter) for letter in node.pattern.result), len(before))
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return Value(build.emit(lambda out: ops.Transpose(out, x, order), shape), wanted)


def lower_shuffle(build: Builder, node: nodes.Shuffle) -> Value:
    wanted = build.live(node)
    x = aligned(build, node.wire, wanted)
    axis = node.axis % len(node.space.channels) - len(node.space.channels) - 1
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return Value(build.emit(lambda out: ops.Take(out, x, node.order, axis), shape), wanted)
