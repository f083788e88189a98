"""ASE calculator: a potential as the force field of any ASE program."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase.calculators.calculator import Calculator, all_changes

from fusion_models.batch import collate
from fusion_models.checkpoint import load_potential
from fusion_models.derivatives import energy_forces_stress
from fusion_models.errors import DataError
from fusion_models.frames import SYMBOLS, frame
from fusion_models.neighbours import neighbours
from fusion_models.potential import Potential


class FusionCalculator(Calculator):
    """Energy (eV), forces (eV/Å) and, for fully periodic systems, stress (eV/Å³, Voigt xx yy zz yz xz xy).

    Computes in double precision. No atoms give zero energy. Unknown elements, positions that are not finite and atoms
    on top of each other are refused with the atom named.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012  (ASE declares it so)

    def __init__(self, potential: Potential | str | Path, **settings: Any) -> None:
        """Take a potential (a copy of it is used), or the path of a checkpoint."""
        super().__init__(**settings)
        found = copy.deepcopy(potential) if isinstance(potential, Potential) else load_potential(potential)[0]
        self.potential = found.double()

    def calculate(
        self,
        atoms: Any = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Compute all properties of ``atoms``."""
        super().calculate(atoms, list(properties), list(system_changes))
        structure = self.atoms
        if structure is None:
            raise DataError("the calculator was given no atoms")
        unknown = sorted({int(z) for z in structure.numbers} - set(self.potential.config.elements))
        if unknown:
            known = " ".join(SYMBOLS[z] for z in self.potential.config.elements)
            raise DataError(f"the potential knows {known}, not {' '.join(SYMBOLS[z] for z in unknown)}")
        periodic = bool(np.any(structure.pbc))
        checked = frame(
            structure.numbers,
            structure.positions,
            np.asarray(structure.cell) if periodic else None,
            structure.pbc,
            name="atoms",
        )
        found = neighbours(
            checked.positions,
            self.potential.config.cutoff,
            checked.cell if periodic else None,
            checked.pbc,
            name="atoms",
        )
        batch = collate([(checked, found)], torch.float64)
        stress = checked.periodic and len(checked) > 0
        result = energy_forces_stress(self.potential, batch, stress=stress)
        energy = float(result.energy.detach()[0])
        self.results = {"energy": energy, "free_energy": energy, "forces": result.forces.detach().numpy()}
        if result.stress is not None:
            s = result.stress.detach().numpy()[0]
            self.results["stress"] = np.array([s[0, 0], s[1, 1], s[2, 2], s[1, 2], s[0, 2], s[0, 1]])
