"""Lowering of a vertex kind by kind: couplings of the same three irreps with the same factor are carried out together.

The paths of each side are picked one for one, multiplied, and coupled by one small table. One table over all pairs of
components is mostly zeros where a vertex has many paths: four legs 0e+1o+2e+3o in a balanced tree take a thirtieth of
the operations kind by kind.
"""

from __future__ import annotations

import math

from fusion.irreps import Irrep
from fusion.symbols import clebsch_gordan
from fusion_compiler import program as ops
from fusion_compiler.contraction import ROWS
from fusion_compiler.layout import Layout
from fusion_compiler.lowering.builder import LETTERS, Builder, Value
from fusion_compiler.lowering.coupling import ordered, picked_paths
from fusion_compiler.polynomial.nodes import Couple, Coupled
from fusion_compiler.program import Shape
from fusion_compiler.steps import INSTRUCTION, NUMBER, PIECES_GAIN

Kind = tuple[Irrep, Irrep, Irrep, float]


def kinds_of(node: Couple, wanted: Layout) -> dict[Kind, list[Coupled]] | None:
    """Return the terms of every kind, or ``None`` where a path of the result is a sum of several or of none."""
    paths = set(wanted.paths)
    terms = [term for term in node.terms if term.out in paths]
    if len(terms) != len(paths) or len({term.out for term in terms}) != len(paths):
        return None
    found: dict[Kind, list[Coupled]] = {}
    for term in terms:
        found.setdefault((term.left[0], term.right[0], term.out[0], term.factor), []).append(term)
    return found


def gains(kinds: dict[Kind, list[Coupled]], products: int, outs: int, sizes: tuple[int, ...]) -> bool:
    """Whether a vertex costs clearly less kind by kind than as selected products with one table."""
    lead = ROWS * math.prod(sizes)
    whole = lead * (products * (1 + 2 * outs) + NUMBER * (2 * products + outs)) + INSTRUCTION
    work = lead * NUMBER * 2 * outs + 2 * INSTRUCTION
    for (left, right, out, _), terms in kinds.items():
        outer = left.dim * right.dim
        moved = left.dim + right.dim + 2 * outer + out.dim
        work += lead * len(terms) * (outer * (1 + 2 * out.dim) + NUMBER * moved) + 6 * INSTRUCTION
    return work < PIECES_GAIN * whole


def lower_kinds(build: Builder, node: Couple, kinds: dict[Kind, list[Coupled]], wanted: Layout) -> Value:
    """Emit a vertex kind by kind, and bring the components into the order of the result."""
    left, right = build.values[node.left], build.values[node.right]
    on, sizes, letters = node.space.on, node.space.sizes, dict(zip(node.pattern.result, LETTERS, strict=False))
    a, b = ("".join(letters[c] for c in part) for part in node.pattern.operands)
    result = "".join(letters.values())
    left_at, right_at, out_at = left.layout.offsets, right.layout.offsets, wanted.offsets
    parts: list[str] = []
    places: list[int] = []
    for (first, second, out, factor), terms in kinds.items():
        x = picked_paths(build, build.expand(left.name, on), tuple(left_at[t.left] for t in terms), first.dim)
        y = picked_paths(build, build.expand(right.name, on), tuple(right_at[t.right] for t in terms), second.dim)
        table = build.constant(clebsch_gordan(first.l, second.l, out.l) * factor)
        outer = Shape(on, (*sizes, len(terms), first.dim, second.dim))
        equation = f"N{a}TA,N{b}TB->N{result}TAB"
        pairs = build.emit(lambda o, x=x, y=y, e=equation: ops.Contract(o, x, y, e), outer)
        coupled = f"N{result}TAB,ABM->N{result}TM"
        shape = Shape(on, (*sizes, len(terms), out.dim))
        parts.append(build.emit(lambda o, p=pairs, t=table, e=coupled: ops.Contract(o, p, t, e), shape))
        places.extend(out_at[term.out] + m for term in terms for m in range(out.dim))
    order = {place: number for number, place in enumerate(places)}
    return Value(ordered(build, build.join(parts, on, sizes), tuple(order[i] for i in range(wanted.dim))), wanted)
