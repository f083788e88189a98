"""A fusion tree: its parts, its dense coupling against tables of e3nn, and the trees that there are not."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.errors import LimitError, NotationError
from fusion.findings import SelectionRuleError
from fusion.irreps import Irrep
from fusion.trees import FusionTree

Array = NDArray[np.float64]
leg, join = FusionTree.leg, FusionTree.vertex


def example() -> FusionTree:
    """((b a)2e (d c)1o)3o: the legs are not in the order of their numbers."""
    pair = join(leg(1, "1o"), leg(0, "1o"), "2e")
    return join(pair, join(leg(3, "2e"), leg(2, "1o", path=4), "1o"), "3o")


@pytest.fixture
def table() -> Iterator[Callable[[int, int, int], Array]]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from e3nn import o3

        library: Any = o3
        yield lambda a, b, c: sqrt(2 * c + 1) * library.wigner_3j(a, b, c, dtype=torch.float64).numpy()


def test_parts() -> None:
    tree = example()
    assert tree.shape == ((1, 0), (3, 2))
    assert tree.irrep == Irrep(3, -1)
    assert [leaf.leaf for leaf in tree.leaves] == [1, 0, 3, 2]
    assert [leaf.path for leaf in tree.leaves] == [0, 0, 0, 4]
    assert tree.inner == (Irrep(2, 1), Irrep(1, -1))
    assert tree.branches == (tree.left, tree.right)
    assert tree.at(()) is tree
    assert tree.at((0,)).irrep == Irrep(2, 1)
    assert tree.at((1, 1)) == leg(2, "1o", 4)
    bare = leg(0, Irrep(2, 1))
    assert (bare.shape, bare.leaves, bare.inner, bare.branches) == (0, (bare,), (), None)
    deep = join(join(tree, leg(4, "0e"), "3o"), leg(5, "1o"), "2e")
    assert deep.inner == (Irrep(2, 1), Irrep(1, -1), Irrep(3, -1), Irrep(3, -1))


def test_trees_are_values_and_print() -> None:
    assert str(example()) == "((b:1o a:1o)2e (d:2e c:1o.4)1o)3o"
    assert str(leg(26, "1")) == "x26:1"
    assert example() == example()
    assert len({example(), example(), leg(0, "1o")}) == 2
    assert leg(0, "1o") != leg(0, "1o", path=1)


def test_the_coupling_of_a_vertex_and_of_a_leg(table: Callable[[int, int, int], Array]) -> None:
    assert np.array_equal(leg(3, "2e").tensor(), np.eye(5))
    np.testing.assert_allclose(join(leg(0, "1"), leg(1, "2"), "3").tensor(), table(1, 2, 3), rtol=0, atol=1e-14)
    swapped = join(leg(1, "2"), leg(0, "1"), "2").tensor()
    np.testing.assert_allclose(swapped, table(2, 1, 2).transpose(1, 0, 2), rtol=0, atol=1e-14)


def test_the_coupling_of_a_tree(table: Callable[[int, int, int], Array]) -> None:
    """Axes are the legs in the order of their numbers, then the line that leaves."""
    expected = np.einsum("bax,dcy,xym->abcdm", table(1, 1, 2), table(2, 1, 1), table(2, 1, 3), optimize=True)
    np.testing.assert_allclose(example().tensor(), expected, rtol=0, atol=1e-14)
    # Numbers of legs may have gaps.
    comb = join(leg(7, "1o"), join(leg(2, "2e"), leg(5, "1o"), "2o"), "1e")
    expected = np.einsum("bcx,axm->bcam", table(2, 1, 2), table(1, 2, 1))
    np.testing.assert_allclose(comb.tensor(), expected, rtol=0, atol=1e-14)


def test_selection_rules() -> None:
    with pytest.raises(SelectionRuleError) as caught:
        join(leg(0, "1o"), leg(1, "2e"), "4e")
    assert str(caught.value) == (
        "a:1o and b:2e do not fuse to 4e: fails triangle: 1 <= l <= 3, asked 4; fails parity: o x e = o, asked e"
    )
    (violation,) = caught.value.violations
    assert violation.asked == (Irrep(4, 1),)
    assert violation.reachable == (Irrep(1, -1), Irrep(2, -1), Irrep(3, -1))
    with pytest.raises(SelectionRuleError, match="mixes groups"):
        join(leg(0, "1o"), leg(1, "2"), "1o")


def test_what_is_no_place_and_no_leg() -> None:
    for address in [(2,), (0, 0, 0), (1, -1)]:
        with pytest.raises(NotationError, match=r"has no place \(.*\); 0 goes left, 1 goes right, legs are ends"):
            example().at(address)
    for number, path in [(-1, 0), (0, -1)]:
        with pytest.raises(NotationError, match="legs and paths are numbered from 0"):
            leg(number, "1o", path)
    with pytest.raises(NotationError, match="expected one irrep such as 1o"):
        leg(0, "2x1o")


def test_couplings_that_are_refused() -> None:
    with pytest.raises(NotationError, match=r"a leg enters \(a:1o a:1o\)0e twice; number its uses apart"):
        join(leg(0, "1o"), leg(0, "1o"), "0e").tensor()
    comb = leg(0, "16e")
    for number in range(1, 6):
        comb = join(comb, leg(number, "16e"), "16e")
    with pytest.raises(LimitError, match="entries, above the limit of 100000000"):
        comb.tensor()


def test_trees_can_be_copied_and_stored() -> None:
    tree = example()
    for other in (copy.deepcopy(tree), pickle.loads(pickle.dumps(tree)), replace(tree)):
        assert other == tree
        assert {tree: 1.0}[other] == 1.0
