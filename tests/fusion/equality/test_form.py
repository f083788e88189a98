"""Digests and weight maps: moves must not change a digest, near-misses must; mapped weights give equal values."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from corpus import DIAGRAMS
from fusion import (
    Diagram,
    LimitError,
    SelectionRuleError,
    Wire,
    add,
    apply,
    evaluate,
    label,
    leg,
    outputs,
    parameters,
    parse,
    parse_network,
    weights,
)
from fusion.equality import WeightMap, canonical, equivalence
from fusion.sampling import random_diagram, random_tensors
from rewrites import exchange, named, powers_as_fuses, recouple, reorder_sums

A = leg("a", "0e+1o", channels=2)
B = leg("b", "1o+2e", channels=2)
C = leg("c", "1o", channels=2)
H = leg("h", "0e+1o+2e", channels=3)
S = leg("s", "0e", channels=3)
A2 = leg("a2", "0e+1o", channels=2)
P = A.mix("u->v", name="p")
D = leg("d", "1o", on="edge")
Z = label("z", 3)

Pair = tuple[Wire | Diagram, Wire | Diagram]


def agree(first: Wire | Diagram, second: Wire | Diagram, weight_map: WeightMap, seed: int = 0) -> float:
    """Return how far the second diagram with mapped weights is from the first, relative to the terms' magnitude."""
    inputs = random_tensors(first, np.random.default_rng(seed), (3,))
    wanted = evaluate(first, inputs.tensors, inputs.parameters, inputs.sizes)
    found = evaluate(second, inputs.tensors, weight_map(inputs.parameters), inputs.sizes)
    assert set(wanted) == set(found)
    return max(wanted[name].error(found[name].value) for name in wanted)


def check_equal(first: Wire | Diagram, second: Wire | Diagram, recoupling: bool = False) -> WeightMap:
    weight_map = equivalence(first, second, recoupling)
    assert weight_map is not None
    assert agree(first, second, weight_map) < 1e-12
    assert agree(second, first, weight_map.inverse()) < 1e-12
    return weight_map


@pytest.mark.parametrize("number", range(60))
def test_random_moves_keep_the_digest(number: int) -> None:
    rng = np.random.default_rng([11, number])
    before = named(random_diagram(rng))
    after = exchange(before, rng)
    after = powers_as_fuses(reorder_sums(after, rng))
    after = named(exchange(after, rng), rng)
    check_equal(before, after)


@pytest.mark.parametrize("number", range(60))
def test_random_recoupling_keeps_the_recoupled_digest(number: int) -> None:
    rng = np.random.default_rng([12, number])
    before = named(random_diagram(rng))
    after = recouple(reorder_sums(exchange(before, rng), rng), rng)
    after = named(exchange(recouple(after, rng), rng), rng)
    try:
        check_equal(before, after, recoupling=True)
    except LimitError as error:
        assert "to recouple; at most" in str(error)


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_corpus_under_exchange(name: str) -> None:
    rng = np.random.default_rng(13)
    before = named(DIAGRAMS[name])
    check_equal(before, named(exchange(before, rng), rng))


def test_the_corpus_has_distinct_digests_where_functions_differ() -> None:
    found: dict[str, list[str]] = {}
    for name, diagram in DIAGRAMS.items():
        found.setdefault(canonical(diagram).digest, []).append(name)
    # The same three couplings in the same order, once listed at the fuse and once selected behind it.
    assert [names for names in found.values() if len(names) > 1] == [["fuse_listed", "select"]]
    check_equal(DIAGRAMS["fuse_listed"], DIAGRAMS["select"])


