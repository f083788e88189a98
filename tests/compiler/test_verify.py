"""The certificate: passes for what is right, and fails at the right check for planted errors."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize

import fusion_compiler
from fusion import FusionError, leg, load, parse
from fusion.symbols import table_digest
from fusion_compiler import Block, Certificate, Check, verify
from fusion_compiler.verify import CHECKS, LIMITS

FOLDER = Path(__file__).parents[2] / "examples" / "diagrams"


def example(name: str, **options: Any) -> Block:
    torch.manual_seed(0)
    return fusion_compiler.compile(load(FOLDER / f"{name}.yaml"), **{"dtype": torch.float64, **options})


def small(dtype: torch.dtype = torch.float64) -> Block:
    """A block of two legs, so that its derivatives by one depend on the other."""
    torch.manual_seed(0)
    a, b = leg("a", "1o", channels=2), leg("b", "0e+2e", channels=2)
    return fusion_compiler.compile((a @ b)["1o"].mix("u->v"), dtype=dtype)


def failed(certificate: Certificate) -> set[str]:
    assert certificate.passed == all(check.passed for check in certificate.checks)
    return {check.name for check in certificate.checks if not check.passed}


@pytest.mark.parametrize(
    "name",
    [
        "acdc_power_spectrum",  # fitted coefficients
        "ace_pairs_of_neighbours",  # a product space
        "multipole_translation",  # a number of rows that no tensor tells
        "sixj_network",  # no inputs, nothing to differentiate
    ],
)
def test_examples_pass(name: str) -> None:
    certificate = verify(example(name))
    assert failed(certificate) == set(), certificate.to_json()


@pytest.mark.slow
def test_every_example_passes(request: pytest.FixtureRequest) -> None:
    if "slow" not in str(request.config.getoption("markexpr")):
        pytest.skip("takes minutes; run with -m slow")
    paths = sorted(FOLDER.glob("*.yaml"))
    assert paths
    for path in paths:
        certificate = verify(example(path.stem))
        assert failed(certificate) == set(), f"{path.stem}: {certificate.to_json()}"


@pytest.mark.parametrize(
    ("name", "options"),
    [("energy_readout", {"emitter": "interpret"}), ("pseudoscalar", {"dtype": torch.float32})],
)
def test_other_emitters_and_types_pass(name: str, options: dict[str, Any]) -> None:
    certificate = verify(example(name, **options))
    assert failed(certificate) == set(), certificate.to_json()
    column = 1 if certificate.dtype == "float32" else 0
    assert [check.limit for check in certificate.checks] == [limits[column] for limits in LIMITS.values()]


def test_a_diagram_without_parities_is_turned_by_proper_rotations_only() -> None:
    certificate = verify(
        fusion_compiler.compile(parse("leg a: 1, on atom; (a @ a)[0+2]"), dtype=torch.float64), elements=7
    )
    assert failed(certificate) == set()
    assert certificate.group == "SO(3)"
    assert certificate.checks[1].detail == "7 random elements of SO(3)"


def test_the_json_is_closed_and_says_what_was_verified() -> None:
    block = small()
    certificate = verify(block, seed=3, rows=(2, 3), elements=5)
    found = json.loads(certificate.to_json())
    text = str(block.diagram)
    assert list(found) == [
        "format", "version", "passed", "diagram", "diagram_sha256", "coefficients_sha256", "group", "emitter", "dtype",
        "device", "couplings", "couplings_degree", "seed", "rows", "elements", "packages", "seconds", "checks",
    ]  # fmt: skip
    assert (found["format"], found["version"], found["passed"]) == ("fusion-certificate", 1, True)
    assert (found["diagram"], found["diagram_sha256"]) == (text, hashlib.sha256(text.encode()).hexdigest())
    assert (found["couplings"], found["couplings_degree"]) == (table_digest(4), 4)
    assert (found["seed"], found["rows"], found["elements"], found["group"]) == (3, [2, 3], 5, "O(3)")
    assert (found["dtype"], found["device"], found["emitter"]) == ("float64", "cpu", "source")
    assert found["packages"]["torch"] == torch.__version__
    assert [check["name"] for check in found["checks"]] == list(CHECKS)
    assert all(list(check) == ["name", "measured", "limit", "detail", "passed"] for check in found["checks"])


def test_the_same_seed_measures_the_same_and_nothing_is_changed() -> None:
    block = small()
    before = {name: value.detach().clone() for name, value in block.named_parameters()}
    first, second = verify(block, elements=3), verify(block, elements=3)
    assert first.checks == second.checks
    assert first.coefficients_sha256 == second.coefficients_sha256
    assert all(torch.equal(value, before[name]) and value.grad is None for name, value in block.named_parameters())
    with torch.no_grad():
        next(block.parameters()).mul_(2.0)
    assert verify(block, elements=1).coefficients_sha256 != first.coefficients_sha256


def test_fitted_coefficients_that_nobody_bound_stay_unbound() -> None:
    block = fusion_compiler.compile(leg("h", "0e", channels=2).mix("u->v", buffer="pca"), dtype=torch.float64)
    certificate = verify(block, elements=2)
    assert failed(certificate) == set()
    assert "fitted coefficients were not bound, random ones were used" in certificate.checks[0].detail
    assert all(bool(buffer.isnan().all()) for name, buffer in block.named_buffers() if name.startswith("fitted"))


def test_parametrised_coefficients_are_verified_as_they_are() -> None:
    block = small()
    name = next(iter(block.coefficients))
    parametrize.register_parametrization(block.coefficients, name, torch.nn.Softplus())
    assert not failed(verify(block, elements=2))
    assert not isinstance(block.coefficients[name], torch.nn.Parameter)


def test_a_draw_on_a_kink_is_drawn_again() -> None:
    """Half of all draws have a displacement beyond the cutoff or so near to it that differences say nothing."""
    diagram = parse("leg d: 1o, on edge; d.harmonics(1, norm).scale(d.cutoff(2.0, 2))")
    certificate = verify(fusion_compiler.compile(diagram, dtype=torch.float64), elements=2)
    assert failed(certificate) == set(), certificate.to_json()


def test_a_wrong_sign_in_a_table() -> None:
    block = small()
    name, place = next(
        (n, tuple(t.nonzero()[0])) for n, t in block.named_buffers() if n.startswith("table") and t.any()
    )
    block.get_buffer(name)[place] *= -1.0
    # derivatives have tables of their own, so the gradient is no longer that of the value
    assert failed(verify(block)) == {"dense agreement", "equivariance", "gradient", "compiled", "exported"}


def planted(block: Block, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Block:
    """Change the tensors that the running function of a block is given."""
    real = block._runner
    block._runner = lambda given, *rest: real(change(given), *rest)
    return block


def test_a_wrong_gradient_of_one_leg() -> None:
    """Half of the gradient by one of two legs is the gradient of nothing, so that it does work around a loop."""
    block = planted(small(), lambda given: {**given, "a": 0.5 * given["a"] + 0.5 * given["a"].detach()})
    assert failed(verify(block)) == {"gradient", "second gradient", "closed-loop work"}


def test_a_wrong_gradient_that_is_the_gradient_of_something() -> None:
    def half(given: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: 0.5 * value + 0.5 * value.detach() for name, value in given.items()}

    diagram = leg("a", "1o").mix("->", constant=2.0)
    block = planted(fusion_compiler.compile(diagram, dtype=torch.float64), half)
    assert failed(verify(block)) == {"gradient"}


def test_a_wrong_second_gradient() -> None:
    """What is added and its gradient are zero, its second derivative is not."""
    block = planted(small(), lambda given: {**given, "b": given["b"] + (given["b"] - given["b"].detach()) ** 2})
    assert failed(verify(block)) == {"second gradient"}


@pytest.mark.parametrize(
    ("mode", "name"), [(torch.compiler.is_dynamo_compiling, "compiled"), (torch.compiler.is_exporting, "exported")]
)
def test_a_graph_that_differs_from_the_block(mode: Callable[[], bool], name: str) -> None:
    exporting = torch.compiler.is_exporting
    block = small()
    real = block._runner

    def runner(*given: Any) -> dict[str, Tensor]:
        found = real(*given)
        wrong = mode() and (name == "exported" or not exporting())
        return {key: value * 1.000001 for key, value in found.items()} if wrong else found

    block._runner = runner
    assert failed(verify(block)) == {name}


def test_an_exception_is_a_failed_check() -> None:
    def break_it(given: dict[str, Tensor]) -> dict[str, Tensor]:
        raise IndexError("planted")

    certificate = verify(planted(small(), break_it), elements=2)
    assert failed(certificate) == set(CHECKS)
    found = json.loads(certificate.to_json())
    assert found["passed"] is False
    assert all(check["measured"] is None for check in found["checks"])
    assert found["checks"][0]["detail"] == "IndexError: planted"


def test_no_number_never_passes() -> None:
    assert not Check("x", math.inf, 1.0, "").passed
    assert not Check("x", math.nan, 1.0, "").passed
    block = planted(small(), lambda given: {**given, "a": given["a"] * math.nan})
    assert failed(verify(block, elements=2)) == set(CHECKS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": -1}, "the seed must be a whole number from 0"),
        ({"elements": 0}, "the number of elements must be a whole number from 1"),
        ({"rows": ()}, "give at least one number of rows"),
        ({"rows": (3, 1)}, "a number of rows must be a whole number from 2"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(FusionError, match=words):
        verify(small(), **options)
