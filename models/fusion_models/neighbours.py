"""Neighbour lists: every ordered pair of atoms, periodic images included, that is closer than a cutoff.

The search itself is the library vesin; this file checks the input, keeps vesin inside what it can do, and puts the
result into one order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from vesin import NeighborList

from fusion.errors import LimitError
from fusion_models.errors import GeometryError

Array = np.ndarray

COINCIDENT = 1e-6
"""Atoms closer than this (Å) are taken for one atom entered twice."""
MAX_PAIRS = 200_000_000
"""Largest number of pairs that a structure may be expected to have."""
MAX_STEPS = 50_000_000
"""Largest number of pairs of search cells, images included, that are visited."""
_SEARCH_CELLS = 80_000.0
# A lattice vector whose distance to the plane of the other two is below this fraction of its length is refused.
_FLATTEST = 1e-6


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Directed edges, sorted by receiver, then sender, then shift; int64.

    The displacement of an edge is ``position[sender] + shift @ cell - position[receiver]``.

    Attributes:
        sender, receiver: (E,) atom indices.
        shift: (E, 3) lattice translations, zero in directions that are not periodic.
    """

    sender: Array
    receiver: Array
    shift: Array

    def __len__(self) -> int:
        return len(self.sender)


def neighbours(
    positions: Array,
    cutoff: float,
    cell: Array | None = None,
    pbc: Array | bool = False,
    *,
    minimum: float = COINCIDENT,
    name: str = "structure",
) -> Neighbours:
    """Find all pairs with distance below ``cutoff``: both directions of each, and images of an atom with itself.

    Args:
        positions: (N, 3) in Å; N may be 0.
        cutoff: Å, finite and positive. Cells may be smaller than it.
        cell: (3, 3) lattice vectors as rows. Rows of directions that are not periodic are ignored: they may hold
            anything.
        pbc: one bool, or three.
        minimum: pairs closer than this are refused; 0 accepts coincident atoms.
        name: what messages call the structure.

    Raises:
        GeometryError: a position or lattice vector is not finite, the cutoff is not positive, lattice vectors of
            periodic directions are dependent, or two atoms coincide.
        LimitError: the density and the cutoff imply more than ``MAX_PAIRS`` pairs.
    """
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise GeometryError(f"{name}: the cutoff must be a positive length in Å, not {cutoff}")
    x = np.ascontiguousarray(positions, dtype=np.float64)
    if x.size == 0:
        x = x.reshape(0, 3)
    if x.ndim != 2 or x.shape[1] != 3:
        raise GeometryError(f"{name}: positions have shape {x.shape}; expected (number of atoms, 3)")
    if not np.isfinite(x).all():
        at = int(np.argwhere(~np.isfinite(x))[0, 0])
        raise GeometryError(f"{name}: the position of atom {at} is not finite: {x[at].tolist()}")
    periodic = np.broadcast_to(np.asarray(pbc, dtype=bool), (3,))
    box = _search_box(x, cutoff, cell, periodic, name)
    if len(x) == 0:
        return Neighbours(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3), np.int64))
    radius = _search_cutoff(len(x), cutoff, box, periodic, name)
    found = NeighborList(cutoff=radius, full_list=True, n_threads=1)
    first, second, shift = found.compute(x, box, True, quantities="ijS")
    receiver, sender, shift = first.astype(np.int64), second.astype(np.int64), shift.astype(np.int64)
    distance = np.linalg.norm(x[sender] + shift @ box - x[receiver], axis=1)
    keep = distance < cutoff
    if (distance < minimum).any():
        _refuse_coincident(sender, receiver, shift, distance, minimum, name)
    receiver, sender, shift = receiver[keep], sender[keep], shift[keep]
    order = np.lexsort((shift[:, 2], shift[:, 1], shift[:, 0], sender, receiver))
    return Neighbours(sender[order], receiver[order], shift[order])


