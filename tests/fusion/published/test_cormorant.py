"""Cormorant's level: the real one against its formula, the complex one against the whole complex network of the paper.

The complex network is written out here in numpy, with Clebsch-Gordan coefficients of sympy, its solid harmonics, radial
functions and edge networks, and gives the golden numbers of a molecule of four atoms with weights in closed form
(``nbody_cormorant_fusion`` 3.15, which its authors' code gives, too). The diagram is its second level.
"""

from __future__ import annotations

import functools
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from corpus import PUBLISHED
from formulas import TOLERANCE, Array, couple, cut, draw, harmonics, join, scatter_sum, sigmoid

Complex = NDArray[np.complex128]
States = list[Complex]
"""One array (atoms, channels, 2 l + 1) for l = 0, 1, ...; or for edges, with two axes of atoms."""
CHANNELS, DEGREES = 2, 3
GOLDEN = 1e-9
"""The golden numbers have ten to twelve digits."""


def test_real_level() -> None:
    # two atoms with all pairs, and a third one that only sees itself; an atom's edge to itself has length zero
    sender, receiver = np.array([0, 1, 0, 1, 2]), np.array([0, 0, 1, 1, 2])
    d = np.array([[0, 0, 0], [0.3, -1.0, 0.4], [-0.3, 1.0, -0.4], [0, 0, 0], [0, 0, 0]])
    drawn = draw(PUBLISHED["cormorant_level"], rows=(5,), d=d, sender=sender, receiver=receiver)
    h, r = drawn["h"], np.linalg.norm(d, axis=-1)
    dots = np.stack([np.sum(x[receiver] * x[sender], axis=-1) for x in cut(h, 0, 1, 2)], axis=-1)
    dots = dots / np.sqrt([1, 3, 5])  # which the weights make up for
    a, b = drawn["mask_0e"][0]  # rho / w and -1 / w of each channel
    mu = sigmoid(a + np.outer(r, b))
    edge: list[Array] = []
    for l in range(3):
        u = join(drawn["g"][..., l : l + 1], dots, drawn["eta"])
        g = mu * np.einsum("eup,puv->ev", u, drawn[f"edge{l}_0e"][0])
        edge.append(g[..., None] * harmonics(l, -d, "solid")[:, None])
    expected: list[Array] = []
    for l in range(3):
        entries: list[Array] = []
        pairs = [
            (l1, l2) for l1 in range(3) for l2 in range(3) if abs(l1 - l2) <= l <= l1 + l2 and not (l1 + l2 + l) % 2
        ]
        states = cut(h, 0, 1, 2)
        entries += [scatter_sum(couple(edge[l1], states[l2][sender], l), receiver, 5) for l1, l2 in pairs]
        entries.append(states[l])
        entries += [couple(states[l1], states[l2], l) for l1, l2 in pairs]
        expected.append(np.einsum("paum,puv->avm", np.array(entries), drawn[f"atom_{l}{'eo'[l % 2]}"][0]))
    assert drawn.error(join(*expected)) < TOLERANCE


@functools.cache
def complex_cg(l1: int, l2: int, l: int) -> Array:
    """Clebsch-Gordan coefficients in the complex basis, shape (2 l1 + 1, 2 l2 + 1, 2 l + 1), m ascending."""
    from sympy.physics.wigner import clebsch_gordan

    found = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            if abs(m1 + m2) <= l:
                found[l1 + m1, l2 + m2, l + m1 + m2] = float(clebsch_gordan(l1, l2, l, m1, m2, m1 + m2))
    return found


