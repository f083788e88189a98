"""Channel patterns with standard letters, so that patterns that mean the same are equal."""

from __future__ import annotations

from fusion.pattern import Pattern


def standard(pattern: Pattern) -> Pattern:
    """Return the pattern with its letters called a, b, c, ... in the order of the result."""
    letters = dict(zip(dict.fromkeys(pattern.result + pattern.letters), "abcdefghijklmnopqrstuvwxyz", strict=False))
    operands = tuple("".join(letters[c] for c in part) for part in pattern.operands)
    return Pattern(operands, "".join(letters[c] for c in pattern.result))


def exchanged(pattern: Pattern) -> Pattern:
    """Return the pattern of the exchanged operands."""
    return Pattern((pattern.operands[1], pattern.operands[0]), pattern.result)
