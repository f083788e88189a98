"""Emitters: what turns a program into something that runs. ``interpret`` defines the meaning; all others agree."""

from __future__ import annotations

from collections.abc import Callable

from fusion_compiler.emit.interpret import Runner, interpret
from fusion_compiler.emit.source import source_function, source_text
from fusion_compiler.errors import CompileError
from fusion_compiler.program import Program

EMITTERS: dict[str, Callable[[Program], Runner]] = {"interpret": interpret, "source": source_function}


def runner(program: Program, emitter: str) -> Runner:
    """Return the function that runs ``program``; raise :class:`CompileError` for an unknown emitter."""
    if emitter not in EMITTERS:
        raise CompileError(f"unknown emitter {emitter!r}; this build has: {', '.join(EMITTERS)}")
    return EMITTERS[emitter](program)


__all__ = ["EMITTERS", "Runner", "runner", "source_text"]
