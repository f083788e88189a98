"""Products of terms: one vertex in normal order, or a whole tree in the basis of left combs over sorted legs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product
from math import factorial, prod

from fusion.equality.symmetrise import symmetrised
from fusion.equality.terms import NEGLIGIBLE, Combination, Terms, accumulate
from fusion.errors import LimitError
from fusion.irreps import Irrep
from fusion.pattern import Pattern
from fusion.rules import exchange_odd
from fusion.trees import FusionTree, count_trees, recoupled
from fusion.trees.shapes import left_comb

MAX_COUPLED = 8
"""Most legs of one tree that is recoupled."""
MAX_TREES = 256
"""Most left combs over the legs of one tree."""
MAX_PRODUCTS = 1024
"""Most products of left combs of which one path may consist."""
MAX_ORDERS = 24
"""Most orders of equal legs that differ by their channels."""


def couple(terms: Terms, pattern: Pattern, out: Irrep, left: Combination, right: Combination) -> Combination:
    """Return the product of two paths on one channel pattern, coupled to ``out``."""
    if not terms.recouple:
        first, second = terms.sum(left), terms.sum(right)
        if first is None or second is None:
            return {}
        sign, term = _vertex(terms, pattern, out, first[1], second[1])
        return {} if term is None else {term: sign * first[0] * second[0]}
    found: Combination = {}
    lefts, rights = terms.sorted(left), terms.sorted(right)
    if len(lefts) * len(rights) > MAX_PRODUCTS:
        count = len(lefts) * len(rights)
        raise LimitError(f"a path of {count} products of trees is too large to recouple; at most {MAX_PRODUCTS}")
    for a, x in lefts:
        for b, y in rights:
            accumulate(found, _combs(terms, pattern, out, a, b), x * y)
    return found


def renamed(groups: Sequence[Sequence[int | str]]) -> str:
    """Return groups of letters with the letters renamed in order of appearance, as in ``ab,ac,bc``."""
    names: dict[int | str, str] = {}
    for letter in (letter for group in groups for letter in group):
        names.setdefault(letter, chr(ord("a") + len(names)))
    return ",".join("".join(names[letter] for letter in group) for group in groups)


def _vertex(terms: Terms, pattern: Pattern, out: Irrep, left: int, right: int) -> tuple[float, int | None]:
    """Return the vertex with its branches in order (an R-move), and its sign; no term where it vanishes."""
    (mine, theirs), result = pattern.operands, pattern.result
    straight, swapped = renamed((mine, theirs, result)), renamed((theirs, mine, result))
    odd = exchange_odd(terms[left].irrep, terms[right].irrep, out)
    if left == right and straight == swapped and odd:
        return 0.0, None
    # Terms that cannot be told apart yet are ordered by their letters alone, so that the key does not depend on it.
    if (terms[right].order, swapped, right) < (terms[left].order, straight, left):
        left, right, straight, sign = right, left, swapped, -1.0 if odd else 1.0
    else:
        sign = 1.0
    return sign, terms.make("fuse", (straight,), out, len(result), (left, right))


def _combs(terms: Terms, pattern: Pattern, out: Irrep, left: int, right: int) -> Combination:
    """Return the product of two trees in left combs over all their legs, symmetric under exchange of equal legs."""
    legs, letters, result, tree = _joined(terms, pattern, out, left, right)
    if len(legs) > MAX_COUPLED:
        raise LimitError(f"a tree of {len(legs)} legs is too large to recouple; at most {MAX_COUPLED}")
    shape = left_comb(len(legs))
    count = count_trees(shape, [terms[leg].irrep for leg in legs], out)[out]
    if count > MAX_TREES:
        raise LimitError(
            f"{len(legs)} legs that couple to {out} in {count} ways are too many to recouple; at most {MAX_TREES}"
        )
    groups = _groups(terms, legs)
    order = tuple(place for group in groups for place in group)
    best = _text(letters, result, order)
    found: Combination = {}
    if all(_text(letters, result, _swapped(order, groups, n)) == best for n in range(len(order) - 1)):
        combs = symmetrised(dict(recoupled(tree.renumbered(_places(order)), shape)), _adjacent(groups))
        _collect(terms, found, combs, legs, order, best, out, len(result))
        return found
    # The channels tell equal legs apart: of the texts that their permutations give, the first one is the normal one.
    orders = list(_orders(groups))
    best = min(_text(letters, result, order) for order in orders)
    orders = [order for order in orders if _text(letters, result, order) == best]
    for order in orders:
        combs = recoupled(tree.renumbered(_places(order)), shape)
        mean = {comb: coefficient / len(orders) for comb, coefficient in combs.items()}
        _collect(terms, found, mean, legs, order, best, out, len(result))
    return found


def _collect(
    terms: Terms,
    found: Combination,
    combs: Mapping[FusionTree, float],
    legs: tuple[int, ...],
    order: tuple[int, ...],
    text: str,
    out: Irrep,
    axes: int,
) -> None:
    """Add left combs over the legs in an order to a combination of terms."""
    children = tuple(legs[place] for place in order)
    name = None if terms.settled else (sorted(terms[leg].key for leg in legs),)
    for comb, coefficient in combs.items():
        if abs(coefficient) > NEGLIGIBLE:
            term = terms.make("comb", (text, " ".join(map(str, comb.inner))), out, axes, children, name=name)
            found[term] = found.get(term, 0.0) + coefficient


def _text(letters: Sequence[tuple[int, ...]], result: tuple[int, ...], order: tuple[int, ...]) -> str:
    return renamed((*(letters[place] for place in order), result))


def _places(order: tuple[int, ...]) -> dict[int, int]:
    return {place: number for number, place in enumerate(order)}


def _adjacent(groups: list[list[int]]) -> list[list[int]]:
    """Return the groups with the legs numbered in their order."""
    numbers = iter(range(sum(map(len, groups))))
    return [[next(numbers) for _ in group] for group in groups]


def _swapped(order: tuple[int, ...], groups: list[list[int]], place: int) -> tuple[int, ...]:
    """Return the order with two neighbours exchanged, where they belong to one group."""
    alike = any(order[place] in group and order[place + 1] in group for group in groups)
    return (*order[:place], order[place + 1], order[place], *order[place + 2 :]) if alike else order


Joined = tuple[tuple[int, ...], list[tuple[int, ...]], tuple[int, ...], FusionTree]
"""Legs, the letters of each, the letters of the result, the tree over legs 0, 1, ..."""


def _joined(terms: Terms, pattern: Pattern, out: Irrep, left: int, right: int) -> Joined:
    """Put one vertex on top of two trees, with one set of channel letters for the whole."""
    legs_a, letters_a, result_a, tree_a = _parts(terms, left)
    legs_b, letters_b, result_b, tree_b = _parts(terms, right)
    shift = 1 + max((letter for group in letters_a for letter in group), default=0)
    # A letter that the pattern gives to both sides is one letter: that of the left side.
    rename = dict(zip(pattern.operands[0], result_a, strict=True))
    same = {
        shift + number: rename[letter]
        for letter, number in zip(pattern.operands[1], result_b, strict=True)
        if letter in rename
    }
    for letter, number in zip(pattern.operands[1], result_b, strict=True):
        rename.setdefault(letter, shift + number)
    moved = [tuple(same.get(shift + number, shift + number) for number in group) for group in letters_b]
    result = tuple(rename[letter] for letter in pattern.result)
    places = {place: place + len(legs_a) for place in range(len(legs_b))}
    tree = FusionTree(out, left=tree_a, right=tree_b.renumbered(places))
    return (*legs_a, *legs_b), [*letters_a, *moved], result, tree


def _parts(terms: Terms, number: int) -> Joined:
    term = terms[number]
    if term.kind != "comb":
        letters = tuple(range(term.axes))
        return (number,), [letters], letters, FusionTree.leg(0, term.irrep)
    text, inner = str(term.facts[0]), str(term.facts[1]).split()
    *groups, result = [tuple(ord(letter) - ord("a") for letter in group) for group in text.split(",")]
    lines = [Irrep.parse(label) for label in inner] + [term.irrep]
    tree = FusionTree.leg(0, terms[term.children[0]].irrep)
    for place, child in enumerate(term.children[1:], 1):
        tree = FusionTree(lines[place - 1], left=tree, right=FusionTree.leg(place, terms[child].irrep))
    return term.children, groups, result, tree


def _groups(terms: Terms, legs: tuple[int, ...]) -> list[list[int]]:
    """Return the legs in order, with equal ones together."""
    groups: list[list[int]] = []
    for place in sorted(range(len(legs)), key=lambda place: (terms[legs[place]].order, legs[place])):
        if groups and legs[groups[-1][0]] == legs[place]:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _orders(groups: list[list[int]]) -> Iterator[tuple[int, ...]]:
    """Yield every order of the legs in which only equal ones change places."""
    number = prod(factorial(len(group)) for group in groups)
    if number > MAX_ORDERS:
        raise LimitError(f"a tree with {number} orders of equal legs is too large to recouple; at most {MAX_ORDERS}")
    for choice in product(*(permutations(group) for group in groups)):
        yield tuple(place for group in choice for place in group)
