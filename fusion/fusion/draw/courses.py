"""The course of a wire as SVG path data: from the middle of one shape, through the rows, into another."""

from __future__ import annotations

from typing import Protocol

from fusion.draw.layout import Stroke, Way
from fusion.draw.picture import Picture
from fusion.draw.tracks import corner
from fusion.draw.xml import tidy


class Course(Protocol):
    """Gives the path data of one strand at some distance from the middle of a wire, or of the lane below (``lane``)."""

    def __call__(self, offset: float, *, lane: bool = False) -> str: ...


def course(picture: Picture, stroke: Stroke, dx: float, dy: float) -> Course:
    """Return the course of a wire in a picture that is moved by (dx, dy)."""
    link = picture.links[stroke.link]
    layout = picture.layout
    target, source = picture.figures[link.target], picture.figures[link.source]
    ways = [way.moved(dx, dy) for way in stroke.ways]
    source_x, source_y = layout.x[link.source] + dx, layout.y[link.source] + dy
    target_x, target_y = layout.x[link.target] + dx, layout.y[link.target] + dy
    sides = sorted(picture.items[link.target].sides)

    def path(offset: float, *, lane: bool = False) -> str:
        x = ways[0].x1
        if stroke.branch:
            parts = [f"M{_pair(x + offset, ways[0].y1)}"]
        elif x != source_x and source.shape in ("vertex", "turn"):
            parts = [_leave(x + offset, source_x + 0.4 * offset, source_y, source.shape)]
        else:
            # a line of a network goes on below its middle: strands overlap there and lanes do not, so that no gap shows
            seam = 0 if source.shape != "line" else 2 if lane else -1
            parts = [f"M{_pair(x + offset, source_y + seam)}"]
        parts.extend(_across(way, offset, corner(link.half)) for way in ways)
        x = ways[-1].x2
        if link.into in sides:
            # the outer one of several enters below the inner one
            low = 7.0 * (sides.index(link.into) - (len(sides) - 1) / 2)
            parts.append(_sideways(x, target_y + low, offset, target_x, target.half_width))
        elif abs(x - target_x) > target.half_width and target.shape in ("vertex", "turn"):
            parts.append(_arrive(x + offset, target_x + 0.4 * offset, target_y, target.shape))
        else:
            parts.append(f"V{tidy(target_y)}")
        return "".join(parts)

    return path


def _pair(x: float, y: float) -> str:
    return f"{tidy(x)} {tidy(y)}"


def _across(way: Way, offset: float, radius: float) -> str:
    """Go from one row to the next, for a strand ``offset`` to the right of the middle when it goes down.

    On a track the strands stay parallel: the same shift is upwards on the way to the right, downwards to the left,
    and the corners are concentric.
    """
    x1, x2 = way.x1 + offset, way.x2 + offset
    if way.x1 == way.x2:
        return ""
    if way.level is None:
        bend = 0.5 * (way.y2 - way.y1)
        return f"V{tidy(way.y1)}C{_pair(x1, way.y1 + bend)} {_pair(x2, way.y2 - bend)} {_pair(x2, way.y2)}"
    sign = 1.0 if way.x2 > way.x1 else -1.0
    level = way.level - sign * offset
    return (
        f"V{tidy(way.level - radius)}Q{_pair(x1, level)} {_pair(way.x1 + sign * radius, level)}"
        f"H{tidy(way.x2 - sign * radius)}Q{_pair(x2, level)} {_pair(x2, way.level + radius)}"
    )


def _leave(x: float, middle: float, y: float, shape: str) -> str:
    """Start in the middle of a vertex, or on the upper side of a turn, towards a port beside the axis."""
    if shape == "turn":
        return f"M{_pair(middle, y - 16)}Q{_pair(x, y - 16)} {_pair(x, y)}"
    return f"M{_pair(middle, y)}Q{_pair(x, y + 9)} {_pair(x, y + 22)}"


def _arrive(x: float, middle: float, y: float, shape: str) -> str:
    """Come from a port beside the axis to the middle of a vertex, or to the lower side of a turn."""
    if shape == "turn":
        return f"V{tidy(y)}Q{_pair(x, y + 16)} {_pair(middle, y + 16)}"
    return f"V{tidy(y - 22)}Q{_pair(x, y - 9)} {_pair(middle, y)}"


def _sideways(x: float, y: float, offset: float, axis: float, half_width: float) -> str:
    """Come down beside a box and enter it from that side."""
    right = x > axis
    level = y + offset if right else y - offset
    outer = x + offset
    edge = axis + half_width - 2 if right else axis - half_width + 2
    inner = outer - 8 if right else outer + 8
    return f"V{tidy(level - 8)}Q{_pair(outer, level)} {_pair(inner, level)}H{tidy(edge)}"
