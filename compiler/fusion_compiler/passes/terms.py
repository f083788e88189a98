"""Values over tuples of neighbours, each kept on the smallest index space that it depends on.

A sum over neighbour tuples is over *positions*: numbers, each of which runs over the rows of the source of one map (the
*base*) with one image, independently of the others. A value that depends on no position lives on the target of the
base, one that depends on a single position on its source, and one that depends on d of them on the space of d-tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fusion.diagram import Label, Pull, Sum, Wire
from fusion.index import CONSTANT_SPACE, IndexMap, tuples
from fusion.node import Node
from fusion.rebuild import rebuild
from fusion_compiler.errors import InternalError

Positions = tuple[int, ...]
"""Positions in the order in which they stand in the tuples of the space where a value is built."""


def lift(base: IndexMap, deps: Positions, at: Positions) -> tuple[IndexMap, ...]:
    """Return the maps along which a value on the space of ``deps`` (one at most) is pulled to that of ``at``."""
    if deps == at:
        return ()
    if len(deps) > 1:
        raise InternalError("a value on tuples has no map to longer tuples", f"{deps} to {at}")
    if len(at) == 1:
        return (base,)
    place = tuples(base, len(at))[at.index(deps[0]) if deps else 0]
    return (place,) if deps else (base, place)


@dataclass(eq=False)
class Term:
    """A value that depends on the positions ``deps``; :meth:`build` makes its wire on the space of some positions.

    Attributes:
        base: the map whose images the tuples share.
        deps: at most one position, or those of the space on which the value was declared, in their order there.
        make: returns the wire on the space of given positions, ``deps`` or more.
        constant: whether the wire has one row for all, so that it goes with every space.
    """

    base: IndexMap
    deps: Positions
    make: Callable[[Positions], Wire]
    constant: bool = False
    built: dict[Positions, Wire] = field(default_factory=dict[Positions, Wire])

    def build(self, at: Positions) -> Wire:
        """Return the value on the space of the positions ``at``; few rows are made many as late as possible."""
        if at not in self.built:
            if self.constant or len(self.deps) > 1 or at == self.deps:
                wire = self.make(at)
            else:
                wire = self.build(self.deps)
                for step in lift(self.base, self.deps, at):
                    wire = Pull(wire, step)
            self.built[at] = wire
        return self.built[at]


def leaf(base: IndexMap, wire: Wire, deps: Positions) -> Term:
    """Return a wire of the diagram as a term; it stands on the space of ``deps`` already."""
    constant = wire.space.on == CONSTANT_SPACE

    def make(at: Positions) -> Wire:
        if at != deps and not constant:
            raise InternalError("a wire on tuples is wanted on other tuples", f"{wire} at {at}")
        return wire

    return Term(base, deps, make, constant)


def operation(
    base: IndexMap,
    node: Wire,
    deps: Positions,
    wires: Mapping[Wire, Term],
    labels: Mapping[Label, tuple[Label, Positions]],
) -> Term:
    """Return a node that acts on every row by itself, with other inputs: ``labels`` as they stand on their ``deps``."""

    def make(at: Positions) -> Wire:
        new: dict[Node, Node] = {child: term.build(at) for child, term in wires.items()}
        for child, (label, where) in labels.items():
            pulled = label
            for step in lift(base, where, at):
                pulled = pulled.pull(step)
            new[child] = pulled
        made = rebuild(node, new)
        if not isinstance(made, Wire):
            raise InternalError("a wire was rebuilt as something else", str(node))
        return made

    return Term(base, deps, make)


def total(term: Term, over: frozenset[int]) -> Term:
    """Return the sum of a term over some of its positions, all but one at least."""
    base, left = term.base, tuple(position for position in term.deps if position not in over)

    def make(at: Positions) -> Wire:
        wire = term.build(term.deps)
        if len(term.deps) > 1:
            wire = Sum(wire, tuples(base, len(term.deps))[term.deps.index(left[0]) if left else 0])
        return wire if left else Sum(wire, base)

    return Term(base, left, make)


def repeated(term: Term, times: int) -> Term:
    """Return the sum of a term over ``times`` positions that it does not depend on: itself, times their numbers."""
    base = term.base
    if not times:
        return term

    def make(at: Positions) -> Wire:
        wire, step = term.build(at), tuples(base)[0] if at else base
        for _ in range(times):
            wire = Sum(Pull(wire, step), step)
        return wire

    return Term(base, term.deps, make)
