"""The potential: symmetries to 1e-10, forces against Richardson differences to 1e-9, smoothness, and the edges.

All in double precision.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from fusion.wigner import random_o3
from fusion_models.batch import AtomicBatch, collate
from fusion_models.config import PotentialConfig
from fusion_models.derivatives import energy_forces_stress
from fusion_models.errors import DataError, GeometryError
from fusion_models.frames import frame
from fusion_models.neighbours import neighbours
from models.structures import batch_of, crystal, molecule, small_potential

VARIANTS = [
    {},
    {"basis": "full"},
    {"powers": (1,)},
    {"hidden": "0e+1o+2e", "layers": 3, "l_max": 3},
    {"hidden": "0e", "layers": 1},
]


@pytest.mark.parametrize("settings", VARIANTS)
def test_energy_is_invariant_and_forces_turn(settings: dict[str, Any]) -> None:
    potential = small_potential(**settings)
    potential.get_buffer("references").zero_()
    base = molecule(1)
    found = energy_forces_stress(potential, batch_of(base))
    random = np.random.default_rng(2)
    scale = float(found.forces.abs().max())
    for _ in range(4):
        turn = random_o3(random)  # rotations with and without inversion
        order = random.permutation(len(base))
        moved = frame(base.numbers[order], base.positions[order] @ turn.T + random.normal(size=3), name="moved")
        other = energy_forces_stress(potential, batch_of(moved))
        assert abs(float((other.energy - found.energy).detach())) < 1e-10 * max(1.0, abs(float(found.energy.detach())))
        assert (
            np.abs(other.forces.detach().numpy() - found.forces.detach().numpy()[order] @ turn.T).max() < 1e-10 * scale
        )


@pytest.mark.parametrize("settings", VARIANTS[:4])
def test_forces_are_the_negative_gradient(settings: dict[str, Any]) -> None:
    """Richardson extrapolation of central differences along random directions; 1e-9 of the largest force."""
    potential = small_potential(**settings)
    potential.get_buffer("references").zero_()  # large constants would only cost digits of the differences
    for base in (molecule(3), crystal(3)):
        batch = batch_of(base)
        found = energy_forces_stress(potential, batch)
        start = found.energy.detach()
        random = np.random.default_rng(4)
        for _ in range(3):
            way = torch.tensor(random.normal(size=base.positions.shape))

            def energy(
                step: float, way: torch.Tensor = way, batch: AtomicBatch = batch, base: torch.Tensor = start
            ) -> float:
                moved = dataclasses.replace(batch, positions=batch.positions + step * way)
                return float((potential(moved) - base).sum().detach())

            def slope(h: float) -> float:
                return (energy(h) - energy(-h)) / (2 * h)

            h = 4e-3
            a, b, c = slope(h), slope(h / 2), slope(h / 4)
            first, second = (4 * b - a) / 3, (4 * c - b) / 3
            numeric = (16 * second - first) / 15
            exact = -float((found.forces * way).sum().detach())
            assert abs(numeric - exact) < 1e-9 * float((found.forces.abs() * way.abs()).sum())


def test_stress_is_the_strain_derivative() -> None:
    potential = small_potential()
    base = crystal(5)
    found = energy_forces_stress(potential, batch_of(base), stress=True)
    assert found.stress is not None
    volume = abs(np.linalg.det(base.cell))
    for i, j in ((0, 0), (0, 1), (2, 1)):
        strain = np.zeros((3, 3))
        strain[i, j] += 0.5
        strain[j, i] += 0.5

        def energy(step: float, strain: np.ndarray = strain) -> float:
            bend = np.eye(3) + step * strain
            moved = frame(base.numbers, base.positions @ bend, base.cell @ bend, True, name="bent")
            return float(potential(batch_of(moved)).detach()[0])

        h = 1e-4
        numeric = (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h) / volume
        assert abs(numeric - float(found.stress[0, i, j])) < 1e-6 * max(1.0, float(found.stress.abs().max()))


def test_periodic_images_do_not_matter() -> None:
    """Moving an atom by a lattice vector, and doubling the cell, change nothing per atom."""
    potential, base = small_potential(), crystal(6)
    energy = float(potential(batch_of(base)).detach()[0])
    shifted = base.positions.copy()
    shifted[1] += base.cell[0] - base.cell[2]
    moved = frame(base.numbers, shifted, base.cell, True, name="moved")
    assert abs(float(potential(batch_of(moved)).detach()[0]) - energy) < 1e-9
    doubled = frame(
        np.tile(base.numbers, 2),
        np.concatenate([base.positions, base.positions + base.cell[1]]),
        base.cell * [[1], [2], [1]],
        True,
        name="double",
    )
    assert abs(float(potential(batch_of(doubled)).detach()[0]) - 2 * energy) < 1e-8


def test_a_batch_is_its_systems_one_by_one() -> None:
    potential = small_potential()
    frames = [molecule(1), molecule(2), crystal(3)]
    together = potential(batch_of(*frames)).detach()
    alone = torch.stack([potential(batch_of(f)).detach()[0] for f in frames])
    assert torch.allclose(together, alone, rtol=0, atol=1e-9)


def test_energy_is_smooth_across_the_cutoff() -> None:
    """Two atoms pulled apart through the cutoff: energy and force go to those of isolated atoms continuously."""
    potential = small_potential()

    def at(r: float) -> tuple[float, float]:
        found = energy_forces_stress(potential, batch_of(frame([6, 8], [[0, 0, 0], [r, 0, 0]], name="pair")))
        return float(found.energy.detach()[0]), float(found.forces[1, 0].detach())

    isolated = float(potential(batch_of(frame([6], [[0, 0, 0]], name="c"))).detach()[0])
    isolated += float(potential(batch_of(frame([8], [[0, 0, 0]], name="o"))).detach()[0])
    scale = abs(at(2.0)[0] - isolated)
    for gap, energy_bound, force_bound in ((1e-2, 1e-5, 1e-2), (1e-3, 1e-8, 1e-4), (1e-4, 1e-10, 1e-6)):
        energy, force = at(4.0 - gap)
        assert abs(energy - isolated) < energy_bound * max(1.0, scale)
        assert abs(force) < force_bound * max(1.0, scale)
    assert abs(at(4.0 + 1e-6)[0] - isolated) < 1e-10


def test_edges_of_length_zero_are_finite() -> None:
    """The readers refuse coincident atoms; the model itself stays finite on them."""
    batch = batch_of(frame([6, 8], [[0, 0, 0], [1.0, 0, 0]], name="pair"))
    found = energy_forces_stress(
        small_potential(), dataclasses.replace(batch, positions=torch.zeros(2, 3, dtype=torch.float64))
    )
    assert torch.isfinite(found.energy).all()
    assert torch.isfinite(found.forces).all()


def test_no_atoms_and_single_atoms() -> None:
    potential = small_potential()
    nothing = collate(
        [(frame(np.zeros(0, dtype=int), np.zeros((0, 3)), name="none"), neighbours(np.zeros((0, 3)), 4.0))]
    )
    found = energy_forces_stress(potential, nothing)
    assert found.energy.tolist() == [0.0]
    assert found.forces.shape == (0, 3)
    single = energy_forces_stress(potential, batch_of(frame([8], [[1.0, 2.0, 3.0]], name="o")))
    assert single.forces.abs().max() == 0


def test_unknown_elements_and_volumes_are_refused() -> None:
    with pytest.raises(DataError, match=r"knows the elements \[1, 6, 8\], not \[7\]"):
        small_potential()(batch_of(frame([7], [[0, 0, 0]], name="n")))
    with pytest.raises(GeometryError, match="periodic in all three"):
        energy_forces_stress(small_potential(), batch_of(molecule()), stress=True)


@pytest.mark.parametrize(
    "settings", [{"elements": (6, 1)}, {"hidden": "1o"}, {"cutoff": -1.0}, {"nonsense": 1}, {"basis": "best"}]
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PotentialConfig.model_validate({"elements": (1, 6), **settings})
