"""Blocks whose gradients run derivative programs: the numbers of torch's autograd, to third order, in every use."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

import fusion_compiler
from corpus import DIAGRAMS, NODES
from fusion import Diagram, Wire, leg, outputs, parse
from fusion.sampling import random_tensors
from fusion_compiler import Block
from fusion_compiler.block import Ran

ON = (Ran("differentiate", "program", True, True),)
NAMES = [*NODES, "mace_layer", "triplet_block", "softmax_attention", "energy_readout", "nequip_layer"]
D = leg("d", "1o", on="edge")


class Pair:
    """One diagram as a plain block and as one with derivative programs, with the same coefficients and inputs."""

    def __init__(self, diagram: Wire | Diagram, rows: tuple[int, ...] = (3,)) -> None:
        given = random_tensors(diagram, np.random.default_rng(3), rows)
        self.plain = fusion_compiler.compile(diagram, dtype=torch.float64)
        self.plain.load_coefficients(given.parameters)
        self.block = Block(diagram, self.plain.program, {}, "source", torch.float64, ON)
        self.block.load_coefficients(given.parameters)
        self.tensors = {name: torch.as_tensor(np.array(value)) for name, value in given.tensors.items()}
        self.sizes = given.sizes

    def run(
        self, block: Callable[..., Tensor | dict[str, Tensor]], moving: bool = True
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the outputs, and the leaves that require gradients."""
        tensors = {
            name: value.clone().requires_grad_() if moving and value.is_floating_point() else value
            for name, value in self.tensors.items()
        }
        found = block(tensors, sizes=self.sizes)
        leaves = [value for value in tensors.values() if value.requires_grad]
        parameters = list(block.parameters()) if isinstance(block, torch.nn.Module) else []
        return list(found.values()) if isinstance(found, dict) else [found], [*leaves, *parameters]


def chain(values: list[Tensor], leaves: list[Tensor], orders: int) -> list[Tensor]:
    """Return gradients of order 1, 2, ...: each of the sum of squares of the one before."""
    found: list[Tensor] = []
    for _ in range(orders):
        total = torch.zeros(())
        for value in values:
            total = total + (value * value).sum()
        if not total.requires_grad:
            return found
        given = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        values = [torch.zeros_like(leaf) if value is None else value for leaf, value in zip(leaves, given, strict=True)]
        found.extend(values)
    return found


