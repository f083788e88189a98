"""Closed 6j and 9j networks against sympy's exact symbols, with the factors of the F-move and of the 9j move."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from corpus.published.networks import ninej_network, sixj_network
from formulas import TOLERANCE, cg, draw

SIXJ = (1, 2, 2, 1, 2, 3)  # l1 l2 a; l3 L b
NINEJ = (1, 1, 1, 2, 3, 2, 2, 3, 3)  # l1 l2 a; l3 l4 b; c e L


def exact(name: str, *degrees: int) -> float:
    wigner = pytest.importorskip("sympy.physics.wigner")
    return float(getattr(wigner, name)(*degrees).evalf(30))


def dimensions(*degrees: int) -> int:
    return math.prod(2 * degree + 1 for degree in degrees)


def test_sixj_network_is_a_traced_f_move() -> None:
    l1, l2, a, l3, L, b = SIXJ
    f_move = (-1) ** (l1 + l2 + l3 + L) * math.sqrt(dimensions(a, b)) * exact("wigner_6j", *SIXJ)
    assert draw(sixj_network()).error([[dimensions(L) * f_move]]) < TOLERANCE


def test_ninej_network_is_a_traced_nine_j_move() -> None:
    _, _, a, _, _, b, c, e, L = NINEJ
    move = math.sqrt(dimensions(a, b, c, e)) * exact("wigner_9j", *NINEJ)
    assert draw(ninej_network()).error([[dimensions(L) * move]]) < TOLERANCE


def test_networks_are_sums_over_all_components() -> None:
    sixj = np.einsum("pqa,arL,pbL,qrb->", cg(1, 2, 2), cg(2, 1, 2), cg(1, 3, 2), cg(2, 1, 3))
    assert draw(sixj_network()).error([[sixj]]) < TOLERANCE
    total = partial(np.einsum, optimize=["einsum_path", (0, 2), (0, 1), (0, 2), (0, 1), (0, 1)])
    tables = (cg(1, 1, 1), cg(2, 3, 2), cg(1, 2, 3), cg(2, 3, 3), cg(1, 2, 2), cg(1, 3, 3))
    assert draw(ninej_network()).error([[total("pqa,rsb,abL,ceL,prc,qse->", *tables)]]) < TOLERANCE
