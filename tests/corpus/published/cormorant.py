"""Cormorant (Anderson, Hy and Kondor 2019, arXiv 1906.04015)."""

from __future__ import annotations

from corpus.nodes import COMPLEX
from corpus.published.common import D, Y
from fusion import Wire, leg, weights


def cormorant_edge_network() -> Wire:
    """Cormorant (Anderson, Hy, Kondor 2019), edge network: previous edge, dot products, radial functions, soft mask."""
    h, g = leg("h", "0e+1o+2e", channels=3), leg("g", "0e", channels=3, on="edge")
    dots = (h.pull("receiver") @ h.pull("sender"))["0e"]
    return (g + dots + D.bessel(3, 4.0)).mix("u->v").scale(leg("mask", "0e", channels=3, on="edge").map("sigmoid"))


def cormorant_level() -> Wire:
    """Cormorant (Anderson, Hy, Kondor 2019), one level: neighbours, identity and squares, then one mixing."""
    h, g = leg("h", "0e+1o+2e", channels=3), leg("g", "3x0e", channels=3, on="edge")
    neighbours = (Y.scale(g, ",u->u") @ h.pull("sender"))[h].sum("receiver")
    return (neighbours + h + (h @ h)[h]).mix("u->v")


def cormorant_level_so3() -> Wire:
    """The same level as published, without parity and with complex weights on pairs of real channels."""
    h, d = leg("h", "0+1+2", channels={"u": 2, "c": 2}), leg("d", "1", on="edge")
    neighbours = (d.solid_harmonics(2) @ h.pull("sender"))[h].scale(weights("g", on="edge")).sum("receiver")
    return (neighbours + h + (h @ h)[h]).mix("uc->vd", tied=(COMPLEX, "kcd", "kuv"), v=3, d=2)


BLOCKS = (
    cormorant_edge_network,
    cormorant_level,
    cormorant_level_so3,
)
"""Every block of this file."""
