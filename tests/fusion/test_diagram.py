"""Diagrams as values: equality, hashing, immutability, operators that read like mathematics, and the implicit pull."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusion
from fusion import (
    Diagram,
    LimitError,
    NotationError,
    SelectionRuleError,
    Wire,
    add,
    apply,
    check,
    index_map,
    label,
    leg,
    line,
    one,
    outputs,
    parse,
    tuples,
    vertex,
    walk_nodes,
    weights,
)
from fusion.diagram import Add, DirectSum, Fuse, Leg, Mix, Power, Pull, Scale, Select
from fusion.index import resolve_map

H = leg("h", "0e+1o+2e", channels=8, on="atom")
Y = leg("Y", "0e+1o+2e+3o", on="edge")
X = leg("x", "0e+1o", channels=8, on="edge")
D = leg("d", "1o", on="edge")
Z = label("z", 4, on="atom")


SCOPE: dict[str, Any] = dict(vars(fusion))
"""The names that a printed value is evaluated with."""


def mace() -> Wire:
    h, z = leg("h", "0e+1o+2e", channels=8, on="atom"), label("z", 4, on="atom")
    y, r = leg("Y", "0e+1o+2e+3o", on="edge"), weights("R", on="edge")
    a = (y @ h.mix("u->v").pull("sender"))["0e+1o+2e+3o"].scale(r).sum("receiver").mix("u->v")
    m = a.power(1, 2, 3, basis="full")["0e+1o"].mix("u->u", per=z).mix("u->v")
    return add(m, h["0e+1o"].mix("u->v", per=z))


BRANCHED = X @ X
EXPRESSIONS: dict[str, Wire] = {
    "leg": H,
    "fuse": H @ H,
    "fuse chain": H @ H["0e"] @ H["1o"],
    "fuse of fuse": H["0e"] @ (H["1o"] @ H["2e"]),
    "fuse of sum": (H["0e"] + H["1o"]) @ (H["1o"] + H["2e"]),
    "filter": (H @ H)["1o"],
    "filter of filter": (H @ H)["0e+1o"]["1o"],
    "filter of paths": (H @ H).paths("1o*1o->2e", "0e*1o->1o")["1o"],
    "paths": (H @ H).paths("1o*1o->2e", "0e*1o->1o"),
    "pattern": (H @ X.sum("receiver")).on("u,v->uv")["1o"],
    "weighted": (H @ H).on("u,v->w", w=3, name="couple")["0e"],
    "power": H.power(1, 3, basis="reduced", inner="0e+1o")["0e+2e"],
    "power filter twice": H.power(2)["0e+1o"]["1o"],
    "mix": H.mix("u->v", v=5, paths=2, per=Z, name="first"),
    "mix per two": X.mix("u->u", per=(Z.pull("sender"), Z.pull("receiver"))),
    "mix constant": H.mix("u->u", constant={"0e": 1, "1o": [0.5] * 8, "2e": -2e-5}),
    "mix buffer": H.mix("u->v", buffer="pca", v=3),
    "mix tied": H.split(4).mix("uc->vd", d=2, v=3, tied=([[[1, 0], [0, 1]], [[0, 1], [-1, 0]]], "kcd", "kuv")),
    "mix shared": H.mix("u->v", v=5, shared=True, per=Z, name="first"),
    "mix each": (H @ H)["0e+1o"].mix("u->u", paths="each"),
    "mix each, shared buffer": H.mix("u->v", v=5, paths="each", buffer="pca", shared=True),
    "mix of one": one().mix("->", per=Z),
    "scale": X.scale(X["0e"]),
    "scale pattern": H.split(2).scale(leg("g", "0e", channels=2), "gu,g->gu"),
    "scale weights": X.scale(weights("R")),
    "scale by sum": X["0e"].scale(X["0e"] + X["0e"].map("silu")),
    "add": add((0.5, H), (-1.5e-7, H.mix("u->v")), H),
    "add of sums": add(X["0e"] + X["1o"], -1.0 * (X["0e"] + X["1o"])),
    "factor": 0.25 * H,
    "factor of factor": 3 * (2 * H),
    "negative": -H,
    "direct sum": H + H["0e"] + H,
    "direct sum nested": H + (H["0e"] + H["1o"]),
    "map": H["0e"].map("tanh"),
    "layer norm": H["0e"].layer_norm(),
    "softmax": X["0e"].softmax("receiver"),
    "harmonics": D.harmonics(3, "norm"),
    "solid harmonics": D.solid_harmonics(2),
    "length": D.length(),
    "radial": D.bessel(8, 5.0).scale(D.cutoff(5.0, p=5), "n,->n"),
    "gaussian": D.gaussian(8, 4.5),
    "cosine cutoff": D.cosine_cutoff(4.5),
    "pull": H.pull("sender"),
    "pull declared": H.pull(index_map("child", "bond", "atom")),
    "pull tuples": X.pull(tuples("receiver")[1]),
    "sum": X.sum("receiver"),
    "sum by label": X.sum("receiver", by=Z.pull("sender")),
    "select": H.select({"2e": [0], "0e": [0]}),
    "split": H.split(4),
    "split axis": H.split(4).split(2, axis=0),
    "merge": H.split(4).merge(),
    "merge axis": H.split(4).split(2).merge(axis=1),
    "reorder": H.split(2).reorder("gu->ug"),
    "roll": H.roll(-3),
    "shuffle": H.split(2).shuffle([1, 0], axis=0),
    "apply": apply(vertex("a=1o", "b=2e", "c=1o"), {"a": H["1o"], "b": H["2e"]}),
    "apply sum": apply(line("a=0e"), {"a": H["0e"]}),
    "one": add(H["0e"], one().mix("->u", u=8)),
    "one of SO(3)": leg("h", "0+1") @ one("0"),
    "shared": add(BRANCHED["0e"], (BRANCHED @ BRANCHED)["0e"].select({"0e": [0, 1]})),
    "mace": mace(),
}

expressions = pytest.mark.parametrize("name", EXPRESSIONS)


@expressions
def test_text_and_repr_give_the_value_back(name: str) -> None:
    wire = EXPRESSIONS[name]
    assert parse(str(wire)) == wire
    assert eval(repr(wire), SCOPE) == wire
    assert "\n" not in str(wire)
    for node in walk_nodes(wire):
        assert eval(repr(node), SCOPE) == node


@expressions
def test_structure_decides_equality_and_hash(name: str) -> None:
    wire = EXPRESSIONS[name]
    again = parse(str(wire))
    assert again is not wire
    assert hash(again) == hash(wire)
    assert again in {wire}
    others = [other for key, other in EXPRESSIONS.items() if key != name]
    assert wire not in others
    assert wire != str(wire)


@expressions
def test_values_cannot_be_changed(name: str) -> None:
    wire = EXPRESSIONS[name]
    with pytest.raises(FrozenInstanceError):
        wire.space = H.space
    with pytest.raises(FrozenInstanceError):
        wire.name = "other"  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        del wire.key
    assert copy.copy(wire) is copy.deepcopy(wire) is wire
    assert pickle.loads(pickle.dumps(wire)) == wire


def test_hashes_do_not_depend_on_the_process() -> None:
    root = Path(fusion.__file__).parents[1]
    code = f"import fusion; print(hash(fusion.parse({str(mace())!r})))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(root), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(done.stdout) == hash(mace())


def test_declarations_are_part_of_the_value() -> None:
    assert leg("h", "0e", channels=8) != leg("h", "0e", channels=9)
    assert leg("h", "0e", channels={"n": 8}) != leg("h", "0e", channels=8)
    assert leg("h", "0e", on="edge") != leg("h", "0e", on="atom")
    assert leg("h", "0e") != leg("h", "0e", same="g")
    assert leg("h", "1o+0e") == leg("h", "0e+1o")  # the order is made canonical
    assert H @ X.sum("receiver") != X.sum("receiver") @ H
    assert H.mix("u->v") != H.mix("u->u")
    assert H.mix("u->v") == H.mix("u->v")
    assert H.mix("u->v", name="a") != H.mix("u->v", name="b")
    assert H.mix("u->u", constant=1) == H.mix("u->u", constant=1.0)
    assert label("z", 4) != label("z", 5)


# operators


def test_operators_build_the_nodes_they_look_like() -> None:
    assert isinstance(H @ H, Fuse)
    assert isinstance(H["0e"], Select)
    assert (H @ H)["0e"] == Fuse(H, H, coupled=H["0e"].space.irreps)
    assert isinstance(H.power(2)["0e"], Power)
    assert isinstance((H @ H)["0e"]["0e"], Select)
    assert H[leg("w", "1o+0e")] == H["0e+1o"]
    assert 0.5 * H == H * 0.5 == Add(((0.5, H),))
    assert Add(((-1.0, H),)) == -H
    assert add(H, 2 * H, (3.0, H)) == Add(((1.0, H), (2.0, H), (3.0, H)))
    assert add(add(H, H), H) == Add(((1.0, add(H, H)), (1.0, H)))


def test_plus_is_the_direct_sum_and_add_is_not() -> None:
    both = H["0e+1o"] + H["1o+2e"]
    assert isinstance(both, DirectSum)
    assert str(both.space) == "0e+2x1o+2e [u=8] on atom"
    assert both != add(H["0e+1o"], H["1o+2e"])
    assert H + H["0e"] + H["1o"] == DirectSum((H, H["0e"], H["1o"])) == DirectSum((H + H["0e"], H["1o"]))
    assert H + (H["0e"] + H["1o"]) != H + H["0e"] + H["1o"]


def test_the_sketch_of_the_design() -> None:
    h, eta = leg("h", "0e+1o", channels=16), leg("eta", "0e", channels=16, on="edge")
    g_prev, mask = leg("g_prev", "0e", channels=16, on="edge"), leg("mask", "0e", on="edge")
    d = (h.pull("receiver") @ h.pull("sender"))["0e"]
    g = (g_prev + d + eta).mix("u->v").scale(mask)
    assert str(g.space) == "0e [v=16] on edge"
    e, q = leg("E", "0e+1o+2e", channels=64), leg("Q", "0e+1o+2e", channels=64)
    p = (e.split(32) @ q.split(32)).on("gu,gv->gw", w=2, paths=["1o*1o->2e", "2e*1o->1o"]).merge().roll(48)
    assert str(p.space) == "1o+2e [w=64] on atom"
    rho, c, z = leg("rho", "0e", channels={"n": 8}), leg("c", "0e+1o", channels={"q": 4}, on="edge"), label("z", 3)
    b = (c @ rho.pull("sender")).on("n,q->nq").sum("receiver", by=z.pull("sender"))
    assert b.space.sizes == (3, 4, 8)
    for wire in (d, g, p, b, mace()):
        check(wire)


def test_weights_take_the_space_of_what_they_scale() -> None:
    scaled = Y.scale(weights("R"))
    assert isinstance(scaled, Scale)
    assert scaled.by == leg("R", "4x0e", on="edge")
    flat = leg("x", "2x0+1", channels=3, on="edge").scale(weights("R"))
    assert isinstance(flat, Scale)
    assert flat.by == leg("R", "3x0", channels=3, on="edge")


# index spaces


def test_a_pull_is_implicit_where_exactly_one_map_exists() -> None:
    s, first = leg("s", "0e", on="system"), leg("t", "0e", on="triplet")
    assert H @ s == Fuse(H, Pull(s, resolve_map("system")))
    assert s @ H == Fuse(s.pull("system"), H)
    assert H["0e"].scale(s) == H["0e"].scale(s.pull("system"))
    check(H @ s)
    for left, right in ((H, Y), (first, Y), (leg("a", "0e", on="bond"), H)):
        assert left @ right == Fuse(left, right)
        with pytest.raises(fusion.IndexSpaceError):
            check(left @ right)


def test_a_constant_goes_with_every_space() -> None:
    k = leg("k", "0e+1o", channels=8, on="constant")
    assert (k @ H).space.on == (H @ k).space.on == "atom"
    assert add(k, H["0e+1o"]).space.on == "atom"
    check(add(k, H["0e+1o"]))
    assert (k @ k).space.on == "constant"


# several outputs


def test_outputs_share_nodes() -> None:
    a = H.mix("u->v")
    diagram = outputs(scalar=a["0e"], vector=a["1o"], whole=a)
    assert parse(str(diagram)) == diagram == eval(repr(diagram), SCOPE)
    assert str(diagram) == (
        "leg h: 0e+1o+2e, u=8, on atom; t1 = h.mix(u->v); out scalar = t1[0e]; out vector = t1[1o]; out whole = t1"
    )
    assert len([node for node in walk_nodes(diagram) if isinstance(node, Mix)]) == 1
    assert outputs(vector=a["1o"], scalar=a["0e"]) != outputs(scalar=a["0e"], vector=a["1o"])


def test_a_wire_is_the_diagram_with_one_output_called_out() -> None:
    found = Diagram.of(H @ H)
    assert found.outputs == (("out", H @ H),)
    assert Diagram.of(found) is found
    assert str(found) == str(H @ H)
    assert eval(repr(found), SCOPE) == found


def test_a_diagram_needs_distinct_outputs() -> None:
    with pytest.raises(NotationError, match="at least one output"):
        outputs()
    with pytest.raises(NotationError, match="two outputs share a name: a, a"):
        Diagram((("a", H), ("a", Y)))


def test_equal_legs_are_one_node() -> None:
    again = leg("h", "0e+1o+2e", channels=8, on="atom")
    assert len(walk_nodes(H @ again)) == 2
    assert isinstance(walk_nodes(H @ again)[0], Leg)


def test_deep_diagrams_need_no_recursion() -> None:
    x: Wire = leg("x", "0e", channels=2)
    for _ in range(3000):
        x = add(x.mix("u->v"), x)
    assert parse(str(x)) == x
    assert copy.deepcopy(x) is x
    assert len(walk_nodes(x)) == 6001


# what is refused when it is written down


@pytest.mark.parametrize(
    "name", ["", "1", "a b", "leg", "out", "add", "network", "on", "same", "all", "t1", "t12", "a.b", "é"]
)
def test_names(name: str) -> None:
    for build in (
        lambda: leg(name, "0e"),
        lambda: label(name, 2),
        lambda: weights(name),
        lambda: outputs(**{name: H}),
        lambda: H.mix("u->u", buffer=name) if name else leg(name, "0e"),
    ):
        with pytest.raises(NotationError):
            build()


BUILDS = {
    "empty leg": lambda: leg("x", "0x0e"),
    "empty selection": lambda: H["0x0e"],
    "filter and paths": lambda: (H @ H)["0e"].paths("0e*0e->0e"),  # type: ignore[attr-defined]
    "two kinds of coefficients": lambda: H.mix("u->u", constant=1.0, buffer="b"),
    "constant nan": lambda: H.mix("u->u", constant=float("nan")),
    "constant ragged": lambda: H.mix("u->u", constant=[[1.0], [1.0, 2.0]]),
    "constant text": lambda: H.mix("u->u", constant="1.0"),
    "constant bool": lambda: H.mix("u->u", constant=True),
    "constant nothing": lambda: H.mix("u->u", constant={}),
    "tied axes": lambda: H.mix("u->u", tied=([1.0, 2.0], "kc", "ku")),
    "tied letters": lambda: H.mix("u->u", tied=([1.0, 2.0], "K", "ku")),
    "paths zero": lambda: H.mix("u->u", paths=0),
    "paths half": lambda: H.mix("u->u", paths=0.5),  # type: ignore[arg-type]
    "size zero": lambda: H.mix("u->v", v=0),
    "size of a word": lambda: H.mix("u->v", width=3),
    "size upper case": lambda: H.mix("u->v", V=3),
    "size bool": lambda: H.mix("u->v", v=True),
    "paths all": lambda: H.mix("u->v", paths="all"),
    "shared constant": lambda: H.mix("u->v", constant=1.0, shared=True),
    "factor nan": lambda: float("nan") * H,
    "factor inf": lambda: add((float("inf"), H)),
    "add nothing": lambda: add(),
    "basis": lambda: H.power(2, basis="best"),
    "no orders": lambda: H.power(),
    "orders twice": lambda: H.power(2, 2),
    "order half": lambda: H.power(1.5),  # type: ignore[arg-type]
    "function": lambda: H["0e"].map("erf"),
    "function across": lambda: H["0e"].map("softmax"),
    "normalisation": lambda: D.harmonics(2, "physics"),
    "l_max": lambda: D.harmonics(1.5),  # type: ignore[arg-type]
    "cutoff": lambda: D.cutoff(0.0),
    "cutoff nan": lambda: D.cutoff(float("nan")),
    "cosine cutoff": lambda: D.cosine_cutoff(-1.0),
    "one of another irrep": lambda: one("1o"),
    "one odd": lambda: one("0o"),
    "cutoff order": lambda: D.cutoff(5.0, p=1),
    "radial count": lambda: D.bessel(0, 5.0),
    "radial many": lambda: D.gaussian(10**6, 5.0),
    "map": lambda: H.pull("recv"),
    "triple": lambda: (H @ H).paths("1o x 1o -> 0e"),
    "triple irrep": lambda: (H @ H).paths("1o*1o->0q"),
    "shift": lambda: H.roll(1.5),  # type: ignore[arg-type]
    "axis": lambda: H.split(2, axis="u"),  # type: ignore[arg-type]
    "classes": lambda: label("z", 0),
    "classes bool": lambda: label("z", True),
    "index space": lambda: leg("x", "0e", on="my atoms"),
    "label fused": lambda: H @ Z,  # type: ignore[operator]
    "label scales": lambda: H.scale(Z),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", BUILDS)
def test_what_cannot_be_written(name: str) -> None:
    with pytest.raises(NotationError):
        BUILDS[name]()


LIMITS = {
    "classes": lambda: label("z", 5000),
    "channels": lambda: leg("x", "0e", channels=70_000),
    "size": lambda: H.mix("u->v", v=70_000),
    "constant": lambda: H.mix("u->u", constant=np.zeros(50_001)),
    "labels": lambda: H.mix("u->u", per=[Z] * 9),
    "degree": lambda: leg("x", "17o"),
    "name": lambda: leg("x" * 65, "0e"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_too_large(name: str) -> None:
    with pytest.raises(LimitError):
        LIMITS[name]()


def test_integers_of_any_type_are_welcome() -> None:
    order = np.array([1, 0, 2, 3, 4, 5, 6, 7])
    wire = H.shuffle(order).split(np.int64(2)).mix("gu->gv", v=np.int32(3)).select({"0e": np.array([0])})  # type: ignore[arg-type]
    assert parse(str(wire)) == wire
    assert np.float64(2.0) * H == 2 * H


def test_the_number_one_is_written_out_wherever_it_is_used() -> None:
    wire = add(one().mix("->", name="a"), one().mix("->", name="b"))
    assert str(wire) == "add(one().mix(->, name=a), one().mix(->, name=b))"
    assert parse("t1 = one(); add(t1.mix(->, name=a), t1.mix(->, name=b))") == wire
    assert str(outputs(x=one(), y=2.0 * one())) == "out x = one(); out y = add(2.0 * one())"


def test_repr_of_a_label() -> None:
    pulled = Z.pull("sender").pull(index_map("m", "bond", "edge"))
    assert repr(pulled) == "label('z', 4, on='atom').pull('sender').pull('m:bond>edge')"
    assert eval(repr(pulled), SCOPE) == pulled
    assert str(Z) == "label z: 4, on atom; z"


@pytest.mark.parametrize(
    "build",
    [
        lambda h, z: h @ 3,
        lambda h, z: h + 1,
        lambda h, z: add(1),  # type: ignore[arg-type]
        lambda h, z: h.scale(3),
        lambda h, z: h.mix("->", per="z"),
        lambda h, z: h.sum("system", by=h),
        lambda h, z: outputs(a=z),
        lambda h, z: check(z),
        lambda h, z: check("text"),  # type: ignore[arg-type]
        lambda h, z: apply(line("a=0e"), {"a": z}),
        lambda h, z: leg("sizes", "0e"),
    ],
)
def test_other_things_than_wires_are_refused(build: Callable[[Any, Any], object]) -> None:
    with pytest.raises(NotationError):
        build(leg("h", "0e"), label("z", 3))


def test_a_selection_of_irreps_of_two_groups_can_be_printed_and_reported() -> None:
    wire = parse("leg x: 1e+3o, u=2, on atom; x.select(1e: all, 3: all)")
    assert parse(str(wire)) == wire
    with pytest.raises(SelectionRuleError, match="the wire has no 3"):
        check(wire)


def test_whole_irreps_can_be_selected_beside_single_paths() -> None:
    wire = leg("x", "2x0e+3x1o").select({"1o": [2, 0], "0e": None})
    assert str(wire.space.irreps) == "2x0e+2x1o"
    assert parse(str(wire)) == wire


@pytest.mark.parametrize("irreps", [["0e"], 0, None])
def test_irreps_that_are_no_text(irreps: Any) -> None:
    with pytest.raises(NotationError, match="irreps are written as text such as"):
        leg("x", irreps)
