"""Published blocks as diagrams, each one readable expression, with few channels. Papers are named with each block."""

from __future__ import annotations

import math

from corpus.nodes import COMPLEX
from fusion import Diagram, Wire, add, label, leg, outputs, tuples, weights

Z = label("z", 3, on="atom")
D = leg("d", "1o", on="edge")
Y = D.harmonics(2)
R = weights("R", on="edge")


def nbody_gate_order_0() -> Wire:
    """N-body networks (Kondor 2018), zeroth-order gate: every child with its direction from the parent."""
    psi, u = leg("psi", "0e+1o+2e", channels=2, on="node"), leg("u", "1o", on="node")
    return ((psi @ u.harmonics(2))[psi].scale(weights("g", on="node")) + psi).sum("node.parent").mix("u->v")


def nbody_gate_order_1() -> Wire:
    """N-body networks (Kondor 2018), first-order gate: pairs of children with the direction between them."""
    psi, uab = leg("psi", "0e+1o", channels=2, on="node"), leg("uab", "1o", on="pair")
    states = (psi.pull("pair.a") @ psi.pull("pair.b"))["0e+1o+1e"]
    return (states @ uab.harmonics(2))["0e+1o"].scale(weights("g", on="pair")).sum("pair.parent").mix("u->v")


def multipole_translation() -> Wire:
    """A zeroth-order gate with fixed weights: multipole moments about the parent's origin (solid harmonics)."""
    moments, u = leg("Q", "0e+1o+2e", on="node"), leg("u", "1o", on="node")
    couplings = ("0e*0e->0e", "0e*1o->1o", "1o*0e->1o", "0e*2e->2e", "1o*1o->2e", "2e*0e->2e")
    factors = {"0e": 1.0, "1o": [[1.0, 1.0]], "2e": [[1.0, math.sqrt(6.0), 1.0]]}  # sqrt(binomial(2 l, 2 k))
    return (u.solid_harmonics(2) @ moments).paths(*couplings).mix("->", constant=factors).sum("node.parent")


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


def mace_interaction() -> Wire:
    """MACE (Batatia et al. 2022), first interaction: element embedding to density, mixed per element of the centre."""
    h = leg("h", "0e", channels=3)
    density = (Y @ h.mix("u->v", name="up").pull("sender")).scale(R).sum("receiver")
    return (0.25 * density.mix("u->v")).mix("u->v", per=Z)


def mace_interaction_residual() -> Diagram:
    """MACE (Batatia et al. 2022), later interaction: message and self connection."""
    h = leg("h", "0e+1o", channels=3)
    density = (Y @ h.mix("u->v", name="up").pull("sender"))["0e+1o+2e"].scale(R).sum("receiver")
    return outputs(message=0.25 * density.mix("u->v"), skip=h.mix("u->v", per=Z))


def mace_product_full() -> Wire:
    """MACE (Batatia et al. 2022), symmetric contraction with every coupling, weights per element."""
    density = leg("A", "0e+1o+2e", channels=3)
    return density.power(1, 2, 3, basis="full")["0e+1o"].mix("u->u", per=Z).mix("u->v")


def mace_product_reduced() -> Wire:
    """The same contraction in a basis of independent couplings."""
    density = leg("A", "0e+1o+2e", channels=3)
    return density.power(1, 2, 3, basis="reduced")["0e+1o"].mix("u->u", per=Z).mix("u->v")


def mace_layer() -> Wire:
    """MACE (Batatia et al. 2022), one whole layer with its radial network."""
    h = leg("h", "0e+1o", channels=2)
    radial = D.bessel(4, 4.0).scale(D.cutoff(4.0, 5)).mix("n->k", k=4, name="radial1").map("silu")
    gates = radial.mix("k->u", u=2, paths=7, name="radial2")
    density = (Y @ h.mix("u->v", name="up").pull("sender"))["0e+1o+2e"].scale(gates).sum("receiver")
    message = density.mix("u->v").power(1, 2)["0e+1o"].mix("u->u", per=Z).mix("u->v")
    return add(message, h.mix("u->v", per=Z))


def mace_fusion_product() -> Wire:
    """Fusion diagrams (Li et al. 2024), a product in which the centre's own state is one more leg."""
    density, h = leg("A", "0e+1o+2e", channels=2), leg("h", "0e+1o", channels=2)
    pair = (density @ density)["0e+1o+2e"].mix("u->u")
    return ((pair @ h)["0e+1o"].mix("u->u", per=Z) + h).mix("u->v")


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


