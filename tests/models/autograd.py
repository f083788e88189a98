"""Energies, forces, stress and gradients of losses by torch's autograd, over the interpreter of the energy's program.

Nothing here uses derivative programs, so that these can be judged by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_models.batch import AtomicBatch
from fusion_models.derivatives import Prediction
from fusion_models.potential import ENERGY, Potential


def energies(potential: Potential, batch: AtomicBatch) -> Tensor:
    """Return (S,) energies in eV, differentiable as often as one likes."""
    program = potential.block.program
    tensors, rows = potential.tensors(batch), potential.rows(batch)
    coefficients = dict(potential.block.coefficients.items())
    found = runner(program, "interpret")(tensors, coefficients, table_tensors(program, potential.dtype), rows)
    return potential.total(found[ENERGY], tensors["z"], batch)


def prediction(potential: Potential, batch: AtomicBatch, *, stress: bool = False) -> Prediction:
    """Return energies and their derivatives, with a graph; the stress is the derivative by a strain."""
    positions = batch.positions.detach().requires_grad_()
    strain = torch.zeros_like(batch.cell, requires_grad=True)
    bend = 0.5 * (strain + strain.transpose(-1, -2))
    bent = positions + torch.einsum("ni,nij->nj", positions, bend.index_select(0, batch.system))
    energy = energies(potential, replace(batch, positions=bent, cell=batch.cell + batch.cell @ bend))
    slope, strained = torch.autograd.grad(energy.sum(), (positions, strain), create_graph=True, materialize_grads=True)
    volume = torch.linalg.det(batch.cell).abs()
    return Prediction(energy, -slope, strained / volume[:, None, None] if stress else None)


def gradients(
    potential: Potential, batch: AtomicBatch, loss: Callable[[Prediction], Tensor], *, stress: bool = False
) -> dict[str, Tensor]:
    """Return the gradient of a loss by the names of the parameters."""
    names = dict(potential.named_parameters())
    value = loss(prediction(potential, batch, stress=stress))
    found = torch.autograd.grad(value, list(names.values()), materialize_grads=True)
    return dict(zip(names, found, strict=True))


def named(found: Prediction) -> dict[str, Tensor]:
    """Return what a prediction holds, by name."""
    return {name: value for name, value in vars(found).items() if value is not None}


def difference(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """Return the largest error of any tensor, relative to its largest entry; both have the same names."""
    assert list(found) == list(expected)
    errors = [
        float((found[name].detach() - value.detach()).abs().max() / value.detach().abs().max().clamp(min=1e-300))
        for name, value in expected.items()
        if value.numel()
    ]
    return max(errors, default=0.0)
