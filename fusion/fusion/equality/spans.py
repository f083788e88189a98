"""The span of the paths that a learned map takes in, as a matrix in reduced row echelon form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TINY = 1e-9
"""Numbers below this, in a matrix whose rows have entries of order one, are zero."""


@dataclass(frozen=True)
class Span:
    """``rows = change @ basis`` with an invertible ``change``; ``basis`` depends on the row space alone.

    Attributes:
        basis: shape (rows, columns): the reduced row echelon form, zero rows last.
        change: shape (rows, rows).
        pivots: the pivot column of every row of the basis that is not zero.
    """

    basis: Array
    change: Array
    pivots: tuple[int, ...]


def span(rows: Array) -> Span:
    """Bring a matrix to its reduced row echelon form."""
    work = rows.copy()
    scale = float(np.max(np.abs(rows))) if rows.size else 0.0
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        done = len(pivots)
        if done == len(rows):
            break
        best = done + int(np.argmax(np.abs(work[done:, column])))
        if abs(float(work[best, column])) <= TINY * scale:
            work[done:, column] = 0.0
            continue
        work[[done, best]] = work[[best, done]]
        work[done] /= work[done, column]
        for row in range(len(rows)):
            if row != done:
                work[row] -= work[row, column] * work[done]
        pivots.append(column)
    work[len(pivots) :] = 0.0
    work[np.abs(work) <= TINY] = 0.0
    return Span(work, _completed(rows[:, pivots]), tuple(pivots))


def _completed(columns: Array) -> Array:
    """Return an invertible square matrix that begins with the given independent columns."""
    size, rank = columns.shape
    if size == rank:
        return columns.copy()
    whole, _ = np.linalg.qr(np.hstack([columns, np.eye(size)]))
    return np.hstack([columns, whole[:, rank:size]])
