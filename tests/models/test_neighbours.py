"""Neighbour lists against a brute-force search, and what they refuse."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fusion.errors import LimitError
from fusion_models.errors import GeometryError
from fusion_models.neighbours import Neighbours, neighbours

Edge = tuple[int, ...]


def brute_force(x: np.ndarray, cutoff: float, cell: np.ndarray, pbc: np.ndarray) -> list[Edge]:
    """Every (receiver, sender, shift) closer than the cutoff, by looking at more images than can matter."""
    inverse = np.linalg.inv(cell)
    heights = 1.0 / np.linalg.norm(inverse, axis=0)
    reach = np.ceil(cutoff / heights + np.ptp(x @ inverse, axis=0)).astype(int) * pbc
    found: list[Edge] = []
    for shift in product(*(range(-n, n + 1) for n in reach)):
        distance = np.linalg.norm(x[None, :] + np.array(shift) @ cell - x[:, None], axis=-1)
        for receiver, sender in np.argwhere(distance < cutoff).tolist():
            if receiver != sender or any(shift):
                found.append((receiver, sender, *shift))
    return sorted(found)


def edges(found: Neighbours) -> list[Edge]:
    return [tuple(row) for row in np.column_stack([found.receiver, found.sender, found.shift]).tolist()]


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32 - 1), pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_equals_brute_force(seed: int, pbc: tuple[bool, bool, bool]) -> None:
    """Small, skewed and left-handed cells, atoms outside the cell, cutoffs several cells long; and sorted."""
    random = np.random.default_rng(seed)
    cell = random.normal(size=(3, 3)) * random.uniform(1.0, 4.0)
    assume(1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0).max() > 0.6)
    x = random.normal(size=(int(random.integers(1, 7)), 3)) * random.choice([1.0, 5.0])
    cutoff = float(random.uniform(0.5, 3.0))
    flags = np.array(pbc)
    assert edges(neighbours(x, cutoff, cell, flags)) == brute_force(x, cutoff, cell, flags)


@pytest.mark.parametrize("dummy", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.eye(3) * 1e-9, None])
def test_cells_of_molecules_do_not_matter(dummy: np.ndarray | None) -> None:
    x = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 9.0]])
    assert edges(neighbours(x, 2.0, dummy, False)) == [(0, 1, 0, 0, 0), (1, 0, 0, 0, 0)]


def test_rows_of_directions_that_are_not_periodic_do_not_matter() -> None:
    x = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    cell = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, np.nan], [3.0, 0.0, 0.0]])
    assert edges(neighbours(x, 3.1, cell, np.array([True, False, False]))) == [
        (0, 0, -1, 0, 0),
        (0, 0, 1, 0, 0),
        (0, 1, 0, 0, 0),
        (1, 0, 0, 0, 0),
        (1, 1, -1, 0, 0),
        (1, 1, 1, 0, 0),
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_no_atoms_and_one_atom(count: int) -> None:
    found = neighbours(np.zeros((count, 3)), 5.0)
    assert (found.sender.shape, found.receiver.shape, found.shift.shape) == ((0,), (0,), (0, 3))
    assert {a.dtype for a in (found.sender, found.receiver, found.shift)} == {np.dtype(np.int64)}


def test_an_atom_sees_its_own_images() -> None:
    found = neighbours(np.zeros((1, 3)), 1.1, np.eye(3), True)
    assert len(found) == 6
    assert not (found.sender - found.receiver).any()


@pytest.mark.parametrize(
    "extent",
    [(1e6, 0.0, 0.0), (1e4, 1e4, 0.0), (1e3, 1.0, 1e5), (1e5, 1e5, 1e5)],
    ids=["line", "sheet", "ribbon", "far"],
)
@pytest.mark.parametrize("pbc", [(False, False, False), (False, True, False)])
def test_long_and_flat_structures(extent: tuple[float, float, float], pbc: tuple[bool, bool, bool]) -> None:
    """vesin alone ends the process with a division by zero, or takes minutes, on these."""
    x = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], extent])
    assert edges(neighbours(x, 1.0, np.eye(3) * 20.0, np.array(pbc), minimum=0.0)) == [(0, 1, 0, 0, 0), (1, 0, 0, 0, 0)]


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_cutoffs_must_be_positive(cutoff: float) -> None:
    with pytest.raises(GeometryError, match="cutoff must be a positive length"):
        neighbours(np.zeros((1, 3)), cutoff)


@pytest.mark.parametrize(
    ("cell", "pbc", "message"),
    [
        (None, True, "need a cell"),
        (np.zeros((3, 3)), True, "is zero"),
        (np.ones((3, 3)), True, "linearly dependent"),
        (np.diag([1.0, np.inf, 1.0]), True, "not finite"),
        (np.array([[1.0, 0, 0], [2.0, 1e-9, 0], [0, 0, 0]]), (True, True, False), "linearly dependent"),
        (np.zeros((2, 3)), True, "shape"),
    ],
)
def test_singular_cells_are_refused(cell: np.ndarray | None, pbc: object, message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        neighbours(np.zeros((1, 3)), 1.0, cell, np.asarray(pbc))


def test_positions_that_are_not_finite_are_refused() -> None:
    with pytest.raises(GeometryError, match=r"water: the position of atom 1 is not finite"):
        neighbours(np.array([[0, 0, 0], [0, np.inf, 0.0]]), 1.0, name="water")


def test_coincident_atoms_are_named() -> None:
    x = np.array([[5.0, 5, 5], [0, 0, 0], [1, 0, 0], [0, 0, 1e-9]])
    with pytest.raises(GeometryError, match=r"water: atoms 1 and 3 are 1.0e-09 Å apart"):
        neighbours(x, 3.0, name="water")
    with pytest.raises(GeometryError, match=r"atoms 0 and 1 \(periodic image"):
        neighbours(np.array([[0.0, 0, 0], [2.0, 0, 0]]), 1.0, np.eye(3) * 2.0, True)
    assert (1, 3, 0, 0, 0) in edges(neighbours(x, 3.0, minimum=0.0))


def test_too_many_pairs_are_refused() -> None:
    with pytest.raises(LimitError, match="pairs"):
        neighbours(np.zeros((1, 3)), 10.0, np.eye(3) * 1e-2, True)
    with pytest.raises(LimitError, match="too long"):
        neighbours(np.zeros((1, 3)), 1.0, np.diag([1e7, 1e7, 1e-1]), True)
