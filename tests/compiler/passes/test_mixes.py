"""mixes: weights in front of vertices, for the same function and fewer instructions."""

from __future__ import annotations

import pytest

from compiler.passes.measured import error_of, plain_error_of
from fusion import Wire, label, leg
from fusion.diagram import Diagram, Fuse, Leg, Mix, walk_nodes
from fusion.sampling import random_diagrams
from fusion_compiler.arithmetic import arithmetic
from fusion_compiler.passes.mixes import mixes, moved
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.passes.symmetrise import symmetrise
from fusion_compiler.passes.worth import program_cost, program_of
from fusion_compiler.polynomial.nodes import Couple, Weigh
from fusion_compiler.polynomial.weighted import weighted_of
from fusion_compiler.program import Contract


def in_nodes(node: Mix | Weigh) -> Wire | None:
    """Return a weighted sum with its trees as vertices that list their couplings."""
    found = weighted_of(node)
    return None if found is None or found.order < 2 else found.node()


def product(total: str, channels: int, orders: tuple[int, ...] = (1, 2, 3), basis: str = "full") -> Wire:
    """The product of MACE: weights per element, tree and channel over all trees of up to three identical legs."""
    base, z = leg("A", "0e+1o+2e+3o", channels=channels, on="atom"), label("z", 3, on="atom")
    return base.power(*orders, basis=basis)[total].mix("u->u", per=z, name="w")


@pytest.mark.parametrize(("total", "most"), [("0e+1o", 600), ("0e+1o+2e", 950)])
def test_the_product_of_mace_needs_few_instructions(total: str, most: int) -> None:
    found = mixes(symmetrise(Diagram.of(product(total, 128))))
    count = arithmetic(program_of(found))["atom"] / 128
    assert count <= most
    small = mixes(symmetrise(Diagram.of(product(total, 2))))
    assert error_of(product(total, 2), small, 0) < 1e-12
    assert plain_error_of(product(total, 2), small, 1) < 1e-12


@pytest.mark.parametrize("basis", ["full", "reduced"])
def test_four_legs_are_weighted_before_more_than_one_vertex(basis: str) -> None:
    base = leg("A", "0e+1o+2e", channels=64, on="atom")
    declared = base.power(1, 2, 3, 4, basis=basis)["0e+1o"].mix("u->u", name="w")
    before = symmetrise(Diagram.of(declared))
    found = mixes(before)
    assert sum(isinstance(node, Weigh) for node in walk_nodes(found)) > 1
    assert program_cost(program_of(found), program_of(before)) < program_cost(program_of(before), program_of(before))
    small = leg("A", "0e+1o+2e", channels=2, on="atom").power(1, 2, 3, 4, basis=basis)["0e+1o"].mix("u->u", name="w")
    weighted = rewritten(Diagram.of(small), moved, always=True)
    again = rewritten(weighted, moved, always=True)
    assert weighted != again != Diagram.of(small)
    assert error_of(small, weighted, 2) < 1e-12
    assert error_of(small, again, 2) < 1e-12


def test_weights_move_to_the_side_where_they_save_most() -> None:
    """A right-nested tree and its mirror image cost the same."""
    a, b, c = (leg(name, "0e+1o+2e", channels=16, on="atom") for name in "abc")
    costs: list[float] = []
    for declared in ((a @ (b @ c))["1o"].mix("u->u", name="w"), ((c @ b) @ a)["1o"].mix("u->u", name="w")):
        found = mixes(Diagram.of(declared))
        couples = [node for node in walk_nodes(found) if isinstance(node, Couple)]
        assert any({type(node.left), type(node.right)} == {Weigh, Leg} for node in couples)
        assert error_of(declared, found, 3) < 1e-12 and plain_error_of(declared, found, 4) < 1e-12
        costs.append(program_cost(program_of(found), program_of(found)))
    assert abs(costs[0] - costs[1]) < 0.05 * costs[0]


def test_weights_that_mix_channels_stay_behind_a_vertex_of_channels() -> None:
    base = leg("A", "0e+1o+2e", channels=3, on="atom")
    diagram = Diagram.of(base.power(2, 3, basis="full")["0e+1o"].mix("u->v", name="w"))
    assert rewritten(diagram, moved, always=True) is diagram


