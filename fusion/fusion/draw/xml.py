"""Numbers and texts inside XML."""

from __future__ import annotations

from fusion.draw.style import clean


def tidy(value: float) -> str:
    """Return a coordinate with at most one decimal, without a useless zero."""
    tenths = int(value * 10 + (0.5 if value >= 0 else -0.5))
    whole, rest = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"


def content(text: str) -> str:
    """Return text as character data of an element."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """Return text as the value of an attribute in double quotes."""
    return content(text).replace('"', "&quot;")
