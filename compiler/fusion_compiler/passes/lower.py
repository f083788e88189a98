"""lower: turn a plan into a program, node by node, and contraction by contraction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion import diagram as nodes
from fusion.coefficients import Buffer, Constant, Tied
from fusion.couplings import fuse_paths
from fusion.dense import evaluate_network
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.inference.common import default_pattern
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import letter_sizes, parameters
from fusion.symbols import clebsch_gordan
from fusion_compiler import program as ops
from fusion_compiler.contraction import Pair
from fusion_compiler.errors import CompileError
from fusion_compiler.expansion import Expansion
from fusion_compiler.layout import Layout, Path
from fusion_compiler.passes.prune import numbered
from fusion_compiler.plan import ContractionPlan, Plan
from fusion_compiler.program import Array, Program, Shape

PRODUCT_GAIN = 0.8
"""Selected products replace an outer product when they need less than this fraction of its terms."""


def lower(plan: Plan) -> Program:
    """Return the program of a plan."""
    build = _Lowering(plan)
    for node in plan.expansion.nodes:
        if isinstance(node, nodes.Wire) and plan.expansion.live.get(node):
            build.values[node] = build.visit(node)
    return build.finish()


@dataclass
class _Value:
    """A lowered wire: the name of its value and the paths it holds."""

    name: str
    layout: Layout


@dataclass
class _Lowering:
    plan: Plan
    values: dict[Node, _Value] = field(default_factory=dict[Node, _Value])
    instructions: list[ops.Instruction] = field(default_factory=list[ops.Instruction])
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    constants: dict[str, Array] = field(default_factory=dict[str, Array])
    inputs: dict[str, Shape] = field(default_factory=dict[str, Shape])
    labels: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    maps: dict[str, IndexMap] = field(default_factory=dict[str, IndexMap])
    coefficients: dict[str, Shape] = field(default_factory=dict[str, Shape])
    seen: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])

    def __post_init__(self) -> None:
        self.expansion: Expansion = self.plan.expansion
        self.contractions: dict[Node, list[ContractionPlan]] = {}
        for contraction in self.plan.contractions:
            self.contractions.setdefault(contraction.root, []).append(contraction)
        for parameter in parameters(self.expansion.diagram):
            self.coefficients[parameter.name] = Shape("", parameter.shape)
            self.shapes[f"${parameter.name}"] = Shape("", parameter.shape)

    # building

    def emit(self, make: Callable[[str], ops.Instruction], shape: Shape) -> str:
        """Add an instruction unless an equal one is there already; return the name of its value."""
        probe = make("")
        key = (type(probe), str(probe), *(getattr(probe, name) for name in probe.__slots__))
        if key not in self.seen:
            name = f"%{len(self.instructions)}"
            self.instructions.append(make(name))
            self.shapes[name] = shape
            self.seen[key] = name
        return self.seen[key]

    def constant(self, table: NDArray[np.float64]) -> str:
        """Add a constant table, shared with an equal one."""
        key = ("constant", table.shape, table.tobytes())
        if key not in self.seen:
            name = f"#{len(self.constants)}"
            self.constants[name] = np.ascontiguousarray(table)
            self.shapes[name] = Shape("", table.shape)
            self.seen[key] = name
        return self.seen[key]

    def take(self, value: _Value, wanted: Layout) -> str:
        """Return the value restricted to the paths of ``wanted``."""
        if value.layout == wanted:
            return value.name
        index = value.layout.components(wanted.paths)
        shape = self.shapes[value.name]
        return self.emit(lambda out: ops.Take(out, value.name, index), Shape(shape.on, (*shape.axes[:-1], len(index))))

    def segments(self, value: _Value) -> dict[Irrep, str]:
        """Cut a value into one (..., paths, dim) value per irrep."""
        shape = self.shapes[value.name]
        found: dict[Irrep, str] = {}
        for irrep, start, numbers in value.layout.groups():
            count = len(numbers)
            found[irrep] = self.emit(
                lambda out, s=start, c=count, d=irrep.dim: ops.Segment(out, value.name, s, c, d),
                Shape(shape.on, (*shape.axes[:-1], count, irrep.dim)),
            )
        return found

    def join(self, parts: list[str], on: str, axes: tuple[int, ...]) -> str:
        dim = sum(self.shapes[part].axes[-1] * self.shapes[part].axes[-2] for part in parts)
        return self.emit(lambda out: ops.Join(out, tuple(parts)), Shape(on, (*axes, dim)))

    def expand(self, name: str, on: str) -> str:
        shape = self.shapes[name]
        if shape.on == on:
            return name
        return self.emit(lambda out: ops.Expand(out, name), Shape(on, shape.axes))

    def use_map(self, index_map: IndexMap) -> str:
        self.maps[index_map.name] = index_map
        return index_map.name

    def use_label(self, label: nodes.Label) -> tuple[str, tuple[str, ...]]:
        self.labels[label.name] = (label.on, label.classes)
        return label.name, tuple(self.use_map(step) for step in label.maps)

    def live(self, node: nodes.Wire) -> Layout:
        return Layout(self.expansion.live[node])

    def finish(self) -> Program:
        outputs: list[tuple[str, str]] = []
        for name, wire in self.expansion.diagram.outputs:
            outputs.append((name, self.values[wire].name))
        used: set[str] = {value for _, value in outputs}
        kept: list[ops.Instruction] = []
        for instruction in reversed(self.instructions):
            if instruction.out in used:
                kept.append(instruction)
                used.update(instruction.reads())
        program = Program(
            tuple(self.inputs.items()),
            tuple((name, on, classes) for name, (on, classes) in self.labels.items()),
            tuple((name, found.source, found.target) for name, found in self.maps.items()),
            tuple(self.coefficients),
            {name: table for name, table in self.constants.items() if name in used},
            tuple(reversed(kept)),
            self.shapes,
            tuple(outputs),
        )
        program.verify()
        return program

    # nodes

    def visit(self, node: nodes.Wire) -> _Value:
        rule = _RULES.get(type(node))
        if rule is None:
            raise CompileError(f"no lowering for {type(node).__name__}")
        return rule(self, node)


def _leg(build: _Lowering, node: nodes.Leg) -> _Value:
    shape = Shape(node.space.on, (*node.space.sizes, node.space.dim))
    build.inputs[node.source] = shape
    build.shapes[node.source] = shape
    return _Value(node.source, Layout.full(node.space))


def _fuse(build: _Lowering, node: nodes.Fuse) -> _Value:
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
        return _Value(whole, Layout.full(node.space))
    if node not in build.contractions:
        return _Value("", Layout(()))  # an inner member of a group: its value is never formed by itself
    plan = build.contractions[node][0]
    return _Value(_run(build, plan), dict(plan.layouts)[node])


def _vertex_table(plan: ContractionPlan, node: nodes.Fuse) -> NDArray[np.float64]:
    """The couplings of a vertex over the kept components: (left, right, out), or (left, right, path, m)."""
    layout_of: dict[nodes.Wire, Layout] = dict(plan.layouts)
    for operand in plan.operands:
        if operand.wire is not None and operand.layout is not None and operand.wire not in layout_of:
            layout_of[operand.wire] = operand.layout
    if node.weighted:
        wires = [operand.layout for operand in plan.operands if operand.layout is not None]
        left, right = wires[0], wires[1]
        couplings = [
            p
            for p in fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)
            if p.out == plan.irrep
        ]
        table = np.zeros((left.dim, right.dim, len(couplings), couplings[0].out.dim))
        for number, path in enumerate(couplings):
            i, j = left.offsets[path.left, path.left_path], right.offsets[path.right, path.right_path]
            table[i : i + path.left.dim, j : j + path.right.dim, number] = clebsch_gordan(
                path.left.l, path.right.l, path.out.l
            )
        return table
    left, right, out = layout_of[node.left], layout_of[node.right], layout_of[node]
    table = np.zeros((left.dim, right.dim, out.dim))
    left_at, right_at, out_at = left.offsets, right.offsets, out.offsets
    for target, path in numbered(node).items():
        source: tuple[Path, Path] = (path.left, path.left_path), (path.right, path.right_path)
        if target not in out_at or source[0] not in left_at or source[1] not in right_at:
            continue
        i, j, k = left_at[source[0]], right_at[source[1]], out_at[target]
        table[i : i + path.left.dim, j : j + path.right.dim, k : k + path.out.dim] = clebsch_gordan(
            path.left.l, path.right.l, path.out.l
        )
    return table


def _run(build: _Lowering, plan: ContractionPlan) -> str:
    """Emit the steps of one contraction and return the name of its result."""
    state = _Contraction(build, plan)
    pairs = plan.order.pairs
    number = 0
    while number < len(pairs):
        if number + 1 < len(pairs) and state.products(pairs[number], pairs[number + 1]):
            number += 2
        else:
            state.pair(pairs[number])
            number += 1
    return state.names[-1]


class _Contraction:
    """The growing list of values of one contraction."""

    def __init__(self, build: _Lowering, plan: ContractionPlan) -> None:
        self.build = build
        self.on = plan.root.space.on
        self.sizes = dict(plan.sizes)
        self.letters = [operand.letters for operand in plan.operands]
        self.names: list[str] = []
        self.tables: dict[int, NDArray[np.float64]] = {}
        for position, operand in enumerate(plan.operands):
            if operand.wire is not None and operand.layout is not None:
                self.names.append(build.take(build.values[operand.wire], operand.layout))
            elif operand.vertex is not None:
                self.tables[position] = _vertex_table(plan, operand.vertex)
                self.names.append("")
            else:
                self.names.append(f"${operand.weight}")

    def name(self, position: int) -> str:
        """Return the value at a position; a table becomes a constant when it is first used."""
        if not self.names[position]:
            self.names[position] = self.build.constant(self.tables[position])
        return self.names[position]

    def shape(self, letters: str) -> Shape:
        axes = tuple(self.sizes[letter] for letter in letters if letter != "N")
        return Shape(self.on if "N" in letters else "", axes)

    def push(self, name: str, letters: str) -> None:
        self.names.append(name)
        self.letters.append(letters)

    def pair(self, pair: Pair) -> None:
        """Emit one pairwise contraction."""
        x, y = self.name(pair.left), self.name(pair.right)
        equation = f"{self.letters[pair.left]},{self.letters[pair.right]}->{pair.result}"
        self.push(self.build.emit(lambda out: ops.Contract(out, x, y, equation), self.shape(pair.result)), pair.result)

    def products(self, pair: Pair, follow: Pair) -> bool:
        """Emit an outer product and the table after it as selected products, when that needs clearly fewer terms.

        Products of a value with itself are symmetric: each unordered pair of components is formed once, and couplings
        that are odd under exchange cancel.
        """
        made = len(self.letters)
        if made not in (follow.left, follow.right):
            return False
        other = follow.left if follow.right == made else follow.right
        left, right = self.letters[pair.left], self.letters[pair.right]
        if other not in self.tables or "N" not in left or left[:-1] != right[:-1] or left[-1] == right[-1]:
            return False
        if set(self.letters[other]) != {left[-1], right[-1], follow.result[-1]} or follow.result[:-1] != left[:-1]:
            return False
        table = np.transpose(
            self.tables[other], [self.letters[other].index(c) for c in (left[-1], right[-1], follow.result[-1])]
        )
        x, y = self.name(pair.left), self.name(pair.right)
        if x == y:
            upper = np.triu(np.ones(table.shape[:2]), 1)[..., None]
            diagonal = np.eye(len(table))[..., None]
            table = (table + table.transpose(1, 0, 2)) * upper + table * diagonal
            table[np.abs(table) < 1e-14] = 0.0
        rows = np.argwhere(np.any(table != 0.0, axis=-1))
        if len(rows) >= PRODUCT_GAIN * table.shape[0] * table.shape[1]:
            return False
        constant = self.build.constant(table[rows[:, 0], rows[:, 1]])
        index = tuple(tuple(int(i) for i in column) for column in (rows[:, 0], rows[:, 1]))
        out = self.build.emit(lambda o: ops.Products(o, x, y, constant, index[0], index[1]), self.shape(follow.result))
        self.push("", pair.result)
        self.push(out, follow.result)
        return True


def _mix(build: _Lowering, node: nodes.Mix) -> _Value:
    pattern, space = node.pattern, node.space
    rename = dict(zip(pattern.letters, _LETTERS, strict=False))
    ins, outs, weights = (
        "".join(rename[c] for c in part) for part in (pattern.operands[0], pattern.result, pattern.letters)
    )
    source = build.values[node.wire]
    segments = build.segments(source)
    kept = {irrep: numbers for irrep, _, numbers in source.layout.groups()}
    wanted = build.live(node)
    parts: list[str] = []
    kinds = {irrep for irrep, _ in wanted.paths}
    for count, irrep in space.irreps:
        if irrep not in kinds:
            continue
        axes = (*space.sizes, count, irrep.dim)
        if irrep not in segments:
            raise CompileError(f"no path of {irrep} reaches a mix; it is zero")
        table = _coefficients(build, node, irrep, kept[irrep])
        if node.per:
            labels = tuple(build.use_label(label) for label in node.per)
            shape = build.shapes[table]
            table = build.emit(
                lambda out, t=table, found=labels: ops.Lookup(out, t, found),
                Shape(space.on, shape.axes[len(node.per) :]),
            )
        lead = "N" if node.per else ""
        equation = f"N{ins}PM,{lead}QP{weights}->N{outs}QM"
        parts.append(
            build.emit(
                lambda out, x=segments[irrep], t=table, e=equation: ops.Contract(out, x, t, e), Shape(space.on, axes)
            )
        )
    layout = Layout.full(space).keep(path for path in Layout.full(space).paths if path[0] in kinds)
    return _Value(build.join(parts, space.on, space.sizes), layout)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _coefficients(build: _Lowering, node: nodes.Mix, irrep: Irrep, kept: tuple[int, ...]) -> str:
    """Return the coefficients of a mix for one irrep and the kept paths: (*classes, paths out, paths in, *letters)."""
    sizes = letter_sizes(node)
    classes = tuple(label.classes for label in node.per)
    paths = node.wire.space.irreps.count(irrep)
    letters = node.pattern.letters
    shape = (*classes, node.out_paths, paths, *(sizes[c] for c in letters))
    if isinstance(node.coefficients, Constant):
        tensor = node.coefficients.tensor(irrep)
        full = np.broadcast_to(np.zeros(()) if tensor is None else tensor, shape)
        return build.constant(np.ascontiguousarray(np.take(full, kept, axis=len(classes) + 1)))
    name = f"${node.coefficients.name if isinstance(node.coefficients, Buffer) else node.name}_{irrep}"
    if isinstance(node.coefficients, Tied):
        tied = node.coefficients
        table = build.constant(tied.tensor)
        rename = dict(zip(dict.fromkeys(letters + tied.tensor_letters + tied.weight_letters), _LETTERS, strict=False))
        lead = "ABCDEFGH"[: len(classes) + 2]
        equation = (
            f"{lead}{''.join(rename[c] for c in tied.weight_letters)},{''.join(rename[c] for c in tied.tensor_letters)}"
            f"->{lead}{''.join(rename[c] for c in letters)}"
        )
        name = build.emit(lambda out, n=name: ops.Contract(out, n, table, equation), Shape("", shape))
    if len(kept) != paths:
        axis = -1 - len(letters)
        selected = (*shape[: len(classes) + 1], len(kept), *shape[len(classes) + 2 :])
        name = build.emit(lambda out, n=name: ops.Take(out, n, kept, axis), Shape("", selected))
    return name


def _scale(build: _Lowering, node: nodes.Scale) -> _Value:
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
    return _Value(name, wanted)


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


def _aligned(build: _Lowering, wire: nodes.Wire, wanted: Layout) -> str:
    return build.take(build.values[wire], wanted)


def _add(build: _Lowering, node: nodes.Add) -> _Value:
    wanted = build.live(node)
    names = tuple(_aligned(build, wire, wanted) for _, wire in node.terms)
    names = tuple(build.expand(name, node.space.on) for name in names)
    factors = tuple(factor for factor, _ in node.terms)
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return _Value(build.emit(lambda out: ops.Combine(out, names, factors), shape), wanted)


def _direct_sum(build: _Lowering, node: nodes.DirectSum) -> _Value:
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
    names = tuple(build.expand(_aligned(build, part, mine), node.space.on) for part, mine in pieces)
    stacked = Layout(tuple(shifted))
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    name = names[0] if len(names) == 1 else build.emit(lambda out: ops.Concatenate(out, names), shape)
    return _Value(build.take(_Value(name, stacked), wanted), wanted)


def _select(build: _Lowering, node: nodes.Select) -> _Value:
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
        return _Value(value.name, wanted)
    return _Value(build.emit(lambda out: ops.Take(out, value.name, index), shape), wanted)


def _pull(build: _Lowering, node: nodes.Pull) -> _Value:
    wanted = build.live(node)
    x, index_map = _aligned(build, node.wire, wanted), build.use_map(node.index_map)
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return _Value(build.emit(lambda out: ops.Gather(out, x, index_map), shape), wanted)


def _sum(build: _Lowering, node: nodes.Sum) -> _Value:
    wanted = build.live(node)
    x, index_map = _aligned(build, node.wire, wanted), build.use_map(node.index_map)
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    if node.by is None:
        return _Value(build.emit(lambda out: ops.Scatter(out, x, index_map), shape), wanted)
    label, maps = build.use_label(node.by)
    classes = node.by.classes
    return _Value(build.emit(lambda out: ops.Scatter(out, x, index_map, label, maps, classes), shape), wanted)


def _channels(build: _Lowering, node: nodes.Split | nodes.Merge) -> _Value:
    wanted = build.live(node)
    x = _aligned(build, node.wire, wanted)
    axes = (*node.space.sizes, wanted.dim)
    return _Value(build.emit(lambda out: ops.Reshape(out, x, axes), Shape(node.space.on, axes)), wanted)


def _reorder(build: _Lowering, node: nodes.Reorder) -> _Value:
    wanted = build.live(node)
    x = _aligned(build, node.wire, wanted)
    before = node.pattern.operands[0]
    order = (*(before.index(letter) for letter in node.pattern.result), len(before))
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return _Value(build.emit(lambda out: ops.Transpose(out, x, order), shape), wanted)


def _shuffle(build: _Lowering, node: nodes.Shuffle) -> _Value:
    wanted = build.live(node)
    x = _aligned(build, node.wire, wanted)
    axis = node.axis % len(node.space.channels) - len(node.space.channels) - 1
    shape = Shape(node.space.on, (*node.space.sizes, wanted.dim))
    return _Value(build.emit(lambda out: ops.Take(out, x, node.order, axis), shape), wanted)


def _map(build: _Lowering, node: nodes.Map) -> _Value:
    full = Layout.full(node.space)
    x = _aligned(build, node.wire, full)
    index_map = build.use_map(node.over) if node.over is not None else ""
    channels = len(node.space.channels) if node.function == "layer_norm" else 0
    shape = Shape(node.space.on, (*node.space.sizes, full.dim))
    return _Value(build.emit(lambda out: ops.Function(out, x, node.function, index_map, channels), shape), full)


def _geometry(build: _Lowering, node: nodes.Geometry) -> _Value:
    full = Layout.full(node.space)
    x = _aligned(build, node.wire, Layout.full(node.wire.space))
    shape = Shape(node.space.on, (*node.space.sizes, full.dim))
    make = ops.Geometry("", x, node.function, node.count, node.lengths, node.normalization)
    return _Value(build.emit(lambda out: replace(make, out=out), shape), full)


def _apply(build: _Lowering, node: nodes.Apply) -> _Value:
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
        return _Value(build.emit(lambda out: ops.Expand(out, constant), Shape(CONSTANT_SPACE, (full.dim,))), full)
    name, current, on = build.constant(tensor), letters + tail, node.space.on
    channels = _LETTERS[:width]
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
    return _Value(name, full)


_RULES: dict[type[nodes.Wire], Callable[[_Lowering, nodes.Wire], _Value]] = {  # pyright: ignore[reportAssignmentType]
    nodes.Leg: _leg,
    nodes.Fuse: _fuse,
    nodes.Mix: _mix,
    nodes.Scale: _scale,
    nodes.Add: _add,
    nodes.DirectSum: _direct_sum,
    nodes.Select: _select,
    nodes.Pull: _pull,
    nodes.Sum: _sum,
    nodes.Split: _channels,
    nodes.Merge: _channels,
    nodes.Reorder: _reorder,
    nodes.Shuffle: _shuffle,
    nodes.Map: _map,
    nodes.Geometry: _geometry,
    nodes.Apply: _apply,
}
