"""N-body networks (Kondor 2018, arXiv 1803.01588)."""

from __future__ import annotations

import math

from fusion import Wire, leg, weights


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


BLOCKS = (
    nbody_gate_order_0,
    nbody_gate_order_1,
    multipole_translation,
)
"""Every block of this file."""
