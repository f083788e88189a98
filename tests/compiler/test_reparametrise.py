"""reparametrise: another diagram of the same functions, with the exact map of weights there and back."""

from __future__ import annotations

import numpy as np
import pytest

from fusion import Diagram, Wire, evaluate, label, leg
from fusion.parameters import parameters
from fusion.sampling import random_tensors
from fusion_compiler import CompileError, reparametrise


def product(basis: str, orders: tuple[int, ...] = (1, 2, 3)) -> Wire:
    base, z = leg("A", "0e+1o+2e+3o", channels=2, on="atom"), label("z", 2, on="atom")
    return base.power(*orders, basis=basis)["0e+1o+2e"].mix("u->u", per=z, paths=2)


def shapes(value: Wire | Diagram) -> dict[str, tuple[int, ...]]:
    return {parameter.name: parameter.shape for parameter in parameters(value)}


@pytest.mark.parametrize(("basis", "to"), [("full", "reduced"), ("reduced", "full"), ("full", "cheapest")])
def test_the_function_is_the_same(basis: str, to: str) -> None:
    declared = product(basis)
    found = reparametrise(declared, to)
    inputs = random_tensors(declared, np.random.default_rng(1))
    before = evaluate(declared, inputs.tensors, inputs.parameters)["out"]
    weights = found.coefficients(inputs.parameters)
    assert {name: value.shape for name, value in weights.items()} == shapes(found.diagram)
    assert before.error(evaluate(found.diagram, inputs.tensors, weights)["out"].value) < 1e-12
    back = found.declared(weights)
    assert {name: value.shape for name, value in back.items()} == shapes(declared)
    assert before.error(evaluate(declared, inputs.tensors, back)["out"].value) < 1e-12
    for name, value in back.items():
        assert np.linalg.norm(value) <= np.linalg.norm(inputs.parameters[name]) * (1 + 1e-12), "of least norm"


def test_the_full_basis_of_mace_has_about_four_times_the_weights() -> None:
    declared, found = product("full", (3,)), reparametrise(product("full", (3,)), "reduced")
    assert [shape[2] for shape in shapes(declared).values()] == [23, 51, 65]
    assert [shape[2] for shape in shapes(found.diagram).values()] == [8, 12, 14]
    assert list(shapes(declared)) == list(shapes(found.diagram))


def test_reduced_weights_come_through_the_full_basis_unchanged() -> None:
    declared = product("reduced")
    there = reparametrise(declared, "full")
    back = reparametrise(there.diagram, "reduced")
    weights = random_tensors(declared, np.random.default_rng(2)).parameters
    found = back.coefficients(there.coefficients(weights))
    for name, value in weights.items():
        assert np.max(np.abs(found[name] - value)) < 1e-12


def test_distinct_legs_take_the_cheapest_tree() -> None:
    a, b, c, d = (leg(name, "0e+1o+2e", channels=2, on="atom") for name in "abcd")
    declared = (((a @ b) @ c) @ d)["0e"].mix("u->u")
    found = reparametrise(declared, "cheapest")
    inputs = random_tensors(declared, np.random.default_rng(3))
    weights = found.coefficients(inputs.parameters)
    before = evaluate(declared, inputs.tensors, inputs.parameters)["out"]
    assert before.error(evaluate(found.diagram, inputs.tensors, weights)["out"].value) < 1e-12
    (image,) = found.images
    assert np.allclose(image.matrix @ image.matrix.T, np.eye(len(image.matrix)), atol=1e-12), "6j: orthogonal"


def test_what_has_no_power_under_a_mix_stays() -> None:
    base = leg("A", "0e+1o", channels=2, on="atom")
    assert reparametrise(base.power(2, basis="full"), "reduced").diagram == Diagram.of(base.power(2, basis="full"))
    assert not reparametrise(base.mix("u->v"), "reduced").images


def test_fitted_and_shared_weights_and_zero_irreps_stay() -> None:
    base = leg("A", "0e+1o", channels=2, on="atom")
    for declared, to in (
        (base.power(2)["0e+1o"].mix("u->u", buffer="pca"), "cheapest"),
        (base.power(2).select({"0e": [0], "1o": [0]}).mix("u->u", shared=True), "cheapest"),
        (leg("v", "1o", channels=2).power(2)["0e+1e"].mix("u->u", name="w"), "reduced"),
    ):
        found = reparametrise(declared, to)
        assert not found.images
        assert found.diagram.outputs[0][1].space == declared.space


def test_new_names_are_not_those_of_others() -> None:
    base = leg("A", "0e+1o", channels=2, on="atom")
    declared = Diagram((("x", base.power(2)["1o"].mix("u->u", name="w")), ("y", base["1o"].mix("u->u", name="w_1o_0"))))
    found = reparametrise(declared, "cheapest")
    inputs = random_tensors(declared, np.random.default_rng(4))
    before = evaluate(declared, inputs.tensors, inputs.parameters)
    after = evaluate(found.diagram, inputs.tensors, found.coefficients(inputs.parameters))
    assert all(before[name].error(after[name].value) < 1e-12 for name in before)


def test_other_forms_are_refused() -> None:
    with pytest.raises(CompileError, match="one of reduced, full, cheapest, not 'small'"):
        reparametrise(product("full"), "small")
