"""Products whose factors tie several positions are recoupled, so that factors of one position meet first."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

import fusion_compiler
from compiler.passes.measured import error_of, plain_error_of
from fusion import Wire, leg, parse, tuples
from fusion.diagram import Diagram, Scale, walk_nodes
from fusion_compiler import program as ops
from fusion_compiler.cost import totals
from fusion_compiler.passes.distribute import distribute, distribute_all
from fusion_compiler.passes.positions import Distribution
from fusion_compiler.passes.regroup import regrouped

FIRST, SECOND = tuples("receiver")
A, B, C = tuples("receiver", 3)


def edge(name: str, irreps: str = "0e+1o", channels: int | None = 2) -> Wire:
    return leg(name, irreps, channels=channels, on="edge")


X, Y, U, V = (edge(name) for name in "xyuv")
S, Q = edge("s", "0e"), edge("q", "0e", None)
CENTRE = leg("h", "0e+1o", channels=2)


def products() -> dict[str, Wire]:
    """Products on pairs and triples whose declared order ties several positions."""
    crossed = (X.pull(FIRST) @ Y.pull(SECOND))["0e+1o"] @ (U.pull(FIRST) @ V.pull(SECOND))["0e+1o+1e"]
    picked = (X.pull(FIRST) @ Y.pull(SECOND)).select({"0e": [1], "1o": [1, 0]})
    outer = edge("m", "1o", 3).pull(FIRST), edge("n", "0e+1o", 2).pull(SECOND)
    wide = (outer[0] @ outer[1]).on("u,v->vu")["0e+1o"]
    return {
        "crossed": crossed["0e+1o"],
        "selected": (picked @ (U.pull(FIRST) @ V.pull(SECOND))["1o"])["0e+2e"],
        "scaled": crossed["1o"].scale(S.pull(FIRST)).scale(Q.pull(SECOND)),
        "with the centre": (crossed["0e"] @ CENTRE.pull("receiver").pull(FIRST))["0e+1o"],
        "of three": (((X.pull(A) @ Y.pull(B))["0e+1o"] @ (U.pull(C) @ V.pull(A))["0e+1o"])["0e+1o"] @ S.pull(B))["0e"],
        "outer products": (wide @ (outer[1] @ outer[0]).on("v,u->vu")["0e+1o"])["1o"],
    }


def summed(wire: Wire) -> Wire:
    return wire.sum(A if wire.space.on == "receiver^3" else FIRST).sum("receiver")


@pytest.mark.parametrize("name", products())
def test_no_tuple_is_formed(name: str) -> None:
    diagram = Diagram.of(summed(products()[name]))
    for seed in range(3):
        assert error_of(diagram, distribute_all(diagram), seed) < 1e-12
        assert plain_error_of(diagram, distribute(diagram), seed) < 1e-12
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    assert {found for found, _, _ in program.maps} == {"receiver"}
    flops = {n: totals(program, {"atom": 1, "edge": n}).flops for n in (0, 50, 100)}
    assert flops[100] - flops[50] == flops[50] - flops[0]


def test_a_factor_of_two_neighbours_ties_only_those() -> None:
    """x_a y_b u_a t_bc: a is summed alone, whatever the order in which it is declared."""
    tied = (edge("f", "1o", None).pull(B) @ edge("g", "1o", None).pull(C))["0e"].map("tanh")
    factors = [X.pull(A), Y.pull(B), U.pull(A)]
    for one, two, three in permutations(factors):
        diagram = Diagram.of(((one @ two)["0e+1o"].scale(tied) @ three)["0e"].sum(A).sum("receiver"))
        program = fusion_compiler.compile(diagram, dtype=torch.float64).program
        assert {name for name, _, _ in program.maps if "^3" in name} == set()
        assert error_of(diagram, distribute(diagram), 2) < 1e-12


def test_a_factor_without_the_position_leaves_the_sum() -> None:
    """(x_j h_i) y_j: the wire of the centre meets the sum over x_j y_j, once for every atom."""
    product = ((X @ CENTRE.pull("receiver"))["0e+1o"] @ Y)["0e"]
    program = fusion_compiler.compile(product.sum("receiver"), dtype=torch.float64).program
    assert not any(isinstance(item, ops.Gather) for item in program.instructions)
    for seed in range(3):
        assert error_of(product.sum("receiver"), distribute(Diagram.of(product.sum("receiver"))), seed) < 1e-12


def test_the_order_is_kept_where_another_costs_more() -> None:
    """Of x_j (h_i y_j), the product of x and y would have many more paths than the declared one."""
    many = edge("m", "8x1o+8x2e", 1)
    product = ((many @ leg("g", "1o", channels=1).pull("receiver"))["1e"] @ edge("n", "8x1o+8x2e", 1))["0o"]
    diagram = Diagram.of(product.sum("receiver"))
    assert "couple(" not in str(distribute(diagram))
    assert error_of(diagram, distribute_all(diagram), 0) < 1e-12


def test_a_regrouped_product_is_not_regrouped_again() -> None:
    wire = products()["crossed"]
    distribution = Distribution(FIRST, {node: node for node in walk_nodes(wire)}, regroup=1)

    def deps_of(part: Wire) -> tuple[int, ...]:
        return distribution.term(part, (0, 1)).deps

    found = regrouped(wire, deps_of, ())
    assert found is not None
    assert found.space.irreps == wire.space.irreps
    assert found.space.sizes == wire.space.sizes
    assert regrouped(found, deps_of, ()) is None


def test_a_large_product_keeps_its_order() -> None:
    """Ten factors are not recoupled; the values are those of the tuples."""
    wire: Wire = edge("x0", "1o").pull(FIRST)
    for number in range(1, 10):
        wire = (wire @ edge(f"x{number}", "1o").pull((FIRST, SECOND)[number % 2]))["1o" if number % 2 == 0 else "0e+2e"]
    diagram = Diagram.of(wire["0e+2e"].sum(FIRST).sum("receiver"))
    assert error_of(diagram, distribute_all(diagram), 0) < 1e-12


def test_scales_are_vertices() -> None:
    """A scale of each neighbour goes with its own factor, also where it brings the channels."""
    bare = (edge("f", "1o", None).pull(FIRST) @ edge("g", "1o", None).pull(SECOND))["0e+2e"]
    diagram = Diagram.of(summed(bare.scale(S.pull(FIRST)).scale(edge("t", "0e").pull(SECOND))))
    assert any(isinstance(node, Scale) for node in walk_nodes(diagram))
    program = fusion_compiler.compile(diagram, dtype=torch.float64).program
    assert {name for name, _, _ in program.maps} == {"receiver"}
    assert max(error_of(diagram, distribute(diagram), seed) for seed in range(3)) < 1e-12
    flops = {n: totals(program, {"atom": 0, "edge": n}).flops for n in (1, 2)}
    assert flops[2] == 2 * flops[1]


def test_products_of_one_row_inside_a_regrouped_sum_are_built_anew() -> None:
    text = (
        "leg d2: 1o, on edge; (network[split top > a bc, split bc > b c, fuse a b > ab, fuse ab c > top; "
        "a=1o ab=1o b=0e bc=1e c=1e top=2o]() @ d2.sum(reverse)).on(,->).paths(0e*1o->1o)"
        ".power(1, 2, 3, basis=reduced, inner=0e+1e+2e)[0e+2e].sum(receiver).select(0e: 0, 2e: 0)"
    )
    assert error_of(parse(text), None, 0) < 1e-12
