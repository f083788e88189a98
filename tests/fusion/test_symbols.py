"""Vertices, 3j, 6j, 9j and F matrices: against e3nn, golden values, and the identities of recoupling theory.

Tolerances are for float64. Identities I1..I11 are numbered as in the working notes on fusion diagrams: I1 exchange,
I2 F-move, I3 orthogonality of F, I4 9j move, I5 bubble, I6 completeness, I7 triangle, I8 tadpole, I9 bending. I10 and
I11 stand in ``test_harmonics``; pentagon and hexagon for every label set, as moves, in ``trees/test_moves``.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import factorial, prod, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.errors import FusionError, LimitError
from fusion.symbols import (
    MAX_INNER_L,
    MAX_L,
    clebsch_gordan,
    exchange_sign,
    f_matrix,
    ninej,
    ninej_exact,
    sixj,
    sixj_exact,
    table_digest,
    wigner_3j,
)
from fusion.wigner import random_rotation, wigner_d

TOLERANCE = 1e-14
LARGE = [(16, 16, 16), (16, 15, 14), (9, 16, 8), (16, 16, 0), (1, 16, 15), (16, 1, 16), (3, 14, 13), (12, 5, 16)]
DIGEST_4 = "24e177dc9f12ef47502739072cb19f7d43a638c0ad48f80c623326422b57f9cc"
DIGEST_16 = "04f083d5ecf9bb8a7067f31bebeefe8bac127893c1f8dacaef8860d05dd64432"
Array = NDArray[np.float64]


def triples(l_max: int) -> list[tuple[int, int, int]]:
    degrees = range(l_max + 1)
    return [(a, b, c) for a in degrees for b in degrees for c in range(abs(a - b), min(a + b, l_max) + 1)]


def allowed(a: int, b: int, c: int) -> bool:
    return abs(a - b) <= c <= a + b


@pytest.fixture
def e3nn_3j() -> Iterator[Callable[[int, int, int], Array]]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from e3nn import o3

    library: Any = o3
    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)  # its products are tiny: on a busy machine threads make them four times slower
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield lambda a, b, c: library.wigner_3j(a, b, c, dtype=torch.float64).numpy()
    torch.set_default_dtype(before)
    torch.set_num_threads(threads)


def test_equals_e3nn_sign_for_sign(e3nn_3j: Callable[[int, int, int], Array]) -> None:
    checked = triples(8)
    assert len(checked) == 369
    for a, b, c in checked:
        expected = e3nn_3j(a, b, c)
        np.testing.assert_allclose(wigner_3j(a, b, c), expected, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(clebsch_gordan(a, b, c), sqrt(2 * c + 1) * expected, rtol=0, atol=TOLERANCE)


def test_products_of_vectors() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 3))
    dot = np.einsum("a,b,abm->m", a, b, clebsch_gordan(1, 1, 0))
    cross = np.einsum("a,b,abm->m", a, b, clebsch_gordan(1, 1, 1))
    np.testing.assert_allclose(dot, [a @ b / sqrt(3)], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(cross, np.cross(a, b) / sqrt(2), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("degree", range(MAX_L + 1))
def test_coupling_with_a_scalar_and_to_a_scalar(degree: int) -> None:
    identity = np.eye(2 * degree + 1)
    np.testing.assert_array_equal(clebsch_gordan(degree, 0, degree)[:, 0, :], identity)
    np.testing.assert_array_equal(clebsch_gordan(0, degree, degree)[0], identity)
    scalar = clebsch_gordan(degree, degree, 0)[:, :, 0]
    np.testing.assert_allclose(scalar, identity / sqrt(2 * degree + 1), rtol=3e-16, atol=0)


# Largest degree: vertices, dense entries, nonzero complex and real entries, each for SO(3) and for natural parity; then
# the pairs that feed l = 0, 1, ... (``nbody_cormorant_fusion`` 1.5).
COUNTS = {
    1: ((5, 4), (55, 28), (16, 10), (16, 10), [2, 3]),
    2: ((15, 11), (615, 363), (113, 71), (137, 83), [3, 6, 6]),
    3: ((34, 23), (3436, 1875), (449, 263), (611, 353), [4, 9, 11, 10]),
    4: ((65, 42), (13075, 7194), (1392, 798), (2052, 1158), [5, 12, 16, 17, 15]),
    5: ((111, 69), (38991, 20889), (3411, 1905), (5265, 2907), None),
}


def nonzero_complex_entries(l1: int, l2: int, l3: int) -> int:
    """Count the nonzero Clebsch-Gordan coefficients of the complex basis, by Racah's sum in integers."""
    found = 0
    for m1, m2 in itertools.product(range(-l1, l1 + 1), range(-l2, l2 + 1)):
        if abs(m1 + m2) <= l3:
            terms = range(max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1)
            factors = (
                (k, l1 + l2 - l3 - k, l1 - m1 - k, l2 + m2 - k, l3 - l2 + m1 + k, l3 - l1 - m2 + k) for k in terms
            )
            found += sum(Fraction((-1) ** one[0], prod(map(factorial, one))) for one in factors) != 0
    return found


