"""What is drawn over a diagram: marks for what is wrong or odd, and plain notes at nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fusion.draw.style import clean, wrap
from fusion.findings import Finding
from fusion.node import Node

_CAPTION_WIDTH, _CAPTION_LINES = 30, 3
_NOTE_WIDTH, _NOTE_LINES = 30, 6
MAX_LISTED = 12
"""Number of findings that are written out below a drawing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark at a node: ``error`` or ``notice``, the numbers of its findings, and a caption for errors."""

    severity: str
    numbers: tuple[int, ...]
    caption: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Marks and notes by node, and the findings written out below the drawing as (severity, text)."""

    marks: Mapping[Node, Mark] = field(default_factory=dict[Node, Mark])
    notes: Mapping[Node, tuple[str, ...]] = field(default_factory=dict[Node, tuple[str, ...]])
    listed: tuple[tuple[str, str], ...] = ()
    unlisted: int = 0


def overlay(findings: Sequence[Finding], notes: Mapping[Node, str] | None = None) -> Overlay:
    """Return the overlay of findings, numbered in their order, and of notes."""
    marks: dict[Node, Mark] = {}
    for number, finding in enumerate(findings, 1):
        violation = finding.violation
        mark = marks.get(finding.node, Mark("notice", (), ()))
        if violation.severity == "error" and mark.severity != "error":
            mark = Mark("error", mark.numbers, wrap(violation.headline, _CAPTION_WIDTH, _CAPTION_LINES))
        marks[finding.node] = replace(mark, numbers=(*mark.numbers, number))
    written: dict[Node, tuple[str, ...]] = {}
    for node, text in (notes or {}).items():
        lines = [line for part in text.split("\n")[:_NOTE_LINES] for line in wrap(part, _NOTE_WIDTH, 2)]
        written[node] = tuple(lines[:_NOTE_LINES])
    listed = tuple((finding.violation.severity, clean(finding.violation.headline)) for finding in findings[:MAX_LISTED])
    return Overlay(marks, written, listed, max(0, len(findings) - MAX_LISTED))
