"""Exceptions of the compiler."""

from __future__ import annotations

from fusion.errors import FusionError


class CompileError(FusionError):
    """A legal diagram cannot be compiled as asked."""


class InternalError(CompileError):
    """A level broke its own rules: a defect of this program, not of the diagram."""

    def __init__(self, message: str, level: str) -> None:
        self.level = level
        super().__init__(f"{message}\nthis is a defect of fusion_compiler; please report it with this text:\n{level}")
