"""A MACE-like potential as one diagram (Batatia et al. 2022, arXiv 2206.07697, equations 7-14).

    h_i    = W_{z_i}                                                 embedding of the elements
    R_ij   = MLP(bessel(r_ij) cutoff(r_ij))                          radial network: one weight per path and channel
    A_i    = (1 / n) W sum_j R_ij [Y(r_ij) (x) W h_j]                density: fuse and sum
    h'_i   = W sum_eta w_{z_i, eta} (A_i)^nu_eta + W_{z_i} h_i       product of symmetric powers, self connection
    E      = sum_i sum_t readout_t(h_i of layer t)                   linear, in the last layer a network

Unlike the reference code, odd paths need no sign table (see ``docs/conventions.md``) and the couplings are the reduced
ones by default: as many weights as independent functions.
"""

from __future__ import annotations

from fusion import Irreps, Label, Wire, add, label, leg, one
from fusion.irreps import irreps_of
from fusion_models.architectures.networks import SILU_SCALE, network
from fusion_models.config import PotentialConfig

STANDARD = "radial"
"""Coefficients whose names start so begin standard normal: the radial network divides by its numbers of inputs."""


def natural(l_max: int) -> Irreps:
    """Return 0e + 1o + 2e + ... up to ``l_max``: the irreps of harmonics."""
    return Irreps.parse("+".join(f"{degree}{'eo'[degree % 2]}" for degree in range(l_max + 1)))


def energy(config: PotentialConfig) -> Wire:
    """Diagram from displacements (Å) and elements ``z`` to the energy of every system.

    The energy is in units of ``config.scale`` and without the energies of free atoms.
    """
    hidden, scalar = Irreps.parse(config.hidden).canonical(), Irreps.parse("0e")
    displacement, z = leg("displacement", "1o", on="edge"), label("z", len(config.elements))
    harmonics = displacement.harmonics(config.l_max)
    basis = displacement.bessel(config.radial, config.cutoff)
    basis = basis.scale(displacement.cutoff(config.cutoff, config.envelope))
    h: Wire = one().mix("->u", u=config.channels, per=z, name="embedding")
    readouts: list[Wire] = []
    for number in range(1, config.layers + 1):
        last = number == config.layers
        a = density(h, harmonics, basis, config, number)
        h = update(h, a, scalar if last else hidden, z, config, number)
        readouts.append(last_readout(h, config) if last else h["0e"].mix("u->", name=f"readout{number}"))
    return add(*readouts).sum("system")


def density(h: Wire, harmonics: Wire, basis: Wire, config: PotentialConfig, number: int) -> Wire:
    """Diagram of A: edges coupled to senders, weighted per path, summed, divided by the mean number of neighbours."""
    coupled = (harmonics @ h.mix("u->v", name=f"up{number}").pull("sender"))[natural(config.l_max)]
    outputs = {"u": config.channels, "paths": coupled.space.irreps.paths}
    message = coupled.scale(network(basis, config.radial_widths, **outputs, name=f"radial{number}"))
    return (message.sum("receiver") * (1.0 / config.neighbours)).mix("u->v", name=f"message{number}")


def update(h: Wire, a: Wire, result: Irreps, z: Label, config: PotentialConfig, number: int) -> Wire:
    """Diagram of the next node features: the product of powers of A and the self connection, with ``result`` irreps."""
    product = a.power(*config.powers, basis=config.basis)[result].mix("u->u", per=z, name=f"product{number}")
    message = product.mix("u->v", name=f"update{number}")
    kept = irreps_of(irrep for irrep in result.kinds() if h.space.irreps.count(irrep))
    skip = h[kept].mix("u->v", per=z, name=f"skip{number}")
    if kept == irreps_of(result.kinds()):
        return add(message, skip)
    # the self connection reaches only the irreps that were there: add it to those, keep the others
    others = irreps_of(irrep for irrep in result.kinds() if not h.space.irreps.count(irrep))
    return add(message[kept], skip) + message[others]


def last_readout(h: Wire, config: PotentialConfig) -> Wire:
    """Diagram of the energy of every atom after the last layer: one hidden layer of scalars."""
    inner = h["0e"].mix("u->v", v=config.readout_width, name="readout_in").map("silu")
    return (SILU_SCALE * inner).mix("v->", name="readout_out")
