"""Structures side by side."""

from __future__ import annotations

import numpy as np
import torch

from fusion_models.batch import collate
from fusion_models.frames import frame
from models.structures import batch_of, crystal, molecule


def test_offsets_and_displacements() -> None:
    """Edges join atoms of one structure, run from receiver to sender, and are shorter than the cutoff."""
    batch = batch_of(molecule(), frame([], np.zeros((0, 3))), crystal(), frame([1], [[0.0, 0.0, 0.0]]))
    assert batch.atoms_per_system().tolist() == [9, 0, 3, 1]
    assert torch.equal(batch.system[batch.sender], batch.system[batch.receiver])
    assert bool((batch.receiver.diff() >= 0).all())
    vectors = batch.displacements()
    assert bool((vectors.norm(dim=1) < 4.0).all())
    edge = int(torch.nonzero(batch.shift.abs().sum(1))[0])
    receiver, sender = int(batch.receiver[edge]), int(batch.sender[edge])
    image = batch.positions[sender] + batch.shift[edge] @ batch.cell[2]
    assert torch.allclose(vectors[edge], image - batch.positions[receiver])


def test_no_structures() -> None:
    batch = collate([])
    assert (batch.n_systems, tuple(batch.positions.shape), tuple(batch.cell.shape)) == (0, (0, 3), (0, 3, 3))
    assert tuple(batch.displacements().shape) == (0, 3)
    assert batch.atoms_per_system().tolist() == []


def test_types() -> None:
    batch = batch_of(molecule(energy=True), dtype=torch.float32)
    assert batch.forces is not None
    assert {t.dtype for t in (batch.positions, batch.shift, batch.cell, batch.forces)} == {torch.float32}
    assert {t.dtype for t in (batch.numbers, batch.sender, batch.receiver, batch.system)} == {torch.int64}
    assert batch.energy is not None
    assert batch.energy.dtype == torch.float64  # total energies have more digits than float32


def test_labels_are_there_when_every_structure_has_them() -> None:
    assert batch_of(molecule(energy=True), molecule(1, energy=True)).forces is not None
    assert batch_of(molecule(energy=True), molecule(1)).energy is None
