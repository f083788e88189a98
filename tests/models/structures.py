"""Small structures and potentials that the tests of the models share."""

from __future__ import annotations

import numpy as np
import torch

from fusion_models.batch import AtomicBatch, collate
from fusion_models.config import PotentialConfig
from fusion_models.frames import Frame, frame
from fusion_models.neighbours import neighbours
from fusion_models.potential import Potential

ETHANOL = np.array([6, 6, 8, 1, 1, 1, 1, 1, 1])


def molecule(seed: int = 0, energy: bool = False) -> Frame:
    """A distorted ethanol; labels are made up, smooth in the seed, when asked for."""
    from ase.build import molecule as build

    random = np.random.default_rng(seed)
    atoms = build("CH3CH2OH")
    positions = atoms.positions + 0.08 * random.normal(size=(9, 3))
    labels = {"energy": -4200.0 + random.normal(), "forces": random.normal(size=(9, 3))} if energy else {}
    return frame(atoms.numbers, positions, **labels, name=f"molecule{seed}")


def crystal(seed: int = 0) -> Frame:
    """A small skewed periodic cell of carbon and hydrogen."""
    random = np.random.default_rng(seed)
    cell = np.array([[3.1, 0.0, 0.0], [0.7, 3.3, 0.0], [0.2, -0.4, 2.9]])
    return frame([6, 1, 8], random.random((3, 3)) @ cell, cell, True, name="crystal")


def batch_of(*frames: Frame, cutoff: float = 4.0, dtype: torch.dtype = torch.float64) -> AtomicBatch:
    found = [neighbours(f.positions, cutoff, f.cell if f.pbc.any() else None, f.pbc, name=f.name) for f in frames]
    return collate(list(zip(frames, found, strict=True)), dtype)


def small_potential(seed: int = 0, **settings: object) -> Potential:
    torch.manual_seed(seed)
    config = PotentialConfig.model_validate(
        {
            "elements": (1, 6, 8),
            "cutoff": 4.0,
            "channels": 4,
            "l_max": 2,
            "hidden": "0e+1o",
            "radial_widths": (8,),
            "readout_width": 4,
            **settings,
        }
    )
    return Potential(config, torch.tensor([-13.0, -1030.0, -2040.0]), dtype=torch.float64)
