"""Channel patterns: einsum text such as ``"u,v->uv"`` over the channel axes of the operands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fusion.errors import LimitError, NotationError
from fusion.limits import MAX_CHANNEL_AXES

_PATTERN = re.compile(r"[a-z]*(,[a-z]*)?->[a-z]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Letters of the channel axes of each operand and of the result; one lower-case letter an axis."""

    operands: tuple[str, ...]
    result: str

    @classmethod
    def parse(cls, text: str, operands: int) -> Pattern:
        """Read a pattern with the given number of operands; raise :class:`NotationError` otherwise."""
        compact = text.replace(" ", "")
        if not _PATTERN.fullmatch(compact):
            raise NotationError("a channel pattern is letters, commas and '->', such as u,v->uv", text or " ", 0)
        left, _, result = compact.partition("->")
        parts = tuple(left.split(","))
        if len(parts) != operands:
            raise NotationError(f"this pattern needs {operands} operand(s), got {len(parts)}", text, 0)
        for part in (*parts, result):
            if len(set(part)) != len(part):
                raise NotationError(f"a letter stands twice in {part!r}", text, text.find(part))
            if len(part) > MAX_CHANNEL_AXES:
                raise LimitError(f"more than {MAX_CHANNEL_AXES} channel axes in pattern {text!r}")
        return cls(parts, result)

    @property
    def letters(self) -> str:
        """Every letter once, in order of appearance."""
        return "".join(dict.fromkeys("".join(self.operands) + self.result))

    @property
    def new_letters(self) -> str:
        """Letters of the result that no operand has: they ask for a weight."""
        seen = set("".join(self.operands))
        return "".join(letter for letter in self.result if letter not in seen)

    def __str__(self) -> str:
        return ",".join(self.operands) + "->" + self.result