@pytest.mark.parametrize("top", COUNTS)
def test_counts_of_vertices_and_entries(top: int) -> None:
    vertices, dense, in_complex, in_real, pairs = COUNTS[top]
    every = triples(top)
    for natural, expected in enumerate(zip(vertices, dense, in_complex, in_real, strict=True)):
        kept = [triple for triple in every if not natural or sum(triple) % 2 == 0]
        tables = [clebsch_gordan(*triple) for triple in kept]
        nonzero = sum(int(np.count_nonzero(table)) for table in tables)
        racah = sum(nonzero_complex_entries(*triple) for triple in kept)
        assert (len(kept), sum(table.size for table in tables), racah, nonzero) == expected
    if pairs is not None:
        assert [sum(triple[2] == l for triple in every) for l in range(top + 1)] == pairs


@pytest.mark.parametrize(("a", "b", "c"), triples(3) + LARGE)
def test_vertices_are_isometries_and_3j_are_cyclic(a: int, b: int, c: int) -> None:
    vertex = clebsch_gordan(a, b, c).reshape(-1, 2 * c + 1)
    np.testing.assert_allclose(vertex.T @ vertex, np.eye(2 * c + 1), rtol=0, atol=TOLERANCE)
    symbol = wigner_3j(a, b, c)
    assert np.linalg.norm(symbol) == pytest.approx(1.0, abs=TOLERANCE)
    np.testing.assert_array_equal(symbol, wigner_3j(b, c, a).transpose(2, 0, 1))
    np.testing.assert_array_equal(symbol, exchange_sign(a, b, c) * wigner_3j(c, b, a).transpose(2, 1, 0))


@pytest.mark.parametrize(("a", "b", "c"), triples(3) + LARGE)
def test_i1_exchange_and_i9_bending(a: int, b: int, c: int) -> None:
    """I9 is that of the real basis (1.3): no entry moves, there is only a sign and a ratio of dimensions."""
    vertex, sign = clebsch_gordan(a, b, c), exchange_sign(a, b, c)
    np.testing.assert_array_equal(vertex, sign * clebsch_gordan(b, a, c).transpose(1, 0, 2))
    bent = sign * sqrt((2 * c + 1) / (2 * a + 1)) * clebsch_gordan(c, b, a).transpose(2, 1, 0)
    np.testing.assert_allclose(vertex, bent, rtol=0, atol=TOLERANCE)
    bent = sign * sqrt((2 * c + 1) / (2 * b + 1)) * clebsch_gordan(a, c, b).transpose(0, 2, 1)
    np.testing.assert_allclose(vertex, bent, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("a", "b", "c"), [t for t in triples(4) if min(t) > 0] + LARGE)
def test_intertwining(a: int, b: int, c: int) -> None:
    rotation = random_rotation(np.random.default_rng(a * 289 + b * 17 + c))
    vertex = clebsch_gordan(a, b, c)
    left = np.einsum("ax,by,xym->abm", wigner_d(a, rotation), wigner_d(b, rotation), vertex, optimize=True)
    np.testing.assert_allclose(left, vertex @ wigner_d(c, rotation), rtol=0, atol=1e-13)


def left_tree(l1: int, l2: int, a: int, l3: int, total: int) -> Array:
    return np.einsum("xya,azm->xyzm", clebsch_gordan(l1, l2, a), clebsch_gordan(a, l3, total))


def right_tree(l1: int, l2: int, l3: int, b: int, total: int) -> Array:
    return np.einsum("yzb,xbm->xyzm", clebsch_gordan(l2, l3, b), clebsch_gordan(l1, b, total))


LEGS = [*itertools.product(range(3), repeat=3), (3, 2, 1), (3, 3, 3), (1, 4, 3)]


