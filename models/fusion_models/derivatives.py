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
    volume = _volume(batch) if stress else None
    # Also inside torch.no_grad(): without a graph the forces would silently be zero.
    with torch.enable_grad():
        positions = batch.positions.detach().requires_grad_(True)
        wanted = [positions]
        moved = replace(batch, positions=positions)
        if stress:
            strain = torch.zeros_like(batch.cell).requires_grad_(True)
            wanted.append(strain)
            symmetric = 0.5 * (strain + strain.transpose(-1, -2))
            bent = positions + torch.einsum("ni,nij->nj", positions, symmetric.index_select(0, batch.system))
            moved = replace(batch, positions=bent, cell=batch.cell + batch.cell @ symmetric)
        energy = potential(moved)
        if energy.requires_grad:  # an energy may depend on parameters only: absent derivatives are zero
            grads = torch.autograd.grad(energy.sum(), wanted, create_graph=create_graph, materialize_grads=True)
        else:
            grads = tuple(torch.zeros_like(x) for x in wanted)
    tensor = None if volume is None else grads[1] / volume[:, None, None]
    return Prediction(energy if create_graph else energy.detach(), -grads[0], tensor)


def _volume(batch: AtomicBatch) -> Tensor:
    volume = torch.linalg.det(batch.cell).abs()
    if bool((volume == 0).any()):
        raise GeometryError("stress is defined for structures that are periodic in all three directions")
    return volume
