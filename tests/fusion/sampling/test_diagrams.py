"""Random diagrams: legal, reproducible, readable, covariant, and as varied as the report says."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import Diagram, Wire, check, evaluate, parse
from fusion.sampling import Distribution, digest, features, random_diagram, random_diagrams, random_tensors, transformed
from fusion.wigner import random_rotation, representation

COUNT = 120


@pytest.fixture(scope="module")
def drawn() -> dict[int, Wire | Diagram]:
    return dict(random_diagrams(COUNT, 20240601))


def test_are_legal(drawn: dict[int, Wire | Diagram]) -> None:
    for diagram in drawn.values():
        check(diagram)


def test_are_distinct_and_reproducible(drawn: dict[int, Wire | Diagram]) -> None:
    assert len({digest(diagram) for diagram in drawn.values()}) == COUNT
    for number in list(drawn)[:5]:
        assert random_diagram(np.random.default_rng([20240601, number])) == drawn[number]
    assert dict(random_diagrams(3, 20240602)) != dict(random_diagrams(3, 20240601))


def test_text_gives_them_back(drawn: dict[int, Wire | Diagram]) -> None:
    for diagram in drawn.values():
        assert parse(str(diagram)) == diagram


def test_cover_the_language(drawn: dict[int, Wire | Diagram]) -> None:
    found = Distribution()
    for diagram in drawn.values():
        found.count(diagram)
    assert found.shortfalls() == []
    variants = {
        "several outputs", "SO(3)", "fuse weighted", "fuse listed", "fuse pattern", "fuse of itself",
        "power full", "power reduced", "power capped", "power order 3", "sum by label", "label pulled",
        "leg same tensor", "select single paths", "scale matched", "scale broadcast", "scale pattern",
        "mix shared", "mix each path", "apply one",
        "mix learned", "mix constant", "mix buffer", "mix tied", "mix per label", "mix per labels", "mix paths",
        "map softmax", "map layer_norm", "map reciprocal", "map exp", "geometry harmonics", "geometry bessel",
        "geometry gaussian", "geometry cutoff", "geometry length", "geometry solid_harmonics",
        "apply cup", "apply cap", "apply split", "apply constant", "apply closed", "apply open",
    }  # fmt: skip
    assert variants <= set(found.features)


def test_are_covariant(drawn: dict[int, Wire | Diagram]) -> None:
    for number, diagram in list(drawn.items())[:60]:
        rng = np.random.default_rng(number)
        matrix = random_rotation(rng) * (1 if "SO(3)" in features(diagram) else rng.choice([-1, 1]))
        inputs = random_tensors(diagram, rng)
        turned = transformed(diagram, inputs, matrix)
        before = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
        after = evaluate(diagram, turned.tensors, turned.parameters, turned.sizes)
        for output, wire in Diagram.of(diagram).outputs:
            action = representation(wire.space.irreps, matrix)
            magnitude = np.maximum(before[output].magnitude @ np.abs(action).T, 1e-300)
            difference = np.abs(before[output].value @ action.T - after[output].value)
            assert np.max(difference / magnitude, initial=0.0) < 1e-12, str(diagram)
