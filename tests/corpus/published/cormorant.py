"""Cormorant (Anderson, Hy and Kondor 2019, arXiv 1906.04015): a level of atoms with its edge network.

The edges are all pairs of atoms, an atom with itself included, and -d is the paper's r_i - r_j. A vertex is K alone, so
weights here are those of the paper times sqrt(2 l + 1) for a dot product of degree l and, in the complex level, times
the phase (-i)^(l1 + l2 - l) that turns K into the complex Clebsch-Gordan coefficients.
"""

from __future__ import annotations

from corpus.nodes import COMPLEX
from fusion import Wire, leg, one


def cormorant_level() -> Wire:
    """Cormorant (Anderson, Hy, Kondor 2019), one level with its edge network, with real weights and parity."""
    h, d = leg("h", "0e+1o+2e", channels=2), leg("d", "1o", on="edge")
    g, eta = leg("g", "3x0e", channels=2, on="edge"), leg("eta", "4x0e", channels=2, on="edge")
    mask = (one() + d.length()).mix("->u", u=2, name="mask").map("sigmoid")  # sigmoid((rho - r) / w)
    dots = (h.pull("receiver") @ h.pull("sender"))["0e"]
    e0, e1, e2 = ((g.select({"0e": [l]}) + dots + eta).mix("u->v", name=f"edge{l}") for l in range(3))
    edge = (-d).solid_harmonics(2).scale((e0 + e1 + e2).scale(mask), ",u->u")
    return ((edge @ h.pull("sender"))[h].sum("receiver") + h + (h @ h)[h]).mix("u->v", name="atom")


def cormorant_level_complex() -> Wire:
    """Cormorant (Anderson, Hy, Kondor 2019), the same level as published: SO(3), complex numbers as pairs."""
    pairs = {"u": 2, "c": 2}
    h, d = leg("h", "0+1+2", channels=pairs), leg("d", "1", on="edge")
    g, eta = leg("g", "3x0", channels=pairs, on="edge"), leg("eta", "8x0", channels=pairs, on="edge")
    mask = (one("0") + d.length()).mix("->u", u=2, name="mask").map("sigmoid")  # sigmoid((rho - r) / w)
    dots = product(h.pull("receiver"), h.pull("sender"), "0")
    e0, e1, e2 = (linear(g.select({"0": [l]}) + dots + eta, f"edge{l}") for l in range(3))
    edge = (-d).solid_harmonics(2).scale((e0 + e1 + e2).scale(mask, "uc,u->uc"), ",uc->uc")
    return linear(product(edge, h.pull("sender"), h).sum("receiver") + h + product(h, h, h), "atom")


def product(a: Wire, b: Wire, irreps: str | Wire) -> Wire:
    """Products of complex numbers (u, c) to these irreps, path by path."""
    return (a @ b).on("uc,ud->ucd")[irreps].mix("ucd->ue", e=2, paths="each", constant=COMPLEX)


def linear(x: Wire, name: str) -> Wire:
    """Linear map of numbers (u, c) with complex weights."""
    return x.mix("uc->vd", tied=(COMPLEX, "kcd", "kuv"), v=2, d=2, name=name)


BLOCKS = (
    cormorant_level,
    cormorant_level_complex,
)
"""Every block of this file."""
