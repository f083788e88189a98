"""share: vertices of the same wires become one where that costs less."""

from __future__ import annotations

from compiler.passes.measured import error_of
from fusion import Wire, leg, outputs
from fusion.diagram import walk_nodes
from fusion_compiler.passes import share as sharing
from fusion_compiler.passes.canonical import in_order
from fusion_compiler.passes.share import share
from fusion_compiler.passes.worth import program_cost, program_of
from fusion_compiler.polynomial.nodes import Couple


def test_vertices_of_two_wires_become_one_where_that_gains() -> None:
    a, b = leg("a", "0e+1o+2e+3o", channels=64, on="atom"), leg("b", "0e+1o+2e+3o", channels=64, on="atom")
    declared = outputs(first=(a @ b)["0e+1o"], second=(b @ a)["1o+2e"], third=((a @ b)["0e+1o"] @ a)["0e"])
    both = in_order(declared)
    found = share(both)
    for diagram in (both, found):
        assert error_of(declared, diagram, 1) < 1e-12
    assert sum(isinstance(node, Couple) for node in walk_nodes(found)) == 1
    assert program_cost(program_of(found), program_of(both)) < program_cost(program_of(both), program_of(both))


def test_many_merges_are_judged_together() -> None:
    wires: dict[str, Wire] = {}
    for number in range(sharing.MAX_MERGES + 1):
        a, b = (leg(f"{name}{number}", "0e+1o+2e+3o", channels=64, on="atom") for name in "ab")
        wires[f"x{number}"], wires[f"y{number}"] = (a @ b)["0e+1o"], (a @ b)["1o+2e"]
    declared = outputs(**wires)
    found = share(declared)
    assert sum(isinstance(node, Couple) for node in walk_nodes(found)) == sharing.MAX_MERGES + 1
    assert program_cost(program_of(found), program_of(declared)) < program_cost(
        program_of(declared), program_of(declared)
    )


def test_a_diagram_without_equal_wires_stays() -> None:
    a, b = (leg(name, "0e+1o", channels=4, on="atom") for name in "ab")
    declared = outputs(first=a @ b, second=a @ a)
    assert share(declared) is declared
