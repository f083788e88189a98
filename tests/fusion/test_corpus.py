"""The corpus: every diagram is legal, survives every notation, evaluates, and is covariant."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from corpus import DESCRIPTIONS, DIAGRAMS, PUBLISHED
from fusion import Diagram, Wire, check, evaluate, evaluate_network, load, parse, save
from fusion.diagram import Apply
from fusion.files import read_file
from fusion.sampling import NODE_KINDS, Distribution, features, random_tensors, transformed
from fusion.symbols import sixj
from fusion.wigner import random_rotation, representation

FOLDER = Path(__file__).parents[2] / "examples" / "diagrams"
ROWS = {"several rows": (2, 3, 4), "single rows": (1,), "no rows": (0,)}

corpus = pytest.mark.parametrize("name", DIAGRAMS)


def test_covers_every_node_kind() -> None:
    covered = set[str]().union(*(features(diagram) for diagram in DIAGRAMS.values()))
    assert covered >= set(NODE_KINDS)
    assert covered >= {"several outputs", "SO(3)", "fuse weighted", "fuse listed", "power reduced", "power capped"}
    assert covered >= {f"mix {kind}" for kind in ("learned", "constant", "buffer", "tied", "per label", "per labels")}
    assert covered >= {
        "map softmax",
        "map layer_norm",
        "sum by label",
        "leg same tensor",
        "label pulled",
        "scale matched",
    }
    assert covered >= {"apply cup", "apply cap", "apply split", "apply constant", "apply closed", "apply open"}


def test_has_many_distinct_diagrams() -> None:
    found = Distribution()
    for diagram in DIAGRAMS.values():
        found.count(diagram)
    assert len(found.digests) == len(DIAGRAMS) >= 36
    assert len(PUBLISHED) >= 20


@corpus
def test_is_legal(name: str) -> None:
    assert all(notice.violation.severity == "notice" for notice in check(DIAGRAMS[name]))


@corpus
def test_text_and_repr_give_it_back(name: str) -> None:
    diagram = DIAGRAMS[name]
    assert parse(str(diagram)) == diagram
    assert eval(repr(diagram), {"parse": parse}) == diagram
    assert hash(parse(str(diagram))) == hash(diagram)


@corpus
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_file_gives_it_back(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"diagram.{suffix}"
    save(DIAGRAMS[name], path, name=name, description="one: of the corpus")
    found = read_file(path)
    assert (found.diagram, found.name, found.description) == (DIAGRAMS[name], name, "one: of the corpus")


@corpus
@pytest.mark.parametrize("rows", ROWS)
def test_evaluates_to_finite_numbers(name: str, rows: str) -> None:
    diagram = DIAGRAMS[name]
    inputs = random_tensors(diagram, np.random.default_rng(1), ROWS[rows])
    for output, wire in Diagram.of(diagram).outputs:
        found = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)[output]
        assert found.value.shape[1:] == (*wire.space.sizes, wire.space.dim)
        assert np.isfinite(found.value).all()
        assert (np.abs(found.value) <= found.magnitude * (1 + 1e-12)).all()
        if rows == "several rows":
            assert np.abs(found.value).max() > 0


@corpus
@pytest.mark.parametrize("inverted", [False, True])
def test_is_covariant(name: str, inverted: bool) -> None:
    diagram = DIAGRAMS[name]
    rng = np.random.default_rng(2 + inverted)
    matrix = random_rotation(rng) * (-1 if inverted and "SO(3)" not in features(diagram) else 1)
    inputs = random_tensors(diagram, rng, (2, 3))
    turned = transformed(diagram, inputs, matrix)
    before = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    after = evaluate(diagram, turned.tensors, turned.parameters, turned.sizes)
    for output, wire in Diagram.of(diagram).outputs:
        action = representation(wire.space.irreps, matrix)
        magnitude = np.maximum(before[output].magnitude @ np.abs(action).T, 1e-300)  # zero for sums of no rows
        assert np.max(np.abs(before[output].value @ action.T - after[output].value) / magnitude) < 1e-12


def _evaluate(name: str, **tensors: object) -> np.ndarray:
    diagram = DIAGRAMS[name]
    inputs = random_tensors(diagram, np.random.default_rng(3), (3,))
    given = {**inputs.tensors, **{key.replace("_", "."): np.asarray(value) for key, value in tensors.items()}}
    return evaluate(diagram, given, inputs.parameters, {"parent": 1, "system": 3})["out"].value


def test_pairs_of_neighbours_are_a_product_of_sums() -> None:
    # the sum over all pairs, coincident ones included, is the square of the sum: the density trick
    diagram = PUBLISHED["ace_pairs_of_neighbours"]
    assert isinstance(diagram, Wire)
    rng = np.random.default_rng(5)
    inputs = random_tensors(diagram, rng, (4,))
    parts = parse("leg d: 1o, on edge; d.harmonics(2, component).scale(d.cutoff(4.0, 6)).sum(receiver)")
    assert isinstance(parts, Wire)
    expected = (parts @ parts)["0e+1o+2e"]
    sizes = {"atom": 4}
    left = evaluate(diagram, inputs.tensors, {}, sizes)["out"]
    right = evaluate(expected, inputs.tensors, {}, sizes)["out"]
    assert left.error(right.value) < 1e-14


def test_pseudoscalar_sees_handedness() -> None:
    name = "pseudoscalar"
    diagram, rng = DIAGRAMS[name], np.random.default_rng(6)
    inputs = random_tensors(diagram, rng, (4,))
    inputs.tensors["receiver"] = np.zeros(4, dtype=np.int64)  # four neighbours, which do not lie in a plane
    mirrored = transformed(diagram, inputs, np.diag([1.0, 1.0, -1.0]))
    before = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)["out"]
    after = evaluate(diagram, mirrored.tensors, mirrored.parameters, mirrored.sizes)["out"]
    assert before.error(-after.value) < 1e-13
    assert abs(before.value[0, 0]) > 1e-9 * before.magnitude[0, 0]


def test_systems_do_not_see_each_other() -> None:
    name = "energy_readout"
    system = np.array([0, 2, 2])
    rng = np.random.default_rng(7)
    tensors = {
        "h": rng.normal(size=(3, 3, 4)),
        "field": rng.normal(size=(3, 1 * 3)),
        "z": [0, 1, 2],
    }
    together = _evaluate(name, **tensors, system=system)
    changed = _evaluate(
        name, **{**tensors, "h": tensors["h"] * np.array([2.0, 1.0, 1.0])[:, None, None]}, system=system
    )
    assert together[1] == 0.0  # the empty system
    assert together[0] != changed[0]
    assert np.array_equal(together[1:], changed[1:])


def test_closed_network_is_a_six_j_symbol() -> None:
    diagram = DIAGRAMS["network_sixj"]
    assert isinstance(diagram, Apply)
    # nbody_cormorant_fusion 1.4, I2: the trace of an F-move over the line of degree one
    expected = 3 * (-1) ** (1 + 1 + 1 + 1) * math.sqrt(3 * 3) * sixj(1, 1, 1, 1, 1, 1)
    assert math.isclose(float(evaluate_network(diagram.network)), expected, rel_tol=1e-14)


def test_theta_network_counts_the_states_of_a_line() -> None:
    diagram = DIAGRAMS["network_theta"]
    assert isinstance(diagram, Apply)
    assert math.isclose(float(evaluate_network(diagram.network)), 7.0, rel_tol=1e-14)


def test_example_files_are_those_of_the_corpus() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*")) == sorted(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_example_file_equals_the_corpus(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    found = read_file(path)
    assert (found.diagram, found.name, found.description) == (PUBLISHED[name], name, DESCRIPTIONS[name])
    assert load(path) == PUBLISHED[name]
    assert len(found.description) > 20
