"""Products in another order: the factors that depend on the same positions meet first.

``(x_a @ y_b) @ (u_a @ v_b)`` ties the positions a and b twice, so that its sum is over pairs; recoupled to
``(x_a @ u_a) @ (y_b @ v_b)`` it is a product of two sums. Trees of one order are combinations of trees of the other
(:mod:`fusion.trees.recoupling`) with all inner labels, so nothing is lost. A scale by one invariant is a vertex, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fusion.diagram import Fuse, Scale, Select, Wire
from fusion.errors import LimitError
from fusion.inference.common import default_pattern
from fusion.pattern import Pattern
from fusion.trees import FusionTree, Shape, left_comb, recoupled
from fusion_compiler.expansion import chosen_pattern
from fusion_compiler.layout import Layout, Path
from fusion_compiler.polynomial.basis import Leg
from fusion_compiler.polynomial.nodes import Couple, Coupled, terms_of
from fusion_compiler.polynomial.realise import Realised

MAX_LEGS = 6
"""Factors of one product at most; of a larger one, the parts are looked at."""
MAX_TREES = 2000
"""Trees of all paths of a product, before and after."""

Sum = dict[FusionTree, float]
"""A path of a wire as a combination of trees."""


def regrouped(node: Wire, deps_of: Callable[[Wire], Sequence[int]], last: Sequence[int]) -> Wire | None:
    """Return a product with the factors that depend on the same positions together.

    Args:
        node: a vertex.
        deps_of: gives the positions on which a wire depends.
        last: positions whose factors come last, because they are not summed over.

    Returns:
        The same value, or ``None`` when the order is that one already, or the product too large.
    """
    reader = _Reader(deps_of)
    letters = "abcdefghijklmnopqrstuvwxyz"[: len(node.space.channels)]
    try:
        paths = reader.read(node, letters)
        shape = _shape([tuple(deps_of(leg.wire)) for leg in reader.legs], last)
        if all(tree.shape == shape for trees in paths.values() for tree in trees):
            return None
        new = {path: _recoupled(trees, shape) for path, trees in paths.items()}
    except LimitError:
        return None
    if isinstance(shape, int) or sum(map(len, new.values())) > MAX_TREES:
        return None
    realised = _Realised((tree for trees in new.values() for tree in trees), reader.legs, letters)
    terms = tuple(
        Coupled(realised.path(tree.branches[0]), realised.path(tree.branches[1]), path, factor)
        for path, trees in new.items()
        for tree, factor in trees.items()
        if tree.branches is not None
    )
    left, right = shape
    pattern = Pattern((realised.operand_letters(left), realised.operand_letters(right)), letters)
    return _scaled(Couple(realised.shape(left), realised.shape(right), pattern, terms, node.space.irreps))


class _Realised(Realised):
    """Nodes for trees, with scales where a vertex only multiplies by an invariant."""

    def shape(self, shape: Shape) -> Wire:
        found = super().shape(shape)
        if isinstance(found, Couple) and not isinstance(shape, int):
            found = self._wires[shape] = _scaled(found)
        return found


def _scaled(node: Couple) -> Wire:
    """Return a vertex with one invariant path on a side as a scale of the other side, when it is one."""
    left, right = node.pattern.operands
    for wire, by, letters, others in ((node.left, node.right, left, right), (node.right, node.left, right, left)):
        if by.space.irreps.paths != 1 or not by.space.invariant or letters not in ("", node.pattern.result):
            continue
        source = {term.out: term.left if wire is node.left else term.right for term in node.terms}
        if len(source) < max(len(node.terms), node.irreps.paths) or any(term.factor != 1.0 for term in node.terms):
            continue
        keep = tuple((irrep, tuple(source[irrep, path][1] for path in range(count))) for count, irrep in node.irreps)
        whole = wire.space.irreps == node.irreps and all(numbers == tuple(range(len(numbers))) for _, numbers in keep)
        return Scale(wire if whole else Select(wire, keep), by, Pattern((letters, others), node.pattern.result))
    return node


def _recoupled(trees: Sum, shape: Shape) -> Sum:
    found: Sum = {}
    for tree, factor in trees.items():
        for other, coefficient in recoupled(tree, shape).items():
            found[other] = found.get(other, 0.0) + factor * coefficient
    return found


def _shape(deps: Sequence[tuple[int, ...]], last: Sequence[int]) -> Shape:
    """Return the shape in which legs with the same positions meet first, those with few positions before others."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for leg, mine in enumerate(deps):
        groups.setdefault(mine, []).append(leg)
    order = sorted(groups, key=lambda mine: (len(mine) > 1, any(p in last for p in mine), len(mine), mine))
    shape: Shape | None = None
    for mine in order:
        part = left_comb(groups[mine])
        shape = part if shape is None else (shape, part)
    return 0 if shape is None else shape


