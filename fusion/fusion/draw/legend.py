"""The line below a drawing that says what its colours and lines mean; only what occurs is explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fusion.draw.picture import Picture, Strands
from fusion.draw.style import BORDER, FAINT, INK, LEARNED, PAPER, degree_colour, is_dashed, shorten
from fusion.draw.xml import tidy

Sample = Callable[[float, float], str]
"""Draws the sample of an entry, 20 pixels wide, with its left middle at (x, y)."""


def legend_entries(strands: Sequence[Strands], figures: Picture, lanes: Mapping[str, str]) -> list[tuple[Sample, str]]:
    """Return (sample, words) of everything that needs a word."""
    irreps = {irrep for wire in strands if not wire.cable for irrep in wire.irreps}
    entries = [(_line(degree_colour(l)), f"l={l}") for l in sorted({irrep.l for irrep in irreps})]
    dashed = [irrep for irrep in irreps if is_dashed(irrep)]
    if dashed:
        examples = ",".join(map(str, sorted(dashed)[:3])) + ("…" if len(dashed) > 3 else "")
        entries.append((_line(INK, "5 3"), f"pseudo ({examples})"))
    if any(wire.cable for wire in strands):
        entries.append((_line(FAINT, width=4), "any irreps"))
    entries.extend((_swatch(colour), f"on {shorten(name, 24)}") for name, colour in lanes.items())
    if any(figure.words.learned for figure in figures.figures):
        entries.append((_swatch(LEARNED), "learned"))
    if any(wire.dotted for wire in strands):
        entries.append((_line(FAINT, "1.5 3", 1.2), "label"))
    if any(figure.shape == "cut" for figure in figures.figures):
        entries.append((_end, "→1 goes on at 1→"))
    return entries


def _end(x: float, y: float) -> str:
    return (
        f'<rect x="{tidy(x)}" y="{tidy(y - 5)}" width="20" height="10" rx="5" fill="{PAPER}" stroke="{INK}" '
        f'stroke-width="1" stroke-dasharray="3 2"/>'
    )


def _line(colour: str, dash: str = "", width: float = 2) -> Sample:
    more = f' stroke-dasharray="{dash}"' if dash else ""

    def sample(x: float, y: float) -> str:
        return f'<path d="M{tidy(x)} {tidy(y)}h20" stroke="{colour}" stroke-width="{tidy(width)}"{more}/>'

    return sample


def _swatch(colour: str) -> Sample:
    def sample(x: float, y: float) -> str:
        place = f'x="{tidy(x + 4)}" y="{tidy(y - 5)}" width="14" height="10"'
        return f'<rect {place} rx="2" fill="{colour}" stroke="{BORDER}" stroke-width=".6"/>'

    return sample
