"""Forces and stress as derivatives of the energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fusion_models.batch import AtomicBatch
from fusion_models.errors import GeometryError


@dataclass(frozen=True)
class Prediction:
    """Energy (S,) in eV, forces (N, 3) in eV/Å, and stress (S, 3, 3) in eV/Å³ (tension positive) when asked for."""

    energy: Tensor
    forces: Tensor
    stress: Tensor | None = None


def energy_forces_stress(
    potential: Callable[[AtomicBatch], Tensor], batch: AtomicBatch, *, stress: bool = False, create_graph: bool = False
) -> Prediction:
    """Evaluate a potential with its derivatives.

    Forces are -dE/dx; stress is dE/d(strain) / volume for a symmetric strain of positions and cell.

    Args:
        potential: returns the energy of each system.
        batch: the structures; every one must be fully periodic when ``stress`` is asked for.
        stress: whether to compute the stress.
        create_graph: whether the result is to be differentiated again, as a force loss needs.

    Raises:
        GeometryError: stress is asked for a structure without volume.
    """
    positions = batch.positions.detach().requires_grad_(True)
    strain: Tensor | None = None
    moved = replace(batch, positions=positions)
    volume = torch.ones(batch.n_systems, dtype=positions.dtype, device=positions.device)
    if stress:
        volume = torch.linalg.det(batch.cell).abs()
        if bool((volume == 0).any()):
            raise GeometryError("stress is defined for structures that are periodic in all three directions")
        strain = torch.zeros_like(batch.cell).requires_grad_(True)
        symmetric = 0.5 * (strain + strain.transpose(-1, -2))
        bent = positions + torch.einsum("ni,nij->nj", positions, symmetric.index_select(0, batch.system))
        moved = replace(batch, positions=bent, cell=batch.cell + batch.cell @ symmetric)
    energy = potential(moved)
    wanted = [positions] if strain is None else [positions, strain]
    if not energy.requires_grad:  # nothing depends on positions: isolated atoms, or no atoms at all
        grads: tuple[Tensor | None, ...] = tuple(None for _ in wanted)
    else:
        grads = torch.autograd.grad(energy.sum(), wanted, create_graph=create_graph, allow_unused=True)
    forces = torch.zeros_like(positions) if grads[0] is None else -grads[0]
    if strain is None:
        return Prediction(energy, forces)
    virial = torch.zeros_like(batch.cell) if grads[1] is None else grads[1]
    return Prediction(energy, forces, virial / volume[:, None, None])