class _Reader:
    """Reads the trees of all paths off a product; its legs are wires of one position at most, and what is opaque."""

    def __init__(self, deps_of: Callable[[Wire], Sequence[int]]) -> None:
        self.deps_of = deps_of
        self.legs: list[Leg] = []

    def read(self, wire: Wire, letters: str) -> dict[Path, Sum]:
        """Return every path of a wire as a combination of trees."""
        if isinstance(wire, Select) and self._divides(wire.wire):
            found, source = self.read(wire.wire, letters), _sources(wire)
            return {path: found[source[path]] for path in Layout.full(wire.space).paths}
        vertex = _vertex(wire) if self._divides(wire) else None
        if vertex is None:
            self.legs.append(Leg(wire, letters))
            if len(self.legs) > MAX_LEGS:
                raise LimitError(f"a product of more than {MAX_LEGS} factors keeps its order")
            number = len(self.legs) - 1
            return {path: {FusionTree(path[0], number, path[1]): 1.0} for path in Layout.full(wire.space).paths}
        left, right, pattern, terms = vertex
        rename = dict(zip(pattern.result, letters, strict=True))
        sides = ["".join(rename[letter] for letter in part) for part in pattern.operands]
        return _joined(terms, self.read(left, sides[0]), self.read(right, sides[1]), wire)

    def _divides(self, wire: Wire) -> bool:
        """Whether the factors of a product may depend on different positions."""
        if isinstance(wire, Select):
            return self._divides(wire.wire)
        vertex = _vertex(wire)
        if vertex is None:
            return False
        mine = self.deps_of(wire)
        sides = vertex[:2]
        return len(mine) > 1 or any(self.deps_of(side) != mine or self._divides(side) for side in sides)


def _joined(terms: Sequence[Coupled], first: dict[Path, Sum], second: dict[Path, Sum], wire: Wire) -> dict[Path, Sum]:
    paths: dict[Path, Sum] = {path: {} for path in Layout.full(wire.space).paths}
    for term in terms:
        mine = paths[term.out]
        for one, f in first[term.left].items():
            for other, g in second[term.right].items():
                tree = FusionTree(term.out[0], left=one, right=other)
                mine[tree] = mine.get(tree, 0.0) + term.factor * f * g
    if sum(map(len, paths.values())) > MAX_TREES:
        raise LimitError(f"a product of more than {MAX_TREES} trees keeps its order")
    return paths


def _vertex(wire: Wire) -> tuple[Wire, Wire, Pattern, Sequence[Coupled]] | None:
    """Return the operands, pattern and couplings of a vertex that carries all channels along."""
    if isinstance(wire, Couple):
        return wire.left, wire.right, wire.pattern, wire.terms
    if isinstance(wire, Fuse) and not wire.weighted:
        found = wire.left, wire.right, chosen_pattern(wire), terms_of(wire)
    elif isinstance(wire, Scale) and wire.by.space.irreps.paths == 1:
        pattern = wire.pattern or default_pattern(wire.wire.space, wire.by.space)
        if pattern is None:
            return None
        (by,) = Layout.full(wire.by.space).paths
        terms = [Coupled(path, by, path) for path in Layout.full(wire.wire.space).paths]
        found = wire.wire, wire.by, pattern, terms
    else:
        return None
    return found if set("".join(found[2].operands)) == set(found[2].result) else None


def _sources(wire: Select) -> dict[Path, Path]:
    """Return the path of the wire that each path of a selection is."""
    keep = dict(wire.keep)
    return {
        (irrep, path): (irrep, path if (numbers := keep[irrep]) is None else numbers[path])
        for irrep, path in Layout.full(wire.space).paths
    }
