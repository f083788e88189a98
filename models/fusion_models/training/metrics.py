"""Errors of a potential on part of a data set, and of the trivial predictor beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fusion_models.data.dataset import Dataset
from fusion_models.derivatives import energy_forces_stress
from fusion_models.errors import DataError
from fusion_models.potential import Potential
from fusion_models.references import fit_references


@dataclass(frozen=True)
class Metrics:
    """Errors on some frames: energies per atom in meV, force components in meV/Å."""

    frames: int
    energy_mae_mev_per_atom: float
    energy_rmse_mev_per_atom: float
    force_mae_mev_per_a: float
    force_rmse_mev_per_a: float


@dataclass(frozen=True)
class Predictions:
    """Labels and predictions side by side: energies (S,) eV, atoms (S,), forces (N, 3) eV/Å."""

    energy: np.ndarray
    predicted_energy: np.ndarray
    atoms: np.ndarray
    forces: np.ndarray
    predicted_forces: np.ndarray

    @property
    def metrics(self) -> Metrics:
        """The errors."""
        e = 1000.0 * (self.predicted_energy - self.energy) / np.maximum(self.atoms, 1)
        f = 1000.0 * (self.predicted_forces - self.forces)

        def mean(x: np.ndarray) -> float:
            return float(np.mean(x)) if x.size else float("nan")

        return Metrics(len(e), mean(np.abs(e)), mean(e**2) ** 0.5, mean(np.abs(f)), mean(f**2) ** 0.5)


def predict(potential: Potential, data: Dataset, indices: Sequence[int], batch_size: int = 32) -> Predictions:
    """Evaluate a potential on frames.

    Raises:
        DataError: there is no frame, or one has no energy or forces.
    """
    if not len(indices):
        raise DataError(f"{data.origin}: there is no frame to evaluate")
    dtype = potential.dtype
    rows: list[list[np.ndarray]] = [[], [], [], [], []]
    for start in range(0, len(indices), batch_size):
        batch = data.batch(indices[start : start + batch_size], dtype)
        if batch.energy is None or batch.forces is None:
            raise DataError(f"{data.origin}: frames {indices[start]}... lack energies or forces to compare with")
        found = energy_forces_stress(potential, batch)
        values = (batch.energy, found.energy, batch.atoms_per_system(), batch.forces, found.forces)
        for row, value in zip(rows, values, strict=True):
            row.append(value.detach().double().numpy())
    return Predictions(*(np.concatenate(row) for row in rows))


def evaluate(potential: Potential, data: Dataset, part: str, batch_size: int = 32) -> Metrics:
    """Return the errors on a part of the split."""
    return predict(potential, data, data.parts[part], batch_size).metrics


def baseline(data: Dataset, part: str) -> Metrics:
    """Return the errors of predicting zero forces and reference energies, fitted to the training part.

    A data set that is all test, such as a published test file, has no training part: then they are fitted to ``part``.
    """
    frames = data.part(part)
    elements = data.elements
    references = fit_references(data.part("train") or frames, elements)
    energy = [sum(references[elements.index(int(z))] for z in frame.numbers) for frame in frames]
    forces = np.concatenate([frame.forces for frame in frames if frame.forces is not None])
    return Predictions(
        np.array([frame.energy for frame in frames], dtype=float),
        np.array(energy),
        np.array([len(frame) for frame in frames]),
        forces,
        np.zeros_like(forces),
    ).metrics
