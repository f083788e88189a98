"""The steps in which a contraction order is carried out, shared by the planner (which counts them) and the lowering.

Most steps are dense pairwise contractions. A *vertex*, two values and the coupling table that joins them, is carried
out in one of four forms:

- *dense*: two pairwise contractions with the whole table;
- *selected products*: only the products of components that the table needs, then one table over them;
- *outer product*: where the table only says which product every component of the result is (a fuse with scalars);
- *pieces*: the paths of every pair of irreps by themselves, as an axis beside the components, and a small table each.

Operations are those of the emitted instructions, as ``cost`` counts them. Pieces always do fewer of them than dense
steps, but in many small instructions that move more numbers; so they are taken where they save much *work*, which
counts instructions and numbers moved, too.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fusion_compiler.contraction import Pair, pair_flops
from fusion_compiler.tables import Piece, Selection, Table, named_products, pieces, selection

PRODUCT_GAIN = 0.8
"""Selected products replace an outer product when they need less than this fraction of its terms."""
PIECES_GAIN = 0.5
"""Pieces replace the other forms when they do less than this fraction of the work."""
NUMBER = 32
"""Operations that take about as long as moving one number (measured on one core; the ratio of a GPU is similar)."""
INSTRUCTION = 2**18
"""Operations that take about as long as starting one more instruction (some microseconds)."""
TABLE_LIMIT = 2**20
"""Entries of a table above which it is not formed whole."""


@dataclass(frozen=True, slots=True)
class Dense:
    """A pairwise contraction."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class Selected:
    """Selected products of components of ``left`` and ``right``, contracted with their table."""

    pair: Pair
    follow: Pair
    left: int
    right: int
    products: Selection


@dataclass(frozen=True, slots=True)
class Outer:
    """The outer product of ``left`` and ``right``; ``index`` are its numbers that the result consists of, in order."""

    pair: Pair
    follow: Pair
    left: int
    right: int
    equation: str
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PieceStep:
    """One piece of a vertex: two pairwise contractions. ``first`` says what meets the table, or that nothing does yet.

    ``first`` is ``"left"``, ``"right"`` or ``"both"`` (the outer product before the table).
    """

    piece: Piece
    first: str
    equations: tuple[str, str]
    flops: int
    work: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """A vertex of ``left`` and ``right`` piece by piece."""

    pair: Pair
    follow: Pair
    left: int
    right: int
    parts: tuple[PieceStep, ...]


Step = Dense | Selected | Outer | Pieces


@dataclass(frozen=True, slots=True)
class Vertex:
    """Letters of the two values of a vertex and of its result, its table, and whether the values are one.

    The values end with the component letters of the first and of the second axis of the table.
    """

    left: str
    right: str
    result: str
    table: Table
    square: bool

    @property
    def leads(self) -> tuple[str, str, str]:
        """The letters of left, right and result without those of components."""
        return self.left[:-1], self.right[:-1], self.result[: 2 - len(self.table.shape)]


@dataclass(frozen=True, slots=True)
class Form:
    """How a vertex is carried out other than densely, and its operations."""

    flops: int
    products: Selection | None = None
    outer: tuple[str, tuple[int, ...]] | None = None
    parts: tuple[PieceStep, ...] = ()

    def step(self, pair: Pair, follow: Pair, left: int, right: int) -> Step:
        """Return the step that carries out two pairs, with the positions of the two values."""
        if self.products is not None:
            return Selected(pair, follow, left, right, self.products)
        if self.outer is not None:
            return Outer(pair, follow, left, right, *self.outer)
        return Pieces(pair, follow, left, right, self.parts)