def agree(found: list[Tensor], expected: list[Tensor], limit: float = 1e-11) -> None:
    assert len(found) == len(expected)
    for mine, other in zip(found, expected, strict=True):
        assert mine.shape == other.shape
        if other.numel():
            assert float((mine - other).detach().abs().max()) <= limit * (1.0 + float(other.detach().abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_those_of_torch(name: str) -> None:
    pair = Pair(DIAGRAMS[name])
    orders = 3 if name in NODES else 2
    agree(chain(*pair.run(pair.block), orders), chain(*pair.run(pair.plain), orders))


def test_backward_fills_the_gradients_of_coefficients() -> None:
    pair = Pair(DIAGRAMS["mace_layer"])
    for block in (pair.block, pair.plain):
        (value,), _ = pair.run(block, moving=False)
        (value * value).sum().backward()
    for mine, other in zip(pair.block.parameters(), pair.plain.parameters(), strict=True):
        assert mine.grad is not None and other.grad is not None
        agree([mine.grad], [other.grad])


def test_the_gradient_of_a_force_loss() -> None:
    pair = Pair(DIAGRAMS["energy_readout"])
    found: list[list[Tensor]] = []
    for block in (pair.block, pair.plain):
        values, leaves = pair.run(block)
        forces = torch.autograd.grad(values[0].sum(), leaves[0], create_graph=True)
        loss = (forces[0] ** 2).sum() + (values[0] ** 2).sum()
        found.append([*torch.autograd.grad(loss, list(block.parameters()), allow_unused=True, materialize_grads=True)])
    agree(found[0], found[1])


def test_some_outputs_and_some_inputs() -> None:
    diagram = outputs(a=D.length(), b=D.harmonics(1), c=D, d=leg("q", "0e", on="edge").map("tanh"), e=D.length())
    pair = Pair(diagram)
    d = pair.tensors["d"].clone().requires_grad_()
    found = pair.block(d=d, q=pair.tensors["q"])
    assert isinstance(found, dict)
    assert not found["d"].requires_grad and found["c"] is d
    (one,) = torch.autograd.grad(found["a"].sum(), d, retain_graph=True)
    (two,) = torch.autograd.grad(found["a"].sum() + found["e"].sum(), d)
    agree([two], [2 * one])


def test_without_gradients_nothing_is_kept() -> None:
    pair = Pair(DIAGRAMS["harmonics"])
    with torch.no_grad():
        values, _ = pair.run(pair.block)
    assert not any(value.requires_grad for value in values)
    values, _ = pair.run(pair.block, moving=False)
    assert not any(value.requires_grad for value in values)


def test_no_rows() -> None:
    pair = Pair(DIAGRAMS["mace_layer"], (0,))
    agree(chain(*pair.run(pair.block), 2), chain(*pair.run(pair.plain), 2))


def test_copies_and_pickles() -> None:
    pair = Pair(DIAGRAMS["nequip_layer"])
    expected = chain(*pair.run(pair.block), 2)
    for twin in (copy.deepcopy(pair.block), pickle.loads(pickle.dumps(pair.block))):
        agree(chain(*pair.run(twin), 2), expected, 0.0)


def test_single_precision() -> None:
    pair = Pair(DIAGRAMS["mace_interaction"])
    expected = chain(*pair.run(pair.plain), 1)
    pair.block.float()
    pair.tensors = {n: v.float() if v.is_floating_point() else v for n, v in pair.tensors.items()}
    found = chain(*pair.run(pair.block), 1)
    assert all(value.dtype == torch.float32 for value in found)
    agree([value.double() for value in found], expected, 1e-5)


def test_compiled_and_exported() -> None:
    """There the plain function runs; the graph is whole, and torch differentiates it."""
    pair = Pair(DIAGRAMS["mace_interaction"])
    compiled = torch.compile(pair.block, fullgraph=True, backend="aot_eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values, leaves = pair.run(compiled)
    expected = pair.run(pair.plain)
    agree(chain(values, leaves, 1), chain(*expected, 1))
    exported = torch.export.export(pair.block, (pair.tensors,), {"sizes": pair.sizes})
    agree([exported.module()(pair.tensors, sizes=pair.sizes)], expected[0])


def test_transforms_of_functions() -> None:
    pair = Pair(DIAGRAMS["harmonics"])
    d = pair.tensors["d"]

    def energy(block: Block, vector: Tensor) -> Tensor:
        found = block(d=vector)
        assert isinstance(found, dict)
        return (found["component"] ** 2 * torch.arange(25.0, dtype=torch.float64)).sum()

    for transform in (torch.func.grad, torch.func.hessian):
        mine, other = (transform(lambda v, b=block: energy(b, v))(d) for block in (pair.block, pair.plain))
        agree([mine], [other])


def test_values_of_one_row_among_many() -> None:
    """A product of one-row values inside a larger product has one row: its cotangent is summed over all rows."""
    field = leg("b", "0e+1o", on="constant")
    inner = (field @ field.mix("->", name="w"))["0e+1o"]
    pair = Pair((leg("h", "1o", channels=2) @ inner).on("u,->u")["0e+2e"].sum("system"))
    agree(chain(*pair.run(pair.block), 3), chain(*pair.run(pair.plain), 3))


def test_coefficients_of_two_nodes() -> None:
    """Here ``distribute`` gives one set of coefficients to two nodes."""
    pair = Pair(
        parse(
            "leg a: 2o, u=1, on edge; leg b: 0e, g=1, x=1, on edge; t1 = a.mix(u->x, x=1, name=w); "
            "out energy = (t1.split(1, axis=0) + b)[0e]; out y = t1.sum(receiver)"
        )
    )
    assert pair.plain.program.coefficients == ("w_2o",)
    agree(chain(*pair.run(pair.block), 3), chain(*pair.run(pair.plain), 3))
