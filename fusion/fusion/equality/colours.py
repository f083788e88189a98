"""Telling sets of coefficients apart by what they are and how they are used, not by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fusion.diagram import Diagram
from fusion.equality.paths import Paths, Piece
from fusion.equality.terms import Combination, Terms, digest, digits

Colours = dict[int, str]


def colourings(diagram: Diagram, pieces: Sequence[Piece], recouple: bool) -> Iterator[Colours]:
    """Yield colours that all differ. Where uses cannot tell sets of coefficients apart, one is singled out in turn.

    The first colouring is canonical whenever such sets can be exchanged for one another, as parallel heads can.
    """
    yield from _split(diagram, pieces, recouple, dict.fromkeys(range(len(pieces)), ""))


def _split(diagram: Diagram, pieces: Sequence[Piece], recouple: bool, colours: Colours) -> Iterator[Colours]:
    colours = _refined(diagram, pieces, recouple, colours)
    cells: dict[str, list[int]] = {}
    for number, colour in colours.items():
        cells.setdefault(colour, []).append(number)
    alike = sorted((len(cell), colour) for colour, cell in cells.items() if len(cell) > 1)
    if not alike:
        yield colours
        return
    for number in cells[alike[0][1]]:
        marked = {**colours, number: digest(colours[number], "singled out")}
        yield from _split(diagram, pieces, recouple, marked)


def _refined(diagram: Diagram, pieces: Sequence[Piece], recouple: bool, colours: Colours) -> Colours:
    """Give different colours to what differs in definition or use, until nothing new is found."""
    while True:
        before = len(set(colours.values()))
        if before == len(colours):
            return colours
        terms = Terms(colours, recouple, settled=False)
        paths = Paths(diagram, pieces, terms)
        uses = _uses(diagram, paths)
        colours = {
            number: digest(
                colours[number],
                definition.facts,
                _keys(paths, definition.rows),
                sorted((terms[place].facts[1], uses[place]) for place in _slots(terms, number)),
            )
            for number, definition in sorted(paths.definitions.items())
        }
        if len(set(colours.values())) == before:
            return colours


def _slots(terms: Terms, number: int) -> list[int]:
    return [place for place in range(len(terms)) if terms[place].kind == "slot" and terms[place].facts[0] == number]


def _keys(paths: Paths, rows: Sequence[Combination]) -> object:
    terms = paths.terms
    return sorted({terms[term].key for row in rows for term, _ in terms.sorted(row)})


def _uses(diagram: Diagram, paths: Paths) -> list[list[str]]:
    """Return, for every term, sorted digests of all the ways in which it enters outputs and learned maps.

    Under recoupling each counts once only: how many combs a tree is a combination of depends on the order of legs.
    """
    terms = paths.terms
    found: list[list[str]] = [[] for _ in range(len(terms))]

    def settled(uses: list[str]) -> list[str]:
        return sorted(set(uses)) if terms.recouple else sorted(uses)

    def note(value: Combination, *context: object) -> None:
        for term, coefficient in terms.sorted(value):
            found[term].append(digest(*context, 0.0 if terms.recouple else coefficient))

    for name, wire in diagram.outputs:
        for irrep, rows in paths.values[wire].items():
            for place, row in enumerate(rows):
                note(row, name, irrep, place)
    for number, definition in paths.definitions.items():
        for term in {term for row in definition.rows for term, _ in terms.sorted(row)}:
            found[term].append(digest(terms.colours[number], definition.facts))
    for number in reversed(range(len(terms))):
        term = terms[number]
        if not found[number]:
            continue
        above = digest(term.key, settled(found[number]))
        keys = [terms[child].key for child in term.children]
        ordered = term.kind != "comb" and len(set(keys)) == len(keys)
        for place, child in enumerate(term.children):
            weight = digits(term.coefficients[place]) if term.kind == "combination" and not terms.recouple else ""
            found[child].append(digest(above, place if ordered else "", weight))
    return [settled(uses) for uses in found]