@pytest.mark.parametrize(("l1", "l2", "l3"), LEGS)
def test_i2_f_move_and_i3_orthogonality(l1: int, l2: int, l3: int) -> None:
    for total in range(min(l1 + l2 + l3, 6) + 1):
        try:
            rows, columns, matrix = f_matrix(l1, l2, l3, total)
        except FusionError:
            assert total < max(2 * leg - l1 - l2 - l3 for leg in (l1, l2, l3))
            continue
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(rows)), rtol=0, atol=TOLERANCE)
        right = np.stack([right_tree(l1, l2, l3, b, total) for b in columns])
        for i, a in enumerate(rows):
            recoupled = np.tensordot(matrix[i], right, axes=1)
            np.testing.assert_allclose(left_tree(l1, l2, a, l3, total), recoupled, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("legs", [(16, 16, 16, 16), (16, 9, 12, 3), (16, 16, 16, 0), (5, 16, 11, 2)])
def test_large_f_matrices_are_orthogonal(legs: tuple[int, int, int, int]) -> None:
    rows, columns, matrix = f_matrix(*legs)
    assert len(rows) == len(columns)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(rows)), rtol=0, atol=1e-13)


def test_golden_f_matrices() -> None:
    rows, columns, matrix = f_matrix(1, 1, 1, 1)
    expected = [
        [1 / 3, -1 / sqrt(3), sqrt(5) / 3],
        [-1 / sqrt(3), 1 / 2, sqrt(15) / 6],
        [sqrt(5) / 3, sqrt(15) / 6, 1 / 6],
    ]
    assert (rows, columns) == ((0, 1, 2), (0, 1, 2))
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=1e-15)
    for legs in [(1, 1, 1, 2), (2, 1, 1, 1)]:
        rows, columns, matrix = f_matrix(*legs)
        assert (rows, columns) == ((1, 2), (1, 2))
        half = sqrt(3) / 2
        np.testing.assert_allclose(matrix, [[-0.5, half], [half, 0.5]], rtol=0, atol=1e-15)


def test_pentagon_for_every_label_set_up_to_two() -> None:
    """Both ways from (((1 2)_a 3)_d 4) to (1 (2 (3 4)_b)_e) agree; legs and root up to 2, inner lines to the full."""
    checked = 0
    for l1, l2, l3, l4, total in itertools.product(range(3), repeat=5):
        for a, d in itertools.product(range(abs(l1 - l2), l1 + l2 + 1), range(abs(l4 - total), l4 + total + 1)):
            if not allowed(a, l3, d):
                continue
            checked += 1
            for b, e in itertools.product(range(abs(l3 - l4), l3 + l4 + 1), range(abs(l1 - total), l1 + total + 1)):
                if not allowed(l2, b, e):
                    continue
                short = f_entry(a, l3, l4, total, d, b) * f_entry(l1, l2, b, total, a, e)
                long = sum(
                    f_entry(l1, l2, l3, d, a, c) * f_entry(l1, c, l4, total, d, e) * f_entry(l2, l3, l4, e, c, b)
                    for c in range(abs(l2 - l3), l2 + l3 + 1)
                )
                assert abs(short - long) < TOLERANCE
    assert checked == 91 + 232 + 280  # the trees of four legs, 4.3


def test_hexagon_for_every_label_set_up_to_two() -> None:
    """R F R = F R F on the way from ((1 2)_a 3) to (2 (3 1)_c)."""
    checked = 0
    for l1, l2, l3, total in itertools.product(range(3), repeat=4):
        for a in range(max(abs(l1 - l2), abs(l3 - total)), min(l1 + l2, l3 + total) + 1):
            checked += 1
            for c in range(max(abs(l1 - l3), abs(l2 - total)), min(l1 + l3, l2 + total) + 1):
                one_by_one = exchange_sign(l1, l2, a) * f_entry(l2, l1, l3, total, a, c) * exchange_sign(l1, l3, c)
                at_once = sum(
                    f_entry(l1, l2, l3, total, a, b) * exchange_sign(l1, b, total) * f_entry(l2, l3, l1, total, b, c)
                    for b in range(max(abs(l2 - l3), abs(l1 - total)), min(l2 + l3, l1 + total) + 1)
                )
                assert abs(one_by_one - at_once) < TOLERANCE
    assert checked == 15 + 36 + 40  # the trees of three legs, 4.3


def f_entry(l1: int, l2: int, l3: int, total: int, a: int, b: int) -> float:
    try:
        rows, columns, matrix = f_matrix(l1, l2, l3, total)
    except FusionError:
        return 0.0
    return float(matrix[rows.index(a), columns.index(b)]) if a in rows and b in columns else 0.0


