"""``fusion doctor``: what it shows, and that it tells what is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fusion_compiler import emit
from fusion_models.cli import doctor, health
from fusion_models.cli.health import Finding, State, run_section, surroundings, versions

Run = Callable[..., Any]


def states(findings: list[Finding]) -> dict[str, State]:
    return {finding.subject: finding.state for finding in findings}


def test_a_working_installation_is_fine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSION_DATA", raising=False)
    result = run("doctor")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    for part in ("Versions", "python", "torch", "numpy", "Modules", "fusion_compiler", "Devices", "cpu", "Emitters"):
        assert part in words
    assert "interpret error" in words
    assert "source error" in words
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD not set" in words
    assert "nothing is broken" in words


def test_a_broken_section_is_reported_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine() -> list[Finding]:
        raise ImportError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "SECTIONS", (("Devices", examine),))
    result = run("doctor")
    assert result.exit_code == 1
    assert "ImportError: libgomp.so.1" in result.stdout
    assert "broken: Devices" in result.stdout


def test_an_emitter_that_fails_or_computes_wrongly_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(program: Any) -> Any:
        raise RuntimeError("no compiler here")

    def wrong(program: Any) -> Any:
        inner = emit.interpret(program)
        return lambda *given: {name: 1.001 * value for name, value in inner(*given).items()}

    monkeypatch.setitem(emit.EMITTERS, "refuses", refuses)
    monkeypatch.setitem(emit.EMITTERS, "wrong", wrong)
    found = run_section("Emitters", health.emitters)
    assert states(found)["interpret"] is State.FINE
    assert states(found)["refuses"] is State.BROKEN
    assert states(found)["wrong"] is State.BROKEN
    assert "RuntimeError: no compiler here" in next(item.value for item in found if item.subject == "refuses")


def test_versions_are_compared_with_the_requirements() -> None:
    found = list(versions(["numpy>=1.2", "torch>=99.1", "surely-not-there>=1", 'e3nn>=99; extra == "test"']))
    known = states(found)
    assert known["numpy"] is State.FINE
    assert known["torch"] is State.BROKEN
    assert known["surely-not-there"] is State.BROKEN
    assert known["e3nn"] is not State.BROKEN


@pytest.mark.parametrize(
    ("version", "least", "old"),
    [("2.13.0+cpu", "2.13", False), ("2.9", "2.13", True), ("2.0", "2", False), ("2.14rc1", "2.13", False)],
)
def test_versions_are_compared_as_numbers(monkeypatch: pytest.MonkeyPatch, version: str, least: str, old: bool) -> None:
    monkeypatch.setattr(health.importlib.metadata, "version", lambda name: version)
    found = states(list(versions([f"torch (>={least})"])))
    assert (found["torch"] is State.BROKEN) == old


def test_the_environment_is_examined(tmp_path: Path) -> None:
    name = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
    assert states(list(surroundings({name: "1"})))[name] is State.WARNING
    assert states(list(surroundings({})))[name] is State.FINE
    assert states(list(surroundings({})))["FUSION_DATA"] is State.INFORMATION
    assert states(list(surroundings({"FUSION_DATA": str(tmp_path / "none")})))["FUSION_DATA"] is State.BROKEN
    assert states(list(surroundings({"FUSION_DATA": str(tmp_path)})))["FUSION_DATA"] is State.WARNING
    (tmp_path / "rmd17").mkdir()
    found = list(surroundings({"FUSION_DATA": str(tmp_path)}))
    assert states(found)["FUSION_DATA"] is State.FINE
    assert any("1 folder of data: rmd17" in finding.value for finding in found)