def steps(
    letters: Sequence[str],
    keys: Sequence[Hashable],
    tables: Mapping[int, Table],
    pairs: Sequence[Pair],
    sizes: Mapping[str, int],
) -> Iterator[Step]:
    """Return the steps of a contraction.

    Args:
        letters: letters of the operands.
        keys: what each operand is; equal keys are one value, whose square forms each pair of components once.
        tables: coupling tables by position of the operand.
        pairs: the order.
        sizes: size of every letter.
    """
    grown, identity = list(letters), list(keys)
    number = 0
    while number < len(pairs):
        pair = pairs[number]
        taken: tuple[Pair, ...] = (pair,)
        step: Step = Dense(pair)
        follow = pairs[number + 1] if number + 1 < len(pairs) else pair
        places = _vertex_places(grown, tables, pair, follow)
        if places is not None:
            left, right, table = places
            square = identity[left] == identity[right]
            vertex = Vertex(grown[left], grown[right], follow.result, tables[table], square)
            form = vertex_form(vertex, tuple(sorted(sizes.items())), table not in (pair.left, pair.right))
            if form is not None:
                taken = (pair, follow)
                step = form.step(pair, follow, left, right)
        yield step
        for done in taken:
            grown.append(done.result)
            identity.append(("result", len(grown)))
        number += len(taken)


def step_flops(step: Step, letters: Sequence[str], sizes: Mapping[str, int]) -> int:
    """Return the operations of a step, given the letters of all operands and results before it."""
    if isinstance(step, Dense):
        return pair_flops(letters[step.pair.left], letters[step.pair.right], step.pair.result, sizes)
    if isinstance(step, Pieces):
        return sum(part.flops for part in step.parts)
    if isinstance(step, Outer):
        return _equation_flops(step.equation, sizes)
    return _products_flops(step.products, size_of(letters[step.left][:-1], sizes))


def order_flops(
    letters: Sequence[str],
    keys: Sequence[Hashable],
    tables: Mapping[int, Table],
    pairs: Sequence[Pair],
    sizes: Mapping[str, int],
) -> int:
    """Return the operations of a whole order as it is carried out."""
    grown, total = list(letters), 0
    for step in steps(letters, keys, tables, pairs, sizes):
        total += step_flops(step, grown, sizes)
        grown.append(step.pair.result)
        if not isinstance(step, Dense):
            grown.append(step.follow.result)
    return total


def size_of(letters: str, sizes: Mapping[str, int]) -> int:
    """Return the numbers in a value with these letters."""
    return math.prod(sizes[letter] for letter in letters)


@lru_cache(maxsize=1024)
def vertex_form(vertex: Vertex, sizes: tuple[tuple[str, int], ...], outer: bool) -> Form | None:
    """Return the form of a vertex, or ``None`` for two dense steps.

    Args:
        vertex: the vertex.
        sizes: size of every letter.
        outer: whether the outer product of the values comes first, which selected products can replace.
    """
    size = dict(sizes)
    index = named_products(vertex.table)
    if index is not None:
        equation = f"{vertex.left},{vertex.right}->{vertex.leads[2]}{vertex.left[-1]}{vertex.right[-1]}"
        return Form(_equation_flops(equation, size), outer=(equation, index))
    products = _products(vertex)
    lead = size_of(vertex.leads[0], size)
    if vertex.table.size > INSTRUCTION // NUMBER or products is None:
        parts = tuple(_piece_step(piece, vertex.leads, size) for piece in pieces(vertex.table))
        work = sum(part.work for part in parts) + NUMBER * 4 * size_of(vertex.result, size) + 2 * INSTRUCTION
        if parts and work < PIECES_GAIN * _whole_work(vertex, products, size):
            return Form(sum(part.flops for part in parts), parts=parts)
    if products is not None and outer:
        return Form(_products_flops(products, lead), products=products)
    return None


def _equation_flops(equation: str, sizes: Mapping[str, int]) -> int:
    operands, _, result = equation.partition("->")
    left, _, right = operands.partition(",")
    return pair_flops(left, right, result, sizes)


def _products(vertex: Vertex) -> Selection | None:
    """Return the selected products of a vertex where they apply and pay."""
    lead, other, out = vertex.leads
    if "N" not in lead or lead != other or lead != out:
        return None
    products = selection(vertex.table, vertex.square)
    terms = len(products.rows)
    if terms >= PRODUCT_GAIN * vertex.table.shape[0] * vertex.table.shape[1]:
        return None
    return products if terms * products.width <= TABLE_LIMIT else None


def _products_flops(products: Selection, lead: int) -> int:
    """Return the operations of selected products for ``lead`` rows and channels."""
    return lead * len(products.rows) * (1 + 2 * products.width)


