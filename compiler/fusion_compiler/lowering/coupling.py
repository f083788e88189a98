"""Lowering of fuses: the steps of every contraction."""

from __future__ import annotations

from fusion import diagram as nodes
from fusion_compiler import program as ops
from fusion_compiler.layout import Layout
from fusion_compiler.lowering.builder import Builder, Value
from fusion_compiler.plan import ContractionPlan
from fusion_compiler.program import Shape
from fusion_compiler.steps import Dense, Outer, Pieces, Selected


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
    on = plan.root.space.on
    names: list[str] = []
    for operand in plan.operands:
        if operand.wire is not None and operand.layout is not None:
            names.append(build.take(build.values[operand.wire], operand.layout))
        else:
            names.append(f"${operand.weight}" if operand.weight else "")

    def value(position: int) -> str:
        if not names[position]:  # a coupling table becomes a constant when it is first used whole
            names[position] = build.constant(plan.tables[position].dense())
        return names[position]

    for step in plan.steps():
        if isinstance(step, Dense):
            result = step.pair.result
            equation = f"{letters[step.pair.left]},{letters[step.pair.right]}->{result}"
            x, y = value(step.pair.left), value(step.pair.right)
            names.append(
                build.emit(lambda out, a=x, b=y, e=equation: ops.Contract(out, a, b, e), _shape(result, sizes, on))
            )
            letters.append(result)
            continue
        x, y, result = value(step.left), value(step.right), step.follow.result
        if isinstance(step, Selected):
            found = _products(build, step, x, y)
        elif isinstance(step, Outer):
            found = _outer(build, step, x, y, sizes, on)
        else:
            found = _pieces(build, step, x, y, sizes, on)
        shape = _shape(result, sizes, on)
        if build.shapes[found] != shape:  # paths and components of a weighted vertex have an axis each
            found = build.emit(lambda out, x=found, s=shape: ops.Reshape(out, x, s.axes), shape)
        letters.extend((step.pair.result, result))
        names.extend(("", found))
    return names[-1]


def _products(build: Builder, step: Selected, x: str, y: str) -> str:
    """Emit selected products; the result's components lie on one axis."""
    table = build.constant(step.products.dense())
    left, right = (tuple(int(i) for i in column) for column in step.products.rows.T)
    before = build.shapes[x]
    return build.emit(
        lambda out: ops.Products(out, x, y, table, left, right),
        Shape(before.on, (*before.axes[:-1], step.products.width)),
    )


def _outer(build: Builder, step: Outer, x: str, y: str, sizes: dict[str, int], on: str) -> str:
    """Emit an outer product and bring its numbers into the order of the result's components, on one axis."""
    made = _contract(build, (x, y), step.equation, sizes, on)
    axes = build.shapes[made].axes
    flat = Shape(build.shapes[made].on, (*axes[:-2], axes[-2] * axes[-1]))
    return ordered(build, build.emit(lambda out: ops.Reshape(out, made, flat.axes), flat), step.index)


def ordered(build: Builder, x: str, index: tuple[int, ...]) -> str:
    """Return the components ``index`` of a value, which is the value itself where these are all of them in order."""
    shape = build.shapes[x]
    if index == tuple(range(shape.axes[-1])):
        return x
    return build.emit(lambda out: ops.Take(out, x, index), Shape(shape.on, (*shape.axes[:-1], len(index))))


def _pieces(build: Builder, step: Pieces, x: str, y: str, sizes: dict[str, int], on: str) -> str:
    """Emit a vertex piece by piece, and bring the components into the order of the result; they lie on one axis."""
    parts: list[str] = []
    places: list[int] = []
    for part in step.parts:
        piece = part.piece
        a, b = (2 * degree + 1 for degree in piece.degrees)
        size = {**sizes, "P": len(piece.left), "Q": len(piece.right), "A": a, "B": b, "M": piece.width}
        left, right = picked_paths(build, x, piece.left, a), picked_paths(build, y, piece.right, b)
        block = build.constant(piece.block() if part.first != "right" else piece.block().transpose(1, 0, 2))
        first = {"left": (left, block), "right": (right, block), "both": (left, right)}[part.first]
        made = _contract(build, first, part.equations[0], size, on)
        then = {"left": (right, made), "right": (left, made), "both": (made, block)}[part.first]
        out = _contract(build, then, part.equations[1], size, on)
        lead = build.shapes[out].axes[:-3]
        flat = Shape(build.shapes[out].on, (*lead, size["P"] * size["Q"], size["M"]))
        parts.append(build.emit(lambda o, x=out, s=flat: ops.Reshape(o, x, s.axes), flat))
        places.extend(piece.places)
    shape = build.shapes[parts[0]]
    joined = build.join(parts, shape.on, shape.axes[:-2])
    order = {place: number for number, place in enumerate(places)}
    return ordered(build, joined, tuple(order[place] for place in sorted(order)))


def picked_paths(build: Builder, x: str, starts: tuple[int, ...], dim: int) -> str:
    """Return the paths that begin at some components, as (paths, components)."""
    shape = build.shapes[x]
    index = tuple(start + m for start in starts for m in range(dim))
    begin = index[0]
    if index != tuple(range(begin, begin + len(index))):
        x = build.emit(lambda out, x=x: ops.Take(out, x, index), Shape(shape.on, (*shape.axes[:-1], len(index))))
        begin = 0
    axes = (*shape.axes[:-1], len(starts), dim)
    return build.emit(lambda out, x=x: ops.Segment(out, x, begin, len(starts), dim), Shape(shape.on, axes))


def _contract(build: Builder, values: tuple[str, str], equation: str, sizes: dict[str, int], on: str) -> str:
    return build.emit(lambda out: ops.Contract(out, *values, equation), _shape(equation.partition("->")[2], sizes, on))


def _shape(letters: str, sizes: dict[str, int], on: str) -> Shape:
    return Shape(on if "N" in letters else "", tuple(sizes[letter] for letter in letters if letter != "N"))
