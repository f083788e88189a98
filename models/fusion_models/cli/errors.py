"""What a failing command says and the code it exits with. One place for all commands."""

from __future__ import annotations

import os
import traceback
from enum import IntEnum
from typing import Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from fusion.errors import FileFormatError, FusionError, NotationError
from fusion_models.cli.console import messages
from fusion_models.errors import CheckpointError, ConfigError, DataError

TRACEBACK = "FUSION_TRACEBACK"
"""Environment variable that adds the traceback to every message."""


class ExitCode(IntEnum):
    """How a command ended. Documented in ``docs/cli.md``."""

    FINE = 0
    FAILED = 1
    """The input breaks a law, or a check failed."""
    USAGE = 2
    """The command line is wrong: an unknown command, option or value."""
    UNREADABLE = 3
    """A file or data cannot be read or written."""
    DEFECT = 4
    """A defect of this program."""
    INTERRUPTED = 130


EPILOGUE = (
    "Exit codes: 0 fine; 1 the input breaks a law or a check failed; 2 usage; 3 a file or data cannot be read or "
    "written; 4 a defect of this program; 130 interrupted."
)


class GuardedGroup(TyperGroup):
    """Turns every exception of a command into a message on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            messages().print("interrupted", style="bold yellow")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except (FusionError, OSError, MemoryError) as error:
            if isinstance(error, BrokenPipeError):  # the reader of our output has seen enough; typer handles it
                raise
            report(error)
            raise typer.Exit(exit_code(error)) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] in ("typer", "click"):  # usage errors and exits
                raise
            report(error)
            raise typer.Exit(exit_code(error)) from None


def exit_code(error: BaseException) -> ExitCode:
    """Return the exit code that belongs to an exception."""
    if isinstance(error, ConfigError):
        return ExitCode.USAGE
    if isinstance(error, FileFormatError | NotationError | DataError | CheckpointError | OSError):
        return ExitCode.UNREADABLE
    if isinstance(error, FusionError) and type(error).__name__ != "InternalError":  # not imported: it would load torch
        return ExitCode.FAILED
    return ExitCode.FAILED if isinstance(error, MemoryError) else ExitCode.DEFECT


def report(error: BaseException, where: str = "") -> None:
    """Print an exception on standard error, without a traceback unless ``FUSION_TRACEBACK`` is set.

    Args:
        error: what happened.
        where: the file it happened in, where the message does not say so itself.
    """
    console = messages()
    head = Text.assemble(("error: ", "bold red"), (f"{where}: " if where else "", "bold"), message(error))
    console.print(head, soft_wrap=True)
    if exit_code(error) is ExitCode.DEFECT:
        advice = f"This is a defect of the program. {TRACEBACK}=1 shows where; please report it with that text."
        console.print(advice, style="yellow", soft_wrap=True)
    if os.environ.get(TRACEBACK, "") not in ("", "0"):
        console.print("".join(traceback.format_exception(error)), soft_wrap=True, style="dim")


def message(error: BaseException) -> str:
    """Return the text of an exception, with its notes."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, FusionError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
    return "\n".join([text, *getattr(error, "__notes__", ())])
