"""Gradients for many cotangents at once, against one after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import hessian, jacobian

import fusion_compiler
from fusion import leg, outputs

X = leg("x", "0e+1o", channels=3)
LAYER = (X @ X)["0e+1o"].mix("u->v", v=2, name="mixed")


def layer() -> tuple[fusion_compiler.Block, Tensor]:
    torch.manual_seed(0)
    return fusion_compiler.compile(LAYER, dtype=torch.float64), torch.randn(4, 3, 4, dtype=torch.float64)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_many_cotangents_at_once() -> None:
    block, x = layer()
    x.requires_grad_()
    out = block(x=x)
    each = torch.randn(5, *out.shape, dtype=torch.float64)
    (found,) = torch.autograd.grad(out, x, each, is_grads_batched=True, create_graph=True)
    close(found, torch.stack([torch.autograd.grad(out, x, item, retain_graph=True)[0] for item in each]))
    (second,) = torch.autograd.grad(found.square().sum(), x, retain_graph=True)
    one_by_one = torch.stack([torch.autograd.grad(out, x, item, create_graph=True)[0] for item in each])
    close(second, torch.autograd.grad(one_by_one.square().sum(), x)[0])


def test_outputs_without_a_cotangent_and_inputs_without_a_gradient() -> None:
    other = leg("other", "0e", channels=3)
    block = fusion_compiler.compile(outputs(first=(X @ X)["0e"], second=other @ other), dtype=torch.float64)
    x, y = torch.randn(4, 3, 4, dtype=torch.float64, requires_grad=True), torch.randn(4, 3, 1, dtype=torch.float64)
    found = block(x=x, other=y.requires_grad_())
    each = torch.randn(5, *found["first"].shape, dtype=torch.float64)
    slopes = torch.autograd.grad(
        found["first"], (x, y), each, is_grads_batched=True, allow_unused=True, retain_graph=True
    )
    assert slopes[1] is None
    close(slopes[0], torch.stack([torch.autograd.grad(found["first"], x, c, retain_graph=True)[0] for c in each]))


@pytest.mark.parametrize("derivative", [jacobian, hessian])
def test_jacobians_and_hessians(derivative: Callable[..., Tensor]) -> None:
    block, x = layer()

    def run(x: Tensor) -> Tensor:
        found = block(x=x)
        return found if derivative is jacobian else found.square().sum()

    close(derivative(run, x, vectorize=True), derivative(run, x))
