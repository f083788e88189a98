"""The radial network: from radial functions of the distance to the weights of the paths of an edge."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from fusion.errors import InputError

SILU_SCALE = 1.6765324703310907
"""1 / sqrt(E[silu(z)²]) for a standard normal z: keeps the second moment of a hidden layer at one."""


class RadialMLP(nn.Module):
    """A network without bias: linear maps with SiLU of unit second moment between them.

    Weights are standard normal, and each map divides by the square root of its number of inputs, so that values stay
    of order one and a learning rate means the same in every layer. Without bias an input of zero gives zero: weights
    of an edge vanish at the cutoff together with the basis.

    Args:
        widths: (inputs, hidden ..., outputs), at least two numbers.
        generator: for the initial weights.
        dtype: of the weights.
    """

    def __init__(
        self, widths: Sequence[int], *, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.widths = tuple(int(w) for w in widths)
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise InputError(f"widths must be at least two positive numbers (inputs, ..., outputs), not {self.widths}")
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(a, b, generator=generator, dtype=dtype)) for a, b in pairwise(self.widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., inputs) to (..., outputs)."""
        for layer, weight in enumerate(self.weights):
            if layer:
                x = nn.functional.silu(x) * SILU_SCALE
            x = (x @ weight) * weight.shape[0] ** -0.5
        return x

    def extra_repr(self) -> str:
        return " -> ".join(map(str, self.widths))
