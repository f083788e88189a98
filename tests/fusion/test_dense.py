"""The dense evaluation against formulas written out by hand, node by node, with loops over every index.

Nothing here uses the symbols of the package: couplings are dot and cross products and the symmetric traceless product,
in the order x, y, z of l = 1 and xz, xy, yy, yz, zz - xx of l = 2 (up to their norms).
"""

from __future__ import annotations

from math import cos, exp, pi, sin, sqrt, tanh
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from fusion import (
    DiagramError,
    InputError,
    Wire,
    add,
    apply,
    evaluate,
    index_map,
    label,
    leg,
    one,
    outputs,
    parameters,
    split_vertex,
    tuples,
    vertex,
)
from fusion.dense import Evaluation

Array = NDArray[np.float64]
RANDOM = np.random.default_rng(20_26)
ATOMS, EDGES = 3, 5
SENDER, RECEIVER = np.array([0, 1, 2, 2, 0]), np.array([1, 0, 0, 1, 1])  # atom 2 receives nothing
SYSTEM = np.array([0, 0, 1])
ELEMENT, BOND = np.array([1, 0, 1]), np.array([0, 1, 1, 0, 1])
COMMON: dict[str, ArrayLike] = {
    "sender": SENDER,
    "receiver": RECEIVER,
    "reverse": np.array([1, 0, 2, 4, 3]),
    "system": SYSTEM,
    "z": ELEMENT,
    "bond": BOND,
}
Z, B = label("z", 2), label("bond", 2, on="edge")


def normal(*shape: int) -> Array:
    return RANDOM.normal(size=shape)


def value(wire: Wire, parameters_: dict[str, ArrayLike] | None = None, **tensors: ArrayLike) -> Array:
    sizes = {"atom": ATOMS, "edge": EDGES, "system": 2}
    return evaluate(wire, {**COMMON, **tensors}, parameters_, sizes)["out"].value


def dot(a: Array, b: Array) -> float:
    """K(1, 1 -> 0)."""
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / sqrt(3)