def _whole_work(vertex: Vertex, products: Selection | None, sizes: Mapping[str, int]) -> float:
    """Return the work of the cheapest form that takes a vertex as a whole; infinite where its table is too large."""
    found = [math.inf]
    if products is not None:  # both factors of every term are gathered and multiplied; a matrix product follows
        lead, terms = size_of(vertex.leads[0], sizes), len(products.rows)
        moved = lead * (6 * terms + products.width) + terms * products.width
        found.append(_products_flops(products, lead) + NUMBER * moved + 4 * INSTRUCTION)
    if vertex.table.size <= TABLE_LIMIT:
        size = {**sizes, "A": vertex.table.shape[0], "B": vertex.table.shape[1], "M": vertex.table.out}
        found.extend(sum(_work(*step, size) for step in way) for way in _ways(*vertex.leads, "", "").values())
    return min(found)


def _work(left: str, right: str, result: str, sizes: Mapping[str, int]) -> int:
    """Return the work of one dense pairwise contraction: both operands are read and the result is written."""
    moved = size_of(left, sizes) + size_of(right, sizes) + size_of(result, sizes)
    return pair_flops(left, right, result, sizes) + NUMBER * moved + INSTRUCTION


_Way = tuple[tuple[str, str, str], tuple[str, str, str]]


def _ways(left: str, right: str, out: str, p: str, q: str) -> dict[str, _Way]:
    """Return the ways to contract two values with a table A, B, M: the letters of two pairwise contractions.

    ``left``, ``right`` and ``out`` are rows and channels, ``p`` and ``q`` the letters of the paths of each side.
    """
    kept = "".join(letter for letter in dict.fromkeys(left + right) if letter in out)
    return {
        "left": ((f"{left}{p}A", "ABM", f"{left}{p}BM"), (f"{right}{q}B", f"{left}{p}BM", f"{out}{p}{q}M")),
        "right": ((f"{right}{q}B", "BAM", f"{right}{q}AM"), (f"{left}{p}A", f"{right}{q}AM", f"{out}{p}{q}M")),
        "both": ((f"{left}{p}A", f"{right}{q}B", f"{kept}{p}{q}AB"), (f"{kept}{p}{q}AB", "ABM", f"{out}{p}{q}M")),
    }


def _vertex_places(
    letters: Sequence[str], tables: Mapping[int, Table], pair: Pair, follow: Pair
) -> tuple[int, int, int] | None:
    """Return the positions of left value, right value and table if two steps contract a vertex, else ``None``."""
    made = len(letters)
    if made not in (follow.left, follow.right):
        return None
    taken = (pair.left, pair.right, follow.left if follow.right == made else follow.right)
    found = [place for place in taken if place in tables]
    if len(found) != 1:
        return None
    one, two = (place for place in taken if place not in tables)
    swapped = vertex_sides(letters[found[0]], letters[one], letters[two], follow.result)
    if swapped is None:
        return None
    return (two, one, found[0]) if swapped else (one, two, found[0])


def vertex_sides(table: str, one: str, two: str, result: str) -> bool | None:
    """Return whether ``two`` is the left value of a vertex and ``one`` the right; ``None`` where they make no vertex.

    Args:
        table: letters of the table.
        one: letters of one value.
        two: letters of the other value.
        result: letters of the result.
    """
    if {one[-1], two[-1]} != set(table[:2]) or not result.endswith(table[2:]):
        return None
    leads = one[:-1] + two[:-1] + result[: 2 - len(table)]
    if any(letter.isupper() and letter != "N" for letter in leads):
        return None  # a component or path of another vertex is still open
    return two[-1] == table[0]


def _piece_step(piece: Piece, leads: tuple[str, str, str], sizes: Mapping[str, int]) -> PieceStep:
    """Return the cheapest way to contract a piece. P and Q are the paths, A and B the components, M the result's."""
    a, b = piece.degrees
    size = dict(sizes)
    size.update(P=len(piece.left), Q=len(piece.right), A=2 * a + 1, B=2 * b + 1, M=piece.width)
    found = [
        (sum(_work(*step, size) for step in way), sum(pair_flops(*step, size) for step in way), name, way)
        for name, way in _ways(*leads, "P", "Q").items()
    ]
    work, flops, first, way = min(found, key=lambda entry: entry[0])
    one, two = (f"{x},{y}->{z}" for x, y, z in way)
    return PieceStep(piece, first, (one, two), flops, work)
