"""Triplet messages and softmax attention against their formulas in plain numpy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from corpus.published.edges import softmax_attention, triplet_block
from formulas import TOLERANCE, Array, bessel, couple, draw, harmonics, silu

SENDER = np.array([1, 2, 3, 0, 0, 0])  # a star: three atoms around atom 0, every edge in both directions
RECEIVER = np.array([0, 0, 0, 1, 2, 3])
POSITIONS = np.random.default_rng(0).uniform(-1.2, 1.2, size=(4, 3))
VECTORS = POSITIONS[SENDER] - POSITIONS[RECEIVER]
LENGTHS = np.linalg.norm(VECTORS, axis=-1)


def legendre(x: float) -> Array:
    return np.array([1.0, x, (3 * x * x - 1) / 2])


def test_triplet_block() -> None:
    # edge j -> i hears every edge k -> j with k != i: the edges away from the middle hear two others each
    triplets = [
        (first, second)
        for first, second in itertools.product(range(6), repeat=2)
        if RECEIVER[second] == SENDER[first] and SENDER[second] != RECEIVER[first]
    ]
    ends: dict[str, Any] = dict(zip(("triplet_first", "triplet_second"), np.transpose(triplets), strict=True))
    found = draw(triplet_block(), rows=(6,), d=VECTORS, **ends)
    m = found["m"][..., 0]
    W = {name: found[f"{name}_0e"][0, 0] for name in ("ji", "kj", "radial", "update")}
    radial = bessel(LENGTHS, 4, 4.0)
    heard = silu(m @ W["kj"]) * (radial @ W["radial"])
    total = silu(m @ W["ji"])
    for first, second in triplets:
        cosine = VECTORS[first] @ VECTORS[second] / LENGTHS[first] / LENGTHS[second]
        angular = np.sqrt([1, 3, 5]) * legendre(float(cosine))
        basis = np.einsum("l,n,lnb->b", angular, radial[second], found["basis_0e"][0])
        total[first] += np.einsum("u,b,ubv->v", heard[second], basis, found["bilinear_0e"][0])
    assert found.error((m + silu(total @ W["update"]))[..., None]) < TOLERANCE


def test_softmax_attention() -> None:
    found = draw(softmax_attention(), rows=(6,), d=VECTORS, sender=SENDER, receiver=RECEIVER)
    h = {0: found["h"][..., :1], 1: found["h"][..., 1:]}
    couplings = {0: [(0, 0), (1, 1)], 1: [(0, 1), (1, 0), (1, 2)]}  # (degree of the sender's tensor, of the direction)
    kernels = {"k": iter(found["S"][..., i] for i in range(5)), "v": iter(found["R"][..., i] for i in range(5))}

    def edges(name: str, l: int) -> Array:
        """Sum over couplings and channels of the kernel, filtered by distance, applied to the sender's tensors."""
        total = np.zeros((len(SENDER), 2, 2 * l + 1))
        for path, (l1, l2) in enumerate(couplings[l]):
            tensor = couple(h[l1][SENDER], harmonics(l2, VECTORS)[:, None, :], l)
            tensor = tensor * next(kernels[name])[:, :, None]
            total += np.einsum("eum,uv->evm", tensor, found[f"{name}_{l}{'eo'[l]}"][0, path])
        return total

    def turned(name: str, l: int) -> Array:
        return np.einsum("ium,uv->ivm", h[l], found[f"{name}_{l}{'eo'[l]}"][0, 0])

    queries = np.concatenate([turned("q", 0), turned("q", 1)], axis=-1)[RECEIVER]
    keys = np.concatenate([edges("k", 0), edges("k", 1)], axis=-1)
    values = np.concatenate([edges("v", 0), edges("v", 1)], axis=-1)
    score = (queries * keys).sum(axis=(1, 2))
    expected = np.concatenate([turned("self", 0), turned("self", 1)], axis=-1)
    for atom in range(len(expected)):
        near = np.flatnonzero(atom == RECEIVER)  # none for two of the six atoms
        share = np.exp(score[near]) / np.exp(score[near]).sum()
        expected[atom] += np.einsum("e,eum->um", share, values[near])
    assert found.error(expected) < TOLERANCE
