"""Representation matrices of O(3) in the real basis of :mod:`fusion.symbols`.

``harmonics(l, R x) = wigner_d(l, R) harmonics(l, x)`` on the block of degree l, and D of degree 1 is R itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import FusionError
from fusion.irreps import Irrep, Irreps
from fusion.symbols import check_labels, clebsch_gordan

Array = NDArray[np.float64]

ORTHOGONALITY = 1e-6
"""Largest entry of ``R^T R - 1`` that is accepted: a matrix rounded to single precision passes."""


def wigner_d(degree: int, rotation: ArrayLike) -> Array:
    """Return the Wigner matrix of a proper rotation.

    D of degree l is ``K^T (D of l - 1 (x) R) K`` with the vertex K of ``(l - 1) x 1 -> l``. K is an isometry, so
    rounding errors add up over l and are not amplified; an error of ``rotation`` grows at most l-fold.

    Args:
        degree: the degree l.
        rotation: proper rotation matrices, shape (..., 3, 3).

    Returns:
        Orthogonal matrices, shape (..., 2 l + 1, 2 l + 1).

    Raises:
        FusionError: ``degree`` is not an integer >= 0, or a matrix is not a proper rotation.
        LimitError: ``degree`` is above ``MAX_L``.
    """
    (limit,) = check_labels((degree,))
    matrices, sign = _orthogonal(rotation)
    if np.any(sign < 0):
        raise FusionError("wigner_d needs a proper rotation; got determinant -1 (use representation(), with a parity)")
    return _ladder(limit, matrices)[limit]


def representation(irreps: Irreps | Irrep | str, matrix: ArrayLike) -> Array:
    """Return the block-diagonal matrix by which a value with ``irreps`` transforms.

    An irrep (l, p) transforms with D of the proper rotation ``det(R) R``, times p when ``det(R)`` is -1. Blocks are in
    the order given; the copies of one entry follow each other (paths before m).

    Args:
        irreps: labels, for instance ``"2x0e+1o"``.
        matrix: orthogonal matrices, shape (..., 3, 3).

    Returns:
        Orthogonal matrices, shape (..., irreps.dim, irreps.dim).

    Raises:
        NotationError: ``irreps`` cannot be read.
        FusionError: a matrix is not orthogonal, or is improper and the irreps are of SO(3).
    """
    labels = Irreps.parse(irreps)
    matrices, sign = _orthogonal(matrix)
    blocks = [irrep for count, irrep in labels for _ in range(count)]
    if np.any(sign < 0) and any(irrep.p == 0 for irrep in blocks):
        raise FusionError(f"{labels} is of SO(3), which has no improper matrices; got determinant -1 (give parities)")
    ladder = _ladder(max((irrep.l for irrep in blocks), default=0), matrices * sign[..., None, None])
    result = np.zeros((*sign.shape, labels.dim, labels.dim))
    begin = 0
    for irrep in blocks:
        end = begin + irrep.dim
        factor = sign if irrep.p == -1 else np.ones_like(sign)
        result[..., begin:end, begin:end] = factor[..., None, None] * ladder[irrep.l]
        begin = end
    return result


def random_rotation(rng: np.random.Generator) -> Array:
    """Draw a proper rotation matrix, uniform over SO(3); shape (3, 3)."""
    w, x, y, z = _unit_quaternion(rng)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def random_o3(rng: np.random.Generator) -> Array:
    """Draw an orthogonal matrix, proper or improper with equal chance, uniform over O(3); shape (3, 3)."""
    sign = 1.0 if rng.random() < 0.5 else -1.0
    return sign * random_rotation(rng)


def _unit_quaternion(rng: np.random.Generator) -> Array:
    vector = rng.standard_normal(4)
    return vector / np.linalg.norm(vector)


def _ladder(l_max: int, rotation: Array) -> list[Array]:
    """Return D for every degree up to ``l_max``, each of shape (..., 2 l + 1, 2 l + 1)."""
    found: list[Array] = [np.ones((*rotation.shape[:-2], 1, 1)), rotation]
    for degree in range(2, l_max + 1):
        vertex = clebsch_gordan(degree - 1, 1, degree)
        half = np.einsum("...ac,cdn->...adn", found[-1], vertex)
        half = np.einsum("...bd,...adn->...abn", rotation, half)
        found.append(np.einsum("abm,...abn->...mn", vertex, half, optimize=True))
    return found[: l_max + 1]


def _orthogonal(matrix: ArrayLike) -> tuple[Array, Array]:
    """Return the matrices in float64 and the sign of each determinant, or raise."""
    matrices = np.asarray(matrix)
    if matrices.dtype.kind not in "fiu" or matrices.ndim < 2 or matrices.shape[-2:] != (3, 3):
        raise FusionError(f"need real matrices of shape (..., 3, 3); got {matrices.dtype} of shape {matrices.shape}")
    matrices = matrices.astype(np.float64)
    if not np.isfinite(matrices).all():
        raise FusionError("the matrix must be finite; got inf or nan")
    defect = float(np.max(np.abs(np.swapaxes(matrices, -1, -2) @ matrices - np.eye(3)), initial=0.0))
    if defect > ORTHOGONALITY:
        raise FusionError(
            f"the matrix is not orthogonal: |R^T R - 1| is {defect:.3g}, at most {ORTHOGONALITY:g} allowed"
        )
    return matrices, np.sign(np.linalg.det(matrices))
