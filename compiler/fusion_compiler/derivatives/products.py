"""The rule of selected products: again selected products with the table rearranged, or the table first if cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fusion_compiler import program as ops
from fusion_compiler.derivatives.calculus import LETTERS, Calculus
from fusion_compiler.program import Array


@dataclass(frozen=True, slots=True)
class _Side:
    """One operand of the products and the other one, with their components in each product."""

    mine: str
    places: tuple[int, ...]
    other: str
    partners: tuple[int, ...]

    def rearranged(self, c: Calculus, table: Array) -> Array:
        """Return the table (component of the other operand, component of the result, component of mine)."""
        found = np.zeros((c.shapes[self.other].axes[-1], table.shape[1], c.shapes[self.mine].axes[-1]))
        for partner, place, row in zip(self.partners, self.places, table, strict=True):
            found[partner, :, place] += row
        return found


def product_cotangents(c: Calculus, i: ops.Products, g: str) -> Iterator[tuple[str, str]]:
    """Yield (value read, cotangent); see :class:`fusion_compiler.program.Products`.

    With out[t] = sum_k x[left k] y[right k] table[k, t] the cotangent of x[a] is the sum over k with left k = a of
    y[right k] (sum_t table[k, t] g[t]).
    """
    lead = f"N{LETTERS[: len(c.shapes[g].axes) - 1]}"
    sides = [_Side(i.x, i.left, i.y, i.right), _Side(i.y, i.right, i.x, i.left)]
    sides = [side for side in sides if side.mine in c.active]
    table = c.constants.get(i.table)
    if table is None:
        made = c.multiply(c.take(i.x, i.left), c.take(i.y, i.right))
        yield i.table, c.contract(made, g, f"{lead}K,{lead}T->KT")
        pairs = c.contract(g, i.table, f"{lead}T,KT->{lead}K")
    else:
        tables = [(side, side.rearranged(c, table)) for side in sides]
        if len(tables) == 2 and i.x == i.y:
            tables = [(sides[0], tables[0][1] + tables[1][1])]
        chosen = [(side, whole, np.argwhere(np.any(whole != 0.0, axis=-1))) for side, whole in tables]
        direct = sum(len(rows) * (1 + 2 * whole.shape[-1]) for _, whole, rows in chosen)
        if direct <= 2 * table.size + 2 * len(table) * len(sides):
            for side, whole, rows in chosen:
                other, result = (tuple(column.tolist()) for column in rows.T)
                value = c.products(side.other, g, whole[rows[:, 0], rows[:, 1]], other, result)
                yield side.mine, c.fitted(value, c.shapes[side.mine])
            return
        pairs = c.contract(g, c.constant(table.T), f"{lead}T,TK->{lead}K")
    for side in sides:
        value = c.place(c.multiply(pairs, c.take(side.other, side.partners)), side.places, c.shapes[side.mine].axes[-1])
        yield side.mine, c.fitted(value, c.shapes[side.mine])
