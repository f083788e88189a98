"""unshare: shared vertices are formed by each user where that costs less, and then only there."""

from __future__ import annotations

from collections import Counter

import pytest

import fusion_compiler
from compiler.passes.measured import error_of, plain_error_of
from fusion import Wire, leg, outputs
from fusion.diagram import Diagram, walk_nodes
from fusion.sampling import random_diagrams
from fusion_compiler.cost import totals
from fusion_compiler.passes import unshare
from fusion_compiler.passes.unshare import unshared
from fusion_compiler.polynomial.nodes import Unshared

H = leg("h", "0e+1o+2e", channels=64, on="edge")
Y, C, D = (leg(name, "0e+1o+2e", on="edge") for name in ("y", "c", "d"))


def flops(diagram: Wire | Diagram) -> int:
    return totals(fusion_compiler.compile(diagram).program, {"edge": 1000}).flops


def copies(diagram: Diagram) -> Counter[str]:
    """Return how many users form each vertex for themselves, by its text."""
    return Counter(str(node) for node in walk_nodes(diagram) if isinstance(node, Unshared))


def test_two_outputs_cost_what_both_cost_alone() -> None:
    """Formed once, ``h @ y`` has all its paths with 64 channels each; alone, ``y @ c`` comes first, with none."""
    shared = H @ Y
    first, second = (shared @ C)["0e"], (shared @ D)["0e+1o"]
    both = outputs(first=first, second=second)
    assert flops(both) == flops(first) + flops(second)
    assert totals(fusion_compiler.compile(both, without="share").program, {"edge": 1000}).flops > 2 * flops(both)
    assert error_of(both, unshared(both), 0) < 1e-12


def test_a_vertex_stays_shared_where_that_is_cheaper() -> None:
    shared = (H @ leg("g", "0e+1o+2e", channels=64, on="edge"))["0e"]
    both = outputs(first=shared @ C, second=shared @ D)
    assert unshared(both) is both


def test_what_only_the_vertex_uses_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unshare, "cheaper", lambda first, second: True)
    inner = H @ Y
    vertex = (inner @ Y)["1o"]
    both = outputs(first=vertex @ C, second=vertex @ D, third=vertex @ vertex, fourth=vertex.mix("u->v", v=3, name="w"))
    found = unshared(both)
    assert copies(found) == {str(vertex): 2, str(inner): 2}  # one user takes it twice and one is a mix: they share one
    assert error_of(both, found, 1) < 1e-12
    assert plain_error_of(both, found, 1) == 0
    kept = outputs(inner=inner, first=vertex @ C, second=vertex @ D)
    assert copies(unshared(kept)) == {str(vertex): 2, str(inner): 2}
    assert error_of(kept, unshared(kept), 2) < 1e-12


def test_values_of_unshared_vertices_count_as_equal() -> None:
    vertex = H @ Y
    one, two = Unshared(vertex.left, vertex.right, user=0), Unshared(vertex.left, vertex.right, user=1)
    assert one != two and one.value_key == two.value_key == vertex.value_key
    assert one.shared == vertex and str(one) == str(vertex)


def test_random_diagrams_keep_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unshare, "cheaper", lambda first, second: True)
    changed = 0
    for number, diagram in random_diagrams(60, 19):
        found = unshared(Diagram.of(diagram))
        if copies(found):
            changed += 1
            assert error_of(diagram, found, number) < 1e-12
            assert plain_error_of(diagram, found, number) < 1e-12
    assert changed > 3
