"""Drawings of diagrams and fusion networks: SVG and text without any program, DOT through the graphviz package.

:func:`svg`, :func:`text` and :func:`dot` return texts; :func:`draw` returns a :class:`Drawing` with all of them::

    draw(diagram).save("diagram.svg")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from fusion import display
from fusion.diagram import Diagram, Wire
from fusion.draw.dot import FORMATS, dot, render_dot
from fusion.draw.svg import svg
from fusion.draw.text import text
from fusion.errors import FusionError
from fusion.findings import Finding
from fusion.network import Network
from fusion.node import Node

__all__ = ["Drawing", "dot", "draw", "render_dot", "svg", "text"]


@dataclass(frozen=True)
class Drawing:
    """A value with what is to be drawn over it; shows itself in notebooks, and as text when printed."""

    value: Wire | Diagram | Network
    findings: Sequence[Finding] | None = None
    notes: Mapping[Node, str] | None = None

    def svg(self) -> str:
        """Return the drawing as SVG."""
        return svg(self.value, findings=self.findings, notes=self.notes)

    def text(self, *, ascii: bool = False) -> str:
        """Return the drawing in characters."""
        return text(self.value, findings=self.findings, notes=self.notes, ascii=ascii)

    def dot(self) -> str:
        """Return the DOT source."""
        return dot(self.value, findings=self.findings, notes=self.notes)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the drawing in the format of the suffix: ``.svg``, ``.txt``, ``.dot`` or ``.gv``; return the path.

        ``.pdf`` and ``.png`` are made by the ``dot`` program of Graphviz.

        Raises:
            FusionError: another suffix, or a suffix that needs the ``dot`` program where it is missing.
            LimitError: there are more nodes than can be drawn.
            OSError: the file cannot be written.
        """
        place = Path(path)
        suffix = place.suffix.lower()
        if suffix == ".svg":
            data = self.svg().encode()
        elif suffix == ".txt":
            data = self.text().encode()
        elif suffix in (".dot", ".gv"):
            data = self.dot().encode()
        elif suffix.removeprefix(".") in FORMATS:
            data = render_dot(self.value, suffix.removeprefix("."), findings=self.findings, notes=self.notes)
        else:
            raise FusionError(f"a drawing is saved as .svg, .txt, .dot, .gv, .pdf or .png, not as {place.name!r}")
        place.write_bytes(data)
        return place

    def __str__(self) -> str:
        return self.text()

    def _repr_svg_(self) -> str:
        return self.svg()


def draw(
    value: Wire | Diagram | Network,
    *,
    findings: Sequence[Finding] | None = None,
    notes: Mapping[Node, str] | None = None,
) -> Drawing:
    """Return the drawing of a wire, a diagram or a fusion network.

    Args:
        value: what to draw.
        findings: what to mark; by default everything the validator finds.
        notes: plain text to write at nodes, such as costs.
    """
    return Drawing(value, findings, notes)


def _show(value: object) -> str:
    """Draw what a notebook asks for."""
    if not isinstance(value, Wire | Diagram | Network):
        raise FusionError(f"{type(value).__name__} cannot be drawn")
    return svg(value)


display.register(_show)
