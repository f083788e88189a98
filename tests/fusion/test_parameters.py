"""Names, shapes, letters and fan-in of the coefficients that a diagram declares."""

from __future__ import annotations

import pytest

from fusion import Parameter, Wire, add, label, leg, one, outputs, parameters
from fusion.parameters import node_names

H = leg("h", "2x0e+1o", channels=4)
G = leg("g", "0e+1o", channels={"g": 2, "u": 3})
E = leg("e", "0e", channels=4, on="edge")
Z = label("z", 5)
BOND = label("bond", 2, on="edge")
COMPLEX = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]]

Row = tuple[str, tuple[int, ...], str, int, bool]


def rows(wire: Wire) -> list[Row]:
    """(name, shape, letters, fan-in, learned) of every parameter; letters joined by blanks."""
    return [(p.name, p.shape, " ".join(p.letters), p.fan_in, p.learned) for p in parameters(wire)]


CASES: dict[str, tuple[Wire, list[Row]]] = {
    "full": (
        H.mix("u->v", v=6),
        [("mix1_0e", (1, 2, 4, 6), "q p u v", 8, True), ("mix1_1o", (1, 1, 4, 6), "q p u v", 4, True)],
    ),
    "full without a size": (H["1o"].mix("u->v"), [("mix1_1o", (1, 1, 4, 4), "q p u v", 4, True)]),
    "diagonal": (
        H.mix("u->u", paths=3),
        [("mix1_0e", (3, 2, 4), "q p u", 2, True), ("mix1_1o", (3, 1, 4), "q p u", 1, True)],
    ),
    "grouped": (
        G.mix("gu->gv", v=5),
        [("mix1_0e", (1, 1, 2, 3, 5), "q p g u v", 3, True), ("mix1_1o", (1, 1, 2, 3, 5), "q p g u v", 3, True)],
    ),
    "all channels": (G["0e"].mix("gu->"), [("mix1_0e", (1, 1, 2, 3), "q p g u", 6, True)]),
    "new channel": (leg("x", "1o").mix("->u", u=4), [("mix1_1o", (1, 1, 4), "q p u", 1, True)]),
    "per label": (H["1o"].mix("u->v", per=Z), [("mix1_1o", (5, 1, 1, 4, 4), "per q p u v", 4, True)]),
    "per labels": (
        E.mix("u->u", per=(Z.pull("sender"), BOND)),
        [("mix1_0e", (5, 2, 1, 1, 4), "per per q p u", 1, True)],
    ),
    "constant": (H.mix("u->u", constant=2.0), []),
    "buffer": (H["1o"].mix("u->v", v=2, buffer="pca"), [("pca_1o", (1, 1, 4, 2), "q p u v", 4, False)]),
    "tied": (
        H["1o"].split(2).mix("uc->vd", d=2, v=3, tied=(COMPLEX, "kcd", "kuv")),
        [("mix1_1o", (1, 1, 2, 2, 3), "q p k u v", 4, True)],
    ),
    "shared": (
        H["1o"].mix("u->v", shared=True, per=Z, paths=2),
        [("mix1", (5, 2, 1, 4, 4), "per q p u v", 4, True)],
    ),
    "shared by two irreps": (
        leg("x", "2x0e+2x1o", channels=4).mix("u->v", v=3, shared=True, name="lin"),
        [("lin", (1, 2, 4, 3), "q p u v", 8, True)],
    ),
    "shared buffer": (
        G.mix("gu->v", v=2, buffer="pca", shared=True),
        [("pca", (1, 1, 2, 3, 2), "q p g u v", 6, False)],
    ),
    "each path": (
        H.mix("u->v", v=6, paths="each"),
        [("mix1_0e", (2, 4, 6), "p u v", 4, True), ("mix1_1o", (1, 4, 6), "p u v", 4, True)],
    ),
    "each path per label": (H["0e"].mix("u->u", paths="each", per=Z), [("mix1_0e", (5, 2, 4), "per p u", 1, True)]),
    "each path tied": (
        H["0e"].split(2).mix("uc->vd", d=2, v=3, paths="each", tied=(COMPLEX, "kcd", "kuv")),
        [("mix1_0e", (2, 2, 2, 3), "p k u v", 4, True)],
    ),
    "each path, shared": (
        leg("x", "2x0e+2x1o", channels=4).mix("u->v", v=3, paths="each", shared=True),
        [("mix1", (2, 4, 3), "p u v", 4, True)],
    ),
    "bias": (one().mix("->u", u=4, paths=2, per=Z), [("mix1_0e", (5, 2, 1, 4), "per q p u", 1, True)]),
    "named": (H["1o"].mix("u->v", name="lin"), [("lin_1o", (1, 1, 4, 4), "q p u v", 4, True)]),
    "fuse": (H @ H, []),
    "weighted fuse": (
        (H @ H).on("u,v->w", w=6)["0e+2e"],
        [("fuse1_0e", (5, 4, 4, 6), "p u v w", 80, True), ("fuse1_2e", (1, 4, 4, 6), "p u v w", 16, True)],
    ),
    "weighted groups": (
        (G @ G).on("gu,gv->gw", w=2, name="couple", paths=["1o*1o->0e"]),
        [("couple_0e", (1, 2, 3, 3, 2), "p g u v w", 9, True)],
    ),
    "power": (H.power(1, 2)["0e"], []),
    "so3": (
        leg("x", "0+1", channels=2).mix("u->u"),
        [("mix1_0", (1, 1, 2), "q p u", 1, True), ("mix1_1", (1, 1, 2), "q p u", 1, True)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_shapes(name: str) -> None:
    wire, expected = CASES[name]
    assert rows(wire) == expected


def test_names_count_in_the_order_of_the_nodes() -> None:
    a = H.mix("u->v")
    b = (a @ H).on("u,v->w", w=4)["0e"]
    c = b.mix("u->v")
    assert list(node_names(add(c, c.mix("u->v"))).values()) == ["mix1", "fuse1", "mix2", "mix3"]
    assert list(node_names(outputs(x=c, y=a)).values()) == ["mix1", "fuse1", "mix2"]


def test_given_names_are_not_handed_out_again() -> None:
    a = H.mix("u->v").mix("u->v", name="mix1").mix("u->v", buffer="mix2").mix("u->u")
    assert list(node_names(a).values()) == ["mix3", "mix1", "mix2", "mix4"]


def test_equal_nodes_share_their_weights() -> None:
    shared = add(H.mix("u->v"), H.mix("u->v"))
    assert len(parameters(shared)) == 2
    apart = add(H.mix("u->v", name="a"), H.mix("u->v", name="b"))
    assert [p.name for p in parameters(apart)] == ["a_0e", "a_1o", "b_0e", "b_1o"]


def test_a_parameter_knows_its_node_and_irrep() -> None:
    wire = H.mix("u->v")
    found = parameters(wire)
    assert all(isinstance(p, Parameter) and p.node == wire for p in found)
    assert [str(p.irrep) for p in found] == ["0e", "1o"]
    assert [p.irrep for p in parameters(H["1o"].mix("u->v", shared=True))] == [None]
    assert len(set(found)) == 2
