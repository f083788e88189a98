"""Diagrams that the tests of the drawings share, and comparison with committed texts."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from fusion import Diagram, Network, Wire, add, apply, label, leg, outputs, split_vertex, vertex, walk_nodes, weights

GOLDEN = Path(__file__).parent / "golden"
Drawn = Wire | Diagram | Network


def mace() -> Wire:
    h, z = leg("h", "0e+1o+2e", channels=64), label("z", 4)
    y, r = leg("Y", "0e+1o+2e+3o", on="edge"), weights("R", on="edge")
    a = (y @ h.mix("u->v", v=64).pull("sender"))["0e+1o+2e+3o"].scale(r).sum("receiver").mix("u->v", v=64)
    m = a.power(1, 2, basis="full")["0e+1o"].mix("u->u", per=z).mix("u->v", v=64)
    return add(m, h["0e+1o"].mix("u->v", per=z, v=64))


def cormorant() -> Diagram:
    psi, y = leg("psi", "0e+1o+2e", channels=8), leg("Y", "0e+1o+2e", on="edge")
    before, eta = leg("g_prev", "0e", channels=8, on="edge"), leg("eta", "4x0e", channels=8, on="edge")
    d = (psi.pull("receiver") @ psi.pull("sender"))["0e"]
    g = (before + d + eta).mix("u->v", v=8, name="edge_mix").scale(leg("mask", "0e", on="edge"))
    two = (y @ psi.pull("sender"))["0e+1o+2e"].scale(g, "u,u->u").sum("receiver")
    return outputs(g=g, psi_next=(psi + (psi @ psi)["0e+1o+2e"] + two).mix("u->v", v=8, name="atom_mix"))


def nbody() -> Wire:
    psi, yab = leg("psi", "0e+1o+2e", channels=16, on="node"), leg("Yab", "0e+1o+2e", on="pair")
    gab = leg("gab", "0e", channels=16, on="pair")
    pair = (psi.pull("pair.a") @ psi.pull("pair.b")) @ yab
    return pair["0e+1o+2e"].scale(gab).sum("pair.parent").mix("u->v", v=16)


def freecg() -> Wire:
    e, q = (leg(name, "1o+2e", channels=256) for name in "EQ")
    paths = ["1o*1o->2e", "1o*2e->1o", "2e*1o->1o", "2e*2e->2e", "2e*2e->1e"]
    return (e.split(32) @ q.split(32)).on("gu,gv->gw", w=8, paths=paths).merge().roll(48)


def attention() -> Wire:
    h, r = leg("h", "0e+1o", channels=(4, 16)), leg("r", "1o", on="edge")
    query = h["0e"].mix("gu->gv", v=16, name="query").pull("receiver")
    key = h["0e"].mix("gu->gv", v=16, name="key").pull("sender")
    weight = (query @ key).mix("gu->g", constant=0.25).softmax("receiver").scale(r.cutoff(5.0))
    value = (h.mix("gu->gv", v=16, name="value").pull("sender") @ r.harmonics(2))["0e+1o+2e"]
    return value.scale(weight, "gu,g->gu").sum("receiver").mix("gu->gv", v=16)


def acdc() -> Wire:
    c, rho = leg("c", "0e+1o", channels={"n": 8}, on="edge"), leg("rho", "0e+1o", channels={"q": 3})
    return (c @ rho.pull("sender")).on("n,q->nq").sum("receiver", by=label("z", 3).pull("sender"))


def several() -> Diagram:
    """Node kinds that the published layers above do not have."""
    h, z = leg("h", "4x0e+2x1o+1e+0o", channels={"g": 4, "u": 8}), label("z", 5)
    bond, r = label("bond", 3, on="edge"), leg("r", "1o", on="edge")
    a = h.mix("gu->gv", v=8, per=z, paths=3, name="first").pull("sender")
    b = a.mix("gu->gu", per=(bond, z.pull("sender"), z.pull("receiver")), buffer="pca")
    w = r.bessel(8, 5.0).mix("n->", constant=[1.0] * 8).map("silu")
    k = h.select({"0e": [0, 2], "1o": [1]}).merge().shuffle([i ^ 1 for i in range(32)])
    same = leg("h2", "0e+1o", channels=4)
    twin = leg("h3", "0e+1o", channels=4, same="h2")
    return outputs(
        message=b.scale(w).sum("receiver", by=z.pull("sender")),
        power=-k.power(2, 3, basis="reduced", inner="0e+1o")["0e+1o"],
        residual=add((0.7071, same), (-2.0, twin), same.mix("u->u")),
        solid=r.solid_harmonics(3).scale(r.length()).scale(r.gaussian(1, 4.0), ",n->n"),
        reordered=h.reorder("gu->ug"),
    )


def squared() -> Wire:
    x = leg("x", "0e+1o", channels=8)
    return (x @ x)["0e+1o+1e"]


def illegal() -> Wire:
    """Two errors at one node, one at another, and a notice."""
    v, w, q = leg("v", "1o", channels=16), leg("w", "1o", channels=16), leg("q", "2e", channels=8)
    first = ((v @ w)["0e+1o"] @ q)["3o"].mix("u->v", v=4)
    return first + (v @ v)["0e+1e"].mix("u->v", v=4)


def so3() -> Wire:
    x = leg("x", "0+1+2", channels=4)
    return (x @ leg("y", "1"))["0+1"].mix("u->v", v=2)


def sixj() -> Network:
    found = vertex("a=1o", "b=1o", "e=2e").connect(vertex("e=2e", "c=1o", "j=1o"))
    found = found.connect(split_vertex("j=1o", "a2=1o", "f=2e")).connect(split_vertex("f=2e", "b2=1o", "c2=1o"))
    for end in "abc":
        found = found.close(f"{end}2", end)
    return found


def bent() -> Network:
    return vertex("a=1o", "b=1o", "c=2e").bend("a", "a_up").bend("c", "c_down")


def broken_network() -> Network:
    return vertex("a=1o", "b=1o", "c=1o")


def applied() -> Wire:
    chain = vertex("a=1o", "b=1o", "c=2e").connect(split_vertex("c=2e", "d=1o", "e=1o"))
    network = chain.connect(vertex("d=1o", "e=1o", "f=0e"))
    wires = {"a": leg("x", "1o", channels=8), "b": leg("y", "1o", channels=8)}
    return apply(network, wires).mix("u->v", v=4) + apply(sixj()).mix("->v", v=4).pull("at:atom>constant")


EXAMPLES: dict[str, Callable[[], Drawn]] = {
    build.__name__: build for build in (mace, cormorant, nbody, freecg, attention, acdc, several, squared)
}
EXAMPLES |= {build.__name__: build for build in (illegal, so3, sixj, bent, broken_network, applied)}


def grow(nodes: int, seed: int, irreps: str = "0e+1o+2e") -> Diagram:
    """A diagram of about ``nodes`` nodes with long and short wires and many outputs."""
    draw = random.Random(seed)
    pool: list[Wire] = [leg(f"x{i}", irreps, channels=4) for i in range(5)]
    count = len(pool)
    while count < nodes:
        a, b, kind = draw.choice(pool[-12:]), draw.choice(pool[-40:]), draw.random()
        if kind < 0.4:
            pool.append((a @ b)[irreps].mix("u->v", v=4, name=f"w{count}"))
        elif kind < 0.7:
            pool.append(add(a.mix("u->v", v=4, name=f"w{count}"), (0.5, b.mix("u->v", v=4, name=f"q{count}"))))
        else:
            pool.append(a.mix("u->v", v=4, name=f"w{count}"))
        count += 3 if kind < 0.7 else 1
    used = {
        wire for node in walk_nodes(outputs(**{f"o{i}": wire for i, wire in enumerate(pool)})) for wire in node.inputs
    }
    return outputs(**{f"o{i}": wire for i, wire in enumerate(pool) if wire not in used})


@pytest.fixture
def large() -> Callable[..., Diagram]:
    """Build a random diagram of a given size and seed."""
    return grow


@pytest.fixture(params=list(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Drawn:
    """Every example in turn."""
    return EXAMPLES[request.param]()


@pytest.fixture
def build() -> Callable[[str], Drawn]:
    """Build an example by name."""
    return lambda name: EXAMPLES[name]()


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with a committed file; with FUSION_UPDATE_GOLDEN=1, write it instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("FUSION_UPDATE_GOLDEN") == "1":
            path.write_bytes(text.encode())
        assert path.read_bytes().decode() == text, f"{name} differs; look at it, then run with FUSION_UPDATE_GOLDEN=1"

    return compare
