"""Coupling tables without their zeros: entries, selected products and pieces, against tables written out whole."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import Wire, leg
from fusion.couplings import fuse_paths, numbered
from fusion.diagram import Fuse
from fusion.symbols import clebsch_gordan
from fusion_compiler.layout import Layout
from fusion_compiler.tables import Table, coupling_table, named_products, pieces, selection, weighted_table


def vertex(left: str, right: str, out: str = "") -> tuple[Table, np.ndarray]:
    """Return the table of a fuse of two legs, and the same written out whole."""
    wire: Wire = leg("x", left) @ leg("y", right)
    wire = wire[out] if out else wire
    assert isinstance(wire, Fuse)
    couplings = numbered(fuse_paths(wire.left.space.irreps, wire.right.space.irreps, wire.coupled, wire.triples))
    one, two, three = (Layout.full(side.space) for side in (wire.left, wire.right, wire))
    whole = np.zeros((one.dim, two.dim, three.dim))
    for target, path in couplings.items():
        i, j, k = (
            one.offsets[path.left, path.left_path],
            two.offsets[path.right, path.right_path],
            three.offsets[target],
        )
        block = clebsch_gordan(path.left.l, path.right.l, path.out.l)
        whole[i : i + path.left.dim, j : j + path.right.dim, k : k + path.out.dim] = block
    return coupling_table(couplings, one, two, three), whole


VERTICES = [("0e+1o+2e", "0e+1o"), ("2x0e+2x1o", "1o+2e"), ("0e+1o+1e", "0e+1o+1e"), ("3o", "2e"), ("2x0e+1o", "3x0e")]


@pytest.mark.parametrize(("left", "right"), VERTICES)
def test_dense_tables_are_the_couplings(left: str, right: str) -> None:
    table, whole = vertex(left, right)
    assert np.array_equal(table.dense(), whole)
    assert table.size == whole.size


@pytest.mark.parametrize(("left", "right"), VERTICES)
def test_pieces_put_together_are_the_table(left: str, right: str) -> None:
    table, whole = vertex(left, right)
    found = np.zeros_like(whole)
    for piece in pieces(table):
        a, b = (2 * degree + 1 for degree in piece.degrees)
        places = iter(piece.places)
        for i in piece.left:
            for j in piece.right:
                for m in range(piece.width):
                    found[i : i + a, j : j + b, next(places)] += piece.block()[..., m]
        assert next(places, None) is None
    assert np.array_equal(found, whole)


def test_pieces_are_as_few_as_the_pairs_of_irreps() -> None:
    table, _ = vertex("3x0e+2x1o", "0e+1o+2e")
    assert len(pieces(table)) == 6
    assert sorted(len(piece.left) * len(piece.right) for piece in pieces(table)) == [2, 2, 2, 3, 3, 3]


def test_pieces_cover_components_without_a_coupling() -> None:
    table, whole = vertex("1o+2e", "1o")
    short = Table(table.shape, table.couplings[1:])
    last = pieces(short)[-1]
    gone = 2 * table.couplings[0].degrees[2] + 1
    assert (last.outs, last.zeros, len(last.places)) == ((), gone, gone)
    assert not last.block().any()
    assert sorted(place for piece in pieces(short) for place in piece.places) == list(range(whole.shape[2]))


@pytest.mark.parametrize(("left", "right"), VERTICES)
def test_selections_hold_the_pairs_that_couple(left: str, right: str) -> None:
    table, whole = vertex(left, right)
    found = selection(table, square=False)
    assert np.array_equal(found.rows, np.argwhere(whole.any(-1)))
    assert np.array_equal(found.dense(), whole[found.rows[:, 0], found.rows[:, 1]])


def test_selections_of_squares_form_each_pair_once() -> None:
    table, whole = vertex("0e+1o+2e", "0e+1o+2e")
    found = selection(table, square=True)
    assert np.all(found.rows[:, 0] <= found.rows[:, 1])
    x = np.random.default_rng(0).normal(size=9)
    products = x[found.rows[:, 0]] * x[found.rows[:, 1]]
    assert np.allclose(products @ found.dense(), np.einsum("i,j,ijk->k", x, x, whole), rtol=0, atol=1e-14)


def test_fuses_with_scalars_only_name_products() -> None:
    table, whole = vertex("0e+1o", "2x0e")
    index = named_products(table)
    assert index is not None
    x, y = np.random.default_rng(1).normal(size=4), np.random.default_rng(2).normal(size=2)
    assert np.array_equal(np.outer(x, y).reshape(-1)[list(index)], np.einsum("i,j,ijk->k", x, y, whole))
    assert named_products(vertex("1o", "1o")[0]) is None
    assert named_products(vertex("0e+1o", "0e+1o")[0]) is None


def test_tables_of_weighted_fuses_have_an_axis_of_paths() -> None:
    wire = leg("x", "0e+1o") @ leg("y", "0e+1o")
    paths = [p for p in fuse_paths(wire.left.space.irreps, wire.right.space.irreps) if str(p.out) == "1o"]
    side = Layout.full(leg("x", "0e+1o").space)
    table = weighted_table(paths, side, side)
    assert table.shape == (4, 4, 2, 3)
    assert np.array_equal(table.dense()[0, 1:, 0], np.eye(3))
    assert np.array_equal(table.dense()[1:, 0, 1], np.eye(3))
