"""The search for the order of a contraction: all orders up to nine operands, by a dynamic programme over subsets.

The cost is that of the instructions that are emitted (``steps``), in operations: a multiplication or an addition is
one, and of a coupling table only those entries count that a step touches. ``cost`` counts programs the same way, so
that there is one model: what is forecast, what is minimised and what runs. Beyond nine operands opt-einsum's ``dp`` is
compared with the declared order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from fusion_compiler.contraction import Order, arranged, dense_bound, dense_order, order_of_steps, pair_flops
from fusion_compiler.steps import TABLE_LIMIT, Dense, Vertex, order_flops, size_of, steps, vertex_form, vertex_sides
from fusion_compiler.tables import Table

EXACT_LIMIT = 9
"""Operands up to which every order is searched."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A contraction without the names of what it contracts; equal-shaped contractions give equal problems.

    Attributes:
        letters: letters of the operands.
        result: letters of the result.
        sizes: size of every letter, sorted.
        tables: coupling tables with their positions.
        same: for every operand the first position that holds the same value.
        declared: the declared order, as pairs of positions in a growing list.
    """

    letters: tuple[str, ...]
    result: str
    sizes: tuple[tuple[str, int], ...]
    tables: tuple[tuple[int, Table], ...]
    same: tuple[int, ...]
    declared: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """An order and its operations as it is carried out, and those of the declared order."""

    order: Order
    flops: int
    declared_flops: int


@lru_cache(maxsize=256)
def declared_order(problem: Problem) -> Planned:
    """Return the declared order; nothing is searched."""
    order = order_of_steps(problem.letters, problem.result, problem.declared, "declared")
    flops = _carried_out(problem, order)
    return Planned(order, flops, flops)


@lru_cache(maxsize=256)
def best_order(problem: Problem) -> Planned:
    """Return the order that the planner takes; equal problems are planned once."""
    declared = declared_order(problem)
    count = len(problem.letters)
    found = None
    if count > EXACT_LIMIT:
        sizes = dict(problem.sizes)
        bound = dense_bound(problem.letters, declared.order, sizes)
        found = dense_order(problem.letters, problem.result, sizes, bound)
        found = found if _fits(problem, found) else None
    elif count > 2:
        found = _Search(problem).best(declared)
    if found is None:
        return declared
    flops = _carried_out(problem, found)
    return Planned(found, flops, declared.flops) if flops <= declared.flops else declared


def _carried_out(problem: Problem, order: Order) -> int:
    return order_flops(problem.letters, problem.same, dict(problem.tables), order.pairs, dict(problem.sizes))


def _fits(problem: Problem, order: Order) -> bool:
    """Whether no dense step of an order takes or makes a table above the limit."""
    letters, sizes = list(problem.letters), dict(problem.sizes)
    for step in steps(problem.letters, problem.same, dict(problem.tables), order.pairs, sizes):
        if isinstance(step, Dense):
            values = (letters[step.pair.left], letters[step.pair.right], step.pair.result)
            if any("N" not in v and size_of(v, sizes) > TABLE_LIMIT for v in values):
                return False
            letters.append(step.pair.result)
        else:
            letters.extend((step.pair.result, step.follow.result))
    return True


@dataclass(frozen=True, slots=True)
class _Entry:
    """A partial order: what it costs, and the pairs of products it takes, in order."""

    flops: float
    made: tuple[tuple[int, int], ...] = ()


_NOTHING = _Entry(0)


@dataclass
class _Search:
    """The dynamic programme. Operands and their products are bit masks of positions."""

    problem: Problem
    places: dict[int, int] = field(init=False)
    sizes: dict[str, int] = field(init=False)
    tables: dict[int, Table] = field(init=False)
    _letters: dict[int, str] = field(default_factory=dict[int, str])
    _pairs: dict[tuple[int, int], _Entry] = field(default_factory=dict[tuple[int, int], _Entry])

    def __post_init__(self) -> None:
        problem = self.problem
        self.sizes, self.tables = dict(problem.sizes), dict(problem.tables)
        self.places = {1 << place: place for place in range(len(problem.letters))}
        self._letters = {1 << place: own for place, own in enumerate(problem.letters)}

    def best(self, declared: Planned) -> Order:
        """Return the cheapest order; the declared one where no other is cheaper."""
        every = (1 << len(self.problem.letters)) - 1
        cheapest: dict[int, _Entry] = dict.fromkeys(self.places, _NOTHING)
        for product in range(3, every + 1):
            if product in self.places:
                continue
            entries = self._entries(product, cheapest, declared.flops)
            found = min(entries, key=lambda entry: entry.flops, default=None)
            if found is not None:
                cheapest[product] = found
        if every not in cheapest:
            return declared.order
        places = dict(self.places)
        pairs: list[tuple[int, int]] = []
        for left, right in cheapest[every].made:
            pairs.append((places[left], places[right]))
            places[left | right] = len(places)
        return order_of_steps(self.problem.letters, self.problem.result, pairs, "optimal")

    def _entries(self, product: int, cheapest: dict[int, _Entry], ceiling: int) -> Iterator[_Entry]:
        """Yield the orders of a product that cost less than ``ceiling``."""
        for left, right in _splits(product):
            yield from self._joined(left, right, (), cheapest, ceiling)
        for place in self.tables:
            table = 1 << place
            if product & table and product != table:
                for left, right in _splits(product ^ table):
                    yield from self._joined(left, right, (table,), cheapest, ceiling)

    def _joined(
        self, left: int, right: int, table: tuple[int, ...], cheapest: dict[int, _Entry], ceiling: int
    ) -> Iterator[_Entry]:
        """Yield the order that does the cheapest of ``left``, that of ``right``, and then a step with both."""
        if left not in cheapest or right not in cheapest:
            return
        one, two = cheapest[left], cheapest[right]
        if one.flops + two.flops >= ceiling:
            return
        last = self._vertex(left, right, *table) if table else self._pair(left, right)
        if last is not None and one.flops + two.flops + last.flops < ceiling:
            yield _Entry(one.flops + two.flops + last.flops, (*one.made, *two.made, *last.made))

    def letters(self, product: int) -> str:
        """Return the letters of a product that something outside it needs."""
        if product not in self._letters:
            inside: set[str] = set()
            outside = set(self.problem.result)
            for place, own in enumerate(self.problem.letters):
                (inside if product >> place & 1 else outside).update(own)
            self._letters[product] = arranged(inside & outside, self.problem.letters, self.problem.result)
        return self._letters[product]

    def _pair(self, left: int, right: int) -> _Entry:
        """Return what one pairwise step costs."""
        if (left, right) not in self._pairs:
            x, y, z = self.letters(left), self.letters(right), self.letters(left | right)
            whole = [value for value in (x, y, z) if "N" not in value]
            fits = all(size_of(value, self.sizes) <= TABLE_LIMIT for value in whole)
            flops = pair_flops(x, y, z, self.sizes) if fits else math.inf
            self._pairs[left, right] = _Entry(flops, ((left, right),))
        return self._pairs[left, right]

    def _vertex(self, one: int, two: int, table: int) -> _Entry | None:
        """Return what a vertex costs in its cheapest form, or ``None`` where the three products are none."""
        if self.places.get(one) in self.tables or self.places.get(two) in self.tables:
            return None
        place = self.places[table]
        x, y, z = self.letters(one), self.letters(two), self.letters(one | two | table)
        swapped = vertex_sides(self.problem.letters[place], x, y, z)
        if swapped is None:
            return None
        if swapped:
            one, two, x, y = two, one, y, x
        vertex = Vertex(x, y, z, self.tables[place], self._same(one, two))
        found: list[_Entry] = []
        for a, b, c in ((one, two, table), (one, table, two), (two, table, one)):
            form = vertex_form(vertex, self.problem.sizes, c == table)
            flops = self._pair(a, b).flops + self._pair(a | b, c).flops if form is None else form.flops
            found.append(_Entry(flops, ((a, b), (a | b, c))))
        return min(found, key=lambda entry: entry.flops)

    def _same(self, one: int, two: int) -> bool:
        """Whether two products are single operands with one value."""
        first, second = self.places.get(one), self.places.get(two)
        return first is not None and second is not None and self.problem.same[first] == self.problem.same[second]


def _splits(product: int) -> Iterator[tuple[int, int]]:
    """Yield the ways to cut a product in two."""
    lowest = product & -product
    rest = product ^ lowest
    part = rest
    while part:
        part = (part - 1) & rest
        yield part | lowest, product ^ part ^ lowest
