"""FreeCG (Shao et al. 2025, arXiv 2407.02263): the layer as its reference code computes it, and its parts."""

from __future__ import annotations

import math

from corpus.published.common import D, linear
from fusion import Diagram, Wire, add, leg, one, outputs

COUPLINGS = ("1o*1o->2e", "1o*2e->1o", "2e*1o->1o", "2e*2e->2e")
Y = D.harmonics(2, "norm")["1o+2e"]


def norm(x: Wire) -> Wire:
    """Layer norm with learned scale and shift."""
    shift = one().mix("->u", u=x.space.sizes[-1], name="norm_shift")
    return add(x.layer_norm().mix("u->u", name="norm_scale"), shift)


def dot(a: Wire, b: Wire) -> Wire:
    """Inner product over all eight components of degrees one and two."""
    return (a @ b)["0e"].mix("u->u", constant=[[[math.sqrt(3)], [math.sqrt(5)]]])


def path(x: Wire, number: int) -> Wire:
    """One of the several outputs of a linear layer."""
    return x.select({"0e": [number]})


def attention(x: Wire, v: Wire, f: Wire, heads: int) -> Wire:
    """Weight of each edge and head; the enhancer adds the products of the sender's tensors with the direction."""
    enhancer = linear(dot(v.pull("sender"), Y), "enhancer", width=heads)
    keys = linear(x, "k").pull("sender").scale(linear(f, "dk").map("silu"))
    scores = linear(x, "q").pull("receiver").scale(keys).split(heads).mix("hu->h", constant=1.0)
    return add(scores, enhancer).map("silu").scale(D.cosine_cutoff(4.0))


def messages(x: Wire, v: Wire, f: Wire, heads: int) -> Wire:
    """Values of the neighbours, weighted by attention, on edges."""
    values = linear(x, "v").pull("sender").scale(linear(f, "dv").map("silu"))
    return values.split(heads).scale(attention(x, v, f, heads), "hu,h->hu").merge()


def abstract_edges(m: Wire, v: Wire) -> Wire:
    """Messages as tensors, summed over the neighbours: channels that do not depend on the order of the neighbours."""
    gates = linear(m, "s", paths=2).map("silu")
    return add(v.pull("sender").scale(path(gates, 0)), Y.scale(path(gates, 1), ",u->u")).sum("receiver")


def group_product(edges: Wire, gated: Wire, groups: int) -> Wire:
    """Product inside each group of channels, then the shuffle across groups, added to the abstract edges."""
    size = edges.space.sizes[-1] // groups
    product = (edges.split(groups) @ gated.split(groups)).on("gu,gv->gw", w=size, paths=COUPLINGS, name="group")
    return add((1 / (math.sqrt(2) * size), product.merge().roll(3 * groups // 2)), edges)


def rejection(v: Wire) -> Wire:
    """What is left of a tensor on edges without its part along the direction."""
    return add(v, -1.0 * Y.scale(dot(v, Y), ",u->u"))


def freecg_attention() -> Wire:
    """FreeCG (Shao et al. 2025), attention of two heads with its enhancer."""
    x, f = leg("x", "0e", channels=8), leg("f", "0e", channels=8, on="edge")
    return attention(norm(x), leg("V", "1o+2e", channels=8), f, heads=2)


def freecg_abstract_edges() -> Wire:
    """FreeCG (Shao et al. 2025), messages summed into abstract edges."""
    return abstract_edges(leg("m", "0e", channels=8, on="edge"), leg("V", "1o+2e", channels=8))


def freecg_group_product() -> Wire:
    """FreeCG (Shao et al. 2025), product of abstract edges in four groups, then the shuffle across groups."""
    return group_product(leg("E", "1o+2e", channels=8), leg("Q", "1o+2e", channels=8), groups=4)


def freecg_layer(channels: int = 8, heads: int = 2, groups: int = 4) -> Diagram:
    """FreeCG (Shao et al. 2025), one layer: attention, abstract edges, grouped product, updates of atoms and edges."""
    x, f = leg("x", "0e", channels=channels), leg("f", "0e", channels=channels, on="edge")
    v = leg("V", "1o+2e", channels=channels)
    v1, v2, v3, t, r = (v.mix("u->v", shared=True, name=name) for name in ("vec1", "vec2", "vec3", "t", "r"))
    m = messages(norm(x), v, f, heads)
    o = linear(m.sum("receiver"), "o", paths=3)
    product = group_product(abstract_edges(m, v), v3.scale(path(o, 0)), groups)
    turned = dot(rejection(t.pull("receiver")), rejection(r.pull("sender")))
    return outputs(
        x=add(x, dot(v1, v2).scale(path(o, 1)), path(o, 2)),
        V=add(v, product),
        f=add(f, linear(f, "f").map("silu").scale(turned)),
    )


BLOCKS = (
    freecg_attention,
    freecg_abstract_edges,
    freecg_group_product,
    freecg_layer,
)
"""Every block of this file."""