@pytest.mark.parametrize(
    ("legs", "a", "b", "total"),
    [((1, 1, 1, 1), 1, 1, 1), ((1, 1, 1, 1), 2, 2, 2), ((2, 1, 1, 2), 2, 1, 3), ((1, 2, 2, 1), 2, 2, 0)],
)
def test_i4_ninej_move(legs: tuple[int, int, int, int], a: int, b: int, total: int) -> None:
    l1, l2, l3, l4 = legs

    def pairs(x: int, y: int, p: int, z: int, w: int, q: int) -> Array:
        vertices = clebsch_gordan(x, y, p), clebsch_gordan(z, w, q), clebsch_gordan(p, q, total)
        return np.einsum("xyp,zwq,pqm->xyzwm", *vertices, optimize=True)

    left = pairs(l1, l2, a, l3, l4, b)
    right = np.zeros_like(left)
    for c, e in itertools.product(range(l1 + l3 + 1), range(l2 + l4 + 1)):
        if allowed(l1, l3, c) and allowed(l2, l4, e) and allowed(c, e, total):
            weight = sqrt((2 * a + 1) * (2 * b + 1) * (2 * c + 1) * (2 * e + 1))
            coefficient = weight * ninej(l1, l2, a, l3, l4, b, c, e, total)
            right += coefficient * pairs(l1, l3, c, l2, l4, e).transpose(0, 2, 1, 3, 4)
    np.testing.assert_allclose(left, right, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("l1", "l2"), [*itertools.product(range(4), repeat=2), (7, 9)])
