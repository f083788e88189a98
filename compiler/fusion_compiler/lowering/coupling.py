"""Lowering of fuses: the steps of every contraction."""

from __future__ import annotations

from dataclasses import replace

from fusion import diagram as nodes
from fusion_compiler import program as ops
from fusion_compiler.layout import Layout
from fusion_compiler.lowering.builder import Builder, Value
from fusion_compiler.plan import ContractionPlan
from fusion_compiler.program import Shape
from fusion_compiler.steps import Selected


def lower_fuse(build: Builder, node: nodes.Fuse) -> Value:
    """Return the value of a fuse: that of its group, or of its irreps one by one when it is weighted."""
    on, sizes = node.space.on, node.space.sizes
    if node.weighted:
        parts: list[str] = []
        for plan in build.contractions[node]:
            out = _run(build, plan)
            shape = build.shapes[out]
            parts.append(
                build.emit(
                    lambda o, x=out, s=shape: ops.Reshape(o, x, (*sizes, 1, s.axes[-1])),
                    Shape(on, (*sizes, 1, shape.axes[-1])),
                )
            )
        whole = build.join(parts, on, sizes)
        return Value(whole, Layout.full(node.space))
    if node not in build.contractions:
        return Value("", Layout(()))  # an inner member of a group: its value is never formed by itself
    plan = build.contractions[node][0]
    return Value(_run(build, plan), plan.layout)


def _run(build: Builder, plan: ContractionPlan) -> str:
    """Emit the steps of one contraction and return the name of its result."""
    letters = [operand.letters for operand in plan.operands]
    sizes = dict(plan.sizes)
    names: list[str] = []
    for operand in plan.operands:
        if operand.wire is not None and operand.layout is not None:
            names.append(build.take(build.values[operand.wire], operand.layout))
        else:
            names.append(f"${operand.weight}" if operand.weight else "")

    def value(position: int) -> str:
        if not names[position]:  # a coupling table becomes a constant when it is first used whole
            names[position] = build.constant(plan.tables[position])
        return names[position]

    def shape(result: str) -> Shape:
        axes = tuple(sizes[letter] for letter in result if letter != "N")
        return Shape(plan.root.space.on if "N" in result else "", axes)

    for step in plan.steps():
        x, y = value(step.pair.left), value(step.pair.right)
        if isinstance(step, Selected):
            table = build.constant(step.table)
            left, right = (tuple(int(i) for i in column) for column in step.rows.T)
            make = ops.Products("", x, y, table, left, right)
            letters.extend((step.pair.result, step.follow.result))
            names.append("")
        else:
            equation = f"{letters[step.pair.left]},{letters[step.pair.right]}->{step.pair.result}"
            make = ops.Contract("", x, y, equation)
            letters.append(step.pair.result)
        names.append(build.emit(lambda out, m=make: replace(m, out=out), shape(letters[-1])))
    return names[-1]