def fused(left: Complex, right: Complex, l: int) -> Complex:
    table = complex_cg(left.shape[-1] // 2, right.shape[-1] // 2, l)
    return np.einsum("...a,...b,abm->...m", left, right, table)


def bilinear(left: Complex, right: Complex) -> Complex:
    """sum over m of (-1)^m x_m y_-m, without conjugation."""
    l = left.shape[-1] // 2
    return np.sum((-1.0) ** np.arange(-l, l + 1) * left * right[..., ::-1], axis=-1)


def solid(d: Array) -> States:
    """Conjugated solid harmonics of vectors in the physicists' axes (z is the polar axis), sum |Y_l|^2 = r^(2 l)."""
    x, y, z = np.moveaxis(d, -1, 0)
    one = np.stack([(x + 1j * y) / sqrt(2), z + 0j, (-x + 1j * y) / sqrt(2)], axis=-1)
    return [np.ones((*d.shape[:-1], 1), complex), one, fused(one, one, 2) / complex_cg(1, 1, 2)[1, 1, 2]]


def radial(r: Array) -> Complex:
    """sin(2 pi kappa r + phi) r^-p, p fastest, neighbours paired into complex numbers; zero at r = 0."""
    kappa = np.tile(np.arange(4.0), 2)
    quarter = float(np.float32(pi / 2))  # the golden numbers are of phases that were initialised in float32
    phi = np.array([quarter, 0.0, 0.0, 0.0, *[quarter] * 4])
    safe = np.where(r > 0, r, 1.0)[..., None, None]
    table = np.sin(2 * pi * kappa[:, None] * safe + phi[:, None]) * safe ** -np.arange(4.0)
    table = np.where(r[..., None, None] > 0, table, 0.0).reshape(*r.shape, 32)
    return table[..., ::2] + 1j * table[..., 1::2]


def weight(size: float, inputs: int, l: int, level: int) -> Complex:
    """W of degree l, rows are outputs."""
    o, i = np.arange(CHANNELS)[:, None], np.arange(inputs)
    return size * (
        np.sin(1 + 0.7 * o + 0.3 * i + 0.5 * l + 0.9 * level)
        + 1j * np.cos(0.4 + 0.2 * o + 0.6 * i + 0.8 * l + 0.1 * level)
    )


def edge_network(f: States, before: list[Complex], r: Array, level: int) -> list[Complex]:
    """The scalars g_ij of each degree, shape (atoms, atoms, channels)."""
    dots = np.concatenate([bilinear(x[:, None], x[None]) for x in f], axis=-1)
    mask = 1 / (1 + np.exp((r - 1.73) / 0.2))
    found: list[Complex] = []
    for l in range(DEGREES):
        u = np.concatenate([*before[l : l + 1], *([dots] if l < len(f) else []), radial(r)], axis=-1)
        found.append(mask[..., None] * (u @ weight(0.04, u.shape[-1], l, level).T))
    return found


def couplings(l: int, first: int, second: int) -> list[tuple[int, int]]:
    """Pairs of degrees below ``first`` and ``second`` that couple to l."""
    return [(l1, l2) for l1 in range(first) for l2 in range(second) if abs(l1 - l2) <= l <= l1 + l2]


def atom_level(f: States, g: list[Complex], d: Array, level: int) -> States:
    edge = [scalars[..., None] * y[:, :, None] for scalars, y in zip(g, solid(d), strict=True)]
    found: States = []
    for l in range(DEGREES):
        two = [fused(edge[l1], f[l2][None], l).sum(axis=1) for l1, l2 in couplings(l, DEGREES, len(f))]
        squares = [fused(f[l1], f[l2], l) for l1, l2 in couplings(l, len(f), len(f))]
        entries = np.concatenate([*two, *f[l : l + 1], *squares], axis=1)
        found.append(np.einsum("oi,aim->aom", weight(0.12, entries.shape[1], l, level), entries))
    return found


POSITIONS = np.array([[0.10, 0.20, 0.30], [0.90, -0.10, 0.50], [-0.70, 0.80, -0.40], [-1.1, 0.3, 0.6]])
ELEMENTS = [2, 0, 1, 0]  # of H, C, O
CHARGES = np.array([8, 1, 6, 1])


def molecule(positions: Array = POSITIONS) -> tuple[list[States], list[list[Complex]], Array]:
    """States of the input and of both levels, edge scalars of both levels, and d_ij = r_i - r_j."""
    d = positions[:, None] - positions[None]
    r = np.linalg.norm(d, axis=-1)
    inputs = np.einsum("ae,ap->aep", np.eye(3)[ELEMENTS], (CHARGES[:, None] / 8) ** np.arange(3)).reshape(4, 9)
    rows = np.arange(2 * CHANNELS)
    reals = inputs @ np.sin(0.5 + 0.3 * rows[:, None] + 0.2 * np.arange(9)).T + np.cos(0.1 * rows)
    states: list[States] = [[(reals[:, ::2] + 1j * reals[:, 1::2])[..., None]]]
    edges: list[list[Complex]] = []
    for level in range(2):
        edges.append(edge_network(states[-1], edges[-1] if edges else [], r, level))
        states.append(atom_level(states[-1], edges[-1], d, level))
    return states, edges, d


def energy(levels: list[States]) -> float:
    scalars = np.concatenate([f[0][..., 0] for f in levels], axis=1)
    found = [np.stack([scalars.real, scalars.imag], axis=-1).reshape(4, -1)]
    for l in range(DEGREES):
        for f in levels:
            norms = np.stack([bilinear(f[l], f[l]).real, np.sum(np.abs(f[l]) ** 2, axis=-1)], axis=-1)
            found.append(norms.reshape(4, -1))
    invariants = np.concatenate(found, axis=1).sum(axis=0)
    return float(invariants @ (0.1 * np.sin(0.1 + 0.05 * np.arange(len(invariants)))) + 0.25)


def test_complex_network_gives_the_golden_numbers() -> None:
    states, _, _ = molecule()
    assert abs(energy(states[1:]) - 0.566315461692) < 1e-12
    assert abs(energy(molecule(-POSITIONS)[0][1:]) - 0.566317600658) < 1e-12  # it sees handedness
    first, second = states[1], states[2]
    vector = [0.1016379569 + 0.1700459165j, -0.0088025794 + 0.0762395340j, 0.0418489124 - 0.1755517156j]
    assert abs(first[0][0, 0, 0] - (0.6340996524 + 0.7531095116j)) < GOLDEN
    assert np.max(np.abs(first[1][0, 0] - vector)) < GOLDEN
    assert abs(second[0][1, 1, 0] - (-0.001854504 - 0.0689702711j)) < GOLDEN
    assert abs(second[2][1, 1, 4] - (-0.013108981 - 0.050834398j)) < GOLDEN


def real_basis(l: int) -> Complex:
    """U with x_real = U x_complex for states that transform as conjugated harmonics, rows and columns m = -l .. l."""
    found = np.zeros((2 * l + 1, 2 * l + 1), complex)
    found[l, l] = 1
    for m in range(1, l + 1):
        sign = (-1) ** m
        found[l + m, [l - m, l + m]] = np.array([1, sign]) / sqrt(2)
        found[l - m, [l - m, l + m]] = 1j * np.array([-1, sign]) / sqrt(2)
    return found


def pairs(values: Complex) -> Array:
    """Complex (..., components) as real (..., 2, components)."""
    return np.stack([values.real, values.imag], axis=-2)


def as_weights(entries: list[Complex]) -> Array:
    """Complex maps (outputs, inputs) of the paths of a mix as its coefficients (1, paths, 2, inputs, outputs)."""
    table = np.array([entry.T for entry in entries])
    return np.stack([table.real, table.imag], axis=1)[None]


def level_weights() -> dict[str, Array]:
    """Coefficients of the diagram: W of the second level with the factors and phases of the paper's vertices."""
    found: dict[str, Array] = {"mask_0": np.array([[[1.73 / 0.2] * 2, [-1 / 0.2] * 2]])}
    for l in range(DEGREES):
        parts = np.split(weight(0.04, 24, l, 1), 12, axis=1)  # g, a dot product per degree, eight pairs of eta
        norms = [1.0, *(sqrt(2 * k + 1) for k in range(DEGREES)), *[1.0] * 8]
        found[f"edge{l}_0"] = as_weights([norm * part for norm, part in zip(norms, parts, strict=True)])
        phases = [(-1j) ** (l1 + l2 - l) for l1, l2 in couplings(l, DEGREES, DEGREES)]
        phases = [*phases, 1.0 + 0.0j, *phases]  # products with neighbours, the state itself, its products
        parts = np.split(weight(0.12, 2 * len(phases), l, 1), len(phases), axis=1)
        found[f"atom_{l}"] = as_weights([phase * part for phase, part in zip(phases, parts, strict=True)])
    return found


def test_complex_level_is_the_second_level_of_the_network() -> None:
    states, edges, d = molecule()
    bases = [real_basis(l) for l in range(DEGREES)]
    receiver, sender = (index.ravel() for index in np.indices((4, 4)))  # all pairs, an atom with itself included
    eta = radial(np.linalg.norm(d, axis=-1)).reshape(16, 8, 2).swapaxes(1, 2)
    drawn = draw(
        PUBLISHED["cormorant_level_complex"],
        rows=(16,),
        h=np.concatenate([pairs(f @ u.T) for f, u in zip(states[1], bases, strict=True)], axis=-1)[np.arange(16) % 4],
        d=-d.reshape(16, 3)[:, [1, 2, 0]],  # from receiver to sender; the polar axis is y
        g=pairs(np.stack(edges[0], axis=-1).reshape(16, 2, 3)),
        eta=pairs(eta),
        receiver=receiver,
        sender=sender,
        coefficients=level_weights(),
    )
    expected = np.concatenate([pairs(f @ u.T) for f, u in zip(states[2], bases, strict=True)], axis=-1)
    assert drawn.found["out"].value[:4].shape == expected.shape
    magnitude = drawn.found["out"].magnitude[:4]
    assert np.max(np.abs(drawn.found["out"].value[:4] - expected) / magnitude) < TOLERANCE
