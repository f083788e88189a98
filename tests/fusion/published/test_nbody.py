"""N-body gates against their formula, written out child by child with e3nn's couplings and harmonics."""

from __future__ import annotations

import itertools
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus import PUBLISHED
from formulas import TOLERANCE, Array, Drawn, couple, cut, draw, harmonics, join


def coupled(left: list[Array], right: list[Array], l_max: int) -> list[list[Array]]:
    """Couple lists of states (u, 2 l + 1) of natural parity, and sort by degree: left states, then right states."""
    found: list[list[Array]] = [[] for _ in range(l_max + 1)]
    for (a, b), l in itertools.product(itertools.product(left, right), range(l_max + 1)):
        la, lb = a.shape[-1] // 2, b.shape[-1] // 2
        if abs(la - lb) <= l <= la + lb and (la + lb + l) % 2 == 0:
            found[l].append(couple(a, b, l))
    return found


def flat(sorted_by_degree: list[list[Array]]) -> list[Array]:
    return [state for states in sorted_by_degree for state in states]


def filters(direction: Array, g: Array) -> list[Array]:
    """g_l(r) Y_l per degree and channel; ``g`` has shape (u, degrees)."""
    return [np.outer(g[:, l], harmonics(l, direction)) for l in range(g.shape[1])]


def mixed(states: list[list[Array]], drawn: Drawn) -> Array:
    """The map W of each degree: states (u, 2 l + 1) side by side -> (v, 2 l + 1)."""
    names = [f"mix1_{l}{'eo'[l % 2]}" for l in range(len(states))]
    return join(*(np.einsum("puv,pum->vm", drawn[n][0], np.array(s)) for n, s in zip(names, states, strict=True)))


def total(terms: list[list[list[Array]]]) -> list[list[Array]]:
    """Add equal states of several monomials."""
    return [
        [np.sum(states, axis=0) for states in zip(*of_degree, strict=True)] for of_degree in zip(*terms, strict=True)
    ]


def children(parents: NDArray[Any], parent: int) -> list[int]:
    return [row for row, image in enumerate(parents.tolist()) if image == parent]


def test_order_0() -> None:
    drawn = draw(PUBLISHED["nbody_gate_order_0"], rows=(4,), node_parent=[1, 0, 1, 1])
    expected = np.zeros((4, 2, 9))
    for parent in range(2):
        terms: list[list[list[Array]]] = []
        for i in children(drawn["node.parent"], parent):
            psi = cut(drawn["psi"][i], 0, 1, 2)
            products = coupled(psi, filters(drawn["u"][i], drawn["g"][i]), 2)
            terms.append([[*products[l], psi[l]] for l in range(3)])
        expected[parent] = mixed(total(terms), drawn)
    assert drawn.error(expected) < TOLERANCE


def test_order_1() -> None:
    a, b = [0, 1, 2, 2, 3], [1, 0, 2, 3, 2]  # with one child paired with itself
    drawn = draw(PUBLISHED["nbody_gate_order_1"], rows=(5,), pair_a=a, pair_b=b, pair_parent=[0, 0, 1, 1, 1])
    expected = np.zeros((5, 2, 4))
    for parent in range(2):
        terms: list[list[list[Array]]] = []
        for pair in children(drawn["pair.parent"], parent):
            left, right = (cut(drawn["psi"][row], 0, 1) for row in (a[pair], b[pair]))
            y = filters(drawn["uab"][pair], drawn["g"][pair])
            terms.append(pairs_with_filter(left, right, y))
        expected[parent] = mixed(total(terms), drawn)
    assert drawn.error(expected) < TOLERANCE


def pairs_with_filter(left: list[Array], right: list[Array], y: list[Array]) -> list[list[Array]]:
    """Every coupling ((left right)_a y)_l with l = 0e, 1o; a is 0e, 1o, 1e (the cross product) or 2e."""
    (s, v), (t, w) = left, right
    inner: list[tuple[Array, int]] = [
        (couple(s, t, 0), 1),
        (couple(v, w, 0), 1),
        (couple(s, w, 1), -1),
        (couple(v, t, 1), -1),
        (couple(v, w, 1), 1),
        (couple(v, w, 2), 1),
    ]
    found: list[list[Array]] = [[], []]
    for (state, parity), (l2, harmonic) in itertools.product(inner, enumerate(y)):
        a = state.shape[-1] // 2
        for l in (0, 1):
            if abs(a - l2) <= l <= a + l2 and parity * (-1) ** l2 == (-1) ** l:
                found[l].append(couple(state, harmonic, l))
    return found


