"""Outlines of the figures as SVG elements. Colours come from the surrounding group."""

from __future__ import annotations

from fusion.draw.picture import Figure
from fusion.draw.xml import tidy

_SLANT = 9.0


def outline(figure: Figure, x: float, y: float) -> str:
    """Return the outline of a figure around (x, y); empty for a bare line."""
    w, h = figure.half_width, figure.half_height
    match figure.shape:
        case "line" | "turn":
            return f'<circle cx="{tidy(x)}" cy="{tidy(y)}" r="6"/>' if figure.mark is not None else ""
        case "vertex" if w > h:  # a wire of many strands
            return _rectangle(x, y, w, h, h)
        case "vertex":
            return f'<circle cx="{tidy(x)}" cy="{tidy(y)}" r="{tidy(w)}"/>'
        case "pull":  # few rows become many: wider below
            return _polygon(x - w + _SLANT, y - h, x + w - _SLANT, y - h, x + w, y + h, x - w, y + h)
        case "sum":  # many rows become few: narrower below
            return _polygon(x - w, y - h, x + w, y - h, x + w - _SLANT, y + h, x - w + _SLANT, y + h)
        case "terminal":
            return _rectangle(x, y, w, h, min(h, 11.0))
        case "cut":
            return _rectangle(x, y, w, h, h, ' stroke-dasharray="3 2"')
        case "label":
            return _rectangle(x, y, w, h, min(h, 9.0), ' stroke-dasharray="1.5 3"')
        case "map":
            return _rectangle(x, y, w, h, 8.0)
        case "bar":
            return _rectangle(x, y, w, h, min(h, 10.0))
        case "panel":
            return _rectangle(x, y, w, h, 4.0)
        case _:
            return _rectangle(x, y, w, h, 2.0)


def _rectangle(x: float, y: float, w: float, h: float, radius: float, more: str = "") -> str:
    size = f'x="{tidy(x - w)}" y="{tidy(y - h)}" width="{tidy(2 * w)}" height="{tidy(2 * h)}"'
    return f'<rect {size} rx="{tidy(radius)}"{more}/>'


def _polygon(*numbers: float) -> str:
    pairs = " ".join(f"{tidy(a)},{tidy(b)}" for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    return f'<polygon points="{pairs}"/>'
