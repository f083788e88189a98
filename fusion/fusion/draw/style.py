"""Colours and text measures of the drawings, and what makes foreign text safe to draw."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from fusion.irreps import Irrep

FONT = "DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace"
FONT_SIZE = 11.0
SMALL_SIZE = 10.0
_ADVANCE = 0.61
"""Width of one character over the font size; every usual monospaced font has 0.60 or a little less."""

PAPER, INK, FAINT, BORDER = "#ffffff", "#1f2430", "#6b7280", "#98a1b0"
BOX, LEARNED = "#f7f8fa", "#dde9d5"
ERROR, ERROR_FILL = "#c81e1e", "#fde8e8"
NOTICE, NOTICE_FILL = "#b45309", "#fdf0d5"
NOTE = "#3b5b8c"

_BY_DEGREE = ("#3f4550", "#1d6fd8", "#0f8a55", "#8b3fc9", "#097f94", "#c2418f", "#8a5a1f", "#67791b")
"""Strand colours for l = 0, 1, ...; they repeat from l = 8 on, where the written label tells."""

_LANES = {"atom": "#dbe8fb", "edge": "#fbe9c9", "system": "#d9f0dc", "constant": "#e9e9ec"}
_MORE_LANES = ("#eadcf7", "#d3eeee", "#f8dce6", "#e6ecc6", "#f1e0d0", "#d6dcf0")

STRANDS: dict[str, str] = dict(
    zip(
        _BY_DEGREE,
        ("#c3cad6", "#6cb0ff", "#4ecb8d", "#c79bff", "#3fd0e4", "#ff8cc8", "#e3ac6a", "#c0d04f"),
        strict=True,
    )
)
"""Strand colours on a light page, each with its counterpart on a dark one."""
SURFACES: dict[str, str] = {
    PAPER: "#12161d",
    BOX: "#1e242e",
    LEARNED: "#2c4424",
    ERROR_FILL: "#4a1d20",
    NOTICE_FILL: "#43320f",
    **dict(zip(_LANES.values(), ("#1b3352", "#47371a", "#1d4026", "#33363d"), strict=True)),
    **dict(zip(_MORE_LANES, ("#3b2752", "#14403f", "#4d2334", "#3b4219", "#452f1c", "#2a3358"), strict=True)),
}
"""Colours that something is drawn or written on, likewise."""
INKS: dict[str, str] = {
    INK: "#e6e9f0",
    FAINT: "#9aa4b4",
    BORDER: "#525c6b",
    ERROR: "#ff7b72",
    NOTICE: "#e3a13c",
    NOTE: "#8fb4ea",
}
"""Colours of outlines and texts, likewise."""

SHEET_CLASS = "fusion-drawing"
"""Class of a drawing's root: the sheet touches nothing else in a page."""


def _dark_rules() -> str:
    pairs = (
        *(("stroke", *pair) for pair in STRANDS.items()),
        *((name, *pair) for name in ("fill", "stroke") for pair in (*SURFACES.items(), *INKS.items())),
    )
    return "".join(f'.{SHEET_CLASS} [{name}="{light}"]{{{name}:{dark}}}' for name, light, dark in pairs)


SHEET = f"@media (prefers-color-scheme:dark){{{_dark_rules()}}}"
"""The style sheet of every drawing, always the same text: where a dark page is asked for, it exchanges the colours that
the attributes name. Viewers without style sheets, and printers, show the light drawing."""


def degree_colour(l: int) -> str:
    """Return the colour of a strand of degree ``l``."""
    return _BY_DEGREE[l % len(_BY_DEGREE)]


def is_dashed(irrep: Irrep) -> bool:
    """Whether a strand is dashed: parity -(-1)**l, as of pseudoscalars and axial vectors."""
    return irrep.p == -((-1) ** irrep.l)


def lane_colours(spaces: Iterable[str]) -> dict[str, str]:
    """Return a pale colour for every index space, in order of first appearance."""
    found: dict[str, str] = {}
    further = 0
    for name in spaces:
        if name in found:
            continue
        if name in _LANES:
            found[name] = _LANES[name]
        else:
            found[name] = _MORE_LANES[further % len(_MORE_LANES)]
            further += 1
    return found


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def columns(text: str) -> int:
    """Return how many character cells ``text`` takes in a monospaced font."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Return the width of ``text`` in pixels at a font size, rounded up a little."""
    return columns(text) * size * _ADVANCE


def widest(lines: Sequence[str], size: float = FONT_SIZE) -> float:
    """Return the width of the widest line; 0 without lines."""
    return max((text_width(line, size) for line in lines), default=0.0)


def clean(text: str) -> str:
    """Return ``text`` with everything replaced that XML forbids or that changes the direction of writing.

    Tabs and line ends become blanks: callers split lines first.
    """
    return "".join(map(_clean_character, text))


def _clean_character(character: str) -> str:
    if " " <= character <= "~":
        return character
    if character in "\t\n\r":
        return " "
    category = unicodedata.category(character)
    bad = category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or ord(character) & 0xFFFE == 0xFFFE
    return "\ufffd" if bad else character


def shorten(text: str, width: int) -> str:
    """Return ``text`` cut to ``width`` characters, the last one an ellipsis where something is missing."""
    return text if len(text) <= width else text[: width - 1] + "…"


def wrap(text: str, width: int, lines: int, breaks: str = " ") -> tuple[str, ...]:
    """Return ``text`` in at most ``lines`` lines of ``width`` characters, cut after characters of ``breaks``."""
    rest = clean(text[: 4 * width * lines]).strip()
    found: list[str] = []
    while rest and len(found) < lines:
        if len(rest) <= width:
            found.append(rest)
            rest = ""
            break
        cut = max(rest.rfind(mark, 0, width) for mark in breaks) + 1
        cut = cut if cut > width // 3 else width
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest and found:
        found[-1] = shorten(found[-1] + " " * width, width - 1).rstrip(" …") + "…"
    return tuple(found)
