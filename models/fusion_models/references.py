"""Reference energies of the elements: what a sum over atoms explains of the total energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fusion_models.errors import DataError
from fusion_models.frames import Frame, element_names


def fit_references(frames: Sequence[Frame], elements: Sequence[int]) -> dict[int, float]:
    """Fit one energy per element (eV) to total energies by least squares.

    Where compositions do not determine them (all frames are the same molecule, say), the solution of smallest norm is
    taken. An element that occurs in no frame gets 0. Frames without energy are passed over.

    Args:
        frames: training data.
        elements: atomic numbers, distinct; every element of the frames must be among them.

    Raises:
        DataError: no frame has an energy, or a frame has another element.
    """
    order = [int(z) for z in elements]
    labelled = [f for f in frames if f.energy is not None]
    if not labelled:
        raise DataError("reference energies cannot be fitted: no frame has an energy")
    counts = np.array([[np.count_nonzero(f.numbers == z) for z in order] for f in labelled], dtype=np.float64)
    for f, row in zip(labelled, counts, strict=True):
        if row.sum() != len(f):
            raise DataError(f"{f.name}: has elements other than {element_names(order)}")
    energies = np.array([f.energy for f in labelled])
    solution, *_ = np.linalg.lstsq(counts.reshape(len(labelled), len(order)), energies, rcond=1e-10)
    return {z: float(value) for z, value in zip(order, solution, strict=True)}


def reference_energy(numbers: np.ndarray, references: Mapping[int, float]) -> float:
    """Return the sum of the reference energies of these atoms, in eV.

    Raises:
        DataError: an element has no reference energy.
    """
    values, counts = np.unique(np.asarray(numbers, dtype=np.int64), return_counts=True)
    missing = [z for z in values.tolist() if z not in references]
    if missing:
        raise DataError(f"no reference energy for {element_names(missing)}")
    return float(sum(references[z] * n for z, n in zip(values.tolist(), counts.tolist(), strict=True)))
