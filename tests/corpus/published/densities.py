"""Density correlations: ACDC, NICE, ACE."""

from __future__ import annotations

from corpus.published.common import D, Y, Z
from fusion import Wire, leg, tuples


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


BLOCKS = (
    acdc_power_spectrum,
    acdc_message,
    nice_contraction,
    ace_pairs_of_neighbours,
)
"""Every block of this file."""
