"""A MACE-like message-passing layer as a diagram (Batatia et al. 2022, arXiv 2206.07697, equations 8-12).

    A_i = (1 / n) W sum_j R(r_ij) [Y(r_ij) (x) W h_j]        density: fuse and sum
    m_i = W sum_eta w_{z_i, eta} (A_i)^nu_eta, nu in powers  product: symmetric powers
    h'_i = m_i + W_{z_i} h_i                                 element-wise self connection

Unlike the reference code, odd paths need no sign table (see ``docs/conventions.md``) and the couplings are the reduced
ones by default: as many weights as independent functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from fusion import Diagram, Irreps, Wire, add, label, leg, outputs, weights
from fusion.irreps import irreps_of


def natural(l_max: int) -> Irreps:
    """Return 0e + 1o + 2e + ... up to ``l_max``: the irreps of harmonics."""
    return Irreps.parse("+".join(f"{degree}{'eo'[degree % 2]}" for degree in range(l_max + 1)))


def edge_geometry(l_max: int, radial: int, cutoff: float, envelope: int) -> Diagram:
    """Diagram from a displacement (Å) to harmonics ``Y`` and to ``radial`` Bessel functions under the cutoff."""
    displacement = leg("displacement", "1o", on="edge")
    basis = displacement.bessel(radial, cutoff).scale(displacement.cutoff(cutoff, envelope))
    return outputs(Y=displacement.harmonics(l_max), radial=basis)


def density(hidden: Irreps, l_max: int, channels: int, neighbours: float) -> Wire:
    """Diagram of A: edges coupled to senders, weighted per path, summed, divided by the mean number of neighbours."""
    h = leg("h", hidden, channels=channels, on="atom")
    harmonics = leg("Y", natural(l_max), on="edge")
    message = (harmonics @ h.mix("u->v", name="up").pull("sender"))[natural(l_max)].scale(weights("R", on="edge"))
    return (message.sum("receiver") * (1.0 / neighbours)).mix("u->v", name="message")


def layer(
    hidden: Irreps,
    result: Irreps,
    *,
    elements: int,
    channels: int,
    l_max: int,
    powers: Sequence[int],
    basis: str,
    neighbours: float,
) -> Wire:
    """Diagram of one layer.

    Args:
        hidden: irreps of the node features that enter.
        result: irreps of the node features that leave.
        elements: number of elements.
        channels: channels of all features.
        l_max: degree of harmonics and of A.
        powers: orders of the product, such as (1, 2, 3).
        basis: ``"full"`` or ``"reduced"`` couplings.
        neighbours: mean number of neighbours, the divisor of the sum.
    """
    h = leg("h", hidden, channels=channels, on="atom")
    z = label("z", elements, on="atom")
    a = density(hidden, l_max, channels, neighbours)
    message = a.power(*powers, basis=basis)[result].mix("u->u", per=z, name="product").mix("u->v", name="update")
    kept = irreps_of(irrep for irrep in result.kinds() if hidden.count(irrep))
    skip = h[kept].mix("u->v", per=z, name="skip")
    if kept == irreps_of(result.kinds()):
        return add(message, skip)
    # the self connection reaches only the irreps that were there: add it to those, keep the others
    others = irreps_of(irrep for irrep in result.kinds() if not hidden.count(irrep))
    return add(message[kept], skip) + message[others]


def radial_paths(diagram: Wire) -> tuple[int, int]:
    """Return (paths, channels) of the leg ``R`` of a layer: what the radial network must produce per edge."""
    from fusion import Leg, walk_nodes

    found = next(node for node in walk_nodes(diagram) if isinstance(node, Leg) and node.name == "R")
    return found.space.irreps.paths, found.space.sizes[0]
