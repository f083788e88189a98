"""Index maps of product spaces, computed from their base map (see :func:`fusion.index.tuples`)."""

from __future__ import annotations

import torch
from torch import Tensor


def product_rows(base: Tensor, order: int) -> tuple[Tensor, ...]:
    """Return all ``order``-tuples of rows with one image, ordered by image, then lexicographically by row."""
    sorted_rows = torch.argsort(base, stable=True)
    images, counts = torch.unique_consecutive(base[sorted_rows], return_counts=True)
    starts = torch.cumsum(counts, 0) - counts
    sizes = counts**order
    group = torch.repeat_interleave(torch.arange(len(images), device=base.device), sizes)
    inside = torch.arange(len(group), device=base.device) - torch.repeat_interleave(
        torch.cumsum(sizes, 0) - sizes, sizes
    )
    found: list[Tensor] = []
    for position in range(order):
        digit = (inside // counts[group] ** (order - 1 - position)) % counts[group]
        found.append(sorted_rows[starts[group] + digit])
    return tuple(found)