EQUAL: dict[str, Pair] = {
    "exchange of legs": ((A @ B)["1e+1o"].mix("u->v"), (B @ A)["1e+1o"].mix("u->v")),
    "an even vertex without weights": ((A @ B)["1o"], (B @ A)["1o"]),
    "a sign taken up above": ((A.mix("u->u") @ B)["1e"], (B @ A.mix("u->u"))["1e"]),
    "names": (A.mix("u->v", name="p"), A.mix("u->v", name="q")),
    "names used crosswise": (
        add((2.0, A.mix("u->v", name="p")), A.mix("u->v", name="q")),
        add(A.mix("u->v", name="p"), (2.0, A.mix("u->v", name="q"))),
    ),
    "order of a direct sum": ((A + H["1o"].mix("u->v", v=2)).mix("u->v"), (H["1o"].mix("u->v", v=2) + A).mix("u->v")),
    "outer product": ((A @ B).on("u,v->uv")["0e+3o"], (B @ A).on("v,u->uv")["0e+3o"]),
    "weighted fuse": ((A @ B).on("u,v->w", w=3)["1e+1o"], (B @ A).on("u,v->w", w=3)["1e+1o"]),
    "two paths of a square": ((H @ H).paths("1o*2e->1o"), (H @ H).paths("2e*1o->1o")),
    "scaling is coupling with a scalar": (H.scale(S), (H @ S)[H]),
    "a power written out": (A.power(3)["0e+1o"].mix("u->v"), ((A @ A) @ A)["0e+1o"].mix("u->v")),
    "a sum and a difference with a learned map": (
        outputs(x=(add(A2, P) @ B)["1e"], y=(add(A2, (-1.0, P)) @ C)["1e"]),
        outputs(x=(add(A2, (-1.0, P)) @ B)["1e"], y=(add(A2, P) @ C)["1e"]),
    ),
    "a factor before one of two maps": (
        outputs(x=A.mix("u->v", name="p"), y=A2.mix("u->v", name="q")),
        outputs(x=(0.5 * A).mix("u->v", name="p"), y=A2.mix("u->v", name="q")),
    ),
    "order of outputs": (outputs(a=A, b=B), outputs(b=B, a=A)),
    "order of terms": (add((2.0, A), A.mix("u->u")), add(A.mix("u->u"), (2.0, A))),
    "a network that is a vertex": (
        apply(parse_network("network[fuse x y > z; x=1o y=2e z=3o]"), {"x": A["1o"], "y": B["2e"]}),
        (A["1o"] @ B["2e"])["3o"],
    ),
    "a bubble is a line": (
        apply(parse_network("network[split x > i j, fuse i j > y; i=1o j=2e x=1o y=1o]"), {"x": C}),
        1.0 * C,
    ),
    "one tensor under two names": (
        (leg("x", "1o") @ leg("y", "1o", same="x"))["2e"],
        (leg("x", "1o") @ leg("x", "1o"))["2e"],
    ),
    "what is zero": ((C @ C)["1e"], add((1.0, (C @ C)["1e"]), (-3.0, (C @ C)["1e"]))),
    "a reversed displacement": (add((-1.0, D)).harmonics(2)["0e+2e"], D.harmonics(2)["0e+2e"]),
    "an odd function": (add((-1.0, S)).map("tanh"), -1.0 * S.map("tanh")),
}

