"""Forces, stress and gradients of losses, all by derivative programs: torch never differentiates the potential.

With g_e = dE/d(displacement of edge e), the displacement pointing from the receiver to the sender of the edge, the
force on atom i is the sum of g_e over the edges that i receives minus that over those it sends, and the stress of a
periodic system is sum_e d_e g_e / volume, symmetrised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fusion_compiler.derivatives import cotangent_names
from fusion_compiler.derivatives.halves import keeping, kept_names, reverse
from fusion_models.batch import AtomicBatch
from fusion_models.errors import GeometryError, TrainingError
from fusion_models.potential import ENERGY, SLOPE, Potential
from fusion_models.routine import Routine


@dataclass(frozen=True)
class Prediction:
    """Energy (S,) in eV, forces (N, 3) in eV/Å, and stress (S, 3, 3) in eV/Å³ (tension positive) when asked for."""

    energy: Tensor
    forces: Tensor
    stress: Tensor | None = None


def energy_forces_stress(potential: Potential, batch: AtomicBatch, *, stress: bool = False) -> Prediction:
    """Evaluate a potential with its derivatives. The result carries no graph, whether gradients are on or off.

    Args:
        potential: the potential.
        batch: the structures; every one must be fully periodic when ``stress`` is asked for.
        stress: whether to compute the stress.

    Raises:
        GeometryError: stress is asked for a structure without volume.
    """
    volume = _volume(batch) if stress else None
    tensors = potential.tensors(batch)
    found = potential.slopes(tensors, potential.detached(), potential.rows(batch))
    return _prediction(potential, batch, tensors, found, volume)


class LossGradients(nn.Module):
    """The gradients of losses of energies, forces and stress with respect to the parameters of a potential.

    Two programs: the first gives energies and their slopes, and keeps what the second one needs to go from the
    cotangents of both to those of the parameters.

    Raises:
        TrainingError: coefficients of the potential are parametrised.
    """

    def __init__(self, potential: Potential) -> None:
        super().__init__()
        self.potential = potential
        block, program = potential.block, potential.slope_program()
        full: dict[Tensor, str] = {value: name for name, value in potential.named_parameters()}
        computed = [name for name, value in block.coefficients.items() if value not in full]
        if computed:
            raise TrainingError(
                f"the coefficients {computed[0]!r} are parametrised; losses are differentiated by parameters: "
                "remove the parametrisation, or let torch's autograd differentiate the energy"
            )
        self.names = {f"${name}": full[value] for name, value in block.coefficients.items()}
        wrt = list(self.names)
        first = keeping(program, wrt)
        self.kept = kept_names(first)
        self.cotangents = cotangent_names(first, (ENERGY, SLOPE))
        self.first = Routine(first, block.emitter, block.dtype)
        self.second = Routine(reverse(first, wrt, (ENERGY, SLOPE)), block.emitter, block.dtype)

    def forward(
        self, batch: AtomicBatch, loss: Callable[[Prediction], Tensor], *, stress: bool = False
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and its gradients by the names of the potential's parameters.

        Args:
            batch: the structures.
            loss: an ordinary function of torch, differentiated by torch.
            stress: whether the prediction has a stress.

        Raises:
            GeometryError: stress is asked for a structure without volume.
        """
        found, kept = self.predict(batch, stress=stress)
        values = [value for value in (found.energy, found.forces, found.stress) if value is not None]
        with torch.enable_grad():
            leaves = [value.detach().requires_grad_() for value in values]
            result = loss(Prediction(*leaves))
            cotangents = torch.autograd.grad(result, leaves, materialize_grads=True)
        return result.detach(), self.pull_back(batch, kept, Prediction(*cotangents))

    def predict(self, batch: AtomicBatch, *, stress: bool = False) -> tuple[Prediction, dict[str, Tensor]]:
        """Return the prediction, and the tensors that :meth:`pull_back` takes."""
        volume = _volume(batch) if stress else None
        tensors = self.potential.tensors(batch)
        found = self.first(tensors, self.potential.detached(), self.potential.rows(batch))
        kept = {**tensors, **{name: found[output] for output, name in self.kept.items()}}
        return _prediction(self.potential, batch, tensors, found, volume), kept

    def pull_back(self, batch: AtomicBatch, kept: Mapping[str, Tensor], cotangent: Prediction) -> dict[str, Tensor]:
        """Return the gradients of the parameters from those of energy, forces and stress, in plain forward code."""
        scale, dtype = self.potential.config.scale, self.potential.dtype
        forces = cotangent.forces
        slope = forces.index_select(0, batch.receiver) - forces.index_select(0, batch.sender)
        if cotangent.stress is not None:
            stress = _symmetric(cotangent.stress) / _volume(batch)[:, None, None]
            edges = stress.index_select(0, batch.system.index_select(0, batch.receiver))
            slope = slope + torch.einsum("ei,eij->ej", kept["displacement"], edges)
        given = {
            self.cotangents[ENERGY]: (cotangent.energy * scale).to(dtype).unsqueeze(-1),
            self.cotangents[SLOPE]: slope.to(dtype) * scale,
        }
        found = self.second({**kept, **given}, self.potential.detached(), self.potential.rows(batch))
        return {self.names[name]: value for name, value in found.items()}


def _prediction(
    potential: Potential,
    batch: AtomicBatch,
    tensors: Mapping[str, Tensor],
    found: Mapping[str, Tensor],
    volume: Tensor | None,
) -> Prediction:
    """Return energies and what follows from their slopes along the edges."""
    slope = found[SLOPE] * potential.config.scale
    forces = torch.zeros_like(batch.positions).index_add(0, batch.receiver, slope)
    forces = forces.index_add(0, batch.sender, slope, alpha=-1)
    energy = potential.total(found[ENERGY], tensors["z"], batch)
    if volume is None:
        return Prediction(energy, forces)
    outer = tensors["displacement"].unsqueeze(-1) * slope.unsqueeze(-2)
    virial = torch.zeros_like(batch.cell).index_add(0, batch.system.index_select(0, batch.receiver), outer)
    return Prediction(energy, forces, _symmetric(virial) / volume[:, None, None])


def _symmetric(x: Tensor) -> Tensor:
    return 0.5 * (x + x.transpose(-1, -2))


def _volume(batch: AtomicBatch) -> Tensor:
    volume = torch.linalg.det(batch.cell).abs()
    if not torch.compiler.is_compiling() and bool((volume == 0).any()):
        raise GeometryError("stress is defined for structures that are periodic in all three directions")
    return volume
