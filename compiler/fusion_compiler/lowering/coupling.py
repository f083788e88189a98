"""Lowering of fuses: coupling tables over the kept components, and the steps of every contraction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusion import diagram as nodes
from fusion.couplings import fuse_paths
from fusion.symbols import clebsch_gordan
from fusion_compiler import program as ops
from fusion_compiler.contraction import Pair
from fusion_compiler.layout import Layout, Path
from fusion_compiler.lowering.builder import Builder, Value
from fusion_compiler.passes.prune import numbered
from fusion_compiler.plan import ContractionPlan
from fusion_compiler.program import Shape

PRODUCT_GAIN = 0.8
"""Selected products replace an outer product when they need less than this fraction of its terms."""


def lower_fuse(build: Builder, node: nodes.Fuse) -> Value:
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
    return Value(_run(build, plan), dict(plan.layouts)[node])


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


def _run(build: Builder, plan: ContractionPlan) -> str:
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

    def __init__(self, build: Builder, plan: ContractionPlan) -> None:
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