def test_order_2() -> None:
    gab, gbc = np.random.default_rng(3).normal(size=(2, 16, 2, 2))
    drawn = draw(PUBLISHED["nbody_gate_order_2"], rows=(4,), node_parent=[1, 0, 1, 0], gab=gab, gbc=gbc)
    expected = np.zeros((4, 2, 4))
    row = 0
    for parent in range(2):
        terms: list[list[list[Array]]] = []
        for a, b, c in itertools.product(children(drawn["node.parent"], parent), repeat=3):  # coincident ones, too
            yab, ybc = (
                filters(drawn["u"][x] - drawn["u"][y], drawn[name][row])
                for x, y, name in ((a, b, "gab"), (b, c, "gbc"))
            )
            states = cut(drawn["psi"][a], 0, 1)
            for factor in (yab, cut(drawn["psi"][b], 0, 1), ybc):
                states = flat(coupled(states, factor, 1))
            terms.append(coupled(states, cut(drawn["psi"][c], 0, 1), 1))
            row += 1
        expected[parent] = mixed(total(terms), drawn)
    assert row == 16
    assert drawn.error(expected) < TOLERANCE


def test_order_2_is_symmetric_in_the_children() -> None:
    diagram, g, order = PUBLISHED["nbody_gate_order_2"], np.ones((27, 2, 2)), np.array([2, 0, 1])
    drawn = draw(diagram, rows=(3,), node_parent=[0, 0, 0], gab=g, gbc=g)
    psi, u = drawn["psi"][order], drawn["u"][order]
    turned = draw(diagram, rows=(3,), node_parent=[0, 0, 0], gab=g, gbc=g, psi=psi, u=u)
    assert drawn.error(turned.found["out"].value) < TOLERANCE


def test_order_1_holds_the_energy_of_charges_and_dipoles() -> None:
    # the gate with g_b = r^-(b + 1) and the weights of the multipole expansion; u points from b to a
    rng = np.random.default_rng(6)
    psi, u = np.zeros((2, 2, 4)), rng.normal(size=(1, 3))
    psi[:, 0] = rng.normal(size=(2, 4))
    r = np.linalg.norm(u)
    g = np.tile(r ** -np.array([1.0, 2.0, 3.0]), (1, 2, 1))
    table = np.zeros((1, 5, 2, 2))
    table[0, :, 0, 0] = [1, 0, 1, -1, -sqrt(6)]  # of (q q)_0, (p p)_0, (q p)_1, (p q)_1 and (p p)_2, each with Y
    pair = {"pair_a": [0], "pair_b": [1], "pair_parent": [0], "mix1_0e": table}
    drawn = draw(PUBLISHED["nbody_gate_order_1"], rows=(1,), coefficients=pair, psi=psi, uab=u, g=g)
    (qa, *pa), (qb, *pb) = psi[:, 0]
    a, b = np.dot(pa, u[0]) / r, np.dot(pb, u[0]) / r  # components of the dipoles along u
    energy = qa * qb / r + (qa * b - a * qb) / r**2 + (np.dot(pa, pb) - 3 * a * b) / r**3
    found = drawn.found["out"]
    assert abs(found.value[0, 0, 0] - energy) < TOLERANCE * found.magnitude[0, 0, 0]


def test_multipole_translation_equals_moments_of_the_charges() -> None:
    rng = np.random.default_rng(4)
    centres, charges, offsets = rng.normal(size=(3, 3)), rng.normal(size=(3, 5)), rng.normal(size=(3, 5, 3))
    own = join(*(np.einsum("nc,ncm->nm", charges, harmonics(l, offsets, "solid")) for l in range(3)))
    drawn = draw(PUBLISHED["multipole_translation"], rows=(3,), u=centres, Q=own, node_parent=[0, 2, 0])
    positions = centres[:, None] + offsets
    dipoles = np.einsum("nc,nck->nk", charges, positions)
    x, y, z = np.moveaxis(positions, -1, 0)  # the quadrupole as polynomials of the coordinates
    polynomials = [
        sqrt(3) * x * z,
        sqrt(3) * x * y,
        y**2 - (x**2 + z**2) / 2,
        sqrt(3) * y * z,
        (z**2 - x**2) * sqrt(3) / 2,
    ]
    quadrupoles = np.einsum("nc,knc->nk", charges, np.array(polynomials))
    moments = join(charges.sum(axis=1, keepdims=True), dipoles, quadrupoles)
    assert drawn.error(np.array([moments[0] + moments[2], np.zeros(9), moments[1]])) < TOLERANCE
