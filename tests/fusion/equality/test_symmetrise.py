"""The mean over permutations of equal legs, against dense tensors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fusion.equality.symmetrise import symmetrised
from fusion.trees import enumerate_trees, left_comb


@pytest.mark.parametrize(
    ("legs", "groups", "total"),
    [
        (["1o", "1o"], [[0, 1]], "1e"),
        (["1o", "1o", "1o"], [[0, 1, 2]], "1o"),
        (["2e", "1o", "1o", "1o"], [[1, 2, 3]], "1o"),
        (["1o", "1o", "2e", "2e", "0e"], [[0, 1], [2, 3], [4]], "2e"),
        (["1o"] * 4, [[0, 1, 2, 3]], "2e"),
        (["2", "1", "1", "2"], [[0], [1, 2], [3]], "1"),
    ],
)
def test_equals_the_mean_of_dense_tensors(legs: list[str], groups: list[list[int]], total: str) -> None:
    combs = enumerate_trees(left_comb(len(legs)), legs, total)
    rng = np.random.default_rng(len(legs))
    given = dict(zip(combs, rng.normal(size=len(combs)).tolist(), strict=True))
    dense = sum(coefficient * tree.tensor() for tree, coefficient in given.items())
    orders = [
        [place for group in choice for place in group]
        for choice in itertools.product(*(itertools.permutations(group) for group in _whole(len(legs), groups)))
    ]
    last = len(legs)
    mean = sum(np.transpose(dense, [*order, last]) for order in orders) / len(orders)
    found = sum(coefficient * tree.tensor() for tree, coefficient in symmetrised(given, groups).items())
    assert np.allclose(found, mean, rtol=0, atol=1e-12)


def _whole(count: int, groups: list[list[int]]) -> list[list[int]]:
    """Return the groups with every other leg in a group of its own, in order."""
    grouped = {place for group in groups for place in group}
    return sorted([*groups, *([place] for place in range(count) if place not in grouped)])
