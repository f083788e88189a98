"""Per-element reference energies, fitted to data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fusion_models.errors import TrainingError
from fusion_models.frames import Frame


def fit_references(frames: Sequence[Frame], elements: Sequence[int]) -> np.ndarray:
    """Return one energy (eV) per element that best explains the total energies, by least squares.

    Where compositions do not determine it (a single molecule), the solution of least norm is taken: the predictions
    for these compositions are the same for every solution.
    """
    counts = np.array(
        [[np.count_nonzero(frame.numbers == z) for z in elements] for frame in frames if frame.energy is not None],
        dtype=float,
    )
    energies = np.array([frame.energy for frame in frames if frame.energy is not None])
    if not len(energies):
        raise TrainingError("no frame has an energy to fit reference energies to")
    solution, *_ = np.linalg.lstsq(counts, energies, rcond=1e-10)
    return solution
