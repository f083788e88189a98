"""Random inputs fit their diagram: shapes, ranges, empty and single rows, displacements away from zero."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import evaluate, index_map, label, leg, parameters, tuples
from fusion.sampling import random_diagrams, random_tensors, transformed
from fusion.sampling.tensors import FURTHEST, NEAREST


def test_empty_single_and_several_rows_occur() -> None:
    wire = leg("d", "1o", on="edge").sum("receiver")
    edges, atoms = set[int](), set[int]()
    for seed in range(120):
        inputs = random_tensors(wire, np.random.default_rng(seed))
        edges.add(len(inputs.tensors["d"]))
        atoms.add(inputs.sizes["atom"])
        assert inputs.tensors["receiver"].shape == (len(inputs.tensors["d"]),)
        assert len(inputs.tensors["d"]) == 0 or inputs.sizes["atom"] > 0
    assert edges == atoms == set(range(6))


def test_rows_can_be_fixed() -> None:
    wire = leg("x", "1o", channels=2).sum("system")
    inputs = random_tensors(wire, np.random.default_rng(0), (4,))
    assert inputs.tensors["x"].shape == (4, 2, 3)
    assert inputs.sizes["system"] == 4


def test_displacements_stay_away_from_zero() -> None:
    wire = leg("d", "1o", on="edge").pull("triplet.first").harmonics(2)
    for seed in range(40):
        lengths = np.linalg.norm(random_tensors(wire, np.random.default_rng(seed)).tensors["d"], axis=-1)
        assert ((lengths > NEAREST - 1e-12) & (lengths < FURTHEST + 1e-12)).all()


def test_labels_stay_inside_their_classes() -> None:
    wire = leg("x", "0e", channels=2, on="edge").mix("u->u", per=label("z", 2).pull("sender"))
    for seed in range(20):
        inputs = random_tensors(wire, np.random.default_rng(seed))
        assert set(inputs.tensors["z"].tolist()) <= {0, 1}


def test_legs_of_one_tensor_get_one_tensor() -> None:
    wire = leg("x", "1o") @ leg("y", "1o", same="x")
    assert set(random_tensors(wire, np.random.default_rng(0)).tensors) == {"x"}


@pytest.mark.parametrize("base", ["receiver", index_map("bond.end", "bond", "atom")])
def test_derived_maps_come_from_their_base(base: str) -> None:
    first, _ = tuples(base)
    wire = leg("x", "0e", on=first.target).pull(first)
    inputs = random_tensors(wire, np.random.default_rng(0), (3,))
    assert set(inputs.tensors) == {"x", str(getattr(base, "name", base))}
    images = inputs.tensors[str(getattr(base, "name", base))]
    expected = sum(int((images == image).sum()) ** 2 for image in set(images.tolist()))
    assert evaluate(wire, inputs.tensors, {}, inputs.sizes)["out"].value.shape == (expected, 1)


def test_tuples_of_tuples_need_the_first_base_only() -> None:
    first, _ = tuples("receiver")
    wire = leg("x", "0e", on="edge").pull(first).pull(tuples(first)[0])
    inputs = random_tensors(wire, np.random.default_rng(0), (3,))
    assert set(inputs.tensors) == {"x", "receiver"}
    assert np.isfinite(evaluate(wire, inputs.tensors, {}, inputs.sizes)["out"].value).all()


def test_a_map_can_be_declared_on_a_product_space() -> None:
    first, _ = tuples("receiver")
    wire = leg("x", "0e", on="edge").pull(first).sum(index_map("bin.of", first.source, "bin"))
    for seed in range(10):
        inputs = random_tensors(wire, np.random.default_rng(seed))
        assert evaluate(wire, inputs.tensors, {}, inputs.sizes)["out"].value.shape == (inputs.sizes["bin"], 1)


def test_coefficients_have_the_declared_shapes() -> None:
    wire = leg("x", "0e+1o", channels=3).mix("u->v", v=2, name="w").mix("u->v", buffer="pca")
    found = random_tensors(wire, np.random.default_rng(0)).parameters
    assert {name: value.shape for name, value in found.items()} == {p.name: p.shape for p in parameters(wire)}


def test_values_are_moderate() -> None:
    largest: list[float] = []
    for number, diagram in random_diagrams(60, 5):
        inputs = random_tensors(diagram, np.random.default_rng(number))
        for item in evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes).values():
            assert np.isfinite(item.value).all()
            largest.append(float(np.max(item.magnitude, initial=0.0)))
    assert np.median(largest) < 1e4


def test_transformed_turns_legs_only() -> None:
    wire = leg("x", "0e+1o").mix("->", per=label("z", 2))
    inputs = random_tensors(wire, np.random.default_rng(0), (2,))
    turned = transformed(wire, inputs, -np.eye(3))
    assert np.allclose(turned.tensors["x"], inputs.tensors["x"] * np.array([1, -1, -1, -1]))
    assert turned.tensors["z"] is inputs.tensors["z"]
