"""Density correlations: ACDC and its message passing form, NICE, ACE."""

from __future__ import annotations

import math

from corpus.published.common import D, Y, Z
from fusion import Diagram, Wire, add, leg, outputs, tuples

ALL = "0e+1o+1e+2e+2o"
"""Irreps of inner lines: every coupling up to degree two, of both parities."""
G = Y.scale(D.bessel(2, 4.0), ",n->n").scale(D.cutoff(4.0))
"""Pair density g_ij, radial channels n."""
RHO = G.sum("receiver", by=Z.pull("sender")).merge()
"""Density rho_i of the neighbours of each element, channels (element, n)."""


def fitted(x: Wire, name: str, channels: int = 2) -> Wire:
    """Contract channels and paths of each irrep by a fitted matrix, as a principal component analysis gives it."""
    return x.mix("q->k", k=channels, buffer=name)


def squared(rho: Wire) -> Wire:
    """The next correlation order of a density, contracted."""
    return fitted((rho @ rho).on("p,q->pq")[ALL].merge(), "pca2")


def message(rho: Wire) -> Wire:
    """The sum over neighbours of pair density times density of the neighbour, channels (element, radial, density)."""
    pairs = (G @ rho.pull("sender")).on("n,q->nq")[ALL]
    return pairs.merge().sum("receiver", by=Z.pull("sender")).merge()


def acdc_power_spectrum() -> Wire:
    """ACDC (Nigam et al. 2022), order two: outer product of the density with itself; 0e is the power spectrum."""
    return (RHO @ RHO).on("p,q->pq")["0e+2e"]


def acdc_order_three() -> Wire:
    """ACDC (Nigam et al. 2022), order three with a contraction after each step; 0e is the bispectrum, 0o is chiral."""
    rho = fitted(RHO, "pca1")
    return (squared(rho) @ rho).on("p,q->pq")["0e+0o+1o"]


def acdc_message_1_1() -> Wire:
    """MP-ACDC (Nigam et al. 2022), [1 <- 1]: the centre's density with messages of densities."""
    rho = fitted(RHO, "pca1")
    return (rho @ message(rho)).on("p,q->pq")["0e+0o"]


def acdc_message_2_1() -> Wire:
    """MP-ACDC (Nigam et al. 2022), [2 <- 1]: the centre's order two with messages of densities."""
    rho = fitted(RHO, "pca1")
    return (squared(rho) @ fitted(message(rho), "pca_message")).on("p,q->pq")["0e+0o"]


def acdc_message_0_11() -> Wire:
    """MP-ACDC (Nigam et al. 2022), [0 <- (1, 1)]: two messages of densities, coupled at the centre."""
    messages = fitted(message(fitted(RHO, "pca1")), "pca_message")
    return (messages @ messages).on("p,q->pq")["0e+1o"]


def acdc_pair() -> Diagram:
    """ACDC (Nigam et al. 2022), two centres [1, 1]: even and odd parts under exchange of the atoms i and j."""
    rho = fitted(RHO, "pca1")
    pair = ((rho.pull("receiver") @ G).on("p,n->pn")[ALL] @ rho.pull("sender")).on("pn,q->pnq")["0e+1o+2e"]
    s = 1 / math.sqrt(2)
    return outputs(even=add((s, pair), (s, pair.pull("reverse"))), odd=add((s, pair), (-s, pair.pull("reverse"))))


def nice_contraction() -> Wire:
    """NICE (Nigam et al. 2020), one step: product, then a fitted contraction of channels per irrep."""
    rho = leg("rho", "0e+1o+2e", channels={"q": 3})
    return fitted((rho @ rho).on("p,q->pq")["0e+1o+2e"].merge(), "pca", 4)


def ace_pairs_of_neighbours() -> Wire:
    """ACE (Drautz 2019), three-body term as a sum over all pairs of neighbours, coincident ones included."""
    first, second = tuples("receiver")
    features = Y.scale(D.cutoff(4.0))
    return (features.pull(first) @ features.pull(second))["0e+1o+2e"].sum(first).sum("receiver")


BLOCKS = (
    acdc_power_spectrum,
    acdc_order_three,
    acdc_message_1_1,
    acdc_message_2_1,
    acdc_message_0_11,
    acdc_pair,
    nice_contraction,
    ace_pairs_of_neighbours,
)
"""Every block of this file."""
