"""The canonical form of a diagram: its digest, and the map of its coefficients to the canonical ones.

Two diagrams share a digest when an invertible map of their coefficients makes them equal under exchange of the legs of
their vertices (identity I1) and, when asked, under recoupling (I2) as well. Signs count: where no coefficient can take
up a sign, diagrams that differ by one have different digests. What is compared are the functions of all single paths
(:mod:`fusion.equality.terms`), so that names of coefficients, the order of what a learned map takes in, and the order
of direct sums before one make no difference either.

The maps of coefficients are: signs on paths out; on paths in, any invertible matrix; names; the order of the channel
letters of a weighted fuse. Scaling a path out is none of them, so ``2 * x.mix(...)`` differs from ``x.mix(...)``.
Fitted buffers count as coefficients. Constants are compared to ten digits.

Equal digests always come with a map that makes the diagrams equal. The converse fails in corners: many sets of
coefficients that uses cannot tell apart (``MAX_COLOURINGS``), both ``a + p`` and ``a - p`` with a learned ``p`` as the
two branches of one vertex, label classes in another order, an odd function of what is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from fusion.diagram import Diagram, Wire
from fusion.equality.colours import Colours, colourings
from fusion.equality.paths import Definition, Paths, Piece, pieces_of
from fusion.equality.signs import Signs
from fusion.equality.spans import Span, span
from fusion.equality.terms import FIXED, Terms, digest, digits
from fusion.equality.weights import Tensor, WeightMap, WeightPart
from fusion.parameters import parameters
from fusion.validate import check

MAX_COLOURINGS = 32
"""Most ways of numbering coefficients that uses cannot tell apart; beyond it the first ones stand for all."""


@dataclass(frozen=True)
class Canonical:
    """The canonical form of a diagram.

    Attributes:
        digest: SHA-256 in hexadecimal.
        weight_map: from the coefficients of the diagram to the canonical ones, called ``w1``, ``w2``, ...
        recoupled: whether diagrams that differ by recoupling share the digest, too.
    """

    digest: str
    weight_map: WeightMap
    recoupled: bool


def canonical(value: Wire | Diagram, recouple: bool = False) -> Canonical:
    """Return the canonical form of a diagram, under exchange or also under recoupling.

    Raises:
        DiagramError: the diagram is not legal.
        LimitError: with ``recouple``, a tree of fuses has too many legs, or too many products or orders of them.
    """
    check(value)
    diagram = Diagram.of(value)
    known = pieces_of(parameters(diagram))
    tried = islice(colourings(diagram, known, recouple), MAX_COLOURINGS)
    return min((_form(diagram, known, recouple, colours) for colours in tried), key=lambda form: form.digest)


def equivalence(first: Wire | Diagram, second: Wire | Diagram, recouple: bool = False) -> WeightMap | None:
    """Return the map from the coefficients of one diagram to those of an equal one, or ``None`` when they differ.

    Raises:
        DiagramError: a diagram is not legal.
        LimitError: with ``recouple``, a tree of fuses has too many legs.
    """
    one, other = canonical(first, recouple), canonical(second, recouple)
    return one.weight_map.then(other.weight_map.inverse()) if one.digest == other.digest else None


def _form(diagram: Diagram, known: tuple[Piece, ...], recouple: bool, colours: Colours) -> Canonical:
    order = sorted(colours, key=lambda number: colours[number])
    names = {number: f"w{place}" for place, number in enumerate(order, 1)}
    terms = Terms(names, recouple, settled=True)
    paths = Paths(diagram, known, terms)
    spans = {number: _span(terms, paths.definitions[number]) for number in order}
    signs = Signs()
    text: list[object] = []
    visited = _visited(terms, diagram, paths, [(number, spans[number][0]) for number in order])
    at = {number: place for place, number in enumerate(visited)}
    for name, wire in sorted(diagram.outputs):
        text.append((name, str(wire.space.irreps), str(wire.space.sizes), wire.space.on))
        for irrep in wire.space.irreps.kinds():
            for path in paths.values[wire][irrep]:
                items = terms.sorted(path)
                text.append([(at[term], coefficient) for term, coefficient in items])
                for term, coefficient in items:
                    signs.place(coefficient < 0, terms[term].sign)
    for number in visited:
        term = terms[number]
        text.append((term.key, [at[child] for child in term.children]))
        if term.kind == "combination" or (term.kind == "function" and term.facts[-1] == 0):
            own = term.sign if term.kind == "combination" else FIXED
            for child, coefficient in zip(term.children, term.coefficients, strict=True):
                signs.place(coefficient < 0, terms[child].sign ^ own)
    for number in order:
        columns, found = spans[number]
        text.append((names[number], paths.definitions[number].facts, [at[column] for column in columns]))
        text.append([[digits(value) for value in row] for row in found.basis.tolist()])
        for row, pivot in zip(found.basis, found.pivots, strict=False):
            for place, value in enumerate(row.tolist()):
                if value and place != pivot:
                    signs.place(value < 0, terms[columns[place]].sign ^ terms[columns[pivot]].sign)
    parts = tuple(
        _part(known[number], names[number], paths.definitions[number], terms, *spans[number], signs, number)
        for number in order
    )
    return Canonical(
        digest("recoupled" if recouple else "exchanged", text, list(map(int, signs.seen))), WeightMap(parts), recouple
    )


def _visited(terms: Terms, diagram: Diagram, paths: Paths, columns: list[tuple[int, list[int]]]) -> list[int]:
    """Return the terms in the order in which outputs, then learned maps, first come to them."""
    starts = [
        term
        for _, wire in sorted(diagram.outputs)
        for irrep in wire.space.irreps.kinds()
        for path in paths.values[wire][irrep]
        for term, _ in terms.sorted(path)
    ]
    starts += [column for _, own in columns for column in own]
    found: dict[int, None] = {}
    waiting = starts[::-1]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found[number] = None
            waiting.extend(reversed(terms[number].children))
    return list(found)


def _span(terms: Terms, definition: Definition) -> tuple[list[int], Span]:
    columns = [
        term for term, _ in terms.sorted({term: 1.0 for row in definition.rows for term, _ in terms.sorted(row)})
    ]
    place = {term: number for number, term in enumerate(columns)}
    rows = np.zeros((len(definition.rows), len(columns)))
    for number, row in enumerate(definition.rows):
        for term, coefficient in terms.sorted(row):
            rows[number, place[term]] = coefficient
    return columns, span(rows)


def _part(
    piece: Piece,
    target: str,
    definition: Definition,
    terms: Terms,
    columns: list[int],
    found: Span,
    signs: Signs,
    number: int,
) -> WeightPart:
    turned = np.ones(len(definition.rows))
    for row, pivot in enumerate(found.pivots):
        turned[row] = -1.0 if signs.negative(terms[columns[pivot]].sign) else 1.0
    parameter, place = piece.parameter, piece.parameter.letters.index("p")
    shape = parameter.shape
    if piece.path is not None:  # one path by itself: a map of one path to one
        shape = (*shape[:place], 1, 1, *shape[place + 1 :])
        place += 1
    outs = shape[place - 1] if "q" in parameter.letters or piece.path is not None else 1
    free = [-1.0 if signs.negative(frozenset({("slot", number, path)})) else 1.0 for path in range(outs)]
    axes = tuple(range(len(shape)))
    if definition.letters is not None:
        axes = (*axes[: place + 1], *(place + 1 + letter for letter in definition.letters))
    source = Tensor(parameter.name, parameter.shape, piece.path, place)
    plain = Tensor(target, tuple(shape[axis] for axis in axes), None, place)
    return WeightPart(source, plain, tuple(free), found.change * turned, axes)
