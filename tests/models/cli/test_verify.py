"""``fusion verify``: its table, its certificate, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fusion_compiler
from fusion_compiler import Certificate
from fusion_compiler.verify import CHECKS

Run = Callable[..., Any]
DIAGRAM = 'format: fusion-diagram\nversion: 1\ndiagram: "leg A: 1o, u=2, on atom; (A @ A)[0e].mix(u->v)"\n'


@pytest.fixture
def diagram(tmp_path: Path) -> Path:
    path = tmp_path / "square.yaml"
    path.write_text(DIAGRAM, encoding="utf-8")
    return path


def test_a_table_of_every_check_and_the_certificate(run: Run, diagram: Path, tmp_path: Path) -> None:
    out = tmp_path / "certificate.json"
    result = run("verify", diagram, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0].split() == ["check", "measured", "limit", "verdict", "how"]
    for name in CHECKS:
        (line,) = [line for line in lines if line.startswith(f"{name}  ")]
        assert " passed " in line
    assert lines[-1].endswith("square.yaml: verified, 7 of 7 checks passed (float64, emitter source, cpu)")
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["passed"] is True
    assert [check["name"] for check in found["checks"]] == list(CHECKS)
    assert {path.name for path in tmp_path.iterdir()} == {out.name, diagram.name}


def test_a_failed_check_gives_code_1_and_a_certificate(
    run: Run, diagram: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, given = fusion_compiler.verify, list[Any]()

    def verify(block: Any) -> Certificate:
        given.append(block)
        found = real(block, elements=1)
        first, *rest = found.checks
        return replace(found, checks=(replace(first, measured=float("inf"), detail="[red] planted"), *rest))

    monkeypatch.setattr(fusion_compiler, "verify", verify)
    out = tmp_path / "certificate.json"
    result = run("verify", diagram, "--emitter", "interpret", "--dtype", "float32", "--output", out)
    assert result.exit_code == 1
    assert (given[0].emitter, str(given[0].dtype)) == ("interpret", "torch.float32")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("dense agreement")]
    assert line.split() == ["dense", "agreement", "inf", "2e-05", "FAILED", "[red]", "planted"]
    assert "FAILED, 6 of 7 checks passed (float32, emitter interpret, cpu)" in result.stdout
    found = json.loads(out.read_text(encoding="utf-8"))
    assert (found["passed"], found["checks"][0]["measured"]) == (False, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--emitter", "cobol"], "'cobol' is not one of interpret, source"),
        (["--dtype", "float16"], "'float16' is not one of float64, float32"),
    ],
)
def test_wrong_options_are_code_2(run: Run, diagram: Path, options: list[str], words: str) -> None:
    result = run("verify", diagram, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_what_cannot_be_verified(run: Run, illegal: Path, malformed: Path) -> None:
    assert run("verify", illegal).exit_code == 1
    assert run("verify", malformed).exit_code == 3
    assert run("verify", "missing.yaml").exit_code == 3


def test_it_says_why_it_cannot_write(run: Run, diagram: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fusion_compiler.verify
    monkeypatch.setattr(fusion_compiler, "verify", lambda block: real(block, elements=1))
    (tmp_path / "taken.json").mkdir()
    result = run("verify", diagram, "-o", tmp_path / "taken.json")
    assert result.exit_code == 3
    assert "taken.json: cannot be written" in result.stderr
