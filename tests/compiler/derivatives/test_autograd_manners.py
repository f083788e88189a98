"""Blocks behave as torch's own functions do: changes in place are seen, memory is given back, types are kept."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch.autograd import forward_ad

import fusion_compiler
from fusion import label, leg, parse
from fusion_compiler import Block
from fusion_compiler.explain.dead import dead_parameters


def gathered() -> Block:
    return fusion_compiler.compile(leg("h", "0e", on="atom").pull("sender").map("exp"), dtype=torch.float64)


def test_a_map_changed_after_the_run_is_noticed() -> None:
    block, sender = gathered(), torch.tensor([0, 0])
    h = torch.tensor([[1.0], [2.0]], dtype=torch.float64, requires_grad=True)
    y = block(h=h, sender=sender).sum()
    sender.fill_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_an_output_that_is_a_view_may_be_changed_in_place() -> None:
    wire = leg("h", "0e", channels=2, on="atom").mix("u->v", v=1).sum("system")
    block = fusion_compiler.compile(wire, dtype=torch.float64)
    h = torch.randn(3, 2, 1, dtype=torch.float64, requires_grad=True)
    y = block(h=h, system=torch.zeros(3, dtype=torch.int64), sizes={"system": 1})
    y += 3.0
    y.sum().backward()
    assert h.grad is not None
    assert h.grad.abs().sum() > 0


def test_inputs_are_given_back_without_the_garbage_collector() -> None:
    block, sender = gathered(), torch.tensor([0, 1])
    gc.disable()
    try:
        x = torch.ones(2, 1, dtype=torch.float64, requires_grad=True)
        h = x * 2
        alive = weakref.ref(h)
        block(h=h, sender=sender).sum().backward()
        del h
        assert alive() is None
    finally:
        gc.enable()


def test_autocast_changes_nothing() -> None:
    block = fusion_compiler.compile(leg("h", "0e+1o", channels=4, on="atom").mix("u->v"), dtype=torch.float32)
    h = torch.randn(3, 4, 4, requires_grad=True)
    plain = block(h=h)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = block(h=h)
    assert found.dtype == torch.float32
    assert torch.equal(found, plain)
    (first,) = torch.autograd.grad(found.square().sum(), h, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), h)
    assert second.isfinite().all()


def test_forward_mode_and_inference_mode_run_the_plain_function() -> None:
    block, sender = gathered(), torch.tensor([0, 1, 1])
    h = torch.tensor([[0.5], [2.0]], dtype=torch.float64)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(h, torch.ones_like(h))
        _, tangent = forward_ad.unpack_dual(block(h=dual, sender=sender))
    assert tangent is not None
    assert torch.allclose(tangent, h.index_select(0, sender).exp(), atol=1e-14)
    with torch.inference_mode():
        assert block(h=h, sender=sender).shape == (3, 1)


def test_a_path_that_is_zero_has_a_second_derivative() -> None:
    wire = parse(
        "leg d: 1o, on atom; leg e: 1o, on atom; t1 = d @ d; (t1 @ t1).paths(1e*2e->1e) @ (e @ e).on(,->u, u=1)"
    )
    block = fusion_compiler.compile(wire, dtype=torch.float64)
    d, e = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    first = torch.autograd.grad(
        block(d=d, e=e).sum(), (d, e), create_graph=True, materialize_grads=True, allow_unused=True
    )
    total = torch.stack([part.square().sum() for part in first]).sum()
    found = torch.autograd.grad(total, (d, e), materialize_grads=True, allow_unused=True)
    assert all(part.abs().max() < 1e-12 for part in found)


def test_every_class_of_a_label_is_tried_before_weights_are_called_dead() -> None:
    z = label("z", 30, on="atom")
    wire = leg("x", "0e", channels=2, on="edge").sum("receiver", by=z.pull("sender")).merge().mix("q->k", k=2)
    assert not dead_parameters(fusion_compiler.compile(wire))
