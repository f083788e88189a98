"""FreeCG (Shao et al. 2025)."""

from __future__ import annotations

import math

from corpus.published.common import D, Y
from fusion import Wire, add, leg


def freecg_group_product() -> Wire:
    """FreeCG (Shao et al. 2025), grouped product of abstract edges, then the shuffle across groups."""
    edges, gated = leg("E", "1o+2e", channels=6), leg("Q", "1o+2e", channels=6)
    couplings = ("1o*1o->2e", "1o*2e->1o", "2e*1o->1o", "2e*2e->2e")
    product = (edges.split(2) @ gated.split(2)).on("gu,gv->gw", w=3, paths=couplings).merge().roll(3)
    return add((1 / math.sqrt(18), product), edges)


def freecg_abstract_edges() -> Wire:
    """FreeCG (Shao et al. 2025), attention with its enhancer, summed into abstract edges."""
    v, x = leg("V", "1o+2e", channels=4), leg("x", "0e", channels=4)
    enhancer = (v.pull("sender") @ Y["1o+2e"])["0e"].mix("u->h", h=2)
    scores = (x.mix("u->v", name="q").pull("receiver") @ x.mix("u->v", name="k").pull("sender")).split(2)
    attention = add(scores.mix("gu->g", constant=1.0), enhancer).map("silu").scale(D.cutoff(4.0))
    messages = x.pull("sender").split(2).scale(attention, "gu,g->gu").merge().mix("u->v", paths=3).map("silu")
    return (
        v.pull("sender").scale(messages.select({"0e": [0]}))
        + Y["1o+2e"].scale(messages.select({"0e": [1, 2]}), ",u->u")
    ).sum("receiver")


BLOCKS = (
    freecg_group_product,
    freecg_abstract_edges,
)
"""Every block of this file."""
