"""Every exception of a command becomes a message and a documented exit code."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fusion.errors import FileFormatError, FusionError, InputError, LimitError, NotationError
from fusion.findings import SelectionRuleError
from fusion_compiler import CompileError, InternalError
from fusion_models.cli.errors import GuardedGroup, exit_code
from fusion_models.errors import CheckpointError, ConfigError, DataError, GeometryError, TrainingError

CODES = [
    (SelectionRuleError([], "no path"), 1),
    (LimitError("too large"), 1),
    (InputError("wrong shape"), 1),
    (CompileError("no such type"), 1),
    (TrainingError("loss is not finite"), 1),
    (MemoryError(), 1),
    (ConfigError("unknown key"), 2),
    (FileFormatError("not YAML"), 3),
    (NotationError("no such operator"), 3),
    (DataError("no energies"), 3),
    (GeometryError("atoms coincide"), 3),
    (CheckpointError("damaged"), 3),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "x.npz"), 3),
    (PermissionError(errno.EACCES, "Permission denied", "x.npz"), 3),
    (InternalError("broken", "program"), 4),
    (RuntimeError("surprise"), 4),
    (KeyboardInterrupt(), 130),
]


def invoke(error: BaseException) -> Any:
    app = typer.Typer(cls=GuardedGroup, pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    @app.command()
    def other() -> None:
        pass

    return CliRunner().invoke(app, ["fail"])


@pytest.mark.parametrize(("error", "code"), CODES, ids=[type(error).__name__ for error, _ in CODES])
def test_exceptions_become_messages_and_codes(error: BaseException, code: int) -> None:
    result = invoke(error)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    expected = {MemoryError: "not enough memory", KeyboardInterrupt: "interrupted"}.get(type(error), str(error))
    shown = "x.npz: " if isinstance(error, OSError) else expected.splitlines()[0]
    assert shown in result.stderr
    assert ("defect of the program" in result.stderr) == (code == 4)


def test_messages_are_printed_as_they_are() -> None:
    text = "(v @ w)[4e] :smile: [red]no colour[/red]\n    " + "x" * 300
    assert text in invoke(FusionError(text)).stderr


def test_notes_of_an_exception_are_shown() -> None:
    error = NotationError("no such operator")
    error.add_note("in diagram.yaml")
    assert "no such operator\nin diagram.yaml" in invoke(error).stderr


def test_a_traceback_is_shown_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSION_TRACEBACK", "1")
    result = invoke(RuntimeError("surprise"))
    assert result.exit_code == 4
    assert "Traceback" in result.stderr
    assert "raise error" in result.stderr


def test_exits_and_usage_errors_pass() -> None:
    assert invoke(typer.Exit(7)).exit_code == 7
    result = invoke(typer.BadParameter("no such kind"))
    assert result.exit_code == 2
    assert "no such kind" in result.stderr


def test_a_closed_pipe_is_not_reported() -> None:
    result = invoke(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert "error:" not in result.stderr


def test_configuration_errors_are_usage_errors() -> None:
    assert exit_code(ConfigError("unknown key")) == 2
