"""The registered functions of :mod:`fusion.functions` in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from fusion.functions import GUARD, LAYER_NORM_EPSILON

ELEMENTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "silu": torch.nn.functional.silu,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "sin": torch.sin,
    "cos": torch.cos,
    "reciprocal": torch.reciprocal,
    "sqrt": lambda x: torch.sqrt(x.clamp(min=0.0) + GUARD),
    "rsqrt": lambda x: torch.rsqrt(x.clamp(min=0.0) + GUARD),
    "step": lambda x: (x >= 0.0).to(x.dtype),
}


def layer_norm(x: Tensor, channels: int) -> Tensor:
    """Normalise each component over its ``channels`` channel axes, which stand before the last axis."""
    axes = tuple(range(-1 - channels, -1))
    centred = x - x.mean(axes, keepdim=True)
    return centred * torch.rsqrt((centred * centred).mean(axes, keepdim=True) + LAYER_NORM_EPSILON)


def softmax(x: Tensor, rows: Tensor, count: int) -> Tensor:
    """Softmax over the rows with the same image. The shift by the largest entry changes nothing but the range."""
    index = rows.view(-1, *([1] * (x.ndim - 1))).expand_as(x)
    top = torch.zeros((count, *x.shape[1:]), dtype=x.dtype, device=x.device)
    top = top.scatter_reduce(0, index, x.detach(), "amax", include_self=False)
    raised = torch.exp(x - top.index_select(0, rows))
    total = torch.zeros_like(top).index_add(0, rows, raised)
    return raised / total.index_select(0, rows)
