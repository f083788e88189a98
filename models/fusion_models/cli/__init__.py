"""The command line ``fusion``.

To add a command: write a function with a docstring and typed parameters in a file of this folder, and name it in
``COMMANDS``. Errors, exit codes and the epilogue of its help come from here. Import torch and everything heavy inside
the function, so that ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from fusion_models.cli import doctor, fuzz, generate, language, training, verify
from fusion_models.cli.console import print_line, tolerate_narrow_encodings
from fusion_models.cli.errors import EPILOGUE, GuardedGroup

COMMANDS: tuple[Callable[..., None], ...] = (
    language.check,
    language.draw,
    language.explain,
    verify.verify,
    generate.generate,
    training.train,
    training.evaluate,
    training.md,
    fuzz.fuzz,
    doctor.doctor,
)
"""Every command, in the order of the help."""

app = typer.Typer(
    name="fusion",
    cls=GuardedGroup,
    help="Fusion diagrams of O(3): check, draw, compile and train what is written in them.",
    epilog=EPILOGUE,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
for _command in COMMANDS:
    app.command(epilog=EPILOGUE)(_command)


def _show_version(asked: bool) -> None:
    if asked:
        from fusion import __version__

        print_line(f"fusion-networks {__version__}")
        raise typer.Exit


@app.callback()
def _options(  # pyright: ignore[reportUnusedFunction]  # typer keeps it
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    tolerate_narrow_encodings()
    app()


__all__ = ["COMMANDS", "app", "main"]
