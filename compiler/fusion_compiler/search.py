"""The search for the order of a contraction: all orders up to nine operands, by a dynamic programme over subsets.

Two costs go through it together, both in operations (a multiplication or an addition is one).

- The *sparse* cost is the model. A pairwise step counts the combinations in which both operands can be non-zero:
  coupling tables have zeros; values are stored whole and have none. A vertex, which is two values and their table,
  costs the least of its inner orders and of this: the products that the table needs, and a multiplication and an
  addition for each of its entries (none where the table only names products). An emitter with sparse tables does that.
- The cost *as carried out* is that of the instructions that are emitted (``steps``); ``cost`` counts the same.

The order taken costs least as carried out among those within ``TOLERANCE`` of the optimum of the model, so that it does
not follow the accidents of today's instructions; but the declared order stays where all of those cost more than it as
carried out, which happens for about one generated group in a thousand (wires without channels multiplied first). What
is made from tables does not count as sparse: values are stored whole, and the optimum of a model in which they are not
can be a hundred times slower as carried out.

Beyond nine operands opt-einsum's ``dp`` is compared with the declared order, as carried out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from fusion_compiler.contraction import Order, arranged, dense_bound, dense_order, order_of_steps, pair_flops
from fusion_compiler.steps import TABLE_LIMIT, Dense, Vertex, order_flops, size_of, steps, vertex_form, vertex_sides
from fusion_compiler.tables import Table, entries, named_products, selection

TOLERANCE = 1.05
"""An order is considered when its sparse cost is at most this multiple of the optimum."""
EXACT_LIMIT = 9
"""Operands up to which every order is searched."""
FRONT = 8
"""Partial orders kept of one subset: none of them is better than another in both costs."""


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
    """A partial order: both costs, and the pairs of products it takes, in order."""

    sparse: float
    carried: float
    made: tuple[tuple[int, int], ...] = ()


_NOTHING = _Entry(0, 0)


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
        """Return the order that costs least as carried out among those that are good by the sparse model."""
        given = self._sparse(declared.order)
        ceiling = TOLERANCE * given
        every = (1 << len(self.problem.letters)) - 1
        fronts: dict[int, list[_Entry]] = {product: [_NOTHING] for product in self.places}
        for product in range(3, every + 1):
            if product not in self.places:
                front = _front(self._entries(product, fronts, ceiling))
                if front:
                    fronts[product] = front
        limit = TOLERANCE * fronts[every][0].sparse
        good = [entry for entry in fronts[every] if entry.sparse <= limit]
        found = min(good, key=lambda entry: (entry.carried, entry.sparse))
        if given <= limit and declared.flops <= found.carried:
            return declared.order
        places = dict(self.places)
        pairs: list[tuple[int, int]] = []
        for left, right in found.made:
            pairs.append((places[left], places[right]))
            places[left | right] = len(places)
        return order_of_steps(self.problem.letters, self.problem.result, pairs, "optimal")

    def _sparse(self, order: Order) -> float:
        """Return the sparse cost of an order, each vertex counted as one step."""
        made = list(self.places)
        total, number = 0.0, 0
        while number < len(order.pairs):
            pair = order.pairs[number]
            left, right = made[pair.left], made[pair.right]
            made.append(left | right)
            step = self._pair(left, right)
            if number + 1 < len(order.pairs):
                follow = order.pairs[number + 1]
                if len(made) - 1 in (follow.left, follow.right):
                    third = made[follow.left + follow.right - (len(made) - 1)]
                    vertex = self._vertex((left, right, third))
                    if vertex is not None:
                        step = vertex
                        made.append(left | right | third)
                        number += 1
            total += step.sparse
            number += 1
        return total

    def _entries(self, product: int, fronts: dict[int, list[_Entry]], ceiling: float) -> Iterator[_Entry]:
        """Yield the orders of a product whose sparse cost does not exceed ``ceiling``."""
        for left, right in _splits(product):
            if left in fronts and right in fronts:
                yield from _combined(fronts[left], fronts[right], lambda x=left, y=right: self._pair(x, y), ceiling)
        for place in self.tables:
            table = 1 << place
            if not product & table or product == table:
                continue
            for one, two in _splits(product ^ table):
                if one in fronts and two in fronts:
                    yield from _combined(
                        fronts[one], fronts[two], lambda x=one, y=two, t=table: self._vertex((x, y, t)), ceiling
                    )

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
            carried = pair_flops(x, y, z, self.sizes) if fits else math.inf
            factor = 2 if set(x + y) - set(z) else 1
            sparse = self._combinations(left, right) * factor
            self._pairs[left, right] = _Entry(sparse, carried, ((left, right),))
        return self._pairs[left, right]

    def _combinations(self, left: int, right: int) -> int:
        """Return in how many combinations both operands of a step can be non-zero."""
        x, y = self.letters(left), self.letters(right)
        one, two = (self.tables.get(self.places.get(product, -1)) for product in (left, right))
        if one is not None and two is not None:
            first, second = entries(one), entries(two)
            shared = [letter for letter in x if letter in y]
            if not shared:
                return len(first.values) * len(second.values)
            counts = [
                np.bincount(found.axes[letters.index(shared[0])], minlength=self.sizes[shared[0]])
                for found, letters in ((first, x), (second, y))
            ]
            return int(counts[0] @ counts[1])
        if one is not None:
            return len(entries(one).values) * self._size("".join(letter for letter in y if letter not in x))
        if two is not None:
            return len(entries(two).values) * self._size("".join(letter for letter in x if letter not in y))
        return self._size(x + y)

    def _size(self, letters: str) -> int:
        return size_of("".join(set(letters)), self.sizes)

    def _vertex(self, products: tuple[int, int, int]) -> _Entry | None:
        """Return what a vertex costs in its cheapest form, or ``None`` where the three products are none."""
        joining = [product for product in products if self.places.get(product) in self.tables]
        if len(joining) != 1:
            return None
        (table,) = joining
        place = self.places[table]
        one, two = (product for product in products if product != table)
        x, y, z = self.letters(one), self.letters(two), self.letters(one | two | table)
        swapped = vertex_sides(self.problem.letters[place], x, y, z)
        if swapped is None:
            return None
        if swapped:
            one, two, x, y = two, one, y, x
        vertex = Vertex(x, y, z, self.tables[place], self._same(one, two))
        least, sparse = _Entry(0, math.inf, ((one, two), (one | two, table))), self._products_cost(vertex)
        for a, b, c in ((one, two, table), (one, table, two), (two, table, one)):
            first, then = self._pair(a, b), self._pair(a | b, c)
            sparse = min(sparse, first.sparse + then.sparse)
            form = vertex_form(vertex, self.problem.sizes, c == table)
            carried = first.carried + then.carried if form is None else form.flops
            if carried < least.carried:
                least = _Entry(0, carried, ((a, b), (a | b, c)))
        return _Entry(sparse, least.carried, least.made)

    def _same(self, one: int, two: int) -> bool:
        """Whether two products are single operands with one value."""
        first, second = self.places.get(one), self.places.get(two)
        return first is not None and second is not None and self.problem.same[first] == self.problem.same[second]

    def _products_cost(self, vertex: Vertex) -> int:
        """Return the sparse cost of the products that a table needs, and of the table."""
        products = selection(vertex.table, vertex.square)
        left, right, out = vertex.leads
        summed = 2 if set(left + right) - set(out) else 1
        coupled = 0 if named_products(vertex.table) is not None else 2 * len(products.values)
        return self._size(left + right) * summed * len(products.rows) + self._size(out) * coupled


def _splits(product: int) -> Iterator[tuple[int, int]]:
    """Yield the ways to cut a product in two."""
    lowest = product & -product
    rest = product ^ lowest
    part = rest
    while part:
        part = (part - 1) & rest
        yield part | lowest, product ^ part ^ lowest


def _combined(
    left: list[_Entry], right: list[_Entry], step: Callable[[], _Entry | None], ceiling: float
) -> Iterator[_Entry]:
    """Yield the partial orders that do those of ``left``, those of ``right``, and then one step."""
    if left[0].sparse + right[0].sparse > ceiling:
        return
    last = step()
    if last is None:
        return
    for x in left:
        for y in right:
            sparse = x.sparse + y.sparse + last.sparse
            if sparse <= ceiling:
                yield _Entry(sparse, x.carried + y.carried + last.carried, (*x.made, *y.made, *last.made))


def _front(entries: Iterator[_Entry]) -> list[_Entry]:
    """Return the orders than which no other is better in both costs, cheapest by the sparse model first."""
    front: list[_Entry] = []
    for entry in sorted(entries, key=lambda entry: (entry.sparse, entry.carried)):
        if not front or entry.carried < front[-1].carried:
            front.append(entry)
    return front if len(front) <= FRONT else [*front[: FRONT - 1], front[-1]]
