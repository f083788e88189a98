"""Read-outs against explicit vectors, 3 x 3 matrices and eigenvalues; a batch against its systems one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corpus.published import readouts
from formulas import TOLERANCE, Array, Drawn, bessel, draw, envelope, scatter_sum, silu
from fusion import evaluate

SYSTEM = np.array([2, 0, 2, 2, 0])  # of three systems, the middle one is empty
SYSTEMS = 3


def network(given: Drawn, scalars: Array) -> Array:
    """Two layers on scalars: one number per atom, or one for each output of the second."""
    return silu(scalars @ given["mix1_0e"][0, 0]) @ given["mix2_0e"][:, 0].T


def vectors(given: Drawn) -> Array:
    return np.einsum("ium,u->im", given["h"][..., 1:], given["mix3_1o"][0, 0])


def test_dipole() -> None:
    position = np.random.default_rng(0).normal(size=(5, 3))
    found = draw(readouts.dipole_readout(), rows=(5,), system=SYSTEM, r=position)
    charge = network(found, found["h"][..., 0])
    assert found.error(scatter_sum(charge * position + vectors(found), SYSTEM, 5)) < TOLERANCE


def test_polarizability() -> None:
    position = np.random.default_rng(0).normal(size=(5, 3))
    found = draw(readouts.polarizability_readout(), rows=(5,), system=SYSTEM, r=position)
    isotropic, induced = network(found, found["h"][..., 0]), vectors(found)
    outer = induced[:, :, None] * position[:, None, :]
    tensors = isotropic[:, :, None] * np.eye(3) + outer + outer.swapaxes(1, 2)
    assert found.error(spherical(scatter_sum(tensors, SYSTEM, 5))) < TOLERANCE


def spherical(tensors: Array) -> Array:
    """A symmetric matrix as its trace and (xz, xy, 2 yy - xx - zz, yz, zz - xx), scaled to keep the norm."""
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = tensors.transpose(1, 2, 0)
    traceless = [math.sqrt(2) * xz, math.sqrt(2) * xy, (2 * yy - xx - zz) / math.sqrt(6), math.sqrt(2) * yz]
    found = np.stack([(xx + yy + zz) / math.sqrt(3), *traceless, (zz - xx) / math.sqrt(2)], axis=-1)
    assert np.allclose((found**2).sum(axis=-1), (tensors**2).sum(axis=(1, 2)), rtol=1e-14, atol=0)
    return found


def test_energy_in_a_field() -> None:
    found = draw(readouts.energy_readout(), rows=(5,), system=SYSTEM)
    reference = found["reference_0e"][found["z"], 0]
    induced = (vectors(found) * found["field"][SYSTEM]).sum(axis=-1, keepdims=True) / math.sqrt(3)
    atoms = network(found, found["h"][..., 0]) + induced + reference
    assert found.error(scatter_sum(atoms, SYSTEM, 5)) < TOLERANCE


def test_two_states_are_eigenvalues() -> None:
    # strong couplings, because 1e-12 under the root (a gap of 1e-6 where two states meet) is in no formula
    h = 10 * np.random.default_rng(0).normal(size=(5, 3, 1))
    found = draw(readouts.two_state_readout(), rows=(5,), system=SYSTEM, h=h)
    first, second, coupling = scatter_sum(network(found, h[..., 0]), SYSTEM, 5).T
    energies = np.linalg.eigvalsh(np.array([[first, coupling], [coupling, second]]).transpose(2, 0, 1))
    energies[[1, 3, 4]] = [-1e-6, 1e-6]  # systems without atoms
    assert found.error(energies[:, :1], "lower") < TOLERANCE
    assert found.error(energies[:, 1:], "upper") < TOLERANCE


def test_pseudoscalar_is_a_triple_product() -> None:
    vectors = np.random.default_rng(0).uniform(-1.5, 1.5, size=(5, 3))
    receiver = np.array([1, 1, 1, 1, 0])
    found = draw(readouts.pseudoscalar(), rows=(5,), d=vectors, receiver=receiver)
    lengths = np.linalg.norm(vectors, axis=-1)
    radial = bessel(lengths, 3, 4.0)
    directions = math.sqrt(3) * vectors / lengths[:, None]
    weights = (found[f"{name}_1o"][0, 0] for name in "abc")
    a, b, c = (scatter_sum(directions * (radial @ weight)[:, None], receiver, 5) for weight in weights)
    expected = (np.cross(a, b) * c).sum(axis=-1, keepdims=True) / math.sqrt(6)
    assert abs(expected[1, 0]) > 0.01
    assert found.error(expected) < TOLERANCE


# a batch: five atoms of one system, one atom alone, and an empty system between them


POSITIONS = np.random.default_rng(1).uniform(-1.2, 1.2, size=(6, 3))
BATCH: dict[str, Any] = {
    "system": np.array([2, 2, 0, 2, 2, 2]),
    "sender": np.array([0, 1, 1, 3, 4, 5]),
    "receiver": np.array([1, 0, 3, 1, 5, 4]),
    "z": np.array([0, 2, 1, 1, 0, 2]),
    "charge": np.array([[1.0], [-2.0], [0.5]]),
}


def batch() -> Drawn:
    displacements = POSITIONS[BATCH["sender"]] - POSITIONS[BATCH["receiver"]]
    charges = np.concatenate([BATCH["charge"], np.zeros((3, 1))])  # three more empty systems
    return draw(readouts.batch_of_systems(), rows=(6,), **{**BATCH, "d": displacements, "charge": charges})


def shared_charge_energies(given: Drawn) -> Array:
    """Energy of every system by the formula: a_i = Q softplus(q_i) / sum of softplus(q_j) over its atoms."""
    z, (sender, receiver) = given["z"], (given["sender"], given["receiver"])
    r = np.linalg.norm(given["d"], axis=-1)
    smeared = np.exp(-((r[:, None] - [0.0, 2.0, 4.0]) ** 2) / (2 * 2.0**2)) * envelope(r, 4.0)[:, None]
    pairs = np.einsum("en,enu->eu", smeared, given["mix1_0e"][z[sender], z[receiver], 0, 0])
    x = scatter_sum(pairs, receiver, len(z))
    energies = np.zeros(len(given["charge"]))
    for system in range(len(energies)):
        atoms = np.flatnonzero(given["system"] == system)
        share = np.log(1 + np.exp(x[atoms] @ given["query_0e"][0, 0]))
        part = given["charge"][system, 0] * share / share.sum()
        hidden = silu((x[atoms] + part[:, None] * given["value_0e"][0, 0]) @ given["mix2_0e"][0, 0])
        energies[system] = (hidden @ given["energy_0e"][0, 0]).sum()
    return energies[:, None]


def test_batch_by_formula() -> None:
    found = batch()
    assert found.error(shared_charge_energies(found)) < TOLERANCE


def test_each_system_of_a_batch_is_as_alone() -> None:
    diagram, found = readouts.batch_of_systems(), batch()
    together = found.found["out"]
    for system in range(SYSTEMS):
        atoms = np.flatnonzero(found["system"] == system)
        place = {atom: row for row, atom in enumerate(atoms.tolist())}
        edges = np.flatnonzero(np.isin(found["receiver"], atoms))
        ends = {name: found[name][edges].tolist() for name in ("sender", "receiver")}
        ends = {name: np.array([place[atom] for atom in rows], dtype=np.int64) for name, rows in ends.items()}
        rows = {"d": found["d"][edges], "z": found["z"][atoms], "system": np.zeros(len(atoms), dtype=np.int64)}
        coefficients = {name: found[name] for name in ("mix1_0e", "mix2_0e", "query_0e", "value_0e", "energy_0e")}
        alone = evaluate(diagram, {**ends, **rows, "charge": found["charge"][[system]]}, coefficients)["out"]
        assert alone.error(together.value[[system]]) < 1e-14
    assert together.value[1] == 0.0  # the empty one
    assert together.value[0] != 0.0  # one atom without edges, but with a charge
