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
from fusion_compiler.passes import unshare as unsharing
from fusion_compiler.passes import worth
from fusion_compiler.passes.unshare import unshare
from fusion_compiler.polynomial.nodes import Unshared

H = leg("h", "0e+1o+2e", channels=64, on="edge")
Y, C, D = (leg(name, "0e+1o+2e", on="edge") for name in ("y", "c", "d"))


def flops(diagram: Wire | Diagram) -> int:
    return totals(fusion_compiler.compile(diagram).program, {"edge": 1000}).flops


def copies(diagram: Diagram) -> Counter[str]:
    """Return how many users form each vertex for themselves, by its text."""
    return Counter(str(node) for node in walk_nodes(diagram) if isinstance(node, Unshared))


def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsharing, "cheaper", lambda first, second: True)
    monkeypatch.setattr(unsharing, "_gain", lambda diagram, uses, vertex: 1.0)


def test_two_outputs_cost_what_both_cost_alone() -> None:
    """Formed once, ``h @ y`` has all its paths with 64 channels each; alone, ``y @ c`` comes first, with none."""
    shared = H @ Y
    first, second = (shared @ C)["0e"], (shared @ D)["0e+1o"]
    both = outputs(first=first, second=second)
    assert flops(both) == flops(first) + flops(second)
    assert totals(fusion_compiler.compile(both, without="unshare").program, {"edge": 1000}).flops > 2 * flops(both)
    assert error_of(both, unshare(both), 0) < 1e-12


def test_weights_behind_them_do_not_hide_it() -> None:
    """Judged before weights move: later, the shared vertex alone would decide which rewrite seems to gain."""
    shared = H @ Y
    first, second = (shared @ C)["0e"].mix("u->u", name="m1"), (shared @ D)["0e+1o"].mix("u->u", name="m2")
    both = outputs(first=first, second=second)
    assert flops(both) == flops(first) + flops(second)
    assert flops(both) <= totals(fusion_compiler.compile(both, without="mixes").program, {"edge": 1000}).flops


def test_what_each_costs_does_not_depend_on_how_many_there_are() -> None:
    every: dict[str, Wire] = {}
    for number in range(8):
        shared = leg(f"h{number}", "0e+1o+2e", channels=64, on="edge") @ Y
        every[f"a{number}"], every[f"b{number}"] = (shared @ C)["0e"], (shared @ D)["0e+1o"]
    assert flops(outputs(**every)) <= 8 * flops(outputs(a=every["a0"], b=every["b0"]))


def test_where_all_together_do_not_pay_the_most_promising_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Splitting ``w`` seems to gain here, and loses; ``s`` is taken apart all the same."""
    w, s = (H @ leg("g", "0e+1o+2e", channels=64, on="edge"))["0e"], H @ Y
    kept = {"a": w @ C, "b": w @ D}
    declared = outputs(**kept, c=(s @ C)["0e"], d=(s @ D)["0e+1o"])
    real = unsharing._gain
    monkeypatch.setattr(unsharing, "_gain", lambda d, uses, v: 1.0 if v == w else real(d, uses, v))
    judged: list[bool] = []

    def cheaper(first: Diagram, second: Diagram) -> bool:
        judged.append(bool(judged) and worth.cheaper(first, second))  # all together do not pay
        return judged[-1]

    monkeypatch.setattr(unsharing, "cheaper", cheaper)
    assert copies(unshare(declared)) == {str(s): 2}
    assert judged == [False, True, False] or judged == [False, False, True]


def test_a_vertex_stays_shared_where_that_is_cheaper() -> None:
    shared = (H @ leg("g", "0e+1o+2e", channels=64, on="edge"))["0e"]
    both = outputs(first=shared @ C, second=shared @ D)
    assert unshare(both) is both


def test_what_only_the_vertex_uses_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch)
    inner = H @ Y
    vertex = (inner @ Y)["1o"]
    both = outputs(first=vertex @ C, second=vertex @ D, third=vertex @ vertex, fourth=vertex.mix("u->v", v=3, name="w"))
    found = unshare(both)
    assert copies(found) == {str(vertex): 2, str(inner): 2}  # one user takes it twice and one is a mix: they share one
    assert error_of(both, found, 1) < 1e-12
    assert plain_error_of(both, found, 1) == 0
    kept = outputs(inner=inner, first=vertex @ C, second=vertex @ D)
    assert copies(unshare(kept)) == {str(vertex): 2, str(inner): 2}
    assert error_of(kept, unshare(kept), 2) < 1e-12


def test_values_of_unshared_vertices_count_as_equal() -> None:
    vertex = H @ Y
    one, two = Unshared(vertex.left, vertex.right, user=0), Unshared(vertex.left, vertex.right, user=1)
    assert one != two and one.value_key == two.value_key == vertex.value_key
    assert one.shared == vertex and str(one) == str(vertex)


def test_random_diagrams_keep_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch)
    changed = 0
    for number, diagram in random_diagrams(60, 19):
        found = unshare(Diagram.of(diagram))
        if copies(found):
            changed += 1
            assert error_of(diagram, found, number) < 1e-12
            assert plain_error_of(diagram, found, number) < 1e-12
    assert changed > 3
