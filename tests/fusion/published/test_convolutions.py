"""NequIP, Allegro, PaiNN, SchNet and ViSNet against their formulas, with e3nn's couplings or vectors of space."""

from __future__ import annotations

import numpy as np

from corpus import PUBLISHED
from formulas import (
    TOLERANCE,
    Array,
    Drawn,
    bessel,
    couple,
    cut,
    draw,
    envelope,
    harmonics,
    join,
    scatter_sum,
    silu,
)

IRREPS = ["0e", "1o", "2e"]
SENDER, RECEIVER = [1, 2, 0, 0, 3], [0, 0, 1, 2, 2]
"""Atom 0 and atom 2 have two neighbours each, atoms 3 and 4 none."""


def drawn_on_edges(name: str) -> Drawn:
    return draw(PUBLISHED[name], rows=(5,), sender=SENDER, receiver=RECEIVER)


def all_couplings(left: list[Array], right: list[Array]) -> list[list[Array]]:
    """Every coupling of natural parity to l = 0, 1, 2, in the order of the left degrees, then of the right ones."""
    found: list[list[Array]] = [[], [], []]
    for l1, a in enumerate(left):
        for l2, b in enumerate(right):
            for l in range(abs(l1 - l2), min(l1 + l2, 2) + 1, 2):
                found[l].append(couple(a, b, l))
    return found


def mixed(paths: list[Array], table: Array) -> Array:
    """All paths (row, u, m) and channels to one path with channels v, with a table (1, paths, u, v)."""
    return np.einsum("aupm,puv->avm", np.stack(paths, axis=2), table[0])


def test_nequip_layer() -> None:
    drawn = drawn_on_edges("nequip_layer")
    h, sender, element = cut(drawn["h"], 0, 1, 2), drawn["sender"], drawn["z"]
    up = [np.einsum("aum,uv->avm", x, drawn[f"up_{i}"][0, 0])[sender] for x, i in zip(h, IRREPS, strict=True)]
    paths = all_couplings(up, [harmonics(l, drawn["d"])[:, None] for l in range(3)])
    radial = iter(np.moveaxis(drawn["R"], -1, 0))
    sums = [[0.5 * scatter_sum(x * next(radial)[..., None], drawn["receiver"], 5) for x in of_l] for of_l in paths]
    # the linear maps give three channels of scalars, six gates, three vectors and three tensors
    scalars = np.einsum("aup,qpuv->aqv", np.concatenate(sums[0], axis=-1), drawn["mix1_0e"])
    scalars += np.einsum("au,aquv->aqv", h[0][..., 0], drawn["mix2_0e"][element][:, :, 0])
    expected = [silu(scalars[:, 0, :, None])]
    for l in (1, 2):
        states = mixed(sums[l], drawn[f"mix3_{IRREPS[l]}"])
        states += np.einsum("aum,auv->avm", h[l], drawn[f"mix4_{IRREPS[l]}"][element, 0, 0])
        expected.append(states * silu(scalars[:, l, :, None]))
    assert drawn.error(join(*expected)) < TOLERANCE


def test_allegro_layer() -> None:
    drawn = draw(PUBLISHED["allegro_layer"], rows=(5,), receiver=RECEIVER)
    x, r, receiver = drawn["x"], np.linalg.norm(drawn["d"], axis=-1), drawn["receiver"]
    w = np.einsum("eu,quv->eqv", x[..., 0], drawn["mix1_0e"][:, 0])
    terms = [w[:, l, :, None] * harmonics(l, drawn["d"])[:, None] for l in range(3)]
    environment = [0.5 * scatter_sum(term, receiver, 5)[receiver] for term in terms]  # the edge itself included
    paths = all_couplings(cut(drawn["V"], 0, 1, 2), environment)
    inner = silu(mixed([x, *paths[0]], drawn["inner_0e"])[..., 0])  # x and the scalars of every path, before the mix
    latent = envelope(r, 4.0)[:, None] * (inner @ drawn["outer_0e"][0, 0])
    assert drawn.error(0.8 * x + 0.6 * latent[..., None], "x") < TOLERANCE
    states = [mixed(paths[l], drawn[f"mix2_{IRREPS[l]}"]) for l in range(3)]
    assert drawn.error(join(*states), "V") < TOLERANCE


