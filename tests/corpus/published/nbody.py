"""N-body networks (Kondor 2018, arXiv 1803.01588).

A parent's state is made of its children's: u is a child's position relative to its parent, uab that of child a relative
to child b, and g holds the radial functions of its length, one per degree and channel.
"""

from __future__ import annotations

import math

from fusion import Wire, add, leg, tuples


def nbody_gate_order_0() -> Wire:
    """N-body networks (Kondor 2018), zeroth-order gate: every child with its direction from the parent."""
    psi, u = leg("psi", "0e+1o+2e", channels=2, on="node"), leg("u", "1o", on="node")
    y = u.harmonics(2).scale(leg("g", "3x0e", channels=2, on="node"), ",u->u")
    return ((psi @ y)[psi] + psi).sum("node.parent").mix("u->v")


def nbody_gate_order_1() -> Wire:
    """N-body networks (Kondor 2018), first-order gate: pairs of children with the direction between them."""
    psi, uab = leg("psi", "0e+1o", channels=2, on="node"), leg("uab", "1o", on="pair")
    y = uab.harmonics(2).scale(leg("g", "3x0e", channels=2, on="pair"), ",u->u")
    return ((psi.pull("pair.a") @ psi.pull("pair.b")) @ y)[psi].sum("pair.parent").mix("u->v")


def nbody_gate_order_2() -> Wire:
    """N-body networks (Kondor 2018), second-order gate: all triples of children with the directions along a chain."""
    psi, u = leg("psi", "0e+1o", channels=2, on="node"), leg("u", "1o", on="node")
    a, b, c = tuples("node.parent", 3)
    yab, ybc = (
        add(u.pull(x), -u.pull(y)).harmonics(1).scale(leg(name, "2x0e", channels=2, on=a.source), ",u->u")
        for x, y, name in ((a, b, "gab"), (b, c, "gbc"))
    )
    triple = (((psi.pull(a) @ yab)[psi] @ psi.pull(b))[psi] @ ybc)[psi] @ psi.pull(c)
    return triple[psi].sum(a).sum("node.parent").mix("u->v")


def multipole_translation() -> Wire:
    """A zeroth-order gate with fixed weights: multipole moments about the parent's origin (solid harmonics)."""
    moments, u = leg("Q", "0e+1o+2e", on="node"), leg("u", "1o", on="node")
    couplings = ("0e*0e->0e", "0e*1o->1o", "1o*0e->1o", "0e*2e->2e", "1o*1o->2e", "2e*0e->2e")
    factors = {"0e": 1.0, "1o": [[1.0, 1.0]], "2e": [[1.0, math.sqrt(6.0), 1.0]]}  # sqrt(binomial(2 l, 2 k))
    return (u.solid_harmonics(2) @ moments).paths(*couplings).mix("->", constant=factors).sum("node.parent")


BLOCKS = (
    nbody_gate_order_0,
    nbody_gate_order_1,
    nbody_gate_order_2,
    multipole_translation,
)
"""Every block of this file."""
