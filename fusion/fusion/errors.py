"""The exception types a user of the language can meet; those of broken laws stand in :mod:`fusion.findings`."""

from __future__ import annotations


class FusionError(ValueError):
    """Something the user asked for is not possible; the message says what, where, and what would be."""


class LimitError(FusionError):
    """A value is legal but larger than what this package accepts (see :mod:`fusion.limits`)."""


class NotationError(FusionError):
    """A text does not follow the notation.

    Attributes:
        text: the whole text that was read.
        position: offset of the offending character in ``text``.
    """

    def __init__(self, message: str, text: str = "", position: int = 0) -> None:
        self.text = text
        self.position = position
        super().__init__(f"{message}\n{caret(text, position)}" if text else message)


class FileFormatError(FusionError):
    """A diagram file cannot be read: wrong format, version, key, type or size."""


class InputError(FusionError):
    """A tensor, array or index map given at run time does not fit the diagram."""


def caret(text: str, position: int, length: int = 1, width: int = 96) -> str:
    """Return the line of ``text`` that holds ``position``, with carets under the ``length`` characters meant.

    A line longer than ``width`` is cut around the place, with ``...`` where something is left out; characters that a
    terminal would not print as one column are shown as ``?``.
    """
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[begin : len(text) if end < 0 else end]
    column = position - begin
    start = max(0, min(column - width // 2, len(line) - width))
    shown = "".join(letter if letter.isprintable() else "?" for letter in line[start : start + width])
    head, tail = "..." if start else "", "..." if start + width < len(line) else ""
    column += len(head) - start
    marks = "^" * max(1, min(length, len(head) + len(shown) - column))
    return f"    {head}{shown}{tail}\n    {' ' * column}{marks}"