def linear(given: Drawn, name: str, x: Array) -> Array:
    """Every output of a linear layer with a bias: (rows, outputs, channels)."""
    return np.einsum("au,quv->aqv", x, given[f"{name}_0e"][:, 0]) + given[f"{name}_bias_0e"][:, 0]


def cosine_cutoff(r: Array) -> Array:
    """The envelope of PaiNN and SchNet up to 4."""
    return np.where(r < 4.0, 0.5 * (1 + np.cos(np.pi * r / 4.0)), 0.0)[:, None]


def test_painn_message() -> None:
    drawn = drawn_on_edges("painn_message")
    s, v, d, sender = drawn["s"][..., 0], drawn["v"], drawn["d"], drawn["sender"]
    r = np.linalg.norm(d, axis=-1)
    phi = linear(drawn, "outer", silu(linear(drawn, "inner", s)[:, 0]))
    w = linear(drawn, "filter", bessel(r, 4, 4.0)) * cosine_cutoff(r)[..., None]
    ss, vv, vs = np.moveaxis(phi[sender] * w, 1, 0)
    change_of_s = scatter_sum(ss, drawn["receiver"], 5)
    vectors = vv[..., None] * v[sender] + vs[..., None] * (d / r[:, None])[:, None]
    assert drawn.error((s + change_of_s)[..., None], "s") < TOLERANCE
    assert drawn.error(v + scatter_sum(vectors, drawn["receiver"], 5), "v") < TOLERANCE


def test_painn_update() -> None:
    drawn = draw(PUBLISHED["painn_update"])
    s, v = drawn["s"][..., 0], drawn["v"]
    left, right = (np.einsum("auk,uv->avk", v, drawn[f"{name}_1o"][0, 0]) for name in "UV")
    norm = np.sqrt(np.sum(right * right, axis=-1) + 1e-12)  # as documented for the function sqrt
    inner = s @ drawn["inner_0e"][0, 0] + norm @ drawn["inner_0e"][0, 1] + drawn["inner_bias_0e"][0, 0]
    vv, sv, ss = np.moveaxis(linear(drawn, "outer", silu(inner)), 1, 0)
    assert drawn.error((s + ss + sv * np.sum(left * right, axis=-1))[..., None], "s") < TOLERANCE
    assert drawn.error(v + vv[..., None] * left, "v") < TOLERANCE


def test_schnet_filter() -> None:
    drawn = drawn_on_edges("schnet_filter")
    r, h = np.linalg.norm(drawn["d"], axis=-1), drawn["h"][..., 0]
    centres = np.linspace(0.0, 4.0, 5)
    inner = linear(drawn, "inner", np.exp(-((r[:, None] - centres) ** 2) / 2))[:, 0]
    filters = cosine_cutoff(r) * linear(drawn, "outer", np.log(0.5 + 0.5 * np.exp(inner)))[:, 0]
    messages = (h @ drawn["mix1_0e"][0, 0])[drawn["sender"]] * filters
    assert drawn.error(scatter_sum(messages, drawn["receiver"], 5)[..., None]) < TOLERANCE


def test_visnet_rejection() -> None:
    drawn = drawn_on_edges("visnet_rejection")
    unit = (drawn["d"] / np.linalg.norm(drawn["d"], axis=-1, keepdims=True))[:, None]
    a, b = (
        np.einsum("auk,uv->avk", drawn["V"], drawn[f"{name}_1o"][0, 0])[drawn[end]]
        for name, end in (("t", "receiver"), ("r", "sender"))
    )
    expected = np.sum(np.cross(a, unit) * np.cross(b, unit), axis=-1)  # <a x y, b x y> is that of the rejections
    assert drawn.error(expected[..., None]) < TOLERANCE
