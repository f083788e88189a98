"""Message passing with a tensor product or less: NequIP, Allegro, PaiNN, SchNet, ViSNet."""

from __future__ import annotations

import math

from corpus.published.common import D, R, Y
from fusion import Diagram, Wire, add, leg, outputs


def nequip_layer() -> Wire:
    """NequIP (Batzner et al. 2022): convolution, then a gate driven by scalars."""
    h = leg("h", "0e+1o+2e", channels=3)
    x = (h.pull("sender") @ Y)[h].scale(R).sum("receiver").mix("u->v")
    gates = x["0e"].mix("u->v", paths=2).map("sigmoid")
    return x["0e"].map("silu") + x["1o+2e"].scale(gates)


def allegro_layer() -> Diagram:
    """Allegro (Musaelian et al. 2023), one edge layer: tensor features times the weighted environment."""
    x, v = leg("x", "0e", channels=3, on="edge"), leg("V", "0e+1o+2e", channels=3, on="edge")
    environment = Y.scale(x.mix("u->v", paths=3), ",u->u").sum("receiver").pull("receiver")
    product = (v @ environment)[v].mix("u->v")
    latent = (x + product["0e"]).mix("u->v").map("silu").scale(D.cutoff(4.0))
    return outputs(x=add((0.8, x), (0.6, latent)), V=product)


def painn_message() -> Diagram:
    """PaiNN (Schuett et al. 2021), message: scalars and vectors filtered by the distance."""
    s, v = leg("s", "0e", channels=2), leg("v", "1o", channels=2)
    filters = (
        D.bessel(4, 4.0).mix("n->u", u=2, paths=3).scale(D.cutoff(4.0)).scale(s.mix("u->u", paths=3).pull("sender"))
    )
    stay, turn, scalar = (filters.select({"0e": [path]}) for path in range(3))
    vectors = add(v.pull("sender").scale(stay), D.harmonics(1, "norm")["1o"].scale(turn, ",u->u"))
    return outputs(s=add(s, scalar.sum("receiver")), v=add(v, vectors.sum("receiver")))


def painn_update() -> Diagram:
    """PaiNN (Schuett et al. 2021), update: norms and products of vectors change scalars, which gate vectors."""
    s, v = leg("s", "0e", channels=3), leg("v", "1o", channels=3)
    left, right = v.mix("u->v", name="U"), v.mix("u->v", name="V")
    length = (right @ right)["0e"].map("sqrt")
    gates = (s + length).mix("u->v", name="inner").map("silu").mix("u->v", paths=3, name="outer")
    turn, product, shift = (gates.select({"0e": [path]}) for path in range(3))
    return outputs(
        s=add(s, shift, (left @ right)["0e"].scale(product)),
        v=add(v, left.scale(turn)),
    )


def schnet_filter() -> Wire:
    """SchNet (Schuett et al. 2017), continuous-filter convolution of scalars."""
    filters = D.gaussian(5, 4.0).mix("n->u", u=3).map("softplus").mix("u->v", v=3).scale(D.cutoff(4.0))
    return leg("h", "0e", channels=3).mix("u->v").pull("sender").scale(filters).sum("receiver")


def visnet_rejection() -> Wire:
    """ViSNet (Wang et al. 2024), edge update from vector rejections <v - <v, y> y, w - <w, y> y>."""
    v, y = leg("V", "1o", channels=3), D.harmonics(1, "norm")["1o"]
    a, b = v.mix("u->v", name="t").pull("receiver"), v.mix("u->v", name="r").pull("sender")
    reject_a, reject_b = (add((1.0, x), (-math.sqrt(3.0), y.scale((x @ y)["0e"], ",u->u"))) for x in (a, b))
    return math.sqrt(3.0) * (reject_a @ reject_b)["0e"]


BLOCKS = (
    nequip_layer,
    allegro_layer,
    painn_message,
    painn_update,
    schnet_filter,
    visnet_rejection,
)
"""Every block of this file."""
