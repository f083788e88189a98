"""A whole training step is plain forward code: the same gradients eagerly, compiled, exported and traced.

The gradient of a force loss is where tracing the usual way goes wrong without a word (detached intermediates), in nets
of tanh as in others. The expected values are those of torch's autograd, eager, over the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from fusion import Wire, label, leg, one
from fusion_models.architectures import mace
from fusion_models.batch import AtomicBatch
from fusion_models.derivatives import LossGradients, Prediction, energy_forces_stress
from fusion_models.frames import Frame, frame
from fusion_models.potential import Potential
from models import autograd
from models.structures import batch_of, small_potential

TOLERANCE = 1e-12
ARGUMENTS = ("positions", "numbers", "sender", "receiver", "shift", "cell", "system")
SMALL = {"layers": 1, "l_max": 1, "hidden": "0e", "powers": (1, 2), "channels": 2, "radial": 3, "radial_widths": (3,)}


def tanh_net() -> Wire:
    """Two hidden layers of tanh on every edge."""
    x = leg("displacement", "1o", on="edge").bessel(3, 4.0).scale(leg("displacement", "1o", on="edge").cutoff(4.0))
    for number in (1, 2):
        x = x.mix("n->k", k=4, name=f"layer{number}").map("tanh")
    kinds = one().mix("->u", u=4, per=label("z", 3), name="kinds")
    edges = x.mix("k->u", u=4, name="last").scale(kinds.pull("sender")).mix("u->", name="sum")
    return edges.sum("receiver").sum("system")


def multilinear_net() -> Wire:
    """No function of learned numbers: products of densities, with one weight per radial function."""
    d, z = leg("displacement", "1o", on="edge"), label("z", 3)
    radial = d.bessel(3, 4.0).scale(d.cutoff(4.0)).mix("n->u", u=2, name="radial")
    kinds = one().mix("->u", u=2, per=z, name="kinds").pull("sender")
    density = (d.harmonics(1) @ kinds)["0e+1o"].scale(radial).sum("receiver")
    return density.power(1, 2)["0e"].mix("u->", per=z, name="energy").sum("system")


NETS: dict[str, Callable[[], Wire] | None] = {"tanh": tanh_net, "silu": None, "multilinear": multilinear_net}


def potential_of(net: str, monkeypatch: pytest.MonkeyPatch) -> Potential:
    """A small potential; ``silu`` is a real one, the others have their own diagrams of the energy."""
    diagram = NETS[net]
    if diagram is not None:
        monkeypatch.setattr(mace, "energy", lambda config: diagram())
    potential = small_potential(seed=1, **SMALL)
    potential.get_buffer("references").zero_()
    return potential


def cloud(count: int) -> Frame:
    """Atoms on a distorted grid."""
    random = np.random.default_rng(count)
    side = round(np.ceil(count ** (1 / 3)))
    grid = np.array(list(np.ndindex(side, side, side)), dtype=float).reshape(-1, 3)[:count]
    return frame(random.choice([1, 6, 8], size=count), 1.9 * grid + 0.1 * random.normal(size=grid.shape))


def arguments(batch: AtomicBatch) -> tuple[Tensor, ...]:
    return tuple(getattr(batch, name) for name in ARGUMENTS)


class Step(nn.Module):
    """Predictions and the gradients of the sum of squares of energies and force components."""

    def __init__(self, potential: Potential) -> None:
        super().__init__()
        self.gradients = LossGradients(potential)

    def forward(self, *tensors: Tensor) -> dict[str, Tensor]:
        batch = AtomicBatch(*tensors, n_systems=tensors[5].shape[0])  # type: ignore[misc]
        found, kept = self.gradients.predict(batch)
        gradients = self.gradients.pull_back(batch, kept, Prediction(2 * found.energy, 2 * found.forces))
        return {"energy": found.energy, "forces": found.forces, **gradients}


def squares(found: Prediction) -> Tensor:
    return found.energy.square().sum() + found.forces.square().sum()


def expected(potential: Potential, batch: AtomicBatch) -> dict[str, Tensor]:
    return {
        **autograd.named(autograd.prediction(potential, batch)),
        **autograd.gradients(potential, batch, squares),
    }


@pytest.mark.parametrize("net", NETS)
def test_one_export_serves_all_sizes(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of atoms, edges and systems."""
    potential = potential_of(net, monkeypatch)
    step, traced = Step(potential), batch_of(cloud(5), cloud(7))
    dynamic = ({0: torch.export.Dim.DYNAMIC},) * len(ARGUMENTS)
    run = torch.export.export(step, arguments(traced), dynamic_shapes=(dynamic,)).module()
    for batch in (traced, *(batch_of(cloud(count)) for count in (0, 1, 2, 37, 1000))):
        assert autograd.difference(run(*arguments(batch)), expected(potential, batch)) < TOLERANCE


@pytest.mark.parametrize("net", NETS)
def test_a_compiled_step_gives_the_same_gradients(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    potential = potential_of(net, monkeypatch)
    step, batch = Step(potential), batch_of(cloud(5), cloud(7))
    wanted = expected(potential, batch)
    assert autograd.difference(step(*arguments(batch)), wanted) < TOLERANCE
    run = torch.compile(step, backend="aot_eager", dynamic=False, fullgraph=True)
    assert autograd.difference(run(*arguments(batch)), wanted) < TOLERANCE


@pytest.mark.parametrize("net", NETS)
def test_a_traced_step_is_the_step(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step traced whole, its loss differentiated by torch, runs on other positions and other parameters."""
    potential = potential_of(net, monkeypatch)
    gradients, batch, other = LossGradients(potential), batch_of(cloud(5)), batch_of(cloud(5))
    z = potential.elements_of(batch.numbers)  # looks at values to refuse unknown elements, which no trace can
    monkeypatch.setattr(potential, "elements_of", lambda numbers: z)
    names = dict(gradients.potential.named_parameters())

    def step(positions: Tensor, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        moved = AtomicBatch(**{**vars(batch), "positions": positions})
        given = {f"potential.{name}": value for name, value in parameters.items()}
        return torch.func.functional_call(gradients, given, (moved, squares))[1]

    traced = make_fx(step)(batch.positions, names)
    other.positions = other.positions + 0.05 * torch.sin(torch.arange(15.0, dtype=torch.float64)).reshape(5, 3)
    with torch.no_grad():
        for value in names.values():
            value.mul_(1.1)
    wanted = autograd.gradients(potential, other, squares)
    assert autograd.difference(traced(other.positions, names), wanted) < TOLERANCE


@pytest.mark.slow
def test_inductor_gives_the_same_forces(monkeypatch: pytest.MonkeyPatch) -> None:
    potential, batch = potential_of("tanh", monkeypatch), batch_of(cloud(5), cloud(7))

    def predict(*tensors: Tensor) -> dict[str, Tensor]:
        moved = AtomicBatch(*tensors, n_systems=tensors[5].shape[0])  # type: ignore[misc]
        return autograd.named(energy_forces_stress(potential, moved))

    found = torch.compile(predict, dynamic=False, fullgraph=True)(*arguments(batch))
    assert autograd.difference(found, autograd.named(autograd.prediction(potential, batch))) < TOLERANCE
