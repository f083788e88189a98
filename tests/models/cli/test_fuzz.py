"""``fusion fuzz``: its last line, its exit code, and what it prints about a mismatch."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from fusion_compiler import fuzz
from fusion_compiler.fuzz import FuzzResult, Kind, Outcome

Run = Callable[..., Any]


def test_the_last_line_states_cases_mismatches_seed_and_error(run: Run) -> None:
    result = run("fuzz", "--what", "values", "--cases", 3, "--seed", 7)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "3 diagrams, 3 distinct"
    assert re.fullmatch(r"values: 3 cases, 0 mismatches \(seed 7, worst error \d\.\de-\d\d\)", lines[-1])
    assert result.stderr == ""


@pytest.mark.parametrize("what", ["gradients", "emitters"])
def test_derivatives_and_emitters_are_compared(what: str, run: Run) -> None:
    result = run("fuzz", "--what", what, "--cases", 2, "--seed", 7)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith(f"{what}: 2 cases, 0 mismatches (seed 7, worst error ")


def test_single_precision_is_less_exact(run: Run) -> None:
    result = run("fuzz", "--cases", 3, "--seed", 7, "--dtype", "float32")
    assert result.exit_code == 0
    assert re.fullmatch(
        r"values: 3 cases, 0 mismatches \(seed 7, worst error \d\.\de-0[678]\)", result.stdout.splitlines()[-1]
    )


def test_rules_report_what_was_refused(run: Run) -> None:
    result = run("fuzz", "--what", "rules", "--cases", 12, "--seed", 1)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-2].startswith("verdicts       ")
    assert re.search(r"illegal \d+\.\d%", lines[-2])
    assert lines[-1] == "rules: 12 cases, 0 mismatches (seed 1, worst error 0.0e+00)"


def test_the_same_seed_gives_the_same_output(run: Run) -> None:
    first, second = (run("fuzz", "--cases", 2, "--seed", 3).stdout for _ in range(2))
    assert first == second


def test_a_mismatch_prints_a_reproducer_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = Outcome(0.25, "emitter source, output out")
    monkeypatch.setitem(fuzz.KINDS, "values", Kind(lambda diagram, rng, settings: outcome))
    result = run("fuzz", "--cases", 2, "--seed", 1)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[-1] == "values: 2 cases, 2 mismatches (seed 1, worst error 2.5e-01)"
    assert sum(line.startswith("mismatch in case") for line in lines) == 2
    assert any(line.lstrip().startswith("leg ") for line in lines)
    assert "random_tensors(diagram, default_rng(" in result.stdout


def test_an_exception_counts_as_an_infinite_error() -> None:
    result = FuzzResult("values", 1, cases=1, mismatches=1)
    result.reproducers.append(fuzz.Reproducer(0, "leg a: 0e", (1, 0, 0), Outcome(math.inf, "x", "IndexError: y"), "a"))
    assert result.summary() == "values: 1 cases, 1 mismatches (seed 1, worst error inf)"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--what", "colours"], "'colours' is not one of values, passes, gradients, emitters, rules"),
        (["--cases", "0"], "--cases"),
        (["--cases", "many"], "--cases"),
        (["--seed", "-1"], "--seed"),
        (["--dtype", "half"], "'half' is not one of float64, float32"),
    ],
)
def test_wrong_options_are_code_2(run: Run, options: list[str], words: str) -> None:
    result = run("fuzz", *options)
    assert result.exit_code == 2
    assert words in result.stderr
