"""The ordered paths of a fuse: order, counts, filters and explicit lists."""

from __future__ import annotations

from collections import Counter

import pytest

from fusion.couplings import FusePath, fuse_paths, fused_counts, meetings, reachable
from fusion.irreps import Irrep, Irreps, irreps_of


def natural(l_max: int) -> Irreps:
    return irreps_of(Irrep(l, (-1) ** l) for l in range(l_max + 1))


def proper(l_max: int) -> Irreps:
    return irreps_of(Irrep(l, 0) for l in range(l_max + 1))


# nbody_cormorant_fusion 1.5: couplings l1 x l2 -> l with all l <= L, of SO(3) and of natural parity
COUNTS = [(1, 5, 4), (2, 15, 11), (3, 34, 23), (4, 65, 42), (5, 111, 69)]


@pytest.mark.parametrize(("l_max", "without", "with_parity"), COUNTS)
def test_counts_of_vertices(l_max: int, without: int, with_parity: int) -> None:
    assert len(fuse_paths(proper(l_max), proper(l_max), proper(l_max))) == without
    assert len(fuse_paths(natural(l_max), natural(l_max), natural(l_max))) == with_parity


def text(path: FusePath) -> str:
    return f"{path.left}{path.left_path} {path.right}{path.right_path} {path.out}"


def test_the_order_is_coupled_irrep_then_left_then_right() -> None:
    left, right = Irreps.parse("0e+2x1o"), Irreps.parse("0e+1o")
    assert [text(path) for path in fuse_paths(left, right)] == [
        "0e0 0e0 0e",
        "1o0 1o0 0e",
        "1o1 1o0 0e",
        "0e0 1o0 1o",
        "1o0 0e0 1o",
        "1o1 0e0 1o",
        "1o0 1o0 1e",
        "1o1 1o0 1e",
        "1o0 1o0 2e",
        "1o1 1o0 2e",
    ]


def test_a_filter_keeps_the_order() -> None:
    left, right = Irreps.parse("0e+2x1o"), Irreps.parse("0e+1o")
    wanted = Irreps.parse("1o+0e")
    kept = [path for path in fuse_paths(left, right) if wanted.count(path.out)]
    assert list(fuse_paths(left, right, wanted)) == kept
    assert fused_counts(left, right, wanted) == {Irrep.parse("0e"): 3, Irrep.parse("1o"): 3}


def test_an_explicit_list_keeps_its_own_order_within_an_irrep() -> None:
    left, right = Irreps.parse("0e+2x1o"), Irreps.parse("0e+1o")
    a, b = Irrep.parse("0e"), Irrep.parse("1o")
    found = fuse_paths(left, right, None, [(b, a, b), (b, b, a), (a, b, b)])
    assert [text(path) for path in found] == ["1o0 1o0 0e", "1o1 1o0 0e", "1o0 0e0 1o", "1o1 0e0 1o", "0e0 1o0 1o"]


def test_reachable_irreps() -> None:
    assert str(reachable(Irreps.parse("3x1o"), Irreps.parse("0e+1o"))) == "0e+1o+1e+2e"
    assert str(reachable(Irreps.parse("1"), Irreps.parse("2"))) == "1+2+3"


def test_every_component_is_counted() -> None:
    left, right = Irreps.parse("2x0e+1o+2e"), Irreps.parse("0o+3x1o")
    assert sum(count * irrep.dim for irrep, count in fused_counts(left, right).items()) == left.dim * right.dim


@pytest.mark.parametrize("filter_", [None, "0o+1o+4e+9e"])
def test_counts_are_those_of_the_list(filter_: str | None) -> None:
    left, right = Irreps.parse("2x0e+1o+3x2e"), Irreps.parse("0o+3x1o+2e")
    wanted = None if filter_ is None else Irreps.parse(filter_).canonical()
    paths = fuse_paths(left, right, wanted)
    assert list(fused_counts(left, right, wanted).items()) == list(Counter(path.out for path in paths).items())
    for out, meeting in meetings(left, right).items():
        every = [path for path in fuse_paths(left, right) if path.out == out]
        assert meeting.count == len(every)
        assert meeting.left == {path.left for path in every}
        assert meeting.right == {path.right for path in every}


def test_counts_of_a_list_are_those_of_its_paths() -> None:
    left, right = Irreps.parse("2x0e+1o"), Irreps.parse("3x1o")
    a, b = Irrep.parse("0e"), Irrep.parse("1o")
    triples = [(b, b, Irrep.parse("2e")), (a, b, b), (a, b, b)]
    paths = fuse_paths(left, right, None, triples)
    assert fused_counts(left, right, None, triples) == Counter(path.out for path in paths)