def acdc_power_spectrum() -> Wire:
    """ACDC (Nigam et al. 2022), order two: outer product of the density with itself; 0e is the power spectrum."""
    c = D.harmonics(2).scale(D.bessel(2, 4.0), ",n->n").scale(D.cutoff(4.0))
    rho = c.sum("receiver", by=Z.pull("sender")).merge()
    return (rho @ rho).on("p,q->pq")["0e+2e"]


def acdc_message() -> Wire:
    """MP-ACDC (Nigam et al. 2022), the pair feature [1 <- 1]: the centre's density with messages of densities."""
    c, rho = leg("c", "0e+1o+2e", channels={"n": 2}, on="edge"), leg("rho", "0e+1o+2e", channels={"q": 2})
    message = (c @ rho.pull("sender")).on("n,q->nq")["0e+1o"].sum("receiver", by=Z.pull("sender"))
    return (rho @ message).on("p,anq->panq")["0e"]


def nice_contraction() -> Wire:
    """NICE (Nigam et al. 2020), one step: product, then a fitted contraction of channels per irrep."""
    rho = leg("rho", "0e+1o+2e", channels={"q": 3})
    return (rho @ rho).on("p,q->pq")["0e+1o+2e"].merge().mix("q->k", k=4, buffer="pca")


def ace_pairs_of_neighbours() -> Wire:
    """ACE (Drautz 2019), three-body term as a sum over all pairs of neighbours, coincident ones included."""
    first, second = tuples("receiver")
    features = Y.scale(D.cutoff(4.0))
    return (features.pull(first) @ features.pull(second))["0e+1o+2e"].sum(first).sum("receiver")


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


def dipole_readout() -> Wire:
    """Dipole moment of each system: charges at positions and atomic dipoles."""
    h, position = leg("h", "0e+1o", channels=3), leg("r", "1o")
    charge = h["0e"].mix("u->v", v=4).map("silu").mix("u->")
    return add(position.scale(charge), h["1o"].mix("u->")).sum("system")


def energy_readout() -> Wire:
    """Energy of each system: reference energies per element and a small network on scalars, gated by a system field."""
    h, field = leg("h", "0e+1o", channels=3), leg("field", "1o", on="system")
    atoms = h["0e"].mix("u->v", v=4).map("silu").mix("u->")
    induced = (h["1o"].mix("u->") @ field)["0e"]
    return add(atoms, induced, leg("one", "0e").mix("->", per=Z, name="reference")).sum("system")


def polarizability_readout() -> Wire:
    """Polarizability of each system: a scalar and a tensor of degree two."""
    h = leg("h", "0e+1o+2e", channels=3)
    return (h["0e+2e"] + (h @ h).paths("1o*1o->0e", "1o*1o->2e")).mix("u->").sum("system")


def pseudoscalar() -> Wire:
    """A chirality indicator: the triple product of three vectors of the density is odd under inversion."""
    a, b, c = (D.harmonics(1)["1o"].scale(D.bessel(3, 4.0), ",n->n").sum("receiver").mix("n->", name=x) for x in "abc")
    return ((a @ b)["1e"] @ c)["0o"]


def visnet_rejection() -> Wire:
    """ViSNet (Wang et al. 2024), edge update from vector rejections <v - <v, y> y, w - <w, y> y>."""
    v, y = leg("V", "1o", channels=3), D.harmonics(1, "norm")["1o"]
    a, b = v.mix("u->v", name="t").pull("receiver"), v.mix("u->v", name="r").pull("sender")
    reject_a, reject_b = (add((1.0, x), (-math.sqrt(3.0), y.scale((x @ y)["0e"], ",u->u"))) for x in (a, b))
    return math.sqrt(3.0) * (reject_a @ reject_b)["0e"]


_BLOCKS = (
    nbody_gate_order_0,
    nbody_gate_order_1,
    multipole_translation,
    cormorant_edge_network,
    cormorant_level,
    cormorant_level_so3,
    mace_interaction,
    mace_interaction_residual,
    mace_product_full,
    mace_product_reduced,
    mace_layer,
    mace_fusion_product,
    nequip_layer,
    allegro_layer,
    painn_message,
    painn_update,
    schnet_filter,
    freecg_group_product,
    freecg_abstract_edges,
    acdc_power_spectrum,
    acdc_message,
    nice_contraction,
    ace_pairs_of_neighbours,
    triplet_block,
    softmax_attention,
    dipole_readout,
    energy_readout,
    polarizability_readout,
    pseudoscalar,
    visnet_rejection,
)

PUBLISHED: dict[str, Wire | Diagram] = {block.__name__: block() for block in _BLOCKS}
"""Every published block, by name."""

DESCRIPTIONS: dict[str, str] = {block.__name__: (block.__doc__ or "").splitlines()[0] for block in _BLOCKS}
"""One line about each of them, with its source."""
