"""Couplings found by brute force: no selection rule is written down here.

A label is ``(l, p)``. Its representation is built from the angular momentum matrices in the basis ``m = -l .. l``; the
coupling of two labels to a third is the highest-weight vector found numerically in their product, lowered step by step.
Whether it exists, and with which parity, is what the numbers say.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Label = tuple[int, int]
"""Degree, and parity -1 or +1; parity 0 for SO(3)."""
Array = NDArray[np.complex128]

ZERO = 1e-9
"""Numbers of order one that are smaller than this are zero."""
_ANGLES = (0.7, -1.1, 0.4)


def label_text(label: Label) -> str:
    """Return ``1o``, ``2e`` or, for SO(3), ``1``."""
    return f"{label[0]}{'oe'[label[1] > 0] if label[1] else ''}"


@cache
def raising(degree: int) -> NDArray[np.float64]:
    """Return J+ on ``m = -l .. l``: ``J+ |m> = sqrt((l - m)(l + m + 1)) |m + 1>``."""
    m = np.arange(-degree, degree)
    return np.diag(np.sqrt((degree - m) * (degree + m + 1.0)), -1)


@cache
def turned(label: Label) -> Array:
    """Return the matrix by which ``label`` transforms under one fixed element without any symmetry.

    The element is a rotation about a skew axis, followed for O(3) by the inversion.
    """
    degree, parity = label
    up = raising(degree)
    x, y, z = (up + up.T) / 2, (up - up.T) / 2j, np.diag(np.arange(-degree, degree + 1.0))
    values, vectors = np.linalg.eigh(_ANGLES[0] * x + _ANGLES[1] * y + _ANGLES[2] * z)
    rotation = (vectors * np.exp(-1j * values)) @ vectors.conj().T
    return -rotation if parity < 0 else rotation


@cache
def coupling(left: Label, right: Label, out: Label) -> Array | None:
    """Return a tensor that carries ``left`` and ``right`` to ``out``, shape (2 l1 + 1, 2 l2 + 1, 2 l + 1), or ``None``.

    ``None`` says that there is no such tensor but zero.
    """
    if 0 < sum(label[1] == 0 for label in (left, right, out)) < 3:
        return None  # no group acts on all three
    tensor = _lowered(left[0], right[0], out[0])
    if tensor is None:
        return None
    moved = np.einsum("abm,ca,db->cdm", tensor, turned(left), turned(right))
    return tensor if np.allclose(moved, tensor @ turned(out), rtol=0.0, atol=1e-8) else None


@cache
def _lowered(l1: int, l2: int, l3: int) -> Array | None:
    """Return the multiplet of degree ``l3`` in the product of ``l1`` and ``l2``, ``None`` when there is none."""
    pairs = [(m, l3 - m) for m in range(-l1, l1 + 1) if abs(l3 - m) <= l2]
    up1, up2 = raising(l1), raising(l2)
    columns: list[NDArray[np.float64]] = []
    for m1, m2 in pairs:
        vector = np.zeros((2 * l1 + 1, 2 * l2 + 1))
        vector[l1 + m1, l2 + m2] = 1.0
        columns.append((up1 @ vector + vector @ up2.T).reshape(-1))
    if not columns:
        return None
    _, sizes, rows = np.linalg.svd(np.array(columns).T)
    kernel = rows[int(np.sum(sizes > ZERO)) :]  # what J+ sends to zero: vectors of highest weight
    if len(kernel) == 0:
        return None
    vector = np.zeros((2 * l1 + 1, 2 * l2 + 1))
    for (m1, m2), number in zip(pairs, kernel[0], strict=True):
        vector[l1 + m1, l2 + m2] = number
    found = [vector]
    for m in range(l3, -l3, -1):
        vector = (up1.T @ vector + vector @ up2) / np.sqrt((l3 + m) * (l3 - m + 1.0))
        found.append(vector)
    return np.stack(found[::-1], axis=-1).astype(np.complex128)


@cache
def products(left: Label, right: Label) -> tuple[Label, ...]:
    """Return every label to which two labels couple, found by trying all of them."""
    parities = (0,) if left[1] == 0 else (1, -1)
    tried = [(degree, parity) for degree in range(left[0] + right[0] + 2) for parity in parities]
    return tuple(label for label in tried if coupling(left, right, label) is not None)
