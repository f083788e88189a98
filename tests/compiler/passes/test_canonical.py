"""canonical: fuses of the same two wires take one order, where sharing then gains."""

from __future__ import annotations

import fusion_compiler
from compiler.passes.measured import error_of
from fusion import leg, outputs
from fusion.diagram import Diagram, Fuse, walk_nodes
from fusion.sampling import random_diagrams
from fusion_compiler.passes.canonical import canonical, exchanged, in_order
from fusion_compiler.passes.share import share
from fusion_compiler.polynomial.nodes import Recombine

A, B = leg("a", "0e+1o+2e", channels=2, on="atom"), leg("b", "0e+1o", channels=2, on="atom")


def test_exchange_brings_its_signs() -> None:
    for node in ((A @ B), (A @ B)["1e+1o"], (A @ B).on("u,v->uv"), (A @ B).paths("1o*1o->1e", "2e*1o->1o")):
        assert isinstance(node, Fuse)
        assert error_of(node, Diagram.of(exchanged(node)), 0) < 1e-12
        assert exchanged(node).space.irreps == node.space.irreps


def test_one_order_is_kept_where_both_occur() -> None:
    both = outputs(first=(A @ B)["0e+1o"], second=(B @ A)["1o+2e"])
    found = in_order(both)
    fuses = [node for node in walk_nodes(found) if isinstance(node, Fuse)]
    assert {(node.left, node.right) for node in fuses} == {(A, B)}
    assert any(isinstance(node, Recombine) for node in walk_nodes(found))
    alone = outputs(second=(B @ A)["1o+2e"])
    assert in_order(alone) is alone


def test_an_order_is_kept_where_sharing_gains() -> None:
    a, b = leg("a", "0e+1o+2e", channels=64, on="atom"), leg("b", "0e+1o+2e", channels=64, on="atom")
    gains = outputs(first=(a @ b)["1o"].mix("u->v"), second=(b @ a)["1o"].mix("u->v"))
    whole = fusion_compiler.compile(gains)
    parts = fusion_compiler.compile(gains, without=("canonical", "share"))
    assert whole.state_dict().keys() == parts.state_dict().keys()
    assert [ran.changed for ran in whole.passes if ran.name == "canonical"] == [True]
    assert [ran.on for ran in parts.passes if ran.name in ("canonical", "share")] == [False, False]
    loses = outputs(energy=(A @ B)["0e"].mix("u->u"), other=(A @ B)["0e+1o"], dipole=(B @ A)["1e"])
    assert canonical(loses) is loses


def test_random_diagrams_keep_their_values() -> None:
    changed = 0
    for number, diagram in random_diagrams(80, 7):
        found = share(in_order(Diagram.of(diagram)))
        if found != Diagram.of(diagram):
            changed += 1
            assert error_of(diagram, found, number) < 1e-12
    assert changed > 0
