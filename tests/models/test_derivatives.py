"""Forces and stress of a toy pair potential with known derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fusion_models.batch import AtomicBatch
from fusion_models.derivatives import energy_forces_stress
from fusion_models.errors import GeometryError
from fusion_models.frames import frame
from models.structures import batch_of, crystal, molecule


class Pairs(nn.Module):
    """A sum of exp(-width r²) over edges, plus a learned energy per atom."""

    def __init__(self, width: float = 0.4) -> None:
        super().__init__()
        self.width = nn.Parameter(torch.tensor(width, dtype=torch.float64))
        self.base = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, batch: AtomicBatch) -> Tensor:
        pair = torch.exp(-self.width * batch.displacements().square().sum(-1))
        energy = torch.zeros(batch.n_systems, dtype=pair.dtype)
        energy = energy.index_add(0, batch.system.index_select(0, batch.receiver), pair)
        return energy.index_add(0, batch.system, self.base.expand(len(batch.numbers)))


def test_gradients_may_be_switched_off_outside() -> None:
    potential, batch = Pairs(), batch_of(molecule())
    expected = energy_forces_stress(potential, batch)
    with torch.no_grad():
        found = energy_forces_stress(potential, batch)
    assert torch.equal(found.forces, expected.forces)
    assert bool((found.forces != 0).any())
    assert not (expected.energy.requires_grad or expected.forces.requires_grad)


def test_a_loss_on_forces_reaches_the_parameters() -> None:
    """d(force loss)/d(width) against a Richardson difference."""
    batch = batch_of(molecule(), molecule(1))

    def loss(width: float) -> Tensor:
        return energy_forces_stress(Pairs(width), batch).forces.square().sum()

    potential = Pairs()
    energy_forces_stress(potential, batch, create_graph=True).forces.square().sum().backward()

    def difference(h: float) -> float:
        return float(loss(0.4 + h) - loss(0.4 - h)) / (2 * h)

    expected = (4 * difference(5e-4) - difference(1e-3)) / 3
    gradient = potential.width.grad
    assert gradient is not None
    assert abs(float(gradient) / expected - 1) < 1e-8


def test_stress_is_the_strain_derivative_per_volume() -> None:
    base = crystal()
    batch = batch_of(base)
    found = energy_forces_stress(Pairs(), batch, stress=True).stress
    assert found is not None
    assert torch.allclose(found, found.transpose(1, 2), atol=1e-15)
    volume = abs(np.linalg.det(base.cell))
    for i, j in ((0, 0), (1, 2), (0, 2)):

        def energy(h: float, i: int = i, j: int = j) -> float:
            strain = np.eye(3)
            strain[i, j] += h / 2
            strain[j, i] += h / 2
            moved = AtomicBatch(
                **{
                    **vars(batch),
                    "positions": batch.positions @ torch.tensor(strain),
                    "cell": batch.cell @ torch.tensor(strain),
                }
            )
            return float(Pairs()(moved).detach())

        def difference(h: float) -> float:
            return (energy(h) - energy(-h)) / (2 * h)

        expected = (4 * difference(1e-3) - difference(2e-3)) / 3 / volume
        assert abs(float(found[0, i, j]) - expected) < 1e-9


def test_energies_without_positions_have_no_forces() -> None:
    alone = frame([1], [[0.0, 0.0, 0.0]])
    found = energy_forces_stress(Pairs(), batch_of(alone, alone))
    assert found.energy.tolist() == [1.5, 1.5]
    assert found.forces.tolist() == [[0.0] * 3] * 2
    nothing = energy_forces_stress(Pairs(), batch_of(frame([], np.zeros((0, 3)))))
    assert (nothing.energy.tolist(), nothing.forces.shape) == ([0.0], (0, 3))


def test_a_stress_needs_a_volume() -> None:
    with pytest.raises(GeometryError, match="periodic in all three directions"):
        energy_forces_stress(Pairs(), batch_of(molecule()), stress=True)
