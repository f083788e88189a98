"""ACDC, its message passing form, NICE and ACE against sums over neighbours written out with e3nn's couplings.

Features are dictionaries from (degree, parity) to arrays (channels, paths, components) of one atom or pair. A product
takes channels as an outer product, left ones slower, and the paths of a coupled irrep in the order of the left paths,
then of the right ones, by irrep: degree, then natural parity first.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from corpus.published import densities
from formulas import TOLERANCE, Array, Drawn, bessel, cg, draw, envelope, harmonics, scatter_sum
from fusion import Diagram, Wire

Irrep = tuple[int, int]
Feature = dict[Irrep, Array]
ALL: list[Irrep] = [(0, 1), (1, -1), (1, 1), (2, 1), (2, -1)]

# four atoms, not in a plane, with every edge between them in both directions, and eight atoms alone
ENDS = list(itertools.permutations(range(4), 2))
RECEIVER, SENDER = np.array(ENDS).T
REVERSE = np.array([ENDS.index((j, i)) for i, j in ENDS])
ATOMS = len(ENDS)
POSITIONS = np.random.default_rng(0).uniform(-1.3, 1.3, size=(4, 3))
VECTORS = POSITIONS[SENDER] - POSITIONS[RECEIVER]
ELEMENTS = np.array([0, 2, 2, 1, *np.zeros(ATOMS - 4, dtype=np.int64)])


def drawn(diagram: Wire | Diagram, **more: Any) -> Drawn:
    return draw(diagram, rows=(ATOMS,), sender=SENDER, receiver=RECEIVER, d=VECTORS, z=ELEMENTS, **more)


def product(left: Feature, right: Feature, wanted: list[Irrep]) -> Feature:
    """Clebsch-Gordan product with the outer product of channels; couplings that break parity do not exist."""
    found: dict[Irrep, list[Array]] = {irrep: [] for irrep in wanted}
    for ((l1, p1), first), ((l2, p2), second) in itertools.product(paths(left), paths(right)):
        for l in range(abs(l1 - l2), l1 + l2 + 1):
            if (l, p1 * p2) in found:
                value = np.einsum("ua,vb,abm->uvm", first, second, cg(l1, l2, l))
                found[l, p1 * p2].append(value.reshape(-1, 2 * l + 1))
    return {irrep: np.stack(parts, axis=1) for irrep, parts in found.items()}


def paths(feature: Feature) -> list[tuple[Irrep, Array]]:
    """Every path with its irrep, shape (channels, components)."""
    return [(irrep, path) for irrep in sorted(feature, key=order) for path in feature[irrep].swapaxes(0, 1)]


def order(irrep: Irrep) -> tuple[int, bool]:
    """Degree, then natural parity (-1)**l first."""
    return irrep[0], irrep[1] != (-1) ** irrep[0]


def contracted(given: Drawn, name: str, feature: Feature) -> Feature:
    """Contract channels and paths of each irrep with its fitted matrix."""
    return {
        (l, p): np.einsum("cpm,pck->km", value, given[f"{name}_{l}{'e' if p > 0 else 'o'}"][0])[:, None]
        for (l, p), value in feature.items()
    }


def added(features: list[Feature]) -> Feature:
    return {irrep: np.sum([feature[irrep] for feature in features], axis=0) for irrep in features[0]}


def flat(feature: Feature, *channels: int) -> Array:
    """The components of all irreps side by side, as a wire has them."""
    parts = [feature[irrep] for irrep in sorted(feature, key=order)]
    return np.concatenate([part.reshape(*(channels or part.shape[:1]), -1) for part in parts], axis=-1)


def pair_density(edge: int) -> Feature:
    """g_ij: two radial functions times harmonics times the cutoff."""
    r = np.linalg.norm(VECTORS, axis=-1)
    radial = bessel(r, 2, 4.0)[edge] * envelope(r, 4.0)[edge]
    return {(l, (-1) ** l): radial[:, None, None] * harmonics(l, VECTORS[edge])[None, None] for l in range(3)}


def by_element(parts: dict[int, Feature], like: Feature) -> Feature:
    """The sum over neighbours, a sum for each element; channels (element, channel)."""
    nothing = {irrep: np.zeros_like(value) for irrep, value in like.items()}
    sums = [added([nothing, *(part for edge, part in parts.items() if ELEMENTS[SENDER[edge]] == a)]) for a in range(3)]
    return {irrep: np.concatenate([total[irrep] for total in sums]) for irrep in like}


def edges_of(atom: int) -> list[int]:
    return np.flatnonzero(atom == RECEIVER).tolist()


def density(atom: int) -> Feature:
    """rho_i: pair densities summed over the neighbours of each element."""
    return by_element({edge: pair_density(edge) for edge in edges_of(atom)}, pair_density(0))


def fitted_density(given: Drawn, atom: int) -> Feature:
    return contracted(given, "pca1", density(atom))


def squared(given: Drawn, atom: int) -> Feature:
    rho = fitted_density(given, atom)
    return contracted(given, "pca2", product(rho, rho, ALL))


def message(given: Drawn, edge: int) -> Feature:
    """g_ij coupled with the density of the neighbour."""
    return product(pair_density(edge), fitted_density(given, int(SENDER[edge])), ALL)


def test_power_spectrum() -> None:
    found = drawn(densities.acdc_power_spectrum())
    expected = [flat(product(density(i), density(i), [(0, 1), (2, 1)]), 6, 6) for i in range(ATOMS)]
    assert found.error(expected) < TOLERANCE
    # the scalar part by Legendre polynomials of the angles between neighbours: sqrt(2 l + 1) sum_jk R R P_l(cos)
    legendre = [lambda x: 1.0, lambda x: x, lambda x: (3 * x * x - 1) / 2]
    directions = VECTORS / np.linalg.norm(VECTORS, axis=-1, keepdims=True)
    radial = np.array([pair_density(edge)[0, 1][:, 0, 0] for edge in range(len(ENDS))])
    spectrum = np.zeros((ATOMS, 3, 2, 3, 2, 3))
    for first, second in itertools.product(range(len(ENDS)), repeat=2):
        if RECEIVER[first] == RECEIVER[second]:
            a, b, cosine = ELEMENTS[SENDER[first]], ELEMENTS[SENDER[second]], directions[first] @ directions[second]
            for l in range(3):
                angular = math.sqrt(2 * l + 1) * legendre[l](cosine)
                spectrum[RECEIVER[first], a, :, b, :, l] += np.outer(radial[first], radial[second]) * angular
    value = found.found["out"].value[..., :3]
    assert np.allclose(value, spectrum.reshape(ATOMS, 6, 6, 3), rtol=0, atol=1e-13)


def test_order_three() -> None:
    found = drawn(densities.acdc_order_three())
    wanted = [(0, 1), (0, -1), (1, -1)]
    expected = [flat(product(squared(found, i), fitted_density(found, i), wanted), 2, 2) for i in range(ATOMS)]
    assert found.error(expected) < TOLERANCE
    assert np.abs(expected[0][..., 3:5]).max() > 1e-3 * np.abs(expected[0]).max()  # 0o: the environment is chiral


def test_message_1_1() -> None:
    diagram = densities.acdc_message_1_1()
    found = drawn(diagram)
    # rho_i x (g_ij x rho_j) for every pair, then summed over j: the order in which the definition has it
    expected = []
    for i in range(ATOMS):
        pairs = {
            edge: product(fitted_density(found, i), message(found, edge), [(0, 1), (0, -1)]) for edge in edges_of(i)
        }
        like = product(fitted_density(found, i), message(found, 0), [(0, 1), (0, -1)])
        total = {irrep: value.reshape(3, 2, 4, *value.shape[1:]) for irrep, value in by_element(pairs, like).items()}
        expected.append(flat({irrep: value.swapaxes(0, 1) for irrep, value in total.items()}, 2, 12))
    assert found.error(expected) < TOLERANCE
    # 15 couplings at l_max = 2, 11 of them even
    assert str(diagram.space.irreps) == "11x0e+4x0o"


def test_message_2_1() -> None:
    found = drawn(densities.acdc_message_2_1())
    expected = []
    for i in range(ATOMS):
        sums = by_element({edge: message(found, edge) for edge in edges_of(i)}, message(found, 0))
        expected.append(
            flat(product(squared(found, i), contracted(found, "pca_message", sums), [(0, 1), (0, -1)]), 2, 2)
        )
    assert found.error(expected) < TOLERANCE


def test_message_0_11() -> None:
    found = drawn(densities.acdc_message_0_11())
    expected = []
    for i in range(ATOMS):
        # a double sum over neighbours j1 and j2, each pair of messages contracted and coupled by itself
        one = {edge: by_element({edge: message(found, edge)}, message(found, edge)) for edge in edges_of(i)}
        fitted = {edge: contracted(found, "pca_message", part) for edge, part in one.items()}
        pairs = [product(fitted[a], fitted[b], [(0, 1), (1, -1)]) for a, b in itertools.product(fitted, repeat=2)]
        like = contracted(found, "pca_message", by_element({}, message(found, 0)))
        expected.append(flat(added([product(like, like, [(0, 1), (1, -1)]), *pairs]), 2, 2))
    assert found.error(expected) < TOLERANCE


def test_pair_under_exchange_of_its_atoms() -> None:
    found = drawn(densities.acdc_pair(), reverse=REVERSE)

    def feature(i: int, j: int, edge: int) -> Array:
        """rho_i x g_ij x rho_j."""
        inner = product(fitted_density(found, i), pair_density(edge), ALL)
        return flat(product(inner, fitted_density(found, j), [(0, 1), (1, -1), (2, 1)]), 2, 2, 2)

    ij = np.array([feature(i, j, ENDS.index((i, j))) for i, j in ENDS])
    ji = np.array([feature(j, i, ENDS.index((j, i))) for i, j in ENDS])
    assert found.error((ij + ji) / math.sqrt(2), "even") < TOLERANCE
    assert found.error((ij - ji) / math.sqrt(2), "odd") < TOLERANCE
    even, odd = (found.found[name].value for name in ("even", "odd"))
    assert np.array_equal(even[REVERSE], even)
    assert np.array_equal(odd[REVERSE], -odd)


def test_nice_contraction() -> None:
    found = draw(densities.nice_contraction())
    expected = []
    for rho in found["rho"]:
        feature = {(l, (-1) ** l): rho[:, None, l * l : (l + 1) ** 2] for l in range(3)}
        expected.append(flat(contracted(found, "pca", product(feature, feature, [(0, 1), (1, -1), (2, 1)]))))
    assert found.error(expected) < TOLERANCE


def test_pairs_of_neighbours() -> None:
    found = draw(densities.ace_pairs_of_neighbours(), rows=(ATOMS,), d=VECTORS, receiver=RECEIVER)
    cutoffs = envelope(np.linalg.norm(VECTORS, axis=-1), 4.0)
    features = [
        {(l, (-1) ** l): cutoff * harmonics(l, vector)[None, None] for l in range(3)}
        for cutoff, vector in zip(cutoffs, VECTORS, strict=True)
    ]
    pairs = [(a, b) for a, b in itertools.product(range(len(ENDS)), repeat=2) if RECEIVER[a] == RECEIVER[b]]
    values = np.array([flat(product(features[a], features[b], [(0, 1), (1, -1), (2, 1)]))[0] for a, b in pairs])
    expected = scatter_sum(values, RECEIVER[[a for a, _ in pairs]], ATOMS)
    assert found.error(expected) < TOLERANCE
