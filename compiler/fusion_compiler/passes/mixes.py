"""mixes: weights pass through a vertex when that is cheaper.

All trees that share their last vertex are weighted before it: ``sum_k w_k [X_k Y]_L = [(sum_k w_k X_k) Y]_L`` for trees
X_k of one irrep, or of those on the right. The weighted sum of the X_k is one of trees itself, and may be moved on.
Where Y has no channels, weights that mix channels pass, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from fusion.diagram import Add, Diagram, DirectSum, Mix, Wire
from fusion.irreps import Irrep
from fusion.pattern import Pattern
from fusion.trees import FusionTree, Shape
from fusion_compiler.layout import Path
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.polynomial.nodes import Couple, Coupled, Moved, Recombine, Weigh
from fusion_compiler.polynomial.realise import Realised, counted
from fusion_compiler.polynomial.sharing import vertex_counts
from fusion_compiler.polynomial.weighted import Target, Weighted, weighted_of


@dataclass(frozen=True, slots=True)
class Vertex:
    """A last vertex: what enters beside the weights, the irrep that has them, and the target it adds to."""

    target: int
    beside: FusionTree
    irrep: Irrep


T = TypeVar("T")
Vertices = dict[Vertex, list[FusionTree]]
"""The trees of each last vertex."""


def mixes(diagram: Diagram) -> Diagram:
    """Return the diagram with weights moved in front of vertices, again and again, wherever that costs less."""
    while True:
        following = rewritten(diagram, moved)
        if following is diagram:
            return diagram
        diagram = following


def moved(node: Mix | Weigh) -> Wire | None:
    """Return a weighted sum with weights in front of the last vertices that gain, or ``None`` where none does."""
    found = weighted_of(node)
    if found is None or found.order < 2:
        return None
    channels = Numbers.of(found)
    sides: list[tuple[int, Vertices]] = []
    for side in (0, 1):
        every = {
            key: (gain(found.targets[key.target], key, trees, channels), trees)
            for key, trees in last_vertices(found, side).items()
        }
        gaining = {key: trees for key, (gained, trees) in every.items() if gained > 0}
        sides.append((sum(every[key][0] for key in gaining), gaining))
    side = int(sides[1][0] > sides[0][0])
    return _moved(found, sides[side][1], side) if sides[side][1] else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of channels of the trees and of their weighted sum, and of products of both that a mix forms."""

    trees: int
    result: int
    weights: int

    @classmethod
    def of(cls, found: Weighted) -> Numbers:
        """Return the numbers of a weighted sum."""
        (own,), result = found.pattern.operands, found.pattern.result
        sizes = {
            letter: size for leg in found.legs for letter, size in zip(leg.letters, leg.wire.space.sizes, strict=True)
        }
        every = dict(found.sizes) | {name: sizes[letter] for name, letter in zip(own, found.letters, strict=True)}
        counts = (
            math.prod(every[letter] for letter in letters) for letters in (own, result, dict.fromkeys(own + result))
        )
        return cls(*counts)


def last_vertices(found: Weighted, side: int) -> Vertices:
    """Return the last vertices of a weighted sum at which the branch of one side, 0 for left, carries all channels.

    Where weights mix channels, the other branch must have none.
    """
    letters = Realised((), found.legs, found.letters)
    grouped: Vertices = {}
    for number, target in enumerate(found.targets):
        for tree in target.trees:
            if tree.branches is None:
                continue
            inside, beside = tree.branches[side], tree.branches[1 - side]
            all_inside = letters.operand_letters(inside.shape) == found.letters
            if all_inside and (found.diagonal or not letters.operand_letters(beside.shape)):
                grouped.setdefault(Vertex(number, beside, inside.irrep), []).append(tree)
    return grouped


def gain(target: Target, vertex: Vertex, trees: list[FusionTree], channels: Numbers) -> int:
    """Return what weights in front of the vertex save: a multiplication counts one, as does a coupled product."""
    paths, irrep = len(target.picks), target.irrep
    products = sum(vertex_counts(vertex.irrep.l, vertex.beside.irrep.l, (irrep.l,), square=False))
    after = len(trees) * (channels.trees * products + channels.weights * paths * irrep.dim)
    before = paths * (channels.weights * len(trees) * vertex.irrep.dim + channels.result * products)
    return after - before