def _search_box(x: Array, cutoff: float, cell: Array | None, periodic: Array, name: str) -> Array:
    """Complete the periodic lattice vectors by orthogonal ones, so long that no image along them is within reach.

    With them the search is periodic in all directions: the only case in which vesin 0.6 is quick for any shape.
    """
    box = np.zeros((3, 3))
    if periodic.any():
        if cell is None:
            raise GeometryError(f"{name}: periodic directions need a cell")
        given = np.asarray(cell, dtype=np.float64)
        if given.shape != (3, 3):
            raise GeometryError(f"{name}: the cell has shape {given.shape}; rows are three lattice vectors, (3, 3)")
        box[periodic] = given[periodic]
    vectors = box[periodic]
    if not np.isfinite(vectors).all():
        raise GeometryError(f"{name}: a lattice vector of a periodic direction is not finite: {vectors.tolist()}")
    lengths = np.linalg.norm(vectors, axis=1)
    if (lengths == 0).any():
        raise GeometryError(f"{name}: a lattice vector of a periodic direction is zero: {vectors.tolist()}")
    # Rows of `directions` beyond the number of periodic ones span what is orthogonal to them.
    _, values, directions = np.linalg.svd(vectors / lengths[:, None])
    if (values < _FLATTEST).any():
        raise GeometryError(
            f"{name}: the lattice vectors of the periodic directions are linearly dependent: {vectors.tolist()}"
        )
    for row, normal in zip(np.flatnonzero(~periodic), directions[len(values) :], strict=True):
        extent = float(np.ptp(x @ normal)) if len(x) else 0.0
        box[row] = normal * (extent + 1.5 * cutoff)
    return box


def _search_cutoff(count: int, cutoff: float, box: Array, periodic: Array, name: str) -> float:
    """Return a radius, at least the cutoff, for which vesin's grid of search cells is small; fit ``box`` to it.

    vesin 0.6 cuts a grid above 100 000 cells down in proportion; in long or flat structures one direction then gets
    zero cells, and the process dies of a division by zero.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(box), axis=0)
    radius = cutoff
    while (cells := float(np.prod(np.maximum(heights / radius, 1.0)))) > _SEARCH_CELLS:
        radius *= 1.25
    volume = abs(float(np.linalg.det(box)))
    pairs = count * count * 4.19 * radius**3 / volume
    if pairs > MAX_PAIRS:
        raise LimitError(
            f"{name}: about {pairs:.1e} pairs within {radius:.3g} Å (limit {MAX_PAIRS:.0e}): "
            f"{count} atoms in a volume of {volume:.3g} Å³"
        )
    # Directions that are not periodic can be stretched until no image is within the radius.
    box[~periodic] *= np.maximum(radius / heights[~periodic], 1.0)[:, None]
    heights = np.where(periodic, heights, np.maximum(heights, radius))
    if cells * float(np.prod(2 * np.ceil(radius / heights) + 1)) > MAX_STEPS:
        raise LimitError(
            f"{name}: the neighbour search would take too long, as the cell is both very long and very thin: "
            f"{' x '.join(f'{height:.3g}' for height in heights)} Å for a cutoff of {cutoff} Å"
        )
    return radius


def _refuse_coincident(
    sender: Array, receiver: Array, shift: Array, distance: Array, minimum: float, name: str
) -> None:
    closest = np.flatnonzero(distance < minimum)
    at = int(min(closest, key=lambda e: (min(sender[e], receiver[e]), max(sender[e], receiver[e]))))
    i, j = sorted((int(sender[at]), int(receiver[at])))
    image = f" (periodic image {tuple(int(s) for s in shift[at])})" if shift[at].any() else ""
    count = len({tuple(sorted((int(sender[e]), int(receiver[e])))) for e in closest[:10_000]})
    more = f"; {count} such pairs" if count > 1 else ""
    raise GeometryError(
        f"{name}: atoms {i} and {j}{image} are {distance[at]:.1e} Å apart, closer than {minimum:.0e} Å: "
        f"one atom entered twice?{more}"
    )
