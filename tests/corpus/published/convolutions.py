"""Message passing with a tensor product or less: NequIP, Allegro, PaiNN, SchNet, ViSNet.

Displacements point from the centre to the neighbour. Constants such as 0.5 are one over the square root of the average
number of neighbours.
"""

from __future__ import annotations

import math

from corpus.published.common import D, R, Y, Z, linear
from fusion import Diagram, Wire, add, leg, one, outputs


def nequip_layer() -> Wire:
    """NequIP (Batzner et al. 2022): convolution and self-connection per element, then the gate."""
    h = leg("h", "0e+1o+2e", channels=3)
    message = 0.5 * (h.mix("u->v", name="up").pull("sender") @ Y)[h].scale(R).sum("receiver")
    scalars = add(message["0e"].mix("u->v", paths=3), h["0e"].mix("u->v", paths=3, per=Z))
    gated = add(message["1o+2e"].mix("u->v"), h["1o+2e"].mix("u->v", per=Z))
    gates = scalars.select({"0e": [1, 2]}).map("silu")
    return scalars.select({"0e": [0]}).map("silu") + gated.scale(gates)


def allegro_layer() -> Diagram:
    """Allegro (Musaelian et al. 2023), one edge layer: tensor features times the weighted environment of the centre."""
    x, v = leg("x", "0e", channels=3, on="edge"), leg("V", "0e+1o+2e", channels=3, on="edge")
    environment = 0.5 * Y.scale(x.mix("u->v", paths=3), ",u->u").sum("receiver")
    product = (v @ environment.pull("receiver"))[v]
    latent = (x + product["0e"]).mix("u->v", name="inner").map("silu").mix("u->v", name="outer")
    return outputs(x=add((0.8, x), (0.6, latent.scale(D.cutoff(4.0)))), V=product.mix("u->v"))


def painn_message() -> Diagram:
    """PaiNN (Schuett et al. 2021), message: scalars and vectors of neighbours, filtered by the distance."""
    s, v = leg("s", "0e", channels=2), leg("v", "1o", channels=2)
    phi = linear(linear(s, "inner").map("silu"), "outer", paths=3).pull("sender")
    filtered = phi.scale(linear(D.bessel(4, 4.0), "filter", paths=3, width=2).scale(D.cosine_cutoff(4.0)))
    scalar, stay, turn = (filtered.select({"0e": [path]}) for path in range(3))
    vector = add(v.pull("sender").scale(stay), D.harmonics(1, "norm")["1o"].scale(turn, ",u->u"))
    return outputs(s=add(s, scalar.sum("receiver")), v=add(v, vector.sum("receiver")))


def painn_update() -> Diagram:
    """PaiNN (Schuett et al. 2021), update: norms and products of vectors change scalars, which gate vectors."""
    s, v = leg("s", "0e", channels=3), leg("v", "1o", channels=3)
    left, right = v.mix("u->v", name="U"), v.mix("u->v", name="V")
    square, dot = math.sqrt(3.0) * (right @ right)["0e"], math.sqrt(3.0) * (left @ right)["0e"]
    gates = linear(linear(s + square.map("sqrt"), "inner").map("silu"), "outer", paths=3)
    turn, product, shift = (gates.select({"0e": [path]}) for path in range(3))
    return outputs(s=add(s, shift, dot.scale(product)), v=add(v, left.scale(turn)))


def schnet_filter() -> Wire:
    """SchNet (Schuett et al. 2017), continuous-filter convolution of scalars, with its shifted softplus."""
    inner = linear(D.gaussian(5, 4.0), "inner", width=3).map("softplus")
    filters = linear(add(inner, one().mix("->u", u=3, constant=-math.log(2.0))), "outer").scale(D.cosine_cutoff(4.0))
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
