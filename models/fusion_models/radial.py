"""Functions of the distance: a radial basis, a smooth cutoff, and the network that turns them into weights.

All are finite at r = 0 with finite first and second derivatives, because coincident atoms happen while a structure is
being edited and must not turn a whole batch into NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusion.errors import InputError

SILU_SCALE = 1.6765324703310907
"""1 / sqrt(E[silu(z)²]) for a standard normal z: keeps the second moment of a hidden layer at one."""
# Below this angle sin(x)/x is taken from its series, whose sixth term is below 1e-17.
_SERIES_BELOW = 0.1


def lengths(vectors: Tensor) -> Tensor:
    """Return (...,) the lengths of (..., 3) vectors; at the zero vector the length and its derivatives are 0."""
    square = vectors.square().sum(-1)
    zero = square == 0
    return torch.where(zero, torch.zeros_like(square), torch.where(zero, torch.ones_like(square), square).sqrt())


def bessel_basis(r: Tensor, count: int, cutoff: float) -> Tensor:
    """Return (..., count) the functions sqrt(2 / rc) sin(n pi r / rc) / r, n = 1 .. count.

    They are orthonormal on [0, rc] with weight r²; at r = 0 they have the value sqrt(2 / rc) n pi / rc.
    Gasteiger, Groß and Günnemann, arXiv:2003.03123, equation 7.

    Args:
        r: (...,) distances in Å, not negative.
        count: number of functions.
        cutoff: rc in Å.
    """
    _check_cutoff(cutoff)
    if count < 1:
        raise InputError(f"a radial basis needs at least one function, not {count}")
    wave = torch.arange(1, count + 1, dtype=r.dtype, device=r.device) * (math.pi / cutoff)
    return math.sqrt(2.0 / cutoff) * wave * _sinc(r.unsqueeze(-1) * wave)


def polynomial_cutoff(r: Tensor, cutoff: float, p: int = 5) -> Tensor:
    """Return (...,) an envelope that is 1 at r = 0 and exactly 0 for r >= rc, with two continuous derivatives.

    1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2) with x = r / rc; arXiv:2003.03123, equation 8.

    Args:
        r: (...,) distances in Å, not negative.
        cutoff: rc in Å.
        p: degree of the first term, at least 3 so that the second derivative is continuous at r = 0 too.
    """
    _check_cutoff(cutoff)
    if p < 3:
        raise InputError(f"the degree p of the cutoff polynomial must be at least 3, not {p}")
    x = (r / cutoff).clamp(max=1.0)
    a, b, c = (p + 1) * (p + 2) / 2, p * (p + 2), p * (p + 1) / 2
    value = 1.0 - x**p * (a - x * (b - c * x))
    return torch.where(r < cutoff, value, torch.zeros_like(value))


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
            nn.Parameter(torch.randn(a, b, generator=generator, dtype=dtype))
            for a, b in zip(self.widths, self.widths[1:], strict=False)
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


def _sinc(x: Tensor) -> Tensor:
    """Return sin(x) / x with derivatives of every order at 0 (those of ``torch.sinc`` are NaN from the second on)."""
    small = x.abs() < _SERIES_BELOW
    square = torch.where(small, x, torch.zeros_like(x)).square()
    series = 1.0 - square / 6 * (1.0 - square / 20 * (1.0 - square / 42 * (1.0 - square / 72 * (1.0 - square / 110))))
    away = torch.where(small, torch.ones_like(x), x)
    return torch.where(small, series, away.sin() / away)


def _check_cutoff(cutoff: float) -> None:
    if not (math.isfinite(cutoff) and cutoff > 0):
        raise InputError(f"the cutoff must be a positive length in Å, not {cutoff}")