def _moved(found: Weighted, vertices: Vertices, side: int) -> Wire:
    """Return the sum with the weights of these vertices in front of them, on one side."""
    realised = Realised((tree for target in found.targets for tree in target.trees), found.legs, found.letters)
    inner: list[Target] = []
    places: dict[Vertex, list[Path]] = {}
    counts: dict[Irrep, int] = {}
    numbers = [{tree: row for row, tree in enumerate(target.trees)} for target in found.targets]
    for vertex, trees in vertices.items():
        target = found.targets[vertex.target]
        rows = [numbers[vertex.target][tree] for tree in trees]
        inside = tuple(tree.branches[side] for tree in trees if tree.branches is not None)
        inner.append(replace(target, irrep=vertex.irrep, trees=inside, matrix=target.matrix[rows]))
        start = counts.get(vertex.irrep, 0)
        counts[vertex.irrep] = start + len(target.picks)
        places[vertex] = [(vertex.irrep, start + number) for number in range(len(target.picks))]
    weighed = found.weigh(realised, inner)
    outs = _outs(found)
    parts: list[tuple[Wire, list[Path]]] = []
    for shape in dict.fromkeys(vertex.beside.shape for vertex in vertices):
        mine = {vertex: places[vertex] for vertex in vertices if vertex.beside.shape == shape}
        parts.append(_vertex(found, realised, (weighed, side), shape, mine, outs))
    taken = {(vertex.target, tree) for vertex, trees in vertices.items() for tree in trees}
    rest: list[Target] = []
    order: list[Path] = []
    for number, target in enumerate(found.targets):
        rows = [row for row, tree in enumerate(target.trees) if (number, tree) not in taken]
        if rows:
            rest.append(replace(target, trees=tuple(target.trees[row] for row in rows), matrix=target.matrix[rows]))
            order.extend(outs[number])
    if rest:
        parts.append((found.weigh(realised, rest), order))
    return _added(parts)


def _outs(found: Weighted) -> list[list[Path]]:
    """Return the paths of the result that each target gives."""
    counts: dict[Irrep, int] = {}
    outs: list[list[Path]] = []
    for target in found.targets:
        start = counts.get(target.irrep, 0)
        counts[target.irrep] = start + len(target.picks)
        outs.append([(target.irrep, start + number) for number in range(len(target.picks))])
    return outs


def _vertex(
    found: Weighted,
    realised: Realised,
    weighed: tuple[Weigh, int],
    shape: Shape,
    places: Mapping[Vertex, list[Path]],
    outs: list[list[Path]],
) -> tuple[Wire, list[Path]]:
    """Return the vertices with one shape beside the weighed wire, and the paths of the whole result they add to."""
    order = list(dict.fromkeys(path for vertex in places for path in outs[vertex.target]))
    number = numbered_paths(order)
    wire, side = weighed

    def turned(first: T, second: T) -> tuple[T, T]:
        return (second, first) if side else (first, second)

    terms = tuple(
        Coupled(*turned(inside, realised.path(vertex.beside)), number[out])
        for vertex, insides in places.items()
        for inside, out in zip(insides, outs[vertex.target], strict=True)
    )
    own = found.letters if found.diagonal else found.pattern.result
    pattern = Pattern(turned(own, realised.operand_letters(shape)), own)
    wires = turned(wire, realised.shape(shape))
    return Couple(*wires, pattern, terms, counted(number.values())), order


def numbered_paths(order: list[Path]) -> dict[Path, Path]:
    """Number paths anew from 0 in each irrep, in the given order."""
    counts: dict[Irrep, int] = {}
    found: dict[Path, Path] = {}
    for path in order:
        found[path] = (path[0], counts.get(path[0], 0))
        counts[path[0]] = found[path][1] + 1
    return found


def _added(parts: list[tuple[Wire, list[Path]]]) -> Wire:
    """Return the sum of wires, each of which gives the listed paths of the result in its own order."""
    if len({tuple(order) for _, order in parts}) == 1 and len(parts) > 1:
        (wire, order), *more = parts
        parts = [(Add(tuple((1.0, other) for other in (wire, *(found for found, _ in more)))), order)]
    if len(parts) == 1:
        wire, order = parts[0]
        terms = tuple(Moved(path, out) for out, path in numbered_paths(order).items())
        straight = all(term.path == term.out for term in terms)
        return wire if straight else Recombine(wire, terms, counted(order))
    start: dict[Irrep, int] = {}
    terms_: list[Moved] = []
    for wire, order in parts:
        for out, (irrep, path) in numbered_paths(order).items():
            terms_.append(Moved((irrep, path + start.get(irrep, 0)), out))
        for count, irrep in wire.space.irreps:
            start[irrep] = start.get(irrep, 0) + count
    outs = [term.out for term in terms_]
    return Recombine(DirectSum(tuple(wire for wire, _ in parts)), tuple(terms_), counted(outs))
