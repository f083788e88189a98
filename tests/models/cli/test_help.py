"""The help of every command, the documentation page, and commands that do not exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from fusion import __version__
from fusion_models.cli import COMMANDS, app
from fusion_models.cli.errors import ExitCode

Run = Callable[..., Any]
ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
NAMES = [command.__name__ for command in COMMANDS]


def plain(text: str) -> str:
    """Text without the frames of boxes and with single spaces."""
    return re.sub(r"[\s│╭╮╰╯─]+", " ", text)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command_and_the_exit_codes(run: Run, flag: str) -> None:
    result = run(flag)
    assert result.exit_code == 0
    words = plain(result.stdout)
    for name in NAMES:
        assert f" {name} " in words
    assert "Exit codes: 0 fine; 1 the input breaks a law or a check failed; 2 usage; 3 a file" in words


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_explains_every_option(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Exit codes: 0 fine" in plain(result.stdout)
    (command,) = [command for command in COMMANDS if command.__name__ == name]
    assert command.__doc__
    assert plain(command.__doc__.splitlines()[0]).strip() in plain(result.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_help_text_and_stands_in_the_documentation(name: str) -> None:
    group = typer.main.get_command(app)
    section = PAGE.split(f"## fusion {name}\n", 1)[1].split("\n## ", 1)[0]
    for parameter in group.commands[name].params:  # pyright: ignore[reportAttributeAccessIssue]
        if parameter.name == "help":
            continue
        assert getattr(parameter, "help", ""), f"{name} {parameter.name} has no help"
        for option in (text for text in parameter.opts if text.startswith("-")):
            assert f"`{option}" in section, f"docs/cli.md: {name} does not explain {option}"


def test_the_documentation_names_every_exit_code() -> None:
    for code in ExitCode:
        assert re.search(rf"^\| {code.value} \|", PAGE, re.MULTILINE), f"docs/cli.md lacks exit code {code.value}"


def test_version(run: Run) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"fusion-networks {__version__}\n")


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands" in result.output


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["check", "--frobnicate"], ["check"], ["draw", "a.yaml", "b.yaml"]]
)
def test_wrong_usage_is_code_2(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys\nfrom fusion_models.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('loaded:', *sorted({'torch', 'matplotlib', 'ase', 'sympy'} & set(sys.modules)))"
    )
    path = ":".join(str(ROOT / folder) for folder in ("fusion", "compiler", "models"))
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded:"
