"""Derivative programs of the corpus and of random diagrams, against torch's autograd of the interpreter."""

from __future__ import annotations

import pytest

from compiler.derivatives.derived import problem
from corpus import DIAGRAMS, NODES
from fusion.sampling import random_diagrams

LARGE = ("freecg_layer", "freecg_attention", "acdc_message_2_1", "mace_layer", "cormorant_level_complex")


@pytest.mark.parametrize("name", DIAGRAMS)
def test_first_derivatives(name: str) -> None:
    for rows in ((), (1,)):
        assert max(problem(DIAGRAMS[name], rows=rows).errors(1, "source")) < 1e-12


@pytest.mark.parametrize("name", [name for name in DIAGRAMS if name not in LARGE])
def test_second_derivatives(name: str) -> None:
    assert max(problem(DIAGRAMS[name], rows=(2,)).errors(2, "source")) < 1e-12


@pytest.mark.parametrize("name", NODES)
def test_third_derivatives(name: str) -> None:
    assert max(problem(DIAGRAMS[name], rows=(2,)).errors(3)) < 1e-12


@pytest.mark.parametrize("name", ["mace_layer", "triplet_block", "softmax_attention", "nequip_layer"])
def test_derivatives_without_rows(name: str) -> None:
    assert problem(DIAGRAMS[name], rows=(0,)).errors(2, "source") == [0.0, 0.0]


def test_random_diagrams() -> None:
    """A larger error passes than elsewhere, as functions of functions cancel more than their size tells."""
    for number, diagram in random_diagrams(60, 5):
        found = problem(diagram, seed=number)
        assert max(found.errors(2 if number % 4 == 0 else 1, "source")) < 1e-10, f"case {number}: {diagram}"
