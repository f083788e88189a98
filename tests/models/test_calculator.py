"""The ASE calculator and dynamics at constant energy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms

from fusion.wigner import random_o3
from fusion_models.calculator import FusionCalculator
from fusion_models.checkpoint import load_potential, save_potential
from fusion_models.errors import DataError, GeometryError
from fusion_models.md import run_nve
from models.structures import crystal, molecule, small_potential


def atoms_of(seed: int = 0) -> Atoms:
    base = molecule(seed)
    atoms = Atoms(numbers=base.numbers, positions=base.positions)
    atoms.calc = FusionCalculator(small_potential())
    return atoms


def test_properties() -> None:
    atoms = atoms_of()
    assert atoms.get_forces().shape == (9, 3)
    assert atoms.get_potential_energy() == atoms.get_potential_energy(force_consistent=True)
    assert isinstance(atoms.calc, FusionCalculator)
    assert "stress" not in atoms.calc.results


def test_stress_of_a_crystal() -> None:
    base = crystal()
    atoms = Atoms(numbers=base.numbers, positions=base.positions, cell=base.cell, pbc=True)
    atoms.calc = FusionCalculator(small_potential())
    assert atoms.get_stress().shape == (6,)


def test_the_potential_of_the_caller_is_left_alone() -> None:
    potential = small_potential().float()
    FusionCalculator(potential)
    assert potential.dtype == torch.float32


def test_no_atoms_have_no_energy() -> None:
    atoms = Atoms()
    atoms.calc = FusionCalculator(small_potential())
    assert atoms.get_potential_energy() == 0.0
    assert atoms.get_forces().shape == (0, 3)


def test_bad_structures_are_refused() -> None:
    calculator = FusionCalculator(small_potential())
    with pytest.raises(DataError, match="knows H C O, not N"):
        Atoms("N2", positions=[[0, 0, 0], [1, 0, 0]], calculator=calculator).get_potential_energy()
    with pytest.raises(GeometryError, match="not finite"):
        Atoms("OH", positions=[[0, 0, 0], [np.nan, 0, 0]], calculator=calculator).get_potential_energy()
    with pytest.raises(GeometryError, match="atoms"):
        Atoms("OH", positions=[[0, 0, 0], [0, 0, 0]], calculator=calculator).get_potential_energy()


def test_energy_is_conserved() -> None:
    """The error falls with the square of the time step, and the drift is below 0.05 meV/atom/ps."""
    atoms = atoms_of()
    spread = []
    for step in (0.4, 0.2):
        found = run_nve(atoms, steps=round(40 / step), timestep_fs=step, temperature_K=100.0, log_every=2)
        spread.append(float(np.std(found.total_energy)))
    assert abs(spread[0] / spread[1] - 4.0) < 1.0
    found = run_nve(atoms, steps=600, timestep_fs=0.25, temperature_K=100.0, log_every=2)
    assert abs(found.drift_mev_per_atom_per_ps) < 0.05


def test_a_potential_trained_in_float32_is_exact_in_double(tmp_path: Path) -> None:
    """Coupling tables are made again in double precision: forces turn with the atoms to 1e-10."""
    save_potential(small_potential().float(), tmp_path / "model.safetensors")
    calculator = FusionCalculator(tmp_path / "model.safetensors")
    base = atoms_of(2)
    forces = Atoms(base, calculator=calculator).get_forces()
    turn = random_o3(np.random.default_rng(1))
    turned = Atoms(base.numbers, base.positions @ turn.T, calculator=calculator).get_forces()
    assert np.abs(turned - forces @ turn.T).max() < 1e-10 * np.abs(forces).max()
    assert load_potential(tmp_path / "model.safetensors")[0].get_buffer("references").dtype == torch.float64


def test_settings_of_dynamics_are_checked() -> None:
    with pytest.raises(DataError, match="no atoms"):
        run_nve(Atoms(), steps=100)
    with pytest.raises(DataError, match="no calculator"):
        run_nve(Atoms("H"), steps=100)
    with pytest.raises(DataError, match="at least 20 steps"):
        run_nve(atoms_of(), steps=3)
