"""Fuzzing passes on the real compiler and validator and catches planted errors with small reproducers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fusion import Diagram, FusionError, Wire, findings, leg, parse, walk_nodes
from fusion.diagram import Shuffle, Sum
from fusion.findings import Finding
from fusion.sampling import features
from fusion_compiler import fuzz
from fusion_compiler.fuzz import KINDS, TOLERANCES, FuzzResult, Kind, Outcome, Settings, run_fuzz
from fusion_compiler.fuzz import gradients as fuzz_gradients
from fusion_compiler.fuzz import rules as fuzz_rules
from fusion_compiler.fuzz import values as fuzz_values


def test_compiled_values_are_those_of_the_definition() -> None:
    result = run_fuzz("values", 40, seed=1)
    assert (result.cases, result.mismatches, result.reproducers) == (40, 0, [])
    assert 0.0 < result.worst < 1e-12
    assert str(result).splitlines()[-1].startswith("values: 40 cases, 0 mismatches (seed 1, worst error ")
    assert "40 diagrams, 40 distinct" in str(result)


def test_passes_change_no_value() -> None:
    result = run_fuzz("passes", 25, seed=1)
    assert (result.cases, result.mismatches, result.reproducers) == (25, 0, [])
    assert str(result).splitlines()[-1].startswith("passes: 25 cases, 0 mismatches (seed 1, worst error ")


def test_gradients_are_those_of_the_definition() -> None:
    result = run_fuzz("gradients", 25, seed=1)
    assert (result.cases, result.mismatches, result.reproducers) == (25, 0, [])
    assert 0.0 < result.worst < 1e-12
    assert str(result).splitlines()[-1].startswith("gradients: 25 cases, 0 mismatches (seed 1, worst error ")


def test_emitters_agree_with_each_other() -> None:
    result = run_fuzz("emitters", 12, seed=1)
    assert (result.cases, result.mismatches, result.reproducers) == (12, 0, [])
    assert result.worst < 1e-12


def test_the_validator_agrees_with_the_judge() -> None:
    result = run_fuzz("rules", 180, seed=1)
    assert (result.cases, result.mismatches, result.reproducers) == (180, 0, [])
    assert 0.4 < result.marks["illegal"] / result.cases < 0.7
    assert result.marks["zero terms"] >= 10
    kinds = {mark.partition(" at ")[0] for mark in result.marks if " at " in mark}
    assert kinds == {"selection", "channel", "index", "leg"}
    assert len({mark.partition(" at ")[2] for mark in result.marks if " at " in mark}) >= 12
    assert "verdicts       illegal " in str(result)


@pytest.mark.parametrize("what", ["values", "gradients"])
def test_single_precision_passes_its_own_tolerance(what: str) -> None:
    result = run_fuzz(what, 10, seed=2, dtype=torch.float32, emitters=["interpret"])
    assert result.mismatches == 0
    assert 1e-12 < result.worst < 1e-5


def test_numbers_that_a_type_cannot_hold_are_no_mismatch() -> None:
    """softplus(-145) is 1e-63, which single precision takes for zero: all digits wrong, and right."""
    diagram = parse(
        "leg x1: 4o, u=4, on atom; leg x2: 4o, u=4, on atom; t1 = add(x1, x2); "
        "t2 = (t1 @ t1).on(u,v->uv).paths(4o*4o->0e).select(0e: 0 0); t2.scale(t2).mix(uv->, "
        "constant={0e: [[[[-0.531, 0.637, -0.361, 0.904]], [[-0.984, 0.836, -0.754, -0.301]]]]}).map(softplus)"
    )
    settings = Settings(torch.float32, ("source",), TOLERANCES[torch.float32])
    found = KINDS["values"].check(diagram, np.random.default_rng((24, 2974, 0)), settings)
    assert 0 < found.error <= settings.tolerance


def test_cases_in_which_nothing_is_compared_are_counted() -> None:
    diagram, settings = parse("leg x: 0e+1o, on atom; x @ x"), Settings(torch.float64, ("interpret",), 1e-12)
    found = [KINDS["values"].check(diagram, np.random.default_rng(seed), settings).marks for seed in range(40)]
    assert set(found) == {(), ("no rows",)}


def test_progress_is_told_after_every_case() -> None:
    seen: list[int] = []

    def note(result: FuzzResult) -> None:
        seen.append(result.cases)

    run_fuzz("values", 4, seed=3, emitters=["interpret"], progress=note)
    assert seen == [1, 2, 3, 4]


def _plant(monkeypatch: pytest.MonkeyPatch, kind: type[Wire], fault: Any) -> None:
    """Make blocks of diagrams that hold a kind of node go wrong."""
    real = fuzz_values.compile_diagram

    def compile_wrongly(diagram: Wire | Diagram, **options: Any) -> Any:
        block = real(diagram, **options)
        if options["emitter"] != "interpret" or not any(isinstance(node, kind) for node in walk_nodes(diagram)):
            return block
        block.register_forward_hook(lambda module, given, found: fault(found))
        return block

    for module in (fuzz_values, fuzz_gradients):
        monkeypatch.setattr(module, "compile_diagram", compile_wrongly)


def _scaled(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: value * (1 + 1e-9) for name, value in found.items()}
    return found * (1 + 1e-9)


def _broken(found: Any) -> Any:
    raise IndexError("planted")


def test_a_wrong_value_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, Shuffle, _scaled)
    result = run_fuzz("values", 25, seed=4, emitters=["interpret"], reproducers=1)
    assert result.mismatches >= 2
    (found,) = result.reproducers
    small = parse(found.text)
    assert "shuffle" in features(small)
    assert len(walk_nodes(small)) <= 3
    assert len(walk_nodes(parse(found.original))) > 3
    assert found.outcome.error > 1e-12
    settings = Settings(torch.float64, ("interpret",), 1e-12)
    again = fuzz_values.values(small, np.random.default_rng(found.draw), settings)
    assert again == found.outcome
    assert found.text in str(result)
    assert re.search(r"25 cases, \d+ mismatches", str(result).splitlines()[-1])


def test_an_exception_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, Sum, _broken)
    result = run_fuzz("values", 12, seed=5, emitters=["interpret"], reproducers=1)
    (found,) = result.reproducers
    assert found.outcome.exception == "IndexError: planted"
    assert "IndexError: planted" in str(found)
    assert len(walk_nodes(parse(found.text))) <= 2


def test_a_wrong_shape_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(
        monkeypatch,
        Wire,
        lambda found: {name: v[..., :0] for name, v in (found if isinstance(found, dict) else {"out": found}).items()},
    )
    result = run_fuzz("values", 2, seed=6, emitters=["interpret"], reproducers=0)
    assert result.mismatches == 2


def _flattened(found: Any) -> Any:
    """Keep the values, and change the derivatives by a little."""
    if isinstance(found, dict):
        return {name: _flattened(value) for name, value in found.items()}
    return found - 1e-5 * (found - found.detach())


@pytest.mark.parametrize(
    ("fault", "where"), [(_scaled, "emitters interpret and source, output "), (_flattened, ", gradient")]
)
def test_an_emitter_that_differs_is_found_and_made_small(
    fault: Callable[[Any], Any], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, Shuffle, fault)
    result = run_fuzz("emitters", 25, seed=4, reproducers=1, trials=60, stop=1)
    (found,) = result.reproducers
    small = parse(found.text)
    assert "shuffle" in features(small)
    assert len(walk_nodes(small)) <= 3
    assert where in found.outcome.where
    settings = Settings(torch.float64, ("interpret", "source"), 1e-12)
    assert fuzz_gradients.emitters(small, np.random.default_rng(found.draw), settings) == found.outcome


def test_a_wrong_gradient_is_found_where_values_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, Shuffle, _flattened)
    result = run_fuzz("gradients", 25, seed=4, reproducers=1, trials=60, stop=1)
    (found,) = result.reproducers
    small = parse(found.text)
    assert len(walk_nodes(small)) <= 3
    assert found.outcome.where == "emitter interpret, gradient"
    settings = Settings(torch.float64, ("interpret",), 1e-12)
    assert fuzz_gradients.gradients(small, np.random.default_rng(found.draw), settings) == found.outcome
    assert fuzz_values.values(small, np.random.default_rng(found.draw), settings).error < 1e-12


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("leg a: 0e, on atom; a.map(exp).map(exp).map(exp).map(exp).map(exp)", "too large there"),
        ("leg d: 1o, on edge; add(1.0 * d, -1.0 * d).length()", "no derivatives there"),
    ],
)
def test_where_nothing_is_promised_nothing_is_compared(text: str, mark: str) -> None:
    settings = Settings(torch.float64, ("interpret", "source"), 1e-12)
    for kind in ("gradients", "emitters"):
        outcome = KINDS[kind].check(parse(text), np.random.default_rng(4), settings)
        assert outcome.error == 0.0
        assert outcome.marks == (mark,)


def _blind(value: Wire | Diagram) -> tuple[Finding, ...]:
    return ()


def _angry(value: Wire | Diagram) -> tuple[Finding, ...]:
    return findings((leg("a", "1o") @ leg("b", "1o"))["1o"])


@pytest.mark.parametrize(
    ("validator", "text", "words"),
    [
        (_blind, "leg a: 1o, on atom; leg b: 1o, on atom; (a @ b)[1o]", "false accept: nothing couples to 1o"),
        (_blind, "leg a: 1o, on atom; a.pull(receiver).scale(a)", "false accept: "),
        (_angry, "leg a: 1o, on atom; a @ a", "false reject: no path couples"),
        (_angry, "leg a: 1o, on atom; a.map(exp)", "wrong blame: no path couples"),
        (findings, "leg a: 1o, on atom; a.map(exp)", ""),
    ],
)
def test_a_wrong_validator_is_found(
    monkeypatch: pytest.MonkeyPatch, validator: Callable[[Wire | Diagram], tuple[Finding, ...]], text: str, words: str
) -> None:
    monkeypatch.setattr(fuzz_rules, "findings", validator)
    settings = Settings(torch.float64, (), 1e-12)
    outcome = KINDS["rules"].check(parse(text), np.random.default_rng(0), settings)
    assert outcome.exception.startswith(words)
    assert outcome.error == (float("inf") if words else 0.0)


def test_a_validator_that_raises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_rules, "findings", _broken)
    result = run_fuzz("rules", 2, seed=1, trials=30, reproducers=1)
    assert result.mismatches == 2
    assert "IndexError: planted" in str(result)
    assert "inputs:" not in str(result.reproducers[0])


def test_other_kinds_are_one_function_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fuzz.KINDS, "nothing", Kind(lambda diagram, rng, settings: Outcome(0.5, "everywhere")))
    assert run_fuzz("nothing", 3, seed=0, reproducers=0).mismatches == 3
    assert run_fuzz("nothing", 3, seed=0, tolerance=0.6).mismatches == 0
    assert run_fuzz("nothing", 9, seed=0, reproducers=0, stop=2).cases == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"what": "colours"}, "there is no fuzz of 'colours'; kinds: values, passes, gradients, emitters, rules"),
        ({"what": "emitters", "emitters": ["source"]}, "fuzzing emitters compares emitters, so it needs 2 or more"),
        ({"cases": 0}, "must be positive"),
        ({"emitters": ["telepathy"]}, "unknown emitter 'telepathy'; this build has: interpret, source"),
        ({"dtype": torch.float16}, "not torch.float16"),
    ],
)
def test_bad_settings_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FusionError, match=re.escape(message)):
        run_fuzz(**options)
