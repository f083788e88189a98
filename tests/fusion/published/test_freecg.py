"""FreeCG against its formulas written out: attention, abstract edges, group product, shuffle and the whole layer.

Tensors are arrays (rows, channels, 8): degree one, then degree two.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from corpus.published import freecg
from formulas import TOLERANCE, Array, Drawn, cg, draw, harmonics, join, scatter_sum, silu
from fusion import parameters

C, HEADS, GROUPS = 8, 2, 4
PARTS = {1: slice(0, 3), 2: slice(3, 8)}
SENDER, RECEIVER = np.array([1, 2, 3, 0, 2, 3]), np.array([0, 0, 0, 1, 3, 3])  # the last edge is a loop
VECTORS = np.random.default_rng(0).uniform(-1.5, 1.5, size=(6, 3)) * (RECEIVER != SENDER)[:, None]
EDGES: dict[str, Any] = {"sender": SENDER, "receiver": RECEIVER, "d": VECTORS}


def directions() -> Array:
    """Harmonics of each edge with |Y_l| = 1, from the receiver to the sender; zero for a loop."""
    return join(harmonics(1, VECTORS, "norm"), harmonics(2, VECTORS, "norm"))


def linear(given: Drawn, name: str, x: Array) -> list[Array]:
    """All outputs of a linear layer with bias."""
    matrices, biases = given[f"{name}_0e"][:, 0], given[f"{name}_bias_0e"][:, 0]
    return [x @ matrix + bias for matrix, bias in zip(matrices, biases, strict=True)]


def turn(given: Drawn, name: str, v: Array) -> Array:
    """A matrix on the channels of a tensor, the same for both degrees."""
    return np.einsum("icm,cd->idm", v, given[name][0, 0])


def layer_norm(given: Drawn, x: Array) -> Array:
    unit = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return unit * given["norm_scale_0e"][0, 0] + given["norm_shift_0e"][0, 0]


def attention(given: Drawn, x: Array, v: Array, f: Array) -> Array:
    """A_ij = SiLU(sum q_i k_j dk_ij + e_ij) f(r_ij), shape (edges, heads)."""
    (q,), (k,), (dk,) = linear(given, "q", x), linear(given, "k", x), linear(given, "dk", f)
    products = (q[RECEIVER] * k[SENDER] * silu(dk)).reshape(-1, HEADS, C // HEADS)
    (enhancer,) = linear(given, "enhancer", np.einsum("ecm,em->ec", v[SENDER], directions()))
    cutoff = (1 + np.cos(math.pi * np.linalg.norm(VECTORS, axis=-1) / 4.0)) / 2
    return silu(products.sum(axis=-1) + enhancer) * cutoff[:, None]


def abstract_edges(given: Drawn, m: Array, v: Array) -> Array:
    """E_i = sum_j V_j s1 + Y_ij s2."""
    s1, s2 = map(silu, linear(given, "s", m))
    return scatter_sum(v[SENDER] * s1[:, :, None] + directions()[:, None, :] * s2[:, :, None], RECEIVER, len(v))


def group_product(given: Drawn, edges: Array, gated: Array) -> Array:
    """dV = P' + E with P' the product inside each group, rolled by one and a half times the number of groups."""
    size = C // GROUPS
    product = np.zeros((len(edges), GROUPS, size, 8))
    first, second = (x.reshape(-1, GROUPS, size, 8) for x in (edges, gated))
    odd, even = given["group_1o"], given["group_2e"]
    for (l1, l2, l3), weight in {(1, 1, 2): even[0], (1, 2, 1): odd[0], (2, 1, 1): odd[1], (2, 2, 2): even[1]}.items():
        tensors = first[..., PARTS[l1]], second[..., PARTS[l2]], cg(l1, l2, l3)
        product[..., PARTS[l3]] += np.einsum("guvw,iguk,igvm,kmn->igwn", weight, *tensors) / math.sqrt(2 * size**2)
    product = product.reshape(-1, C, 8)
    shuffled = np.stack([product[:, (c + 3 * GROUPS // 2) % C] for c in range(C)], axis=1)
    return shuffled + edges


def test_attention() -> None:
    found = draw(freecg.freecg_attention(), rows=(6,), **EDGES)
    x = layer_norm(found, found["x"][..., 0])
    assert found.error(attention(found, x, found["V"], found["f"][..., 0])[..., None]) < TOLERANCE


def test_abstract_edges() -> None:
    found = draw(freecg.freecg_abstract_edges(), rows=(6,), **EDGES)
    assert found.error(abstract_edges(found, found["m"][..., 0], found["V"])) < TOLERANCE


def test_group_product() -> None:
    found = draw(freecg.freecg_group_product())
    assert found.error(group_product(found, found["E"], found["Q"])) < TOLERANCE


def test_layer() -> None:
    found = draw(freecg.freecg_layer(), rows=(6,), **EDGES)
    x, f, v = found["x"][..., 0], found["f"][..., 0], found["V"]
    v1, v2, v3 = (turn(found, f"vec{i}", v) for i in (1, 2, 3))
    inner = (v1 * v2).sum(axis=-1)
    normed = layer_norm(found, x)
    (values,), (dv,) = linear(found, "v", normed), linear(found, "dv", f)
    weight = np.repeat(attention(found, normed, v, f), C // HEADS, axis=-1)
    m = values[SENDER] * silu(dv) * weight
    o1, o2, o3 = linear(found, "o", scatter_sum(m, RECEIVER, len(x)))
    dx = inner * o2 + o3
    dv_atoms = group_product(found, abstract_edges(found, m, v), v3 * o1[:, :, None])
    # vector rejection: v - <v, d> d with all eight components in one inner product; the reverse edge has -d
    d = directions()[:, None, :]
    a, b = turn(found, "t", v)[RECEIVER], turn(found, "r", v)[SENDER]
    rejected = [w - (w * s).sum(axis=-1, keepdims=True) * s for w, s in ((a, d), (b, -d))]
    (update,) = linear(found, "f", f)
    df = silu(update) * (rejected[0] * rejected[1]).sum(axis=-1)
    assert found.error((x + dx)[..., None], "x") < TOLERANCE
    assert found.error(v + dv_atoms, "V") < TOLERANCE
    assert found.error((f + df)[..., None], "f") < TOLERANCE


def test_layer_has_the_published_number_of_parameters() -> None:
    found = parameters(freecg.freecg_layer(channels=256, heads=8, groups=32))
    assert sum(math.prod(p.shape) for p in found) == 1_119_496
    assert sum(math.prod(p.shape) for p in found if p.name.startswith("group")) == 65_536


def test_no_product_without_accumulated_tensors() -> None:
    # the first layer starts from V = 0: whatever the weights of the product, V becomes the abstract edges
    found = draw(freecg.freecg_layer(), rows=(6,), V=np.zeros((6, C, 8)), **EDGES)
    doubled = {name: 2 * found[name] for name in ("group_1o", "group_2e")}
    again = draw(freecg.freecg_layer(), rows=(6,), coefficients=doubled, V=np.zeros((6, C, 8)), **EDGES)
    assert found.error(again.found["V"].value, "V") == 0.0
    assert found.found["f"].value == pytest.approx(found["f"], abs=1e-15)
