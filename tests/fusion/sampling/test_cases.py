"""Random cases for the validator: reproducible, distinct, about half of them illegal, by every kind of slip."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import Diagram, Wire, findings, parse
from fusion.errors import NotationError
from fusion.sampling import Distribution, digest, random_cases, random_diagrams
from fusion.sampling.slips import SLIPS, slip


def _illegal(value: Wire | Diagram) -> bool:
    return any(found.violation.severity == "error" for found in findings(value))


def test_about_half_is_illegal_and_all_are_distinct() -> None:
    cases = dict(random_cases(90, 3))
    assert len({digest(case) for case in cases.values()}) == 90
    assert 0.4 < sum(map(_illegal, cases.values())) / 90 < 0.7
    assert dict(random_cases(5, 3)).items() <= cases.items()
    found = Distribution()
    for case in cases.values():
        found.count(case)
    assert found.several_spaces > 0.3
    assert found.median_vertices >= 6


@pytest.fixture(scope="module")
def legal() -> list[Wire | Diagram]:
    return [diagram for _, diagram in random_diagrams(25, 8)]


@pytest.mark.parametrize("kind", SLIPS)
def test_every_slip_makes_illegal_diagrams(kind: str, legal: list[Wire | Diagram]) -> None:
    changed = (slip(base, np.random.default_rng(seed), [kind]) for seed in range(2) for base in legal)
    assert any(map(_illegal, changed))


def test_text_gives_illegal_ones_back() -> None:
    for _, case in random_cases(60, 4):
        try:
            again = parse(str(case))
        except NotationError as error:  # a text cannot declare one name twice
            assert "twice" in str(error)
        else:
            assert again == case