@pytest.mark.parametrize("turned", [False, True])
def test_weights_that_mix_channels_pass_where_the_other_branch_has_none(turned: bool) -> None:
    """Many channels become few before the vertex instead of after it; few do not become many."""
    y, z = leg("Y", "0e+1o+2e", on="edge"), label("z", 3, on="edge")

    def declared(channels: int, result: int) -> Diagram:
        h = leg("h", "0e+1o+2e", channels=channels, on="edge")
        return Diagram.of(((y @ h) if turned else (h @ y))["0e+1o"].mix("u->v", v=result, per=z, name="w"))

    few = rewritten(declared(6, 2), moved, always=True)
    couples = [node for node in walk_nodes(few) if isinstance(node, Couple)]
    assert any(isinstance(node.right if turned else node.left, Weigh) for node in couples)
    assert error_of(declared(6, 2), few, 5) < 1e-12 and plain_error_of(declared(6, 2), few, 6) < 1e-12
    many = declared(2, 64)
    assert rewritten(many, moved, always=True) is many
    large = declared(256, 2)
    before, after = (arithmetic(program_of(diagram))["edge"] for diagram in (large, mixes(large)))
    assert after < 0.8 * before


@pytest.mark.parametrize("pattern", ["u->", "->v"])
def test_weights_that_end_or_begin_an_axis_keep_values(pattern: str) -> None:
    y = leg("Y", "0e+1o+2e", on="edge")
    wide = leg("h", "0e+1o+2e", channels=6, on="edge") if pattern == "u->" else leg("h", "0e+1o+2e", on="edge")
    product = (wide @ y)["0e+1o"]
    declared = product.mix(pattern, name="w") if pattern == "u->" else product.mix(pattern, name="w", v=3)
    found = rewritten(Diagram.of(declared), moved, always=True)
    assert error_of(declared, found, 7) < 1e-12 and plain_error_of(declared, found, 8) < 1e-12
    assert any(isinstance(node, Couple) for node in walk_nodes(found)) is (pattern == "u->")


def test_weights_move_only_into_the_branch_that_has_all_channels() -> None:
    y, h = leg("Y", "0e+1o+2e", on="edge"), leg("h", "0e+1o+2e", channels=3, on="edge")
    for wire, mover in (((h @ y)["1o"], True), ((y @ h)["1o"], False)):
        declared = wire.mix("u->u", name="w")
        found = rewritten(Diagram.of(declared), moved, always=True)
        assert any(isinstance(node, Couple) and isinstance(node.left, Weigh) for node in walk_nodes(found)) is mover
        assert error_of(declared, found, 3) < 1e-12


def test_wires_that_others_use_stay() -> None:
    base = leg("A", "0e+1o+2e", channels=2, on="atom")
    pairs = (base @ base)["0e+1o+2e"]
    declared = Diagram((("pairs", pairs), ("out", (pairs @ base)["0e"].mix("u->u", name="w"))))
    found = mixes(symmetrise(declared))
    assert any(isinstance(node, Fuse) for node in walk_nodes(found))
    assert error_of(declared, found, 4) < 1e-12


def test_random_diagrams_keep_their_values() -> None:
    changed = 0
    for number, diagram in random_diagrams(100, 8):
        found = rewritten(Diagram.of(diagram), moved, always=True)
        if found != Diagram.of(diagram):
            changed += 1
            assert error_of(diagram, found, number) < 1e-12
    assert changed > 2


def test_a_vertex_with_many_paths_is_carried_out_kind_by_kind() -> None:
    """Balanced trees of four wide legs: the same values as with one table over all pairs of components."""
    wires = [leg(name, "2x0e+2x1o+2e", channels=2, on="atom") for name in "abcd"]
    declared = ((wires[0] @ wires[1]) @ (wires[2] @ wires[3]))["0e+1o"].mix("u->v", name="w")
    found = rewritten(Diagram.of(declared), in_nodes, always=True)
    assert any(isinstance(i, Contract) and "TAB" in i.equation for i in program_of(found).instructions)
    assert error_of(declared, found, 5) < 1e-12
