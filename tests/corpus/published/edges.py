"""Messages between edges, and attention over neighbours."""

from __future__ import annotations

import math

from corpus.published.common import D, R, Y
from fusion import Wire, add, leg, weights


def triplet_block() -> Wire:
    """DimeNet (Gasteiger et al. 2020), directional messages: each edge hears the edges into its sender, by angle."""
    m, first, second = leg("m", "0e", channels=3, on="edge"), "triplet.first", "triplet.second"
    angle = (Y.pull(first) @ Y.pull(second))["0e"]
    basis = angle.scale(D.bessel(4, 4.0).pull(second), ",n->n").mix("n->b", b=2, name="basis")
    heard = m.mix("u->v", name="kj").map("silu").scale(D.bessel(4, 4.0).mix("n->u", u=3, name="radial"))
    turned = (heard.pull(second) @ basis).on("u,b->v", v=3, name="bilinear").sum(first)
    return add(m, add(m.mix("u->v", name="ji").map("silu"), turned).mix("u->v", name="update").map("silu"))


def softmax_attention() -> Wire:
    """SE(3)-Transformer (Fuchs et al. 2020): self-interaction, and softmax attention over neighbours."""
    h = leg("h", "0e+1o", channels=2)
    edges = (h.pull("sender") @ Y)["0e+1o"]
    query, key = h.mix("u->v", name="q").pull("receiver"), edges.scale(weights("S")).mix("u->v", name="k")
    dot = (query @ key)["0e"].mix("u->", constant=[[[1.0], [math.sqrt(3)]]])
    values = edges.scale(R).mix("u->v", name="v")
    return add(h.mix("u->v", name="self"), values.scale(dot.softmax("receiver")).sum("receiver"))


BLOCKS = (
    triplet_block,
    softmax_attention,
)
"""Every block of this file."""
