"""Cormorant (Anderson, Hy and Kondor 2019, arXiv 1906.04015): a level of atoms with its edge network.

The edges are all pairs of atoms, an atom with itself included, and -d is the paper's r_i - r_j. A vertex is K alone, so
weights here are those of the paper times sqrt(2 l + 1) for a dot product of degree l and, in the complex level, times
the phase (-i)^(l1 + l2 - l) that turns K into the complex Clebsch-Gordan coefficients.
"""

from __future__ import annotations

import numpy as np

from corpus.nodes import COMPLEX
from fusion import Wire, add, leg

_PRODUCT = np.einsum("kcf,fde->kcde", COMPLEX, COMPLEX)
"""Part e of the product of three complex numbers w x y, from their parts w_k, x_c and y_d."""


def cormorant_level() -> Wire:
    """Cormorant (Anderson, Hy, Kondor 2019), one level with its edge network, with real weights and parity."""
    h, d = leg("h", "0e+1o+2e", channels=2), leg("d", "1o", on="edge")
    g, eta = leg("g", "3x0e", channels=2, on="edge"), leg("eta", "4x0e", channels=2, on="edge")
    one = leg("one", "0e", on="constant")
    mask = (one + d.length()).mix("->u", u=2, name="mask").map("sigmoid")  # sigmoid((rho - r) / w)
    dots = (h.pull("receiver") @ h.pull("sender"))["0e"]
    e0, e1, e2 = ((g.select({"0e": [l]}) + dots + eta).mix("u->v", name=f"edge{l}") for l in range(3))
    edge = (-d).solid_harmonics(2).scale((e0 + e1 + e2).scale(mask), ",u->u")
    return ((edge @ h.pull("sender"))[h].sum("receiver") + h + (h @ h)[h]).mix("u->v", name="atom")


def cormorant_level_complex() -> Wire:
    """Cormorant (Anderson, Hy, Kondor 2019), the same level as published: SO(3), complex numbers as pairs."""
    pairs = {"u": 2, "c": 2}
    h, d = leg("h", "0+1+2", channels=pairs), leg("d", "1", on="edge")
    g, eta = leg("g", "3x0", channels=pairs, on="edge"), leg("eta", "8x0", channels=pairs, on="edge")
    one = leg("one", "0", on="constant")
    mask = (one + d.length()).mix("->u", u=2, name="mask").map("sigmoid")  # sigmoid((rho - r) / w)
    dots = (h.pull("receiver") @ h.pull("sender")).on("uc,ud->ucd")["0"]
    e0, e1, e2 = (_complex(f"edge{l}", g.select({"0": [l]}) + eta, dots) for l in range(3))
    edge = (-d).solid_harmonics(2).scale((e0 + e1 + e2).scale(mask, "uc,u->uc"), ",uc->uc")
    neighbours = (edge @ h.pull("sender")).on("uc,ud->ucd")[h].sum("receiver")
    return _complex("atom", h, neighbours + (h @ h).on("uc,ud->ucd")[h])


def _complex(name: str, numbers: Wire, products: Wire) -> Wire:
    """Complex linear map of numbers (u, c) and of products of two numbers (u, c, d)."""
    return add(
        numbers.mix("uc->vd", tied=(COMPLEX, "kcd", "kuv"), v=2, d=2, name=f"{name}_numbers"),
        products.mix("ucd->ve", tied=(_PRODUCT, "kcde", "kuv"), v=2, e=2, name=f"{name}_products"),
    )


BLOCKS = (
    cormorant_level,
    cormorant_level_complex,
)
"""Every block of this file."""