def cross(a: Array, b: Array) -> Array:
    """K(1, 1 -> 1)."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]) / sqrt(2)


def traceless(a: Array, b: Array) -> Array:
    """K(1, 1 -> 2)."""
    return np.array(
        [
            (a[0] * b[2] + a[2] * b[0]) / sqrt(2),
            (a[0] * b[1] + a[1] * b[0]) / sqrt(2),
            (2 * a[1] * b[1] - a[0] * b[0] - a[2] * b[2]) / sqrt(6),
            (a[1] * b[2] + a[2] * b[1]) / sqrt(2),
            (a[2] * b[2] - a[0] * b[0]) / sqrt(2),
        ]
    )


def close(found: Array, expected: ArrayLike) -> None:
    expected = np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max(initial=0.0) < 1e-13


# fuse


def test_fuse_couples_row_by_row_and_channel_by_channel() -> None:
    x, y = normal(ATOMS, 2, 4), normal(ATOMS, 2, 4)  # 0e+1o each
    wire = leg("x", "0e+1o", channels=2) @ leg("y", "0e+1o", channels=2)
    assert str(wire.space.irreps) == "2x0e+2x1o+1e+2e"
    expected = np.zeros((ATOMS, 2, 16))
    for i in range(ATOMS):
        for u in range(2):
            a, b = x[i, u], y[i, u]
            expected[i, u] = [
                a[0] * b[0],
                dot(a[1:], b[1:]),
                *(a[0] * b[1:]),
                *(a[1:] * b[0]),
                *cross(a[1:], b[1:]),
                *traceless(a[1:], b[1:]),
            ]
    close(value(wire, x=x, y=y), expected)


def test_fuse_with_several_paths() -> None:
    x, y = normal(ATOMS, 6), normal(ATOMS, 4)  # 2x1o; 0e+1o
    wire = (leg("x", "2x1o") @ leg("y", "0e+1o"))["0e+1o"]
    expected = np.zeros((ATOMS, 8))
    for i in range(ATOMS):
        first, second, s, v = x[i, :3], x[i, 3:], y[i, 0], y[i, 1:]
        expected[i] = [dot(first, v), dot(second, v), *(first * s), *(second * s)]
    close(value(wire, x=x, y=y), expected)


def test_fuse_with_an_explicit_list_of_paths() -> None:
    x = normal(ATOMS, 4)
    h = leg("h", "0e+1o")
    wire = (h @ h).paths("1o*0e->1o", "1o*1o->2e", "0e*1o->1o")
    expected = [[*(a[1:] * a[0]), *(a[0] * a[1:]), *traceless(a[1:], a[1:])] for a in x]
    close(value(wire, h=x), expected)


@pytest.mark.parametrize("pattern", ["u,v->uv", "u,v->vu", "u,v->v", "u,v->", "u,v->u"])
def test_fuse_with_a_channel_pattern(pattern: str) -> None:
    x, y = normal(ATOMS, 2, 3), normal(ATOMS, 4, 3)
    wire = (leg("x", "1o", channels=2) @ leg("y", "1o", channels=4)).on(pattern)["0e"]
    every = np.zeros((ATOMS, 2, 4))
    for i in range(ATOMS):
        for u in range(2):
            for v in range(4):
                every[i, u, v] = dot(x[i, u], y[i, v])
    out = pattern.partition("->")[2]
    expected = {
        "uv": every,
        "vu": every.transpose(0, 2, 1),
        "v": every.sum(1),
        "u": every.sum(2),
        "": every.sum((1, 2)),
    }
    close(value(wire, x=x, y=y), expected[out][..., None])


def test_weighted_fuse_sums_its_paths() -> None:
    x, y = normal(ATOMS, 3, 2, 4), normal(ATOMS, 3, 2, 4)  # groups g=3, channels u=2
    wire = (leg("x", "0e+1o", channels=(3, 2)) @ leg("y", "0e+1o", channels=(3, 2))).on("gu,gv->gw", w=5)["0e+1o"]
    w0, w1 = normal(2, 3, 2, 2, 5), normal(2, 3, 2, 2, 5)
    expected = np.zeros((ATOMS, 3, 5, 4))
    for i in range(ATOMS):
        for g in range(3):
            for w in range(5):
                for u in range(2):
                    for v in range(2):
                        a, b = x[i, g, u], y[i, g, v]
                        expected[i, g, w, 0] += w0[0, g, u, v, w] * a[0] * b[0] + w0[1, g, u, v, w] * dot(a[1:], b[1:])
                        expected[i, g, w, 1:] += w1[0, g, u, v, w] * a[0] * b[1:] + w1[1, g, u, v, w] * a[1:] * b[0]
    close(value(wire, {"fuse1_0e": w0, "fuse1_1o": w1}, x=x, y=y), expected)


def test_fuse_with_a_constant_wire() -> None:
    x, k = normal(ATOMS, 2, 3), normal(1, 2, 3)
    wire = (leg("x", "1o", channels=2) @ leg("k", "1o", channels=2, on="constant"))["0e+1e"]
    expected = [[[dot(x[i, u], k[0, u]), *cross(x[i, u], k[0, u])] for u in range(2)] for i in range(ATOMS)]
    close(value(wire, x=x, k=k), expected)


def test_fuse_of_a_channelled_and_a_plain_wire() -> None:
    x, d = normal(EDGES, 2, 3), normal(EDGES, 3)
    wire = (leg("x", "1", channels=2, on="edge") @ leg("d", "1", on="edge"))["1"]
    close(value(wire, x=x, d=d), [[cross(x[e, u], d[e]) for u in range(2)] for e in range(EDGES)])


# power


def test_power_is_a_chain_of_products() -> None:
    x = normal(ATOMS, 2, 4)
    wire = leg("x", "0e+1o", channels=2).power(1, 2, 3)["0e"]
    expected = np.zeros((ATOMS, 2, 7))
    for i in range(ATOMS):
        for u in range(2):
            s, v = x[i, u, 0], x[i, u, 1:]
            vv = dot(v, v)
            expected[i, u] = [s, s * s, vv, s * s * s, vv * s, dot(s * v, v), dot(v * s, v)]
    close(value(wire, x=x), expected)


def test_reduced_power_keeps_the_first_of_dependent_paths() -> None:
    x = normal(ATOMS, 4)
    wire = leg("x", "0e+1o").power(2, 3, basis="reduced")["0e+1o"]
    assert str(wire.space.irreps) == "4x0e+3x1o"
    expected = []
    for s, v in ((row[0], row[1:]) for row in x):
        vv = dot(v, v)
        expected.append([s * s, vv, s**3, vv * s, *(s * v), *(vv * v), *(s * s * v)])
    # of order three: ((v v) v) comes before ((s s) v), as 0e from (s s), (v v) with v, then 1o from (s v), (v s) with s
    found = value(wire, x=x)
    columns = {tuple(np.round(column, 12)) for column in found.T}
    assert columns == {tuple(np.round(column, 12)) for column in np.array(expected).T}


# mix


def test_mix_of_channels_and_paths() -> None:
    x = normal(ATOMS, 2, 7)  # 0e + 2x1o
    wire = leg("x", "0e+2x1o", channels=2).mix("u->v", v=3, paths=2)
    w0, w1 = normal(2, 1, 2, 3), normal(2, 2, 2, 3)
    expected = np.zeros((ATOMS, 3, 8))  # 2x0e + 2x1o
    for i in range(ATOMS):
        for v in range(3):
            for q in range(2):
                for u in range(2):
                    expected[i, v, q] += w0[q, 0, u, v] * x[i, u, 0]
                    for p in range(2):
                        expected[i, v, 2 + 3 * q : 5 + 3 * q] += w1[q, p, u, v] * x[i, u, 1 + 3 * p : 4 + 3 * p]
    close(value(wire, {"mix1_0e": w0, "mix1_1o": w1}, x=x), expected)


def test_mix_per_label() -> None:
    x = normal(EDGES, 2, 3)
    z = label("z", 2)
    wire = leg("x", "1o", channels=2, on="edge").mix("u->v", v=4, per=(z.pull("sender"), B))
    w = normal(2, 2, 1, 1, 2, 4)
    expected = np.zeros((EDGES, 4, 3))
    for e in range(EDGES):
        for v in range(4):
            for u in range(2):
                expected[e, v] += w[ELEMENT[SENDER[e]], BOND[e], 0, 0, u, v] * x[e, u]
    close(value(wire, {"mix1_1o": w}, x=x), expected)


def test_mix_diagonal_grouped_and_summed() -> None:
    x = normal(ATOMS, 2, 3, 1)
    g = leg("x", "0e", channels=(2, 3))
    diagonal, grouped, summed = normal(1, 1, 2, 3), normal(1, 1, 2, 3, 4), normal(1, 1, 2, 3)
    close(value(g.mix("gu->gu"), {"mix1_0e": diagonal}, x=x)[..., 0], diagonal[0, 0] * x[..., 0])
    expected = np.zeros((ATOMS, 2, 4))
    for group in range(2):
        for v in range(4):
            for u in range(3):
                expected[:, group, v] += grouped[0, 0, group, u, v] * x[:, group, u, 0]
    close(value(g.mix("gu->gv", v=4), {"mix1_0e": grouped}, x=x)[..., 0], expected)
    total = [sum(summed[0, 0, a, b] * x[i, a, b, 0] for a in range(2) for b in range(3)) for i in range(ATOMS)]
    close(value(g.mix("gu->"), {"mix1_0e": summed}, x=x)[..., 0], total)


def test_mix_with_one_tensor_for_all_irreps() -> None:
    x = normal(ATOMS, 2, 8)  # 2x0e + 2x1o
    wire = leg("x", "2x0e+2x1o", channels=2).mix("u->v", v=3, shared=True, per=Z)
    w = normal(2, 1, 2, 2, 3)
    expected = np.zeros((ATOMS, 3, 4))
    for i in range(ATOMS):
        for v in range(3):
            for u in range(2):
                for p in range(2):
                    weight = w[ELEMENT[i], 0, p, u, v]
                    expected[i, v, 0] += weight * x[i, u, p]
                    expected[i, v, 1:] += weight * x[i, u, 2 + 3 * p : 5 + 3 * p]
    close(value(wire, {"mix1": w}, x=x), expected)


def test_mix_of_every_path_by_itself() -> None:
    x = normal(ATOMS, 2, 7)  # 0e + 2x1o
    h = leg("x", "0e+2x1o", channels=2)
    w0, w1 = normal(1, 2, 3), normal(2, 2, 3)
    expected = np.zeros((ATOMS, 3, 7))
    for i in range(ATOMS):
        for v in range(3):
            for u in range(2):
                expected[i, v, 0] += w0[0, u, v] * x[i, u, 0]
                for p in range(2):
                    expected[i, v, 1 + 3 * p : 4 + 3 * p] += w1[p, u, v] * x[i, u, 1 + 3 * p : 4 + 3 * p]
    close(value(h.mix("u->v", v=3, paths="each"), {"mix1_0e": w0, "mix1_1o": w1}, x=x), expected)
    close(value(h.mix("u->v", v=3, paths="each", constant={"0e": w0, "1o": w1}), x=x), expected)
    per = normal(2, 2, 2)  # class, path, channel
    found = value(h["1o"].mix("u->u", paths="each", per=Z), {"mix1_1o": per}, x=x)
    close(found, [[np.repeat(per[ELEMENT[i], :, u], 3) * x[i, u, 1:] for u in range(2)] for i in range(ATOMS)])


def test_mix_of_every_path_by_itself_with_tied_pairs() -> None:
    unit = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]]
    x, w = normal(ATOMS, 3, 2, 6), normal(2, 2, 3, 4)
    wire = leg("x", "2x1o", channels=(3, 2)).mix("uc->vd", v=4, d=2, tied=(unit, "kcd", "kuv"), paths="each")
    expected = np.zeros((ATOMS, 4, 2, 6))
    for p in range(2):
        part = slice(3 * p, 3 * p + 3)
        numbers = np.einsum("ium,uv->ivm", x[:, :, 0, part] + 1j * x[:, :, 1, part], w[p, 0] + 1j * w[p, 1])
        expected[..., part] = np.stack([numbers.real, numbers.imag], axis=2)
    close(value(wire, {"mix1_1o": w}, x=x), expected)


def test_the_number_one_makes_biases_and_constants_per_class() -> None:
    s, bias, energy = normal(ATOMS, 2, 1), normal(1, 1, 2), normal(2, 1, 1)
    close(value(one()), [[1.0]])
    close(value(one("0")), [[1.0]])
    biased = add(leg("s", "0e", channels=2), one().mix("->u", u=2, name="bias"))
    close(value(biased, {"bias_0e": bias}, s=s)[..., 0], s[..., 0] + bias[0, 0])
    close(value(one().mix("->", per=Z), {"mix1_0e": energy}), energy[ELEMENT, 0])
    close(value(one().mix("->", per=(Z.pull("sender"), B), constant=2.0)), np.full((EDGES, 1), 2.0))


def test_mix_with_constants_and_buffers() -> None:
    x = normal(ATOMS, 2, 4)
    h = leg("x", "0e+1o", channels=2)
    matrix = [[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]]
    expected = np.zeros((ATOMS, 3, 4))
    for u in range(2):
        for v in range(3):
            expected[:, v] += matrix[u][v] * x[:, u]
    close(value(h.mix("u->v", v=3, constant=matrix), x=x), expected)
    close(value(h.mix("u->u", constant={"0e": 2.0, "1o": [3.0, -1.0]}), x=x)[:, 1, 1:], -x[:, 1, 1:])
    scalar = h["0e"].mix("u->v", v=3, buffer="pca")
    close(value(scalar, {"pca_0e": np.array(matrix)[None, None]}, x=x), expected[..., :1])


def test_mix_with_complex_weights_as_tied_pairs() -> None:
    unit = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]]  # w_0 + i w_1 acts on (real, imaginary)
    x, w = normal(ATOMS, 3, 2, 3), normal(1, 1, 2, 3, 4)
    wire = leg("x", "1o", channels=(3, 2)).mix("uc->vd", v=4, d=2, tied=(unit, "kcd", "kuv"))
    z, weight = x[:, :, 0] + 1j * x[:, :, 1], w[0, 0, 0] + 1j * w[0, 0, 1]
    expected = np.zeros((ATOMS, 4, 2, 3))
    for v in range(4):
        total = sum(weight[u, v] * z[:, u] for u in range(3))
        expected[:, v, 0], expected[:, v, 1] = np.real(total), np.imag(total)
    close(value(wire, {"mix1_1o": w}, x=x), expected)


# scale, add, direct sum, select


def test_scale_by_one_by_irrep_and_by_path() -> None:
    x = normal(ATOMS, 2, 8)  # 2x0e + 2x1o
    h = leg("x", "2x0e+2x1o", channels=2)
    one, by_irrep, by_path = normal(ATOMS, 2, 1), normal(ATOMS, 2, 2), normal(ATOMS, 2, 4)
    close(value(h.scale(leg("g", "0e", channels=2)), x=x, g=one), x * one)
    expected = np.concatenate([x[..., :2] * by_irrep[..., :1], x[..., 2:] * by_irrep[..., 1:]], axis=-1)
    close(value(h.scale(leg("g", "2x0e", channels=2)), x=x, g=by_irrep), expected)
    owner = [0, 1, 2, 2, 2, 3, 3, 3]
    close(value(h.scale(leg("g", "4x0e", channels=2)), x=x, g=by_path), x * by_path[..., owner])


def test_scale_broadcasts_over_channels() -> None:
    x, g, s = normal(ATOMS, 2, 3, 4), normal(ATOMS, 2, 1), normal(ATOMS, 1)
    h = leg("x", "0e+1o", channels=(2, 3))
    close(value(h.scale(leg("g", "0e", channels=2), "gu,g->gu"), x=x, g=g), x * g[:, :, None])
    close(value(h.scale(leg("s", "0e")), x=x, s=s), x * s[:, None, None])
    d, r = normal(ATOMS, 4), normal(ATOMS, 6, 1)
    close(value(leg("d", "0e+1o").scale(leg("r", "0e", channels=6)), d=d, r=r), r * d[:, None])


def test_add_direct_sum_and_factors() -> None:
    x, y, k = normal(ATOMS, 2, 4), normal(ATOMS, 2, 4), normal(1, 2, 4)
    a, b = leg("x", "0e+1o", channels=2), leg("y", "0e+1o", channels=2)
    c = leg("k", "0e+1o", channels=2, on="constant")
    close(value(add((0.5, a), b, -2.0 * c), x=x, y=y, k=k), 0.5 * x + y - 2.0 * k)
    side = np.concatenate([x[..., :1], y[..., :1], x[..., 1:], y[..., 1:]], axis=-1)
    close(value(a + b, x=x, y=y), side)
    both = np.concatenate(
        [np.broadcast_to(k, x.shape)[..., :1], x[..., :1], np.broadcast_to(k, x.shape)[..., 1:]], axis=-1
    )
    close(value(c + a["0e"], x=x, k=k), both)


def test_select_irreps_and_paths() -> None:
    x = normal(ATOMS, 2, 12)  # 3x0e + 2x1o + 3 of 1e
    h = leg("x", "3x0e+2x1o+1e", channels=2)
    close(value(h["0e+1e"], x=x), x[..., [0, 1, 2, 9, 10, 11]])
    close(value(h.select({"1o": [1], "0e": [2, 0]}), x=x), x[..., [2, 0, 6, 7, 8]])


# maps


FUNCTIONS: dict[str, Any] = {
    "sigmoid": lambda t: 1 / (1 + exp(-t)),
    "silu": lambda t: t / (1 + exp(-t)),
    "tanh": tanh,
    "exp": exp,
    "softplus": lambda t: np.log(1 + exp(t)),
    "sin": sin,
    "cos": cos,
    "reciprocal": lambda t: 1 / t,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_elementwise_functions(name: str) -> None:
    x = normal(ATOMS, 2, 2)
    expected = np.vectorize(FUNCTIONS[name])(x)
    close(value(leg("x", "2x0e", channels=2).map(name), x=x), expected)


def test_roots_are_guarded() -> None:
    x = np.array([[0.0], [4.0], [1e-30]])
    close(value(leg("x", "0e").map("sqrt"), x=x), [[1e-6], [sqrt(4 + 1e-12)], [1e-6]])
    assert np.allclose(value(leg("x", "0e").map("rsqrt"), x=x), [[1e6], [0.5], [1e6]], rtol=1e-12)


def test_layer_norm_runs_over_the_channels_of_each_path() -> None:
    x = normal(ATOMS, 2, 3, 2)
    expected = np.zeros_like(x)
    for i in range(ATOMS):
        for p in range(2):
            numbers = x[i, :, :, p]
            mean = sum(numbers.flat) / 6
            variance = sum((number - mean) ** 2 for number in numbers.flat) / 6
            expected[i, :, :, p] = (numbers - mean) / sqrt(variance + 1e-5)
    close(value(leg("x", "2x0e", channels=(2, 3)).layer_norm(), x=x), expected)


def test_softmax_runs_over_the_rows_with_one_image() -> None:
    x = normal(EDGES, 2, 1)
    expected = np.zeros_like(x)
    for e in range(EDGES):
        for u in range(2):
            total = sum(exp(x[f, u, 0]) for f in range(EDGES) if RECEIVER[f] == RECEIVER[e])
            expected[e, u, 0] = exp(x[e, u, 0]) / total
    wire = leg("x", "0e", channels=2, on="edge").softmax("receiver")
    close(value(wire, x=x), expected)
    close(value(wire, x=x + 800.0), expected)  # no overflow


# geometry


@pytest.mark.parametrize(
    ("normalization", "square"), [("component", (1, 3, 5)), ("norm", (1, 1, 1)), ("integral", (1, 3, 5))]
)
def test_harmonics(normalization: str, square: tuple[int, int, int]) -> None:
    d = np.concatenate([normal(EDGES - 1, 3), np.zeros((1, 3))])
    scale = [sqrt(s / (4 * pi) if normalization == "integral" else s) for s in square]
    expected = np.zeros((EDGES, 9))
    for e in range(EDGES):
        r = sqrt(d[e] @ d[e])
        expected[e, 0] = scale[0]
        if r > 0:
            u = d[e] / r
            expected[e, 1:4] = scale[1] * u
            expected[e, 4:] = scale[2] * sqrt(3 / 2) * traceless(u, u)
    close(value(leg("d", "1o", on="edge").harmonics(2, normalization), d=d), expected)


def test_solid_harmonics_and_length() -> None:
    d = np.concatenate([normal(EDGES - 1, 3), np.zeros((1, 3))])
    wire = leg("d", "1o", on="edge")
    expected = np.array([[1.0, *v, *(sqrt(3 / 2) * traceless(v, v))] for v in d])
    close(value(wire.solid_harmonics(2), d=d), expected)
    close(value(wire.length(), d=d), [[sqrt(v @ v)] for v in d])


def test_radial_functions() -> None:
    d = np.array([[0.0, 0.0, 0.0], [0.0, 1.5, 0.0], [0.0, 0.0, 4.9], [5.0, 0.0, 0.0], [6.0, 0.0, 0.0]])
    wire, c = leg("d", "1o", on="edge"), 5.0
    bessel, gaussian = np.zeros((EDGES, 3, 1)), np.zeros((EDGES, 3, 1))
    cutoff, cosine = np.zeros((EDGES, 1)), np.zeros((EDGES, 1))
    for e, r in enumerate([0.0, 1.5, 4.9, 5.0, 6.0]):
        for n in range(1, 4):
            bessel[e, n - 1] = sqrt(2 / c) * (sin(n * pi * r / c) / r if r else n * pi / c)
            gaussian[e, n - 1] = exp(-((r - 2.5 * (n - 1)) ** 2) / (2 * 2.5**2))
        x = r / c
        cutoff[e] = 1 - 21 * x**5 + 35 * x**6 - 15 * x**7 if x < 1 else 0.0
        cosine[e] = cos(pi * x / 2) ** 2 if x < 1 else 0.0
    close(value(wire.bessel(3, c), d=d), bessel)
    close(value(wire.gaussian(3, c), d=d), gaussian)
    close(value(wire.cutoff(c, p=5), d=d), cutoff)
    close(value(wire.cosine_cutoff(c), d=d), cosine)


# index spaces


def test_pull_and_sum() -> None:
    h, x = normal(ATOMS, 2, 3), normal(EDGES, 2, 3)
    close(value(leg("h", "1o", channels=2).pull("sender"), h=h), [h[j] for j in SENDER])
    expected = np.zeros((ATOMS, 2, 3))
    for e in range(EDGES):
        expected[RECEIVER[e]] += x[e]
    close(value(leg("x", "1o", channels=2, on="edge").sum("receiver"), x=x), expected)
    assert not expected[2].any()


def test_sum_by_label_keeps_classes_apart() -> None:
    x = normal(EDGES, 2, 3)
    wire = leg("x", "1o", channels=2, on="edge").sum("receiver", by=Z.pull("sender"))
    expected = np.zeros((ATOMS, 2, 2, 3))
    for e in range(EDGES):
        expected[RECEIVER[e], ELEMENT[SENDER[e]]] += x[e]
    close(value(wire, x=x), expected)


def test_pairs_of_edges_with_one_receiver() -> None:
    x = normal(EDGES, 3)
    first, second = tuples("receiver")
    e = leg("x", "1o", on="edge")
    pairs = (e.pull(first) @ e.pull(second))["0e"].sum(first).sum("receiver")
    expected = np.zeros((ATOMS, 1))
    for a in range(EDGES):
        for b in range(EDGES):
            if RECEIVER[a] == RECEIVER[b]:
                expected[RECEIVER[a]] += dot(x[a], x[b])
    close(value(pairs, x=x), expected)
    density = e.sum("receiver")
    close(value((density @ density)["0e"], x=x), expected)


def test_pairs_of_pairs() -> None:
    x = normal(EDGES, 1)
    nested = tuples(tuples("receiver")[0])[1]
    wire = leg("x", "0e", on="edge").pull(tuples("receiver")[0]).pull(nested).sum(nested).sum(tuples("receiver")[0])
    counts = np.array([sum(image == RECEIVER) for image in RECEIVER])
    close(value(wire, x=x), (counts * counts)[:, None] * x)


def test_a_declared_map_and_a_global_quantity() -> None:
    h, s = normal(ATOMS, 2), normal(2, 1)
    m = index_map("molecule", "atom", "system")
    wire = leg("h", "2x0e").scale(leg("s", "0e", on="system").pull(m)).sum(m)
    expected = np.zeros((2, 2))
    for i in range(ATOMS):
        expected[SYSTEM[i]] += h[i] * s[SYSTEM[i]]
    close(value(wire, h=h, s=s, molecule=SYSTEM), expected)


# channels


def test_split_merge_reorder_shuffle_roll() -> None:
    x = normal(ATOMS, 6, 3)
    h = leg("x", "1o", channels=6)
    split, rolled, shuffled = value(h.split(2), x=x), value(h.roll(2), x=x), value(h.shuffle([3, 0, 1, 2, 5, 4]), x=x)
    turned = value(h.split(2).reorder("gu->ug"), x=x)
    for u in range(6):
        close(split[:, u // 3, u % 3], x[:, u])
        close(turned[:, u % 3, u // 3], x[:, u])
        close(rolled[:, u], x[:, (u + 2) % 6])
        close(shuffled[:, u], x[:, [3, 0, 1, 2, 5, 4][u]])
    close(value(h.split(2).merge(), x=x), x)
    interleaved = value(h.split(2).reorder("gu->ug").merge(), x=x)
    close(interleaved, x[:, [0, 3, 1, 4, 2, 5]])


# networks


def test_network_of_two_wires() -> None:
    x, y = normal(ATOMS, 2, 3), normal(ATOMS, 3)
    wire = apply(vertex("a=1o", "b=1o", "c=1e"), {"a": leg("x", "1o", channels=2), "b": leg("y", "1o")})
    close(value(wire, x=x, y=y), [[cross(x[i, u], y[i]) for u in range(2)] for i in range(ATOMS)])


def test_network_without_an_out_end_is_a_number() -> None:
    x, y = normal(ATOMS, 3), normal(ATOMS, 3)
    joined = vertex("a=1o", "b=1o", "c=2e").connect(split_vertex("c=2e", "d=1o", "e=1o")).bend("d", "f").bend("e", "g")
    wire = apply(joined, {"a": leg("x", "1o"), "b": leg("y", "1o"), "f": leg("x", "1o"), "g": leg("y", "1o")})
    expected = [[traceless(x[i], y[i]) @ traceless(x[i], y[i])] for i in range(ATOMS)]
    close(value(wire, x=x, y=y), expected)


# what is given


def test_legs_of_one_tensor() -> None:
    x = normal(ATOMS, 3)
    close(value((leg("a", "1o") @ leg("b", "1o", same="a"))["0e+1e"], a=x), [[dot(v, v), 0, 0, 0] for v in x])


def test_several_outputs_share_their_nodes() -> None:
    x = normal(ATOMS, 4)
    h = leg("h", "0e+1o")
    found = evaluate(outputs(s=h["0e"], v=2 * h["1o"]), {"h": x})
    assert list(found) == ["s", "v"]
    close(found["s"].value, x[:, :1])
    close(found["v"].value, 2 * x[:, 1:])


def test_no_rows_give_no_rows() -> None:
    h, z = leg("h", "0e+1o", channels=2), label("z", 2)
    wire = (h @ h.mix("u->v", per=z)).power(2)["0e"].map("silu").pull("sender").softmax("receiver").sum("receiver")
    weights = {p.name: np.zeros(p.shape) for p in parameters(wire)}
    empty = np.zeros(0, dtype=np.int64)
    given = {"h": np.zeros((0, 2, 4)), "z": [], "sender": empty, "receiver": empty}
    found = evaluate(wire, given, weights)["out"]
    assert found.value.shape == (0, *wire.space.sizes, wire.space.dim)
    assert found.error(found.value) == 0.0


def test_magnitude_is_the_sum_of_absolute_terms() -> None:
    h = leg("h", "1o")
    x = np.array([[1.0, -2.0, 3.0]])
    found = evaluate((h @ h)["1e"], {"h": x})["out"]
    close(found.value, [[0.0, 0.0, 0.0]])
    close(found.magnitude, [[12 / sqrt(2), 6 / sqrt(2), 4 / sqrt(2)]])
    total = evaluate(add(h, (-3.0, h)), {"h": x})["out"]
    close(total.magnitude, 4 * np.abs(x))
    mixed = evaluate(h.mix("->", paths=2), {"h": x}, {"mix1_1o": [[-2.0], [1.0]]})["out"]
    close(mixed.magnitude, [[2, 4, 6, 1, 2, 3]])


def test_errors_are_relative_to_the_magnitude() -> None:
    found = Evaluation(np.array([[1.0, 0.0]]), np.array([[4.0, 2.0]]))
    assert found.error([[1.5, 0.0]]) == 0.125
    assert found.error([[1.0, 1.0]]) == 0.5
    assert found.error([[1.0, float("nan")]]) == float("inf")
    with pytest.raises(InputError, match=r"values of shapes \(1, 3\) and \(1, 2\) cannot be compared"):
        found.error([[1.0, 2.0, 3.0]])


def test_an_illegal_diagram_is_not_evaluated() -> None:
    with pytest.raises(DiagramError):
        evaluate((leg("h", "1o") @ leg("h", "1o"))["1o"], {"h": np.zeros((1, 3))})


E_H = leg("h", "0e+1o", channels=2)
GIVEN: dict[str, Any] = {"h": np.zeros((3, 2, 4)), "sender": [0, 2], "receiver": [1, 1], "z": [0, 1, 1]}
WIRES: dict[str, Wire] = {
    "leg": E_H,
    "pull": E_H.pull("sender"),
    "sum": E_H.pull("sender").sum("receiver"),
    "label": E_H.mix("u->u", per=Z),
    "pairs": E_H.pull("sender").pull(tuples("receiver")[0]),
}
BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "missing": ("leg", {"h": None}, "no tensor is given for 'h'; given: receiver, sender, z"),
    "shape": (
        "leg",
        {"h": np.zeros((3, 4, 2))},
        r"'h' has shape \(3, 4, 2\); leg h needs \(3, 2, 4\) \(0e\+1o \[u=2\] on atom\)",
    ),
    "scalar": ("leg", {"h": 1.0}, "'h' has no rows; its first axis must be the index space"),
    "text": ("leg", {"h": [["a"]]}, "'h' must hold real numbers"),
    "complex": ("leg", {"h": np.zeros((3, 2, 4), dtype=complex)}, "must hold real numbers, not complex128"),
    "ragged": ("leg", {"h": [[1.0], [1.0, 2.0]]}, "'h' is not an array"),
    "map float": ("pull", {"sender": [0.0, 2.0]}, r"'sender' must be integers of shape \(rows,\), got float64"),
    "map shape": ("pull", {"sender": [[0, 2]]}, r"of shape \(1, 2\)"),
    "map missing": ("pull", {"sender": None}, "no tensor is given for 'sender'"),
    "map too far": (
        "pull",
        {"sender": [0, 3]},
        "index map sender points to row 3, but index space atom has rows 0 to 2",
    ),
    "map negative": ("pull", {"sender": [-1, 0]}, "index map sender points to row -1"),
    "rows differ": ("sum", {"receiver": [1]}, "'receiver' has 1 rows, but index space edge has 2"),
    "label rows": ("label", {"z": [0, 1]}, "'z' has 2 rows, but index space atom has 3"),
    "label value": ("label", {"z": [0, 1, 2]}, "label z has value 2, classes run from 0 to 1"),
    "label negative": ("label", {"z": [0, -1, 1]}, "label z has value -1"),
    "pairs base": ("pairs", {"receiver": None}, "no tensor is given for 'receiver'"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_given_is_checked(name: str) -> None:
    wire, changes, message = BAD[name]
    given = {key: item for key, item in {**GIVEN, **changes}.items() if item is not None}
    coefficients = {p.name: np.zeros(p.shape) for p in parameters(WIRES[wire])}
    with pytest.raises(InputError, match=message):
        evaluate(WIRES[wire], given, coefficients)


def test_coefficients_are_checked() -> None:
    wire = E_H["0e"].mix("u->v", name="lin")
    with pytest.raises(InputError, match="no coefficients are given for 'lin_0e'; given: other"):
        evaluate(wire, GIVEN, {"other": 1.0})
    with pytest.raises(InputError, match=r"coefficients 'lin_0e' have shape \(2, 2\), expected \(1, 1, 2, 2\)"):
        evaluate(wire, GIVEN, {"lin_0e": np.zeros((2, 2))})


def test_the_size_of_a_space_without_tensors_is_asked_for() -> None:
    wire = leg("x", "0e", on="edge").sum("receiver")
    given = {"x": np.ones((2, 1)), "receiver": [1, 1]}
    with pytest.raises(InputError, match=r"index space atom is unknown; give it in sizes=\{'atom': ...\}"):
        evaluate(wire, given)
    close(evaluate(wire, given, sizes={"atom": 4})["out"].value, [[0.0], [2.0], [0.0], [0.0]])
