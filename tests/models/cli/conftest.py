"""Running the command line inside the test process, and files for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fusion_models.cli import app

LEGAL = """\
format: fusion-diagram
version: 1
name: powers
description: "brackets [bold]stay[/bold] brackets"
diagram:
  - "leg A: 0e+1o, u=4, on atom"
  - "A.power(1, 2, basis=full)[0e].mix(u->u)"
"""
ILLEGAL = """\
format: fusion-diagram
version: 1
diagram: "leg v: 1o, on atom; leg w: 2e, on atom; (v @ w)[4e] + (v @ v)[3e]"
"""
MALFORMED = 'format: fusion-diagram\nversion: 1\ndiagram: "leg v: 1o, on atom; v @@ v"\n'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run ``fusion`` with arguments; whatever happens, nothing may look like a traceback."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("FUSION_TRACEBACK", raising=False)

    def call(*arguments: object) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return call


@pytest.fixture
def legal(tmp_path: Path) -> Path:
    return _file(tmp_path, "legal.yaml", LEGAL)


@pytest.fixture
def illegal(tmp_path: Path) -> Path:
    return _file(tmp_path, "illegal.yaml", ILLEGAL)


@pytest.fixture
def malformed(tmp_path: Path) -> Path:
    return _file(tmp_path, "malformed.yaml", MALFORMED)


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
