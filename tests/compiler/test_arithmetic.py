"""Arithmetic instructions, counted by hand on small diagrams."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import leg
from fusion.diagram import Diagram
from fusion.irreps import Irrep
from fusion.pattern import Pattern
from fusion.symbols import clebsch_gordan
from fusion_compiler.arithmetic import arithmetic, products_count
from fusion_compiler.layout import Layout
from fusion_compiler.passes.worth import program_of
from fusion_compiler.polynomial.nodes import Couple, Coupled, Moved, Recombine
from fusion_compiler.polynomial.realise import counted
from fusion_compiler.polynomial.tables import product_table

ONE = Irrep.parse("1o")


def couple(out: str, factor: float = 1.0) -> Couple:
    a, b = leg("a", "1o", channels=5, on="atom"), leg("b", "1o", channels=5, on="atom")
    term = Coupled((ONE, 0), (ONE, 0), (Irrep.parse(out), 0), factor)
    return Couple(a, b, Pattern(("u", "u"), "u"), (term,), counted([term.out]))


@pytest.mark.parametrize("out", ["0e", "1e", "2e"])
def test_a_vertex_counts_its_products_and_its_entries(out: str) -> None:
    table = clebsch_gordan(1, 1, Irrep.parse(out).l)
    products = sum(bool(np.any(table[i, j])) for i in range(3) for j in range(3))
    program = program_of(Diagram.of(couple(out)))
    assert arithmetic(program) == {"atom": 5 * (products + np.count_nonzero(table))}


def test_a_dot_product_counts_one_for_each_product() -> None:
    assert arithmetic(program_of(Diagram.of(couple("0e", 3**0.5))))["atom"] == 5 * 3
    assert products_count(np.array([[1.0, 0.0], [1.0, 2.0], [0.5, 0.0]])) == 1 + 3 + 2


def test_copies_cost_nothing_and_sums_count_their_additions() -> None:
    wire = leg("a", "3x1o", channels=5, on="atom")
    chosen = Recombine(wire, (Moved((ONE, 2), (ONE, 0)),), counted([(ONE, 0)]))
    summed = Recombine(wire, tuple(Moved((ONE, n), (ONE, 0)) for n in range(3)), counted([(ONE, 0)]))
    weighted = Recombine(wire, tuple(Moved((ONE, n), (ONE, 0), 0.5) for n in range(3)), counted([(ONE, 0)]))
    counts = [arithmetic(program_of(Diagram.of(node))).get("atom", 0) for node in (chosen, summed, weighted)]
    assert counts == [0, 5 * 2 * 3, 5 * 3 * 3]


def test_a_square_forms_each_pair_of_components_once() -> None:
    layout, out = Layout(((ONE, 0),)), Layout(((Irrep.parse("2e"), 0),))
    term = Coupled((ONE, 0), (ONE, 0), (Irrep.parse("2e"), 0))
    pairs, table = product_table((term,), layout, layout, out, square=True)
    assert sorted(map(tuple, pairs.tolist())) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    x = np.array([0.3, -1.2, 0.7])
    expected = np.einsum("i,j,ijm->m", x, x, clebsch_gordan(1, 1, 2))
    assert np.allclose((x[pairs[:, 0]] * x[pairs[:, 1]]) @ table, expected, atol=1e-15)
