"""Pages whose code is run: every block of code or of commands, top to bottom, and what it prints stands below it.

Two kinds of blocks: ``python`` followed by ``text``, what the code prints; and ``console``, commands ``$ fusion ...``
with what they print. A line ``...`` stands for lines that a page leaves out, once in each output.

``PYTHONPATH=tests python -m pages docs/NAME.md`` writes what is printed now into a page.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fusion_models.cli import app

BLOCK = re.compile(r"^```(?:python\n(.*?)^```\n\n```text\n(.*?)|console\n(.*?))^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "..."


@dataclass(frozen=True, slots=True)
class Block:
    """Code and its output, or commands with their output; ``code`` is empty then. ``span`` says where it stands."""

    code: str
    shown: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """A page after its blocks were run: what each of them printed, and the names they left."""

    text: str
    blocks: Sequence[Block]
    printed: Sequence[str]
    namespace: dict[str, Any]

    @property
    def rewritten(self) -> str:
        """The page with what its blocks printed."""
        text = self.text
        for block, printed in zip(reversed(self.blocks), reversed(self.printed), strict=True):
            text = text[: block.span[0]] + printed + text[block.span[1] :]
        return text


def blocks_of(text: str) -> list[Block]:
    """Return the blocks of a page that are run."""
    found: list[Block] = []
    for match in BLOCK.finditer(text):
        place = 2 if match[1] else 3
        found.append(Block(match[1] or "", match[place], match.span(place)))
    return found


def run(text: str) -> Page:
    """Run all blocks in order, in one namespace and one empty folder."""
    blocks, printed, namespace = blocks_of(text), list[str](), dict[str, Any]()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), _without_columns():
        for block in blocks:
            printed.append(_python(block, namespace) if block.code else _console(block.shown))
    return Page(text, blocks, printed, namespace)


def check_form(text: str, blocks: int) -> None:
    """Check that every block of a page is run, that there are at least so many, and that no line is too long."""
    found = blocks_of(text)
    assert len(found) == text.count("```python") + text.count("```console") >= blocks
    assert sum(bool(block.code) for block in found) == text.count("```python") == text.count("```text")
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 150


@contextlib.contextmanager
def _without_columns() -> Iterator[None]:
    """Forget the width of the terminal."""
    width = os.environ.pop("COLUMNS", None)
    try:
        yield
    finally:
        if width is not None:
            os.environ["COLUMNS"] = width


def _python(block: Block, namespace: dict[str, Any]) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(block.code, "page", "exec"), namespace)
    return "".join(f"{line}\n" for line in _abridged(stream.getvalue(), block.shown))


def _console(shown: str) -> str:
    """Run every command, ``$ fusion ...``; return all with what they print."""
    found = ""
    for command, output in re.findall(r"^\$ (fusion .*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE):
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        found += "\n".join((f"$ {command}", *_abridged(result.output, output), ""))
    return found


def _abridged(printed: str, shown: str) -> list[str]:
    """Return the lines without trailing spaces, and without those that the page leaves out."""
    lines, wanted = [line.rstrip() for line in printed.splitlines()], shown.splitlines()
    if LEFT_OUT in wanted:
        first = wanted.index(LEFT_OUT)
        lines[first : len(lines) - (len(wanted) - first - 1)] = [LEFT_OUT]
    return lines


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(run(path.read_text(encoding="utf-8")).rewritten, encoding="utf-8")
