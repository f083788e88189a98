"""The rewrite behind ``distribute``: a sum over tuples of neighbours, taken over the factors that depend on them.

Every node below the sum that acts on each row by itself is looked at as a function of the positions of the tuple. Sums
move inwards: past a linear node into its input, past a product into the factor that alone depends on the position, past
an addition into every term. A sum over a position that two factors depend on, or that goes into a function, stays in
front of just that node. A scale by one invariant moves into the factor that depends on all that the scale does. A
product whose sum is left in front of it may be put into another order (:mod:`fusion_compiler.passes.regroup`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from fusion.diagram import (
    Add,
    Apply,
    DirectSum,
    Fuse,
    Geometry,
    Label,
    Map,
    Merge,
    Mix,
    Power,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
)
from fusion.index import CONSTANT_SPACE, IndexMap, tuples
from fusion.inference.common import default_pattern
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.rebuild import rebuild
from fusion_compiler.expansion import chosen_pattern
from fusion_compiler.passes.regroup import regrouped
from fusion_compiler.passes.terms import Positions, Term, leaf, operation, repeated, total
from fusion_compiler.polynomial.nodes import Couple

Over = frozenset[int]
Pushed = tuple[Term, Over]
"""A term, and the positions over which its sum is still to be taken."""
NONE: Over = frozenset()
NEVER = 100
"""More positions than a tuple has: no product takes another order."""

_LINEAR = Mix | Select | Split | Merge | Reorder | Shuffle
_SUMS = Add | DirectSum
_PRODUCTS = Fuse | Couple | Scale | Apply
_FUNCTIONS = Map | Geometry | Power


def tuple_base(index_map: IndexMap, known: Mapping[str, IndexMap]) -> tuple[IndexMap, int, int] | None:
    """Return ``(base, order, position)`` of a map from tuples of neighbours; any other map is its own base, order one.

    ``None`` when the base is not among the ``known`` maps.
    """
    if index_map.derived is None:
        return index_map, 1, 0
    name, order, position = index_map.derived
    base = known.get(name)
    return None if base is None or base.source != index_map.target else (base, order, position)


class Distribution:
    """The rewrite of one sum.

    Attributes:
        base: the map whose images the tuples share.
        new: the rewritten form of the wires that it starts from.
        regroup: on how many positions a product has to depend, when all sums inside it are taken and one is left, to
            take another order. With 2 only sums over tuples are avoided; with 1 all factors leave sums over others.
    """

    def __init__(self, base: IndexMap, new: Mapping[Node, Node], regroup: int = NEVER) -> None:
        self.base = base
        self.new = new
        self.regroup = regroup
        self.regrouped: set[Node] = set()
        self.fresh = count()
        self.found: dict[tuple[Node, Positions, Over], Pushed] = {}
        self.outer: Positions = ()

    def sum(self, node: Sum, order: int, position: int) -> Wire:
        """Return the sum, taken over the factors that depend on it; ``order``, ``position``: see :func:`tuple_base`."""
        frame = tuple(next(self.fresh) for _ in range(order))
        self.outer = frame if order == 1 else ()
        kept = (frame[position],) if node.index_map != self.base else ()
        return self.over(node.wire, frame, frozenset(frame).difference(kept)).build(kept)

    def over(self, node: Wire, frame: Positions, over: Over) -> Term:
        """Return the sum of a wire over all of ``over``, of which it leaves at most one position of its frame."""
        inside = over.intersection(self.term(node, frame).deps)
        term, _ = self.push(node, frame, inside)
        return repeated(term, len(over - inside))

    def term(self, node: Wire, frame: Positions) -> Term:
        """Return a wire as it is, without any sum."""
        return self.push(node, frame, NONE)[0]

    def push(self, node: Wire, frame: Positions, over: Over) -> Pushed:
        """Return the sum of a wire over positions it depends on, as far as it can be taken here or further inside.

        Args:
            node: a wire on the target of the base, on its source, or on tuples of its rows.
            frame: no position, one, or those of the tuple.
            over: positions to sum over.
        """
        key = (node, frame, over)
        if key not in self.found:
            term, left = self._push(node, frame, over)
            if left and len(left.symmetric_difference(term.deps)) <= 1:
                term, left = total(term, left), NONE
            self.found[key] = term, left
        return self.found[key]

    def _push(self, node: Wire, frame: Positions, over: Over) -> Pushed:
        if node.space.on == CONSTANT_SPACE or not frame:
            return leaf(self.base, self._rewritten(node), ()), over
        if isinstance(node, Pull):
            below = self._below(node.index_map, frame)
            return (self._opaque(node, frame), over) if below is None else self.push(node.wire, below, over)
        if isinstance(node, Sum):
            return self._nested(node, frame, over)
        if isinstance(node, Scale):
            node = self._scale_inside(node, frame, over)
        if isinstance(node, _LINEAR):
            labels = self._labels(node, frame)
            free = over.difference(*(deps for _, deps in labels.values()))
            term, left = self.push(node.wire, frame, free)
            return self._operation(node, frame, {node.wire: term}), left | (over - free)
        if isinstance(node, _SUMS):
            return self._addition(node, frame, over)
        if isinstance(node, _PRODUCTS):
            return self._product(node, frame, over)
        if isinstance(node, _FUNCTIONS) and not (isinstance(node, Map) and node.over is not None):
            wires = {wire: self.term(wire, frame) for wire in _wires(node)}
            return self._operation(node, frame, wires), over
        return self._opaque(node, frame), over

    def _rewritten(self, node: Wire) -> Wire:
        """Return what has become of a wire; one that regrouping has made is built from what its inputs have become."""
        found = self.new.get(node)
        if found is None:
            found = rebuild(node, {child: self._current(child) for child in node.inputs})
        return found if isinstance(found, Wire) else node

    def _current(self, node: Node) -> Node:
        return self._rewritten(node) if isinstance(node, Wire) else self.new.get(node, node)

    def _opaque(self, node: Wire, frame: Positions) -> Term:
        """A wire whose inside is not looked at: it depends on every position of its frame."""
        return leaf(self.base, self._rewritten(node), frame)

    def _below(self, index_map: IndexMap, frame: Positions) -> Positions | None:
        """Return the frame of the target of a map, or ``None`` when it is no map of the tuples."""
        if len(frame) == 1:
            return () if index_map == self.base else None
        maps = tuples(self.base, len(frame))
        return (frame[maps.index(index_map)],) if index_map in maps else None

    def _labels(self, node: Wire, frame: Positions) -> dict[Label, tuple[Label, Positions]]:
        """Return every label of a node on the smallest space, with the positions of it."""
        found: dict[Label, tuple[Label, Positions]] = {}
        for label in node.inputs:
            if isinstance(label, Label):
                short, deps = label, frame
                while short.maps and deps and (below := self._below(short.maps[-1], deps)) is not None:
                    short, deps = replace(short, maps=short.maps[:-1]), below
                found[label] = short, deps
        return found

    def _operation(self, node: Wire, frame: Positions, wires: Mapping[Wire, Term]) -> Term:
        labels = self._labels(node, frame)
        every = {position for term in wires.values() for position in term.deps}
        every.update(position for _, deps in labels.values() for position in deps)
        return operation(self.base, node, tuple(p for p in frame if p in every), wires, labels)

    def _nested(self, node: Sum, frame: Positions, over: Over) -> Pushed:
        """A sum from tuples to one of their rows, inside the sum over that row: all positions are looked at together.

        Sums further inside are left as they are (they are rewritten by themselves), or tuples of tuples would double
        the work with every layer.
        """
        derived = node.index_map.derived
        if derived is None or frame != self.outer or not over or node.by is not None or derived[0] != self.base.name:
            return self._opaque(node, frame), over
        _, order, position = derived
        rest = [next(self.fresh) for _ in range(order - 1)]
        inner = (*rest[:position], frame[0], *rest[position:])
        return self.over(node.wire, inner, frozenset(inner)), NONE

    def _addition(self, node: Add | DirectSum, frame: Positions, over: Over) -> Pushed:
        """Take the sums of all terms that every term can take; a term is repeated for positions it does not have."""
        wires = _wires(node)
        plain = {wire: self.term(wire, frame) for wire in wires}
        pushed = {wire: self.push(wire, frame, over.intersection(plain[wire].deps)) for wire in wires}
        left = NONE.union(*(rest for _, rest in pushed.values()))
        if left:  # some term keeps these outside, so that all have to
            term, more = self._addition(node, frame, over - left)
            return term, more | left
        lacking = {wire: len(over.difference(plain[wire].deps)) for wire in wires}
        if any(lacking[wire] and (plain[wire].constant or len(pushed[wire][0].deps) > 1) for wire in wires):
            return self._operation(node, frame, plain), over
        return self._operation(node, frame, {wire: repeated(pushed[wire][0], lacking[wire]) for wire in wires}), NONE

    def _product(self, node: Fuse | Couple | Scale | Apply, frame: Positions, over: Over) -> Pushed:
        """Take each sum over the one factor that depends on it; sums that several factors share stay outside."""
        term, left = self._factors(node, frame, over)
        if not left or len(term.deps) < self.regroup or node in self.regrouped:
            return term, left
        kept = [position for position in frame if position not in over]
        other = regrouped(node, lambda wire: self.term(wire, frame).deps, kept)
        if other is None:
            return term, left
        self.regrouped.add(other)
        return self.push(other, frame, over)

    def _factors(self, node: Fuse | Couple | Scale | Apply, frame: Positions, over: Over) -> Pushed:
        slots = [node.left, node.right] if isinstance(node, Fuse | Couple) else []
        slots = [node.wire, node.by] if isinstance(node, Scale) else slots
        slots = [wire for _, wire in node.wires] if isinstance(node, Apply) else slots
        deps = [set(self.term(wire, frame).deps) for wire in slots]
        alone = {p: [wire for wire, mine in zip(slots, deps, strict=True) if p in mine] for p in over}
        left = {p for p, users in alone.items() if len(users) != 1}
        wires: dict[Wire, Term] = {}
        for wire in dict.fromkeys(slots):
            own = frozenset(p for p, users in alone.items() if users == [wire])
            wires[wire], rest = self.push(wire, frame, own)
            left |= rest
        return self._operation(node, frame, wires), frozenset(left)

    def _scale_inside(self, node: Scale, frame: Positions, over: Over) -> Wire:
        """Return a scale as a scale of the factor that it goes with, when that frees the other one; else unchanged."""
        shared = over.intersection(self.term(node.by, frame).deps, self.term(node.wire, frame).deps)
        if not shared or node.by.space.irreps.paths != 1:
            return node
        wire, bare = node.wire, not node.by.space.channels
        if isinstance(wire, Fuse):
            return self._factor_scaled(node, wire, frame)
        # A scale without channels passes every linear node; with channels, those that keep the channels.
        passes = isinstance(wire, _LINEAR | Scale) if bare else isinstance(wire, Select)
        if isinstance(wire, _LINEAR | Scale) and (passes or (isinstance(wire, Scale) and wire.wire.space.channels)):
            inner = Scale(wire.wire, node.by, None if bare else node.pattern)
            moved = self._scale_inside(inner, frame, over)
            return node if moved == inner else replace(wire, wire=moved)
        return node

    def _factor_scaled(self, node: Scale, fuse: Fuse, frame: Positions) -> Wire:
        """Return the scale of a fuse as a fuse of a scaled factor, one with all positions of the scale but not all."""
        deps = set(self.term(node.by, frame).deps)
        every = self.term(fuse, frame).deps
        sides = sorted(
            (len(self.term(wire, frame).deps), side)
            for side, wire in (("left", fuse.left), ("right", fuse.right))
            if deps.issubset(self.term(wire, frame).deps) and len(self.term(wire, frame).deps) < len(every)
        )
        for _, side in sides:
            operand = chosen_pattern(fuse).operands[0 if side == "left" else 1]
            wire = fuse.left if side == "left" else fuse.right
            pattern = _pattern_inside(node, chosen_pattern(fuse).result, operand)
            if pattern is not None:
                return replace(fuse, **{side: Scale(wire, node.by, pattern)})
        return node


def _wires(node: Wire) -> list[Wire]:
    return [child for child in dict.fromkeys(node.inputs) if isinstance(child, Wire)]


def _pattern_inside(node: Scale, result: str, operand: str) -> Pattern | None:
    """Return the pattern of a scale of one factor (``operand``) of a fuse that the scale acted on (``result``).

    ``None`` when the factor does not have the axes that the scale acts on.
    """
    outer = node.pattern or default_pattern(node.wire.space, node.by.space)
    if outer is None:
        return None
    if not outer.operands[1]:
        return Pattern((operand, ""), operand)
    if len(outer.result) != len(result):  # the scale brings channels of its own
        return None
    letters = dict(zip(outer.result, result, strict=True))
    by = "".join(letters[letter] for letter in outer.operands[1])
    return Pattern((operand, by), operand) if outer.operands[0] and set(by) <= set(operand) else None