def test_i5_bubble_and_i6_completeness(l1: int, l2: int) -> None:
    size = (2 * l1 + 1) * (2 * l2 + 1)
    degrees = range(abs(l1 - l2), l1 + l2 + 1)
    fusing = np.concatenate([clebsch_gordan(l1, l2, degree).reshape(size, -1) for degree in degrees], axis=1)
    np.testing.assert_allclose(fusing.T @ fusing, np.eye(size), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(fusing @ fusing.T, np.eye(size), rtol=0, atol=TOLERANCE)


def test_i7_triangle() -> None:
    checked = 0
    for i, j, k in itertools.product(range(3), repeat=3):
        for e1, e2, e3 in itertools.product(range(4), repeat=3):
            if not all(itertools.starmap(allowed, [(i, j, e1), (j, e2, k), (i, k, e3), (e1, e2, e3)])):
                continue
            vertices = clebsch_gordan(i, j, e1), clebsch_gordan(j, e2, k), clebsch_gordan(i, k, e3)
            loop = np.einsum("ija,jbk,ikc->abc", *vertices, optimize=True)
            sign = (-1) ** (i + j + e2 + e3)
            factor = sign * sqrt((2 * e1 + 1) * (2 * k + 1)) * sixj(i, j, e1, e2, e3, k)
            np.testing.assert_allclose(loop, factor * clebsch_gordan(e1, e2, e3), rtol=0, atol=TOLERANCE)
            checked += 1
    assert checked > 100


def test_i8_tadpole() -> None:
    for j in range(5):
        for degree in range(2 * j + 1):
            trace = np.einsum("jmj->m", clebsch_gordan(j, degree, j))
            expected = [2 * j + 1.0] if degree == 0 else np.zeros(2 * degree + 1)
            np.testing.assert_allclose(trace, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("labels", "sign", "square"),
    [
        ((1, 1, 1, 1, 1, 1), 1, Fraction(1, 36)),
        ((1, 1, 2, 1, 1, 1), 1, Fraction(1, 36)),
        ((1, 1, 2, 1, 1, 2), 1, Fraction(1, 900)),
        ((1, 1, 0, 1, 1, 0), 1, Fraction(1, 9)),
        ((1, 1, 0, 1, 1, 1), -1, Fraction(1, 9)),
        ((2, 2, 2, 2, 2, 2), -1, Fraction(9, 4900)),
        ((2, 2, 2, 1, 1, 1), 1, Fraction(21, 900)),
        ((3, 2, 1, 2, 1, 2), 1, Fraction(21, 105**2)),
    ],
)
def test_golden_sixj(labels: tuple[int, int, int, int, int, int], sign: int, square: Fraction) -> None:
    assert sixj_exact(*labels) == (sign, square)
    assert sixj(*labels) == sign * sqrt(square)


def test_sixj_symmetries() -> None:
    a, b, c, d, e, f = 7, 5, 9, 6, 8, 4
    value = sixj_exact(a, b, c, d, e, f)
    assert value == sixj_exact(b, a, c, e, d, f) == sixj_exact(c, a, b, f, d, e) == sixj_exact(a, e, f, d, b, c)


def test_ninej_reduces_to_sixj_and_has_its_symmetries() -> None:
    # [a b e; c d e; f f 0] = (-1)^(b + c + e + f) {a b e; d c f} / sqrt((2e + 1)(2f + 1))
    for a, b, c, d, e, f in [(1, 2, 2, 1, 2, 1), (3, 2, 4, 3, 4, 2), (16, 12, 14, 15, 13, 9)]:
        expected = (-1) ** (b + c + e + f) * sixj(a, b, e, d, c, f) / sqrt((2 * e + 1) * (2 * f + 1))
        assert ninej(a, b, e, c, d, e, f, f, 0) == pytest.approx(expected, rel=1e-14)
    value = ninej_exact(1, 2, 3, 3, 2, 1, 2, 3, 4)
    assert value == ninej_exact(1, 3, 2, 2, 2, 3, 3, 1, 4)
    swapped = ninej_exact(2, 1, 3, 2, 3, 1, 3, 2, 4)
    assert swapped == ((-1) ** 21 * value[0], value[1])
    assert ninej_exact(1, 1, 1, 1, 1, 1, 1, 1, 1) == (0, Fraction(0))


def test_tables_are_cached_and_read_only() -> None:
    table = clebsch_gordan(2, 1, 2)
    assert table is clebsch_gordan(2, 1, 2)
    assert table.dtype == np.float64
    assert table.flags.c_contiguous
    for array in (table, wigner_3j(2, 1, 2), f_matrix(1, 1, 1, 1).matrix):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0


def test_digest_is_fixed() -> None:
    assert table_digest(4) == DIGEST_4
    assert table_digest(MAX_L) == DIGEST_16
    assert table_digest(3) != table_digest(4)


def test_digest_survives_rounding() -> None:
    """No entry is so near a boundary of the digest's grid that a few units in the last place could move it."""
    nearest = 1.0
    for a, b, c in triples(MAX_L):
        if a <= b <= c:
            for degree in (a, b, c):
                steps = np.abs(wigner_3j(a, b, c)) * sqrt(2 * degree + 1) * 2**20
                nearest = min(nearest, float(np.min(np.abs(steps - np.floor(steps) - 0.5))) / 2**20)
    assert nearest > 1e-12


@pytest.mark.parametrize("function", [clebsch_gordan, wigner_3j, exchange_sign])
def test_bad_labels_of_a_vertex(function: Callable[..., object]) -> None:
    with pytest.raises(FusionError, match=r"\(1, 1, 3\) breaks the triangle rule: need 0 <= 3 <= 2"):
        function(1, 1, 3)
    with pytest.raises(FusionError, match=r"\(3, 1, 1\) breaks the triangle rule: need 2 <= 1 <= 4"):
        function(3, 1, 1)
    for bad in (-1, 1.0, 0.5, "1", None, True):
        with pytest.raises(FusionError, match="a degree must be an integer >= 0"):
            function(1, bad, 1)
    with pytest.raises(LimitError, match="above the limit"):
        function(MAX_INNER_L + 1, 1, MAX_INNER_L)


def test_limits() -> None:
    with pytest.raises(LimitError, match="degree 17 is above the limit of 16"):
        clebsch_gordan(17, 17, 0)
    with pytest.raises(LimitError, match="degree 17 is above the limit of 16"):
        f_matrix(17, 1, 1, 16)
    with pytest.raises(LimitError, match="degree 33 is above the limit of 32"):
        sixj(33, 33, 0, 1, 1, 33)
    with pytest.raises(LimitError):
        table_digest(MAX_L + 1)


def test_bad_labels_of_recoupling() -> None:
    with pytest.raises(FusionError, match=r"\(1, 1, 3\) breaks the triangle rule"):
        sixj(1, 1, 1, 1, 1, 3)
    with pytest.raises(FusionError, match="breaks the triangle rule"):
        ninej(1, 1, 1, 1, 1, 1, 1, 1, 3)
    with pytest.raises(FusionError, match="1, 1 and 1 cannot couple to 4: need 0 <= 4 <= 3"):
        f_matrix(1, 1, 1, 4)
    with pytest.raises(FusionError, match="5, 1 and 1 cannot couple to 2: need 3 <= 2 <= 7"):
        f_matrix(5, 1, 1, 2)


def test_numpy_integers_are_labels() -> None:
    assert clebsch_gordan(*np.array([1, 1, 2])) is clebsch_gordan(1, 1, 2)
