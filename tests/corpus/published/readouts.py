"""Read-outs of energies, moments and pseudoscalars."""

from __future__ import annotations

from corpus.published.common import D, Z
from fusion import Wire, add, leg


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


BLOCKS = (
    dipole_readout,
    energy_readout,
    polarizability_readout,
    pseudoscalar,
)
"""Every block of this file."""
