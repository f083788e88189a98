"""Networks of scalars as diagrams."""

from __future__ import annotations

from collections.abc import Sequence

from fusion import Wire

SILU_SCALE = 1.6765324703310907
"""1 / sqrt(E[silu(z)²]) for a standard normal z: keeps the second moment of a hidden layer at one."""


def network(x: Wire, widths: Sequence[int], *, u: int, paths: int, name: str) -> Wire:
    """Diagram of a network without bias from the channels of scalars to ``paths`` scalars with ``u`` channels.

    Linear maps with SiLU of unit second moment between them. Each map divides by the square root of its number of
    inputs, so that with standard normal weights values stay of order one and a learning rate means the same in every
    layer. Without bias an input of zero gives zero: weights of an edge vanish at the cutoff together with the basis.

    Args:
        x: invariants with one channel axis and one path.
        widths: channels of the hidden layers.
        u: channels of the result.
        paths: paths of the result.
        name: coefficients are called ``<name>_1``, ``<name>_2``, ...
    """
    factor = 1.0
    for number, width in enumerate(widths, 1):
        (inputs,) = x.space.sizes
        x = ((factor * inputs**-0.5) * x).mix("n->k", k=width, name=f"{name}_{number}").map("silu")
        factor = SILU_SCALE
    (inputs,) = x.space.sizes
    return ((factor * inputs**-0.5) * x).mix("k->u", u=u, paths=paths, name=f"{name}_{len(widths) + 1}")
