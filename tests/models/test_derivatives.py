"""Derivative programs of a potential against torch's autograd over the interpreter, to 1e-12 in double precision."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize

from fusion_compiler.derivatives import vjp
from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_models.derivatives import LossGradients, Prediction, energy_forces_stress
from fusion_models.errors import DataError, GeometryError, TrainingError
from fusion_models.frames import frame
from fusion_models.potential import ENERGY, SLOPE
from models import autograd
from models.structures import batch_of, crystal, molecule, small_potential

TOLERANCE = 1e-12


def loss(found: Prediction) -> Tensor:
    """Every kind of label, with weights that are not alike."""
    total = 1e-6 * found.energy.square().sum() + (found.forces * found.forces.detach().cos()).square().mean()
    return total if found.stress is None else total + found.stress.square().sum().sqrt()


@pytest.mark.parametrize("stress", [False, True])
def test_predictions_are_those_of_autograd(stress: bool) -> None:
    potential = small_potential(seed=3)
    batch = batch_of(crystal(1), crystal(2)) if stress else batch_of(molecule(1), crystal(2))
    found = autograd.named(energy_forces_stress(potential, batch, stress=stress))
    assert list(found) == ["energy", "forces", "stress"][: 2 + stress]
    assert autograd.difference(found, autograd.named(autograd.prediction(potential, batch, stress=stress))) < TOLERANCE


@pytest.mark.parametrize("stress", [False, True])
def test_gradients_of_a_loss_are_those_of_autograd(stress: bool) -> None:
    potential = small_potential(seed=4)
    batch = batch_of(crystal(1), crystal(2)) if stress else batch_of(molecule(1), crystal(2))
    value, found = LossGradients(potential)(batch, loss, stress=stress)
    expected = autograd.prediction(potential, batch, stress=stress)
    assert abs(float(value - loss(expected).detach())) < TOLERANCE * float(value)
    assert autograd.difference(found, autograd.gradients(potential, batch, loss, stress=stress)) < TOLERANCE


def test_parametrised_coefficients_have_forces_but_no_gradients_of_losses() -> None:
    potential = small_potential(seed=4)
    learned = potential.block.coefficients
    parametrize.register_parametrization(learned, next(iter(learned)), torch.nn.Softplus())
    assert energy_forces_stress(potential, batch_of(molecule(1))).forces.isfinite().all()
    with pytest.raises(TrainingError, match="are parametrised"):
        LossGradients(potential)


def test_third_derivatives_are_those_of_autograd() -> None:
    """The gradient of u H v by displacements and parameters, H the Hessian of the energy by displacements."""
    potential, batch = small_potential(seed=5, hidden="0e", channels=2, powers=(1, 2)), batch_of(molecule(1))
    tensors, rows = potential.tensors(batch), potential.rows(batch)
    coefficients = dict(potential.block.coefficients.items())
    generator = torch.Generator().manual_seed(0)
    u, v = torch.randn((2, *tensors["displacement"].shape), dtype=torch.float64, generator=generator)
    names = ["displacement", *(f"${name}" for name in coefficients)]
    hessian = vjp(potential.slope_program(), ["displacement"], [SLOPE])
    program = vjp(hessian, names, ["displacement"])
    given = {**tensors, f"~{SLOPE}": v, "~displacement": u}
    found = runner(program, "source")(given, coefficients, table_tensors(program, torch.float64), rows)

    plain = potential.block.program
    tensors["displacement"].requires_grad_()
    run = runner(plain, "interpret")
    energy = run(tensors, coefficients, table_tensors(plain, torch.float64), rows)[ENERGY].sum()
    first = torch.autograd.grad(energy, tensors["displacement"], create_graph=True)[0]
    second = torch.autograd.grad((first * v).sum(), tensors["displacement"], create_graph=True)[0]
    wanted = [tensors["displacement"], *coefficients.values()]
    third = torch.autograd.grad((second * u).sum(), wanted, materialize_grads=True)
    assert autograd.difference(found, dict(zip(names, third, strict=True))) < TOLERANCE


def test_gradients_may_be_switched_off_outside() -> None:
    potential, batch = small_potential(), batch_of(molecule())
    gradients = LossGradients(potential)
    expected, (value, expected_gradients) = energy_forces_stress(potential, batch), gradients(batch, loss)
    with torch.no_grad():
        found, (same, found_gradients) = energy_forces_stress(potential, batch), gradients(batch, loss)
    assert torch.equal(found.forces, expected.forces)
    assert torch.equal(value, same)
    assert autograd.difference(found_gradients, expected_gradients) == 0
    assert bool((found.forces != 0).any())
    assert not (expected.energy.requires_grad or expected.forces.requires_grad or value.requires_grad)


def test_programs_follow_their_potential() -> None:
    """Copies, pickles, and conversion to another type; tables that were rounded to single precision come back."""
    potential, batch = small_potential(seed=2), batch_of(molecule(2))
    expected = energy_forces_stress(potential, batch)
    for other in (copy.deepcopy(potential), pickle.loads(pickle.dumps(potential)), small_potential(seed=2).float()):
        other.double()
        other.load_state_dict(potential.state_dict())
        assert torch.equal(energy_forces_stress(other, batch).forces, expected.forces)
    single = energy_forces_stress(copy.deepcopy(potential).float(), batch_of(molecule(2), dtype=torch.float32))
    assert single.forces.dtype == torch.float32
    assert float((single.forces - expected.forces).abs().max()) < 1e-4 * float(expected.forces.abs().max())
    with pytest.raises(DataError, match=r"computes in torch.float64, the positions are torch.float32"):
        energy_forces_stress(potential, batch_of(molecule(2), dtype=torch.float32))


def test_a_stress_needs_a_volume() -> None:
    potential, batch = small_potential(), batch_of(molecule())
    with pytest.raises(GeometryError, match="periodic in all three directions"):
        energy_forces_stress(potential, batch, stress=True)
    with pytest.raises(GeometryError, match="periodic in all three directions"):
        LossGradients(potential)(batch, loss, stress=True)


def test_atoms_alone_have_no_forces() -> None:
    potential = small_potential()
    alone = frame([1], [[0.0, 0.0, 0.0]])
    found = energy_forces_stress(potential, batch_of(alone, alone))
    assert found.energy[0] == found.energy[1]
    assert found.forces.tolist() == [[0.0] * 3] * 2
