"""Lowering of fusion networks used as nodes."""

from __future__ import annotations

from fusion import diagram as nodes
from fusion.dense import evaluate_network
from fusion.index import CONSTANT_SPACE
from fusion_compiler import program as ops
from fusion_compiler.errors import CompileError
from fusion_compiler.layout import Layout
from fusion_compiler.lowering.builder import LETTERS, Builder, Value
from fusion_compiler.program import Shape


def lower_apply(build: Builder, node: nodes.Apply) -> Value:
    """A network: its vertices are contracted to one constant tensor, then the wires enter one by one."""
    tensor = evaluate_network(node.network)
    ends, given = node.network.ins, dict(node.wires)
    full, width = Layout.full(node.space), len(node.space.channels)
    tail = "Z" if node.network.outs else ""
    letters = "ABCDEFGHIJKLMOPQRSTUVWXY"[: len(ends)]
    if len(letters) < len(ends):
        raise CompileError(f"a network with {len(ends)} in-ends is larger than the planner can name")
    axes = (*node.space.sizes, full.dim)
    if not ends:
        constant = build.constant(tensor.reshape(1, full.dim))  # one row
        return Value(build.emit(lambda out: ops.Expand(out, constant), Shape(CONSTANT_SPACE, (full.dim,))), full)
    name, current, on = build.constant(tensor), letters + tail, node.space.on
    channels = LETTERS[:width]
    for position, end in enumerate(ends):
        wire = given[end]
        value = build.expand(build.values[wire].name, on)
        mine = f"N{channels if wire.space.channels else ''}{letters[position]}"
        have = [c for c in channels if c in current or c in mine]
        result = f"N{''.join(have)}{letters[position + 1 :]}{tail}"
        equation = f"{mine},{current}->{result}"
        sizes = {"Z": tensor.shape[-1] if tail else 1, **dict(zip(channels, node.space.sizes, strict=True))}
        sizes.update({letter: tensor.shape[i] for i, letter in enumerate(letters)})
        shape = Shape(on, tuple(sizes[c] for c in result if c != "N"))
        name = build.emit(lambda out, v=value, n=name, e=equation: ops.Contract(out, v, n, e), shape)
        current = result
    if build.shapes[name].axes != axes:
        name = build.emit(lambda out, n=name: ops.Reshape(out, n, axes), Shape(on, axes))
    return Value(name, full)
