"""Index arrays at run time: the rows of product spaces, from the array of their base map."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray


def product_rows(base: NDArray[np.int64], order: int) -> tuple[NDArray[np.int64], ...]:
    """Return the maps of :func:`fusion.index.tuples`: all ``order``-tuples of rows with one image under ``base``.

    Ordered by image, then lexicographically by row. Each array has one entry per tuple.
    """
    groups: dict[int, list[int]] = {}
    for row, image in enumerate(base.tolist()):
        groups.setdefault(image, []).append(row)
    found = [item for image in sorted(groups) for item in itertools.product(groups[image], repeat=order)]
    table = np.asarray(found, dtype=np.int64).reshape(len(found), order)
    return tuple(table[:, position] for position in range(order))
