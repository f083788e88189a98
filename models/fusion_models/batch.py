"""Several structures as one set of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fusion_models.frames import Frame
from fusion_models.neighbours import Neighbours


@dataclass
class AtomicBatch:
    """Structures side by side. N atoms, E directed edges, S systems.

    Attributes:
        positions: (N, 3) Å.
        numbers: (N,) atomic numbers.
        sender, receiver: (E,) atoms of each edge; edges are sorted by receiver.
        shift: (E, 3) lattice translations, as floating numbers.
        cell: (S, 3, 3) Å, rows are lattice vectors; zero rows where not periodic.
        system: (N,) system of each atom.
        n_systems: S.
        energy, forces, stress: labels in eV, eV/Å and eV/Å³, where all structures have them.
    """

    positions: Tensor
    numbers: Tensor
    sender: Tensor
    receiver: Tensor
    shift: Tensor
    cell: Tensor
    system: Tensor
    n_systems: int
    energy: Tensor | None = None
    forces: Tensor | None = None
    stress: Tensor | None = None

    def displacements(self) -> Tensor:
        """Return (E, 3) vectors from receiver to sender, periodic shifts included, in Å."""
        moved = torch.einsum(
            "ei,eij->ej", self.shift, self.cell.index_select(0, self.system.index_select(0, self.receiver))
        )
        return self.positions.index_select(0, self.sender) - self.positions.index_select(0, self.receiver) + moved

    def atoms_per_system(self) -> Tensor:
        """Return (S,) numbers of atoms."""
        return torch.bincount(self.system, minlength=self.n_systems)


def collate(
    items: Sequence[tuple[Frame, Neighbours]], dtype: torch.dtype = torch.float64, device: str | torch.device = "cpu"
) -> AtomicBatch:
    """Put structures with their neighbour lists side by side."""
    counts = [len(frame) for frame, _ in items]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def real(arrays: list[np.ndarray], shape: tuple[int, ...]) -> Tensor:
        joined = np.concatenate(arrays) if arrays else np.zeros((0, *shape))
        return torch.tensor(joined, dtype=dtype, device=device)

    def integer(arrays: list[np.ndarray]) -> Tensor:
        joined = np.concatenate(arrays) if arrays else np.zeros(0)
        return torch.tensor(joined.astype(np.int64), device=device)

    frames = [frame for frame, _ in items]
    energies = [frame.energy for frame in frames]
    forces = [frame.forces for frame in frames]
    stresses = [frame.stress for frame in frames]
    known_energy = [e for e in energies if e is not None]
    known_forces = [f for f in forces if f is not None]
    known_stress = [s[None] for s in stresses if s is not None]
    return AtomicBatch(
        positions=real([frame.positions for frame in frames], (3,)),
        numbers=integer([frame.numbers for frame in frames]),
        sender=integer([found.sender + start for (_, found), start in zip(items, offsets[:-1], strict=True)]),
        receiver=integer([found.receiver + start for (_, found), start in zip(items, offsets[:-1], strict=True)]),
        shift=real([found.shift for _, found in items], (3,)),
        cell=real([frame.cell[None] for frame in frames], (3, 3)),
        system=integer([np.full(count, number) for number, count in enumerate(counts)]),
        n_systems=len(items),
        energy=torch.tensor(known_energy, dtype=torch.float64, device=device)
        if len(known_energy) == len(items)
        else None,
        forces=real(known_forces, (3,)) if len(known_forces) == len(items) else None,
        stress=real(known_stress, (3, 3)) if items and len(known_stress) == len(items) else None,
    )
