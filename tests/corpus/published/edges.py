"""Messages between edges, and attention over neighbours."""

from __future__ import annotations

from corpus.published.common import D, Y
from fusion import Wire, add, leg


def triplet_block() -> Wire:
    """Angular messages between edges that share an atom, as in DimeNet (Gasteiger et al. 2020)."""
    m = leg("m", "0e", channels=3, on="edge")
    angle = (Y.pull("triplet.first") @ Y.pull("triplet.second"))["0e"]
    basis = angle.mix("->u", u=3).scale(D.bessel(3, 4.0).pull("triplet.second"))
    return add(m, m.mix("u->v").pull("triplet.second").scale(basis).sum("triplet.first").map("silu"))


def softmax_attention() -> Wire:
    """Equivariant attention, as in SE(3)-Transformers (Fuchs et al. 2020): softmax over the neighbours of each atom."""
    h = leg("h", "0e+1o", channels=2)
    query = h.mix("u->v", name="q").pull("receiver")
    key = (h.pull("sender") @ D.harmonics(1))["0e+1o"].mix("u->v", name="k")
    logits = (query @ key)["0e"].mix("u->", constant=0.5).map("tanh").softmax("receiver")
    return (h.pull("sender") @ D.harmonics(1))["0e+1o"].mix("u->v", name="v").scale(logits).sum("receiver")


BLOCKS = (
    triplet_block,
    softmax_attention,
)
"""Every block of this file."""
