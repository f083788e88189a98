"""Small diagrams, one for each node of the language and for the ways it can be written."""

from __future__ import annotations

import math

from fusion import (
    Diagram,
    Network,
    Wire,
    add,
    apply,
    index_map,
    label,
    leg,
    one,
    outputs,
    parse_network,
    split_vertex,
    tuples,
    vertex,
    weights,
)

H = leg("h", "0e+1o+2e", channels=3, on="atom")
A = leg("a", "0e+1o", channels=2, on="atom")
B = leg("b", "1o+2e", channels=2, on="atom")
S = leg("s", "0e", channels=3, on="atom")
D = leg("d", "1o", on="edge")
Z = label("z", 3, on="atom")
BOND = label("bond", 2, on="edge")

COMPLEX = (((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (-1.0, 0.0)))
"""Two real channels as one complex number: w = w_0 + i w_1 acts as sum_k COMPLEX[k, c, d] w_k."""


def _legs() -> dict[str, Wire | Diagram]:
    return {
        "leg": leg("x", "2x0e+0o+1e+2x1o+4e", channels={"n": 3, "a": 2}, on="atom"),
        "legs_of_one_tensor": (leg("x", "1o", channels=3) @ leg("y", "1o", channels=3, same="x"))["0e+2e"],
        "leg_of_so3": (leg("x", "0+1+3", channels=2) @ leg("y", "1+2"))["0+2+4"],
    }


def _couplings() -> dict[str, Wire | Diagram]:
    x, y = leg("x", "2x0e+1o+4e", channels=2), leg("y", "1o+1e+3o", channels=3)
    return {
        "fuse": A @ B,
        "fuse_filtered": (A @ B)["0e+2e+3o"],
        "fuse_listed": (A @ B).paths("1o*2e->1o", "0e*1o->1o", "1o*1o->2e"),
        "fuse_outer": (x @ y).on("u,v->uv")["1o+3o"],
        "fuse_dot": (A @ B).on("u,u->")["0e+1o"],
        "fuse_weighted": (x @ y).on("u,v->w", w=4)["0e+1o+4e"],
        "fuse_weighted_groups": (H.split(3) @ H.split(3)).on("gu,gv->gw", w=2, paths=["1o*1o->2e", "2e*1o->1o"]),
        "fuse_of_degree_four": (leg("x", "4e+4o") @ leg("y", "3o+4e"))["1e+4o"],
        "power_full": B.power(1, 2, 3)["0e+1o"],
        "power_reduced": B.power(1, 2, 3, basis="reduced")["0e+1o"],
        "power_of_order_four": A.power(4, basis="reduced")["0e+2e"],
        "power_with_inner_caps": B.power(3, inner="0e+2e")["1o+2e"],
    }


def _linear() -> dict[str, Wire | Diagram]:
    pairs = leg("x", "0e+1o", channels={"u": 2, "c": 2})
    gates = S.mix("u->u", paths=3).map("sigmoid")
    return {
        "mix_diagonal": H.mix("u->u"),
        "mix_full": H.mix("u->v", v=2, paths=2, name="up"),
        "mix_grouped": H.split(3).mix("gu->gv", v=2),
        "mix_to_no_channel": H.mix("u->"),
        "mix_to_new_channel": D.mix("->u", u=3),
        "mix_per_label": H.mix("u->v", per=Z),
        "mix_per_labels": D.length().mix("->u", u=2, per=(Z.pull("sender"), Z.pull("receiver"), BOND)),
        "mix_shared": H.mix("u->v", v=2, shared=True, name="vectors"),
        "mix_shared_buffer": A.pull("sender").mix("u->v", v=3, buffer="pca", shared=True, per=BOND),
        "mix_each_path": (A @ B)["0e+1o+2e"].mix("u->v", v=3, paths="each", per=Z),
        "mix_each_path_shared": (A + A).mix("u->u", paths="each", shared=True),
        "mix_each_path_shared_selected": (A + A).mix("u->v", paths="each", shared=True).select({"0e": [1], "1o": [1]}),
        "mix_each_path_constant": (A + A).mix("u->v", v=1, paths="each", constant=[[[0.5], [-1.0]], [[2.0], [0.25]]]),
        "mix_each_path_tied": (pairs + pairs).mix("uc->vd", paths="each", tied=(COMPLEX, "kcd", "kuv"), v=3, d=2),
        "mix_of_one_per_label": one().mix("->u", u=2, per=(Z.pull("sender"), BOND)),
        "mix_constant": A.mix("u->v", constant={"0e": [[[[0.5, -1.0], [2.0, 0.25]]]], "1o": 0.5}),
        "mix_buffer": H.mix("u->v", v=2, buffer="pca"),
        "mix_tied_complex": pairs.mix("uc->vd", tied=(COMPLEX, "kcd", "kuv"), v=3, d=2),
        "scale_broadcast": H.scale(S),
        "scale_matched": H.scale(gates),
        "scale_by_weights": (A + B).scale(weights("R", on="atom")),
        "scale_with_pattern": H.split(3).scale(leg("g", "0e", channels=3), "gu,g->gu"),
        "scale_to_channels": D.harmonics(2).scale(D.bessel(4, 3.0), ",n->n"),
        "add": add((0.5, H), (-1.5, H.mix("u->u")), (1 / math.sqrt(2), leg("k", "0e+1o+2e", channels=3))),
        "direct_sum": A + B + A,
        "bias": add(S.mix("u->v", v=2), one().mix("->v", v=2)),
        "bias_of_so3": add(leg("x", "2x0", channels=2), one("0").mix("->v", v=2, paths=2)),
        "select": (A @ B).select({"1o": [1, 0], "2e": [1]}),
        "select_irreps": H["0e+2e"],
    }


def _functions() -> dict[str, Wire | Diagram]:
    x, r = leg("x", "0e", channels=3, on="edge"), D.length()
    bounded = x.map("tanh")
    return {
        "maps": outputs(
            **{f"by_{name}": x.map(name) for name in ("sigmoid", "silu", "tanh", "softplus", "sin", "cos")},
            by_exp=bounded.map("exp"),
            by_reciprocal=r.map("reciprocal"),
            by_sqrt=r.map("sqrt"),
            by_rsqrt=r.map("rsqrt"),
        ),
        "map_across_channels": S.layer_norm(),
        "map_across_rows": x.softmax("receiver"),
        "harmonics": outputs(
            component=D.harmonics(4), unit=D.harmonics(4, "norm"), integral=D.harmonics(2, "integral")
        ),
        "solid_harmonics": D.solid_harmonics(4),
        "length": D.length(),
        "radial_basis": outputs(bessel=D.bessel(5, 2.5), gaussian=D.gaussian(5, 2.5), single=D.gaussian(1, 2.5)),
        "cutoff": outputs(six=D.cutoff(2.5), two=D.cutoff(1.5, 2), cosine=D.cosine_cutoff(2.5)),
    }


def _index_spaces() -> dict[str, Wire | Diagram]:
    first, second = tuples("receiver")
    bead = index_map("bead.of", "atom", "bead")
    return {
        "pull": H.pull("sender"),
        "sum": D.sum("receiver"),
        "sum_by_label": D.bessel(2, 3.0).sum("receiver", by=Z.pull("sender")),
        "sum_over_systems": H.sum("system").pull("system"),
        "reverse_edges": add(D, -1.0 * D.pull("reverse")),
        "pairs_of_edges": (D.pull(first) @ D.pull(second))["0e+2e"].sum(first).sum("receiver"),
        "triples_of_edges": apply(
            parse_network("network[fuse a b > ab, cap ab c >; a=1o ab=1e b=1o c=1e]"),
            {
                "a": D.pull(tuples("receiver", 3)[0]),
                "b": D.pull(tuples("receiver", 3)[1]),
                "c": leg("m", "1e", on="receiver^3"),
            },
        ).sum(tuples("receiver", 3)[2]),
        "declared_map": H.sum(bead).mix("u->v").pull(bead),
        "implicit_pull": (H @ leg("field", "1o", on="system"))["0e+1o+2e"],
    }


def _channels() -> dict[str, Wire | Diagram]:
    x = leg("x", "0e+1o", channels=6)
    return {
        "split": x.split(3),
        "merge": leg("x", "1o+2e", channels={"a": 2, "n": 3}).merge(),
        "reorder": leg("x", "1o", channels=(2, 3, 1)).reorder("uvw->wuv"),
        "shuffle": x.shuffle([3, 0, 5, 1, 4, 2]),
        "roll": x.split(2).roll(1, axis=0).merge().roll(2),
    }


def _networks() -> dict[str, Wire | Diagram]:
    bubble = split_vertex("x=1o", "k1=1o", "k2=2e").connect(vertex("k1=1o", "k2=2e", "y=1o"))
    snake = parse_network("network[cup k1 k2, cap x k1; k1=2e k2=2e x=2e]")
    triangle = parse_network("network[split e1 > i j, fuse j e2 > k, fuse i k > e3; e1=1o e2=2e e3=3o i=1o j=2e k=2e]")
    one, two, three = leg("p", "1o", channels=2), leg("q", "2e", channels=2), leg("r", "2e")
    return {
        "network_bubble": apply(bubble, {"x": one}),
        "network_snake": apply(snake, {"x": two}),
        "network_triangle": apply(triangle, {"e1": one, "e2": three}),
        "network_closed_on_wires": apply(
            parse_network("network[fuse a b > c, cap c d; a=1o b=1o c=2e d=2e]"), {"a": one, "b": one, "d": three}
        ),
        "network_theta": apply(parse_network("network[split c > a b, fuse a b > c; a=1o b=2e c=3o]")),
        "network_sixj": apply(tetrahedron()),
        "network_scales_a_wire": H.scale(apply(tetrahedron())),
    }


def tetrahedron() -> Network:
    """The closed network whose value is sqrt(d_ab d_bc) d_t (-1)^(...) {1 1 1; 1 1 1} with all lines of degree one."""
    return parse_network(
        "network[split t > a bc, split bc > b c, fuse a b > ab, fuse ab c > t; a=1o ab=1e b=1o bc=1e c=1o t=1o]"
    )


NODES: dict[str, Wire | Diagram] = {
    **_legs(),
    **_couplings(),
    **_linear(),
    **_functions(),
    **_index_spaces(),
    **_channels(),
    **_networks(),
}
"""Every node, by name."""
