"""MACE's interactions and products against explicit sums over neighbours and over products, with e3nn's couplings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

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
from fusion import evaluate, leg

SENDER, RECEIVER = [1, 2, 0, 0, 3], [0, 0, 1, 2, 2]
"""Atom 0 and atom 2 have two neighbours each, atom 3 none."""
State = tuple[int, int, Array]
"""Degree, parity and value (..., 2 l + 1)."""


def irrep(l: int, p: int | None = None) -> str:
    return f"{l}{'eo'[l % 2] if p is None else 'e' if p == 1 else 'o'}"


def density(d: Array, h: list[Array], radial: Array, drawn: Drawn) -> list[Array]:
    """The sum over neighbours of R [Y_l1 (W h)_l2]_l3 for every l3, with all paths: (atom, path, u, 2 l3 + 1).

    ``radial`` has shape (edge, u, path), with the paths sorted by l3, then l1, then l2.
    """
    up = [np.einsum("aum,uv->avm", state, drawn[f"up_{irrep(l)}"][0, 0]) for l, state in enumerate(h)]
    found: list[Array] = []
    place = 0
    for l3 in range(3):
        paths: list[Array] = []
        for l1 in range(3):
            for l2, state in enumerate(up):
                if abs(l1 - l2) <= l3 <= l1 + l2 and (l1 + l2 + l3) % 2 == 0:
                    y = harmonics(l1, d)[:, None]
                    edges = radial[:, :, place, None] * couple(y, state[drawn["sender"]], l3)
                    paths.append(scatter_sum(edges, drawn["receiver"], len(state)))
                    place += 1
        found.append(np.stack(paths, axis=1))
    assert place == radial.shape[-1]
    return found


def mixed(states: list[Array], drawn: Drawn, name: str) -> list[Array]:
    """All paths and channels (atom, path, u, m) of each degree to one path with channels v."""
    return [np.einsum("apum,puv->avm", s, drawn[f"{name}_{irrep(l)}"][0]) for l, s in enumerate(states)]


def per_element(states: list[Array], drawn: Drawn, name: str) -> list[Array]:
    """Channels u to v with the matrix of the element of each atom."""
    return [np.einsum("aum,auv->avm", s, drawn[f"{name}_{irrep(l)}"][drawn["z"], 0, 0]) for l, s in enumerate(states)]


def test_first_interaction_mixes_the_density_per_element() -> None:
    drawn = draw(PUBLISHED["mace_interaction"], rows=(5,), sender=SENDER, receiver=RECEIVER)
    message = [0.25 * x for x in mixed(density(drawn["d"], [drawn["h"]], drawn["R"], drawn), drawn, "mix1")]
    assert len(set(drawn["z"])) > 1
    assert drawn.error(join(*per_element(message, drawn, "mix2"))) < TOLERANCE


def test_later_interaction_mixes_the_old_state_per_element() -> None:
    drawn = draw(PUBLISHED["mace_interaction_residual"], rows=(5,), sender=SENDER, receiver=RECEIVER)
    h = cut(drawn["h"], 0, 1)
    message = mixed(density(drawn["d"], h, drawn["R"], drawn), drawn, "mix1")
    assert drawn.error(0.25 * join(*message), "density") < TOLERANCE
    assert drawn.error(join(*per_element(h, drawn, "mix2")), "skip") < TOLERANCE


def fused(left: list[State], right: list[State]) -> list[State]:
    """Every coupling of two lists of states, sorted by degree, then natural parity first; else in order."""
    found = [
        (l, p1 * p2, couple(a, b, l))
        for l1, p1, a in left
        for l2, p2, b in right
        for l in range(abs(l1 - l2), l1 + l2 + 1)
    ]
    return sorted(found, key=lambda state: (state[0], state[1] != (-1) ** state[0]))


def products(a: list[Array], orders: tuple[int, ...], l: int, p: int) -> list[Array]:
    """All couplings of 1, 2, ... copies of A to (l, p): left combs ((A A)_k A)_l, with every inner line k."""
    legs = [(degree, (-1) ** degree, state) for degree, state in enumerate(a)]
    powers = [legs]
    while len(powers) < max(orders):
        powers.append(fused(powers[-1], legs))
    return [value for order in orders for degree, parity, value in powers[order - 1] if (degree, parity) == (l, p)]


def product(drawn: Drawn, bases: Callable[[int], list[Array]], per: str = "mix1", last: str = "mix2") -> Array:
    """The sum over couplings eta of W_{z, eta, u} B_{eta, u}, then a mix of channels, for 0e and 1o."""
    parts: list[Array] = []
    for l in range(2):
        b = np.stack(bases(l), axis=1)
        message = np.einsum("apum,apu->aum", b, drawn[f"{per}_{irrep(l)}"][drawn["z"], 0])
        parts.append(np.einsum("aum,uv->avm", message, drawn[f"{last}_{irrep(l)}"][0, 0]))
    return join(*parts)


def test_full_product() -> None:
    drawn = draw(PUBLISHED["mace_product_full"], rows=(4,))
    a = cut(drawn["A"], 0, 1, 2)
    counts = [len(products(a, (order,), l, (-1) ** l)) for order in (1, 2, 3) for l in (0, 1)]
    assert counts == [1, 1, 3, 4, 11, 21]  # freecg_acdc_mace 3.2: paths of MACE's own table at l_max = 2
    expected = product(drawn, lambda l: products(a, (1, 2, 3), l, (-1) ** l))
    assert drawn.error(expected) < TOLERANCE


def test_reduced_product_is_the_full_one_with_other_weights() -> None:
    drawn = draw(PUBLISHED["mace_product_reduced"], rows=(4,))
    weights = {f"mix2_{name}": drawn[f"mix2_{name}"] for name in ("0e", "1o")}
    samples = list(np.random.default_rng(9).normal(size=(60, 9)))
    for l in range(2):
        every = np.stack(products(cut(np.array(samples), 0, 1, 2), (1, 2, 3), l, (-1) ** l), axis=-1)
        few = sampled("0e+1o+2e", samples, (1, 2, 3), "reduced", l)
        assert few.shape[-1] == {0: 1 + 3 + 5, 1: 1 + 2 + 5}[l]
        linear, *_ = np.linalg.lstsq(every.reshape(-1, every.shape[-1]), few.reshape(-1, few.shape[-1]), rcond=1e-10)
        np.testing.assert_allclose(every @ linear, few, rtol=0, atol=1e-10)
        weights[f"mix1_{irrep(l)}"] = np.einsum("er,zqru->zqeu", linear, drawn[f"mix1_{irrep(l)}"])
    full = draw(PUBLISHED["mace_product_full"], rows=(4,), coefficients=weights, A=drawn["A"], z=drawn["z"])
    assert full.error(drawn.found["out"].value) < 1e-11
    expected = product(full, lambda l: products(cut(full["A"], 0, 1, 2), (1, 2, 3), l, (-1) ** l))
    assert drawn.error(expected) < 1e-11  # the weights come from a fit


def sampled(irreps: str, samples: list[Array], orders: tuple[int, ...], basis: str, l: int) -> Array:
    """Values of a power for several A: (sample, 2 l + 1, path)."""
    wire = leg("A", irreps).power(*orders, basis=basis)[irrep(l)]
    values = evaluate(wire, {"A": np.array(samples)})["out"].value
    return values.reshape(len(samples), -1, 2 * l + 1).swapaxes(1, 2)


# nbody_cormorant_fusion 4.3: (l_max, order) -> for L = 0, 1, 2 the number of combs and that of independent functions
RANKS = {
    (1, 2): [(2, 2), (2, 1), (1, 1)],
    (1, 3): [(4, 2), (6, 2), (3, 1)],
    (2, 2): [(3, 3), (4, 2), (4, 3)],
    (2, 3): [(11, 5), (21, 5), (23, 6)],
    (3, 2): [(4, 4), (6, 3), (7, 5)],
    (3, 3): [(23, 8), (51, 12), (65, 14)],
}


@pytest.mark.parametrize("l_max, order", RANKS)
def test_reduced_basis_spans_what_the_full_one_spans(l_max: int, order: int) -> None:
    irreps = "+".join(irrep(l) for l in range(l_max + 1))
    samples = list(np.random.default_rng(l_max).normal(size=(40, (l_max + 1) ** 2)))
    for l, (trees, independent) in enumerate(RANKS[l_max, order]):
        every = np.stack(products(cut(np.array(samples), *range(l_max + 1)), (order,), l, (-1) ** l), axis=-1).reshape(
            -1, trees
        )
        few = sampled(irreps, samples, (order,), "reduced", l).reshape(-1, independent)
        assert np.linalg.matrix_rank(every, tol=1e-8) == independent
        assert np.linalg.matrix_rank(few, tol=1e-8) == independent
        assert np.linalg.matrix_rank(np.concatenate([every, few], axis=1), tol=1e-8) == independent


def test_layer() -> None:
    drawn = draw(PUBLISHED["mace_layer"], rows=(5,), sender=SENDER, receiver=RECEIVER)
    h, r = cut(drawn["h"], 0, 1), np.linalg.norm(drawn["d"], axis=-1)
    hidden = silu((bessel(r, 4, 4.0) * envelope(r, 4.0, 5)[:, None]) @ drawn["radial1_0e"][0, 0])
    radial = np.einsum("ek,pku->eup", hidden, drawn["radial2_0e"][:, 0])
    a = mixed(density(drawn["d"], h, radial, drawn), drawn, "mix1")
    message = product(drawn, lambda l: products(a, (1, 2), l, (-1) ** l), "mix2", "mix3")
    assert drawn.error(message + join(*per_element(h, drawn, "mix4"))) < TOLERANCE


def test_fusion_product() -> None:
    drawn = draw(PUBLISHED["mace_fusion_product"], rows=(4,))
    a, h = cut(drawn["A"], 0, 1, 2), cut(drawn["h"], 0, 1)
    pairs: list[State] = []
    for l in range(3):
        b = np.stack(products(a, (2,), l, (-1) ** l), axis=1)
        pairs.append((l, (-1) ** l, np.einsum("apum,pu->aum", b, drawn[f"mix1_{irrep(l)}"][0])))
    triples = fused(pairs, [(l, (-1) ** l, state) for l, state in enumerate(h)])
    parts: list[Array] = []
    for l in range(2):
        b = np.stack([value for degree, parity, value in triples if (degree, parity) == (l, (-1) ** l)], axis=1)
        message = np.einsum("apum,apu->aum", b, drawn[f"mix2_{irrep(l)}"][drawn["z"], 0])
        both = np.stack([message, h[l]], axis=1)
        parts.append(np.einsum("apum,puv->avm", both, drawn[f"mix3_{irrep(l)}"][0]))
    assert drawn.error(join(*parts)) < TOLERANCE
