"""Read-outs of energies, electronic states, moments and pseudoscalars."""

from __future__ import annotations

import math

from corpus.published.common import D, Z
from fusion import Diagram, Wire, add, leg, one, outputs


def dipole_readout() -> Wire:
    """PaiNN (Schuett et al. 2021), dipole moment of each system: charges at positions and atomic dipoles."""
    h, position = leg("h", "0e+1o", channels=3), leg("r", "1o")
    charge = h["0e"].mix("u->v", v=4).map("silu").mix("u->")
    return add(position.scale(charge), h["1o"].mix("u->")).sum("system")


def polarizability_readout() -> Wire:
    """PaiNN (Schuett et al. 2021), polarizability: the sum over atoms of a I + v r^T + r v^T, as trace and rest."""
    h, position = leg("h", "0e+1o", channels=3), leg("r", "1o")
    isotropic = h["0e"].mix("u->v", v=4).map("silu").mix("u->")
    induced = (h["1o"].mix("u->") @ position)["0e+2e"]
    return (math.sqrt(3) * isotropic + 2.0 * induced).mix("->", constant=1.0).sum("system")


def energy_readout() -> Wire:
    """Energy of each system in a field: reference energies per element, a network on scalars, atomic dipoles."""
    h, field = leg("h", "0e+1o", channels=3), leg("field", "1o", on="system")
    atoms = h["0e"].mix("u->v", v=4).map("silu").mix("u->")
    induced = (h["1o"].mix("u->") @ field)["0e"]
    return add(atoms, induced, one().mix("->", per=Z, name="reference")).sum("system")


def two_state_readout() -> Diagram:
    """DANN (Axelrod et al. 2022), two electronic states: eigenvalues of a diabatic matrix, a sum over atoms."""
    matrix = leg("h", "0e", channels=3).mix("u->v", v=4).map("silu").mix("u->", paths=3).sum("system")
    first, second, coupling = (matrix.select({"0e": [path]}) for path in range(3))
    mean, half = add((0.5, first), (0.5, second)), add((0.5, first), (-0.5, second))
    gap = add(half.scale(half), coupling.scale(coupling)).map("sqrt")
    return outputs(lower=add(mean, (-1.0, gap)), upper=add(mean, gap))


def batch_of_systems() -> Wire:
    """SpookyNet (Unke et al. 2021), total charge: that of each system of a batch is shared out among its own atoms."""
    pairs = D.gaussian(3, 4.0).scale(D.cutoff(4.0)).mix("n->u", u=3, per=(Z.pull("sender"), Z.pull("receiver")))
    x, charge = pairs.sum("receiver"), leg("charge", "0e", on="system")
    share = x.mix("u->", name="query").map("softplus")
    part = share.scale(share.sum("system").pull("system").map("reciprocal")).scale(charge)
    return add(x, part.mix("->u", u=3, name="value")).mix("u->v").map("silu").mix("u->", name="energy").sum("system")


def pseudoscalar() -> Wire:
    """A chirality indicator, as in ACDC's order three of sigma = -1 (Nigam et al. 2022): a triple product is odd."""
    a, b, c = (D.harmonics(1)["1o"].scale(D.bessel(3, 4.0), ",n->n").sum("receiver").mix("n->", name=x) for x in "abc")
    return ((a @ b)["1e"] @ c)["0o"]


BLOCKS = (
    dipole_readout,
    polarizability_readout,
    energy_readout,
    two_state_readout,
    batch_of_systems,
    pseudoscalar,
)
"""Every block of this file."""
