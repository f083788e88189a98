"""Molecular dynamics at constant energy, through ASE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, ZeroRotation, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from fusion_models.errors import DataError

LINEAR = 1e-3
"""Moments of inertia (u Å²) below this: atoms on a line, whose rotation about it cannot be taken out."""


@dataclass(frozen=True)
class Trajectory:
    """A run: times in fs, total energies in eV, temperatures in K, final structure.

    Attributes:
        drift_mev_per_atom_per_ps: slope of a straight line through the total energies.
    """

    times_fs: np.ndarray
    total_energy: np.ndarray
    temperature: np.ndarray
    drift_mev_per_atom_per_ps: float
    final: Atoms


def run_nve(
    atoms: Atoms,
    *,
    steps: int,
    timestep_fs: float = 0.5,
    temperature_K: float = 300.0,
    seed: int = 0,
    log_every: int = 10,
    report: Callable[[int], None] | None = None,
) -> Trajectory:
    """Run velocity-Verlet dynamics from a thermal start without overall motion.

    Args:
        atoms: structure with a calculator; it is not changed.
        steps: number of time steps, at least two records long.
        timestep_fs: time step.
        temperature_K: temperature of the initial velocities.
        seed: seed of the initial velocities.
        log_every: steps between records.
        report: called with the step at every record.

    Raises:
        DataError: no atoms, no calculator, or settings that make no sense.
    """
    if not len(atoms):
        raise DataError("there are no atoms to move")
    if atoms.calc is None:
        raise DataError("the atoms have no calculator")
    if steps < 2 * log_every or log_every < 1 or timestep_fs <= 0 or temperature_K < 0:
        raise DataError(
            f"a run needs a positive time step, a temperature >= 0 and at least {2 * max(1, log_every)} "
            f"steps; got {steps}"
        )
    moving = atoms.copy()
    moving.calc = atoms.calc
    moving.get_potential_energy()  # refuses a structure that the calculator does not know, before anything moves
    thermalize_momenta(moving, temperature_K=temperature_K, rng=np.random.RandomState(seed))
    if len(moving) > 1:
        Stationary(moving)
    if not np.any(moving.pbc) and np.min(moving.get_moments_of_inertia()) > LINEAR:
        ZeroRotation(moving)
    times: list[float] = []
    energies: list[float] = []
    temperatures: list[float] = []
    dynamics = VelocityVerlet(moving, timestep_fs * units.fs)

    def record() -> None:
        times.append(dynamics.nsteps * timestep_fs)
        energies.append(float(moving.get_total_energy()))
        temperatures.append(float(moving.get_temperature()))
        if report is not None:
            report(dynamics.nsteps)

    dynamics.attach(record, interval=log_every)
    dynamics.run(steps)
    slope = float(np.polyfit(np.array(times) / 1000.0, np.array(energies), 1)[0])
    return Trajectory(np.array(times), np.array(energies), np.array(temperatures), 1000.0 * slope / len(moving), moving)
