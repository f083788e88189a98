"""Where commands write: results to standard output, everything about the run to standard error."""

from __future__ import annotations

import io
import os
import sys

import typer
from rich.console import Console
from rich.table import Table

PIPED_WIDTH = 120
"""Columns of a table that goes to a file or a pipe; on a terminal, its width."""


def output() -> Console:
    """Return the console of results."""
    return _console(stderr=False)


def messages() -> Console:
    """Return the console of errors, notices and progress."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    # Texts of diagrams are full of brackets and colons: no markup, no emoji, nothing coloured by guess.
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def print_line(text: str) -> None:
    """Print a text to standard output as it is: nothing wrapped, nothing coloured."""
    typer.echo(text)


def facts() -> Table:
    """Return an empty table of two columns, a name and a value, without lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def tolerate_narrow_encodings() -> None:
    """Let standard output and error show what their encoding lacks as ``?`` instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
