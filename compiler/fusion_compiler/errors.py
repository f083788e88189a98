"""Exceptions of the compiler."""

from __future__ import annotations

from fusion.errors import FusionError


class CompileError(FusionError):
    """A legal diagram cannot be compiled as asked."""


class MemoryLimitError(CompileError):
    """A run would hold more memory than is allowed; nothing was allocated.

    Attributes:
        needed: the forecast, in bytes.
        limit: what is allowed, in bytes.
    """

    def __init__(self, message: str, needed: int, limit: int) -> None:
        self.needed = needed
        self.limit = limit
        super().__init__(message)


class InternalError(CompileError):
    """A level broke its own rules: a defect of this program, not of the diagram."""

    def __init__(self, message: str, level: str) -> None:
        self.level = level
        super().__init__(f"{message}\nthis is a defect of fusion_compiler; please report it with this text:\n{level}")
