"""MACE (Batatia et al. 2022, arXiv 2206.07697) and its fusion variant.

R holds the radial weights, one per path and channel; 0.25 is one over the average number of neighbours. MACE's own
displacements point from the neighbour to the centre, which changes the sign of R on paths of odd harmonics.
"""

from __future__ import annotations

from corpus.published.common import D, R, Y, Z
from fusion import Diagram, Wire, add, leg, outputs


def mace_interaction() -> Wire:
    """MACE (Batatia et al. 2022), first interaction: density of the neighbours, mixed per element of the centre."""
    h = leg("h", "0e", channels=3)
    density = (Y @ h.mix("u->v", name="up").pull("sender")).scale(R).sum("receiver")
    return (0.25 * density.mix("u->v")).mix("u->v", per=Z)


def mace_interaction_residual() -> Diagram:
    """MACE (Batatia et al. 2022), later interaction: the density, and beside it the old state mixed per element."""
    h = leg("h", "0e+1o", channels=3)
    density = (Y @ h.mix("u->v", name="up").pull("sender"))["0e+1o+2e"].scale(R).sum("receiver")
    return outputs(density=0.25 * density.mix("u->v"), skip=h.mix("u->v", per=Z))


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
    """In the manner of fusion diagrams (Li et al. 2024): a product in which the centre's own state is one more leg."""
    density, h = leg("A", "0e+1o+2e", channels=2), leg("h", "0e+1o", channels=2)
    pair = (density @ density)["0e+1o+2e"].mix("u->u")
    return ((pair @ h)["0e+1o"].mix("u->u", per=Z) + h).mix("u->v")


BLOCKS = (
    mace_interaction,
    mace_interaction_residual,
    mace_product_full,
    mace_product_reduced,
    mace_layer,
    mace_fusion_product,
)
"""Every block of this file."""