NEAR: dict[str, Pair] = {
    "a sign without weights": ((A @ B)["1e"], (B @ A)["1e"]),
    "a sign at one of two functions": (
        outputs(x=S.map("silu"), y=add((-1.0, S)).map("silu")),
        outputs(y=S.map("silu"), x=add((-1.0, S)).map("silu")),
    ),
    "a sum and a difference": (
        outputs(x=(add(A, A2) @ B)["1e"], y=(add(A, (-1.0, A2)) @ C)["1e"]),
        outputs(x=(add(A, (-1.0, A2)) @ B)["1e"], y=(add(A, A2) @ C)["1e"]),
    ),
    "a sign that reaches one of two maps": (
        outputs(x=S.map("silu").mix("u->v", name="p"), y=add((-1.0, S)).map("silu").mix("u->v", paths=2, name="q")),
        outputs(x=add((-1.0, S)).map("silu").mix("u->v", name="p"), y=S.map("silu").mix("u->v", paths=2, name="q")),
    ),
    "a small factor": (1e-11 * A, 2e-11 * A),
    "a sign before a function": (S.map("silu"), add((-1.0, S)).map("silu")),
    "a relative sign": (
        add(H, (0.5, H.mix("u->u")), (0.5, S.scale(S) + H["1o+2e"])),
        add(H, (0.5, H.mix("u->u")), (-0.5, S.scale(S) + H["1o+2e"])),
    ),
    "a shared sign": (
        outputs(a=H.mix("u->u", name="p"), b=H.mix("u->u", name="p")),
        outputs(a=H.mix("u->u", name="p"), b=-1.0 * H.mix("u->u", name="p")),
    ),
    "a factor": (2.0 * A.mix("u->v"), A.mix("u->v")),
    "another constant": (A.mix("u->v", constant=0.5), A.mix("u->v", constant=0.25)),
    "weights shared or not": (
        add(H.mix("u->v", name="p"), H["0e+1o+2e"].mix("u->v", name="p2")),
        add(H.mix("u->v", name="p"), H.mix("u->v", name="p")),
    ),
    "learned or a buffer": (A.mix("u->v"), A.mix("u->v", buffer="pca")),
    "diagonal or full": (A.mix("u->u"), A.mix("u->v")),
    "one or two paths out": (A.mix("u->v"), A.mix("u->v", paths=2).select({"0e": [0], "1o": [0]})),
    "per label": (A.mix("u->v"), A.mix("u->v", per=Z)),
    "of another label": (A.mix("u->v", per=Z), A.mix("u->v", per=label("y", 3))),
    "sender or receiver": (H.pull("sender"), H.pull("receiver")),
    "sum before or after": (
        D.harmonics(1).sum("receiver").mix("->u", u=2),
        D.harmonics(1).mix("->u", u=2).sum("receiver").mix("u->u"),
    ),
    "other legs": ((A @ B)["1o"].mix("u->v"), (A @ leg("e", "1o+2e", channels=2))["1o"].mix("u->v")),
    "fewer paths": (((A @ B) @ C)["1o"].mix("u->v"), ((A @ B)["0e+1o+2e"] @ C)["1o"].mix("u->v")),
    "other inner lines": (
        ((A @ B)["0e+1o"] @ C)["1o"].mix("u->v"),
        ((A @ B)["0e+2e"] @ C)["1o"].mix("u->v"),
    ),
    "paths in another order": ((A @ B).paths("0e*1o->1o", "1o*2e->1o"), (A @ B).paths("1o*2e->1o", "0e*1o->1o")),
    "a transposed product": ((A @ B).on("u,v->uv")["2e"], (A @ B).on("u,v->vu")["2e"]),
    "element by element or outer": ((A @ B).on("u,u->u")["1o"], (A @ B).on("u,v->u")["1o"]),
    "another function": (S.map("silu"), S.map("softplus")),
    "harmonics or solid harmonics": (D.harmonics(2, "norm"), D.solid_harmonics(2)),
    "another cutoff": (D.cutoff(4.0), D.cutoff(4.5)),
    "a shuffle": (H.roll(1), H.roll(2)),
    "an output of another name": (outputs(a=A), outputs(b=A)),
    "the number of a closed network": (
        H.scale(apply(parse_network("network[split c > a b, fuse a b > c; a=1o b=2e c=3o]"))),
        H.scale(apply(parse_network("network[split c > a b, fuse a b > c; a=1o b=2e c=2o]"))),
    ),
    "gates in another order": (A.scale(weights("g", on="atom")), A.scale(leg("g", "0e", channels=2))),
    "two heads or one twice": (
        (A.mix("u->v", name="p") @ A.mix("u->v", name="q"))["0e"],
        (A.mix("u->v", name="p") @ A.mix("u->v", name="p"))["0e"],
    ),
    "reduced or full": (
        A.power(2, basis="reduced")["0e+1o"].mix("u->v"),
        A.power(2, basis="full")["0e+1o"].mix("u->v"),
    ),
    "dead weights": (A["0e"].mix("u->v"), A.mix("u->v")["0e"]),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_pairs(name: str) -> None:
    check_equal(*EQUAL[name])
    check_equal(*EQUAL[name], recoupling=True)


@pytest.mark.parametrize("recoupling", [False, True])
@pytest.mark.parametrize("name", NEAR)
def test_near_misses(name: str, recoupling: bool) -> None:
    assert equivalence(*NEAR[name], recoupling) is None


RECOUPLED: dict[str, Pair] = {
    "an F-move before a learned map": (((A @ B) @ C)["1o"].mix("u->v"), (A @ (B @ C))["1o"].mix("u->v")),
    "behind a sum": (
        ((A @ B) @ C)["1o"].sum("system").mix("u->v"),
        (A @ (B @ C))["1o"].sum("system").mix("u->v"),
    ),
    "a comb and a balanced tree": (
        (((A @ C) @ C) @ B)["0e"].mix("u->v"),
        ((A @ C) @ (C @ B))["0e"].mix("u->v"),
    ),
    "a cap that loses nothing": (
        ((A["0e"] @ C)["1o"] @ B)["1e+2e"].mix("u->v"),
        (A["0e"] @ (C @ B)["1e+2e"])["1e+2e"].mix("u->v"),
    ),
    "weighted fuses": (
        ((A @ B) @ C).on("u,u->w", w=3)["1o"],
        (A @ (B @ C)).on("u,u->w", w=3)["1o"],
    ),
    "outer products": (
        ((A @ B).on("u,v->uv") @ C).on("uv,w->uvw")["1o"].mix("uvw->x", x=2),
        (A @ (B @ C).on("v,w->vw")).on("u,vw->uvw")["1o"].mix("uvw->x", x=2),
    ),
}


@pytest.mark.parametrize("name", RECOUPLED)
def test_recoupled_pairs(name: str) -> None:
    assert equivalence(*RECOUPLED[name]) is None
    check_equal(*RECOUPLED[name], recoupling=True)


def test_a_cap_that_loses_labels_is_another_function() -> None:
    whole = ((A @ B) @ C)["1o"].mix("u->v")
    moved = (A @ (B @ C)["0e+1o+2e"])["1o"].mix("u->v")
    assert len(parameters(whole)) == len(parameters(moved)) == 1
    assert equivalence(whole, moved, recouple=True) is None


def test_the_matrix_of_a_recoupling_is_orthogonal() -> None:
    weight_map = check_equal(*RECOUPLED["an F-move before a learned map"], recoupling=True)
    (part,) = weight_map.parts
    assert np.allclose(part.matrix @ part.matrix.T, np.eye(len(part.matrix)), rtol=0, atol=1e-13)
    assert not np.allclose(np.abs(part.matrix), np.round(np.abs(part.matrix)), atol=0.1)
    assert str(weight_map) == "mix1_1o -> mix1_1o: recoupled"


def test_exchange_needs_signs_and_orders_only() -> None:
    weight_map = check_equal(*EQUAL["exchange of legs"])
    for part in weight_map.parts:
        assert set(np.abs(part.matrix).ravel()) <= {0.0, 1.0}
        assert np.array_equal(np.abs(part.matrix).sum(axis=0), np.ones(len(part.matrix)))
    assert "signs and order of paths" in str(weight_map)


def test_eight_equal_heads_are_interchangeable() -> None:
    def heads(order: list[int]) -> Wire:
        parts = [(H.mix("u->u", name=f"q{n}") @ H.mix("u->u", name=f"k{n}"))["0e"] for n in order]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total.mix("u->v")

    check_equal(heads(list(range(8))), heads([3, 1, 7, 0, 2, 6, 5, 4]))


def test_the_digest_does_not_depend_on_the_process() -> None:
    text = str(EQUAL["weighted fuse"][0])
    code = f"from fusion import parse; from fusion.equality import canonical; print(canonical(parse({text!r})).digest)"
    for seed in ("0", "7"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
        )
        assert found.stdout.strip() == canonical(parse(text)).digest


def test_kinds_of_digest_do_not_mix() -> None:
    assert canonical(A).digest != canonical(A, recouple=True).digest
    assert canonical(A, recouple=True).recoupled


def test_an_illegal_diagram_is_refused() -> None:
    with pytest.raises(SelectionRuleError):
        canonical((A @ B)["9e"])


def test_a_tree_with_too_many_legs_is_refused() -> None:
    wire: Wire = leg("x", "1o")
    for number in range(8):
        wire = (wire @ leg(f"x{number}", "1e"))["1o"]
    assert len(canonical(wire).digest) == 64
    with pytest.raises(LimitError, match="a tree of 9 legs is too large to recouple; at most 8"):
        canonical(wire, recouple=True)


def test_canonical_names() -> None:
    weight_map = canonical(outputs(x=A.mix("u->v", name="p"), y=S.mix("u->v", name="q"))).weight_map
    assert {part.source.name for part in weight_map.parts} == {"p_0e", "p_1o", "q_0e"}
    assert {part.target.name for part in weight_map.parts} == {"w1", "w2", "w3"}


def test_a_sign_can_be_seen_once_only() -> None:
    # One learned map, two products: the exchange of both is taken up, that of one is not.
    p = A.mix("u->u", name="p")["1o"]
    both = outputs(x=(p @ C)["1e"], y=(p @ B["2e"])["2o"])
    check_equal(both, outputs(x=(C @ p)["1e"], y=(B["2e"] @ p)["2o"]))
    assert equivalence(both, outputs(x=(C @ p)["1e"], y=(p @ B["2e"])["2o"])) is None


def test_golden_weights_of_an_exchange() -> None:
    # (a @ b)["1e"] has the one path 1o*1o -> 1e, which is odd: 1 + 1 + 1.
    weight_map = check_equal((A @ B).paths("1o*1o->1e").mix("u->u"), (B @ A).paths("1o*1o->1e").mix("u->u"))
    given = {"mix1_1e": np.array([[[math.pi, 2.0]]])}
    assert np.array_equal(weight_map(given)["mix1_1e"], -given["mix1_1e"])
