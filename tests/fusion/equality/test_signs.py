"""Free signs against brute force: of all choices, the one whose places are positive first."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fusion.equality.signs import Signs

VARIABLES = [("slot", number, 0) for number in range(5)]


@pytest.mark.parametrize("seed", range(40))
def test_against_all_choices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = [(bool(rng.integers(2)), frozenset(item for item in VARIABLES if rng.random() < 0.4)) for _ in range(7)]
    signs = Signs()
    for negative, free in places:
        signs.place(negative, free)
    choices = [dict(zip(VARIABLES, values, strict=True)) for values in itertools.product([False, True], repeat=5)]
    wanted = min(
        [negative ^ (sum(choice[v] for v in free) % 2 == 1) for negative, free in places] for choice in choices
    )
    assert signs.seen == wanted
    assert [negative ^ signs.negative(free) for negative, free in places] == wanted
