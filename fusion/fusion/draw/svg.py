"""Write a placed picture as SVG: plain presentation attributes, no script, no identifier, no reference.

The one style sheet gives the colours of a dark page. It is the same in every drawing and reaches only into drawings, so
that several of them can stand inline in one page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusion.diagram import Diagram, Wire
from fusion.draw.courses import course
from fusion.draw.layout import Stroke
from fusion.draw.legend import legend_entries
from fusion.draw.networks import network_picture
from fusion.draw.overlay import MAX_LISTED, Overlay, overlay
from fusion.draw.picture import LINE, STRAND, Figure, Picture, Strands
from fusion.draw.scene import compose
from fusion.draw.shapes import outline
from fusion.draw.style import (
    BORDER,
    BOX,
    ERROR,
    ERROR_FILL,
    FAINT,
    FONT,
    FONT_SIZE,
    INK,
    LEARNED,
    NOTE,
    NOTICE,
    NOTICE_FILL,
    PAPER,
    SHEET,
    SHEET_CLASS,
    SMALL_SIZE,
    clean,
    degree_colour,
    is_dashed,
    lane_colours,
    text_width,
    wrap,
)
from fusion.draw.xml import attribute, content, tidy
from fusion.findings import Finding
from fusion.irreps import Irrep
from fusion.network import Network
from fusion.node import Node
from fusion.validate import findings as find

_TEXT_STYLES = {
    "title": f'text-anchor="middle" font-weight="bold" fill="{INK}"',
    "inside": f'text-anchor="middle" fill="{INK}" font-size="{tidy(SMALL_SIZE)}"',
    "sign": f'text-anchor="middle" font-weight="bold" fill="{INK}" font-size="15"',
    "wire": f'fill="{INK}"',
    "type": f'fill="{FAINT}"',
    "operator": f'fill="{INK}" font-style="italic"',
    "note": f'text-anchor="end" fill="{NOTE}" font-size="{tidy(SMALL_SIZE)}"',
    "error": f'text-anchor="end" fill="{ERROR}" font-size="{tidy(SMALL_SIZE)}"',
    "notice": f'text-anchor="end" fill="{NOTICE}" font-size="{tidy(SMALL_SIZE)}"',
    "badge": f'text-anchor="middle" font-weight="bold" fill="{PAPER}" font-size="{tidy(SMALL_SIZE)}"',
    "legend": f'fill="{FAINT}" font-size="{tidy(SMALL_SIZE)}"',
    "list-error": f'fill="{ERROR}"',
    "list-notice": f'fill="{NOTICE}"',
}
_MARKS = {"error": (ERROR, ERROR_FILL), "notice": (NOTICE, NOTICE_FILL)}
_LEAST_WIDTH = 340.0
_CABLES_ABOVE = 160_000
"""Characters above which a drawing is made again with one grey line a wire: no file of 200 nodes reaches 200 kB."""


def svg(
    value: Wire | Diagram | Network,
    *,
    findings: Sequence[Finding] | None = None,
    notes: Mapping[Node, str] | None = None,
) -> str:
    """Return the drawing of a diagram or of a fusion network as SVG text.

    Args:
        value: a wire, a diagram with several outputs, or a network.
        findings: what to mark; by default everything the validator finds, so that illegal diagrams can be drawn. An
            empty sequence marks nothing.
        notes: plain text to write at nodes, such as costs.

    Raises:
        LimitError: there are more nodes than can be drawn.
    """
    if isinstance(value, Network):
        broken = [("error", clean(found.headline)) for found in value.violations()]
        listed = Overlay(listed=tuple(broken[:MAX_LISTED]), unlisted=max(0, len(broken) - MAX_LISTED))
        name = f"fusion network of {len(value.vertices)} vertices and {len(value.lines)} lines"
        return _Writer(network_picture(value), listed).write(name)
    over = overlay(find(value) if findings is None else findings, notes)
    picture = compose(value, over)
    name = f"fusion diagram of {len(picture.figures)} parts"
    drawn = _Writer(picture, over).write(name)
    if len(drawn) > _CABLES_ABOVE:
        drawn = _Writer(compose(value, over, cables=True), over).write(name)
    return drawn


class _Writer:
    """Collects the fragments of one drawing: wires below shapes below texts."""

    def __init__(self, picture: Picture, over: Overlay) -> None:
        self.picture = picture
        self.over = over
        self.inset = 6.0
        """How far open ends stay away from the edge of their picture: inside a panel, not at all."""
        self.lanes = lane_colours(strands.on for strands in _all_strands(picture) if strands.on)
        self.wires: list[str] = []
        self.shapes: list[str] = []
        self.texts: dict[str, list[str]] = {style: [] for style in _TEXT_STYLES}

    def write(self, name: str) -> str:
        """Return the whole document."""
        layout = self.picture.layout
        width = max(layout.width, _LEAST_WIDTH)
        self._draw(self.picture, (width - layout.width) / 2, 0.0)
        height = self._legend(width, layout.height + 4)
        height = self._list(width, height)
        size = f'width="{tidy(width)}" height="{tidy(height)}" viewBox="0 0 {tidy(width)} {tidy(height)}"'
        groups = [
            f"<g {attributes}>{''.join(self.texts[style])}</g>"
            for style, attributes in _TEXT_STYLES.items()
            if self.texts[style]
        ]
        parts = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} class="{SHEET_CLASS}" role="img" '
            f'aria-label="{attribute(name)}">',
            f"<style>{SHEET}</style>",
            f'<rect width="{tidy(width)}" height="{tidy(height)}" rx="8" fill="{PAPER}" stroke="{BORDER}"/>',
            f'<g fill="none" stroke-width="2" stroke-linejoin="round">{"".join(self.wires)}</g>',
            f'<g stroke="{INK}" stroke-width="1.2" fill="{BOX}">{"".join(self.shapes)}</g>',
            f'<g font-family="{FONT}" font-size="{tidy(FONT_SIZE)}">{"".join(groups)}</g>',
            "</svg>",
        )
        return "\n".join(parts) + "\n"

    def text(self, style: str, x: float, y: float, words: str) -> None:
        """Add one line of text."""
        if words:
            self.texts[style].append(f'<text x="{tidy(x)}" y="{tidy(y)}">{content(words)}</text>')

    def _draw(self, picture: Picture, dx: float, dy: float) -> None:
        """Draw a picture moved by (dx, dy); pictures inside panels are drawn by the same method."""
        nets: dict[tuple[int, int], list[Stroke]] = {}
        for stroke in picture.layout.strokes:
            link = picture.links[stroke.link]
            nets.setdefault((link.source, link.out), []).append(stroke)
        for strokes in nets.values():
            self._net(picture, strokes, dx, dy)
        for figure, item, x, y in zip(picture.figures, picture.items, picture.layout.x, picture.layout.y, strict=True):
            if figure.end:
                self._open_end(picture, figure, x + dx, y + dy, dy)
            self._figure(figure, x + dx, y + dy, item.outs)
            if figure.panel is not None:
                self._panel(figure.panel, x + dx, y + dy)

    def _panel(self, inner: Picture, x: float, y: float) -> None:
        """Draw a network inside its panel: all of it above the panel's own shape."""
        outer_wires, self.wires = self.wires, []
        outer_shapes, self.shapes = self.shapes, []
        self.inset = 0.0
        self._draw(inner, x - inner.layout.width / 2, y - inner.layout.height / 2)
        outer_shapes.append(f'<g fill="none" stroke-width="2">{"".join(self.wires)}</g>')
        self.wires, self.shapes = outer_wires, outer_shapes + self.shapes

    def _open_end(self, picture: Picture, figure: Figure, x: float, y: float, top: float) -> None:
        """Lead an open end of a network to the upper or lower edge of its picture."""
        edge = top + self.inset if figure.end.startswith("in ") else top + picture.layout.height - self.inset
        if figure.irrep is not None:
            self.wires.append(f'<path d="M{tidy(x)} {tidy(y)}V{tidy(edge)}" {_strand(figure.irrep)}/>')

    def _net(self, picture: Picture, strokes: Sequence[Stroke], dx: float, dy: float) -> None:
        """Draw everything that leaves one port: the lanes below, then strand by strand."""
        strands = picture.strands[strokes[0].link]
        courses = [course(picture, stroke, dx, dy) for stroke in strokes]

        def put(offset: float, look: str, lane: bool = False) -> None:
            data = "".join(path(offset, lane=lane) for path in courses)
            self.wires.append(f'<path d="{data}" {look}/>')

        if strands.dotted:
            put(0.0, f'stroke="{FAINT}" stroke-width="1.2" stroke-dasharray="1.5 3"')
        else:
            put(0.0, f'stroke="{self.lanes.get(strands.on, PAPER)}" stroke-width="{tidy(2 * strands.half)}"', lane=True)
            middle = (len(strands.irreps) - 1) / 2
            if strands.cable:
                put(0.0, f'stroke="{FAINT}" stroke-width="4"')
            for place, irrep in enumerate(() if strands.cable else strands.irreps):
                put((place - middle) * STRAND, _strand(irrep))
        for x, y in dict.fromkeys((stroke.ways[0].x1, stroke.ways[0].y1) for stroke in strokes if stroke.branch):
            place = f'cx="{tidy(x + dx)}" cy="{tidy(y + dy)}" r="{"2" if strands.dotted else "3.2"}"'
            self.shapes.append(f'<circle {place} fill="{INK}" stroke="none"/>')

    def _figure(self, figure: Figure, x: float, y: float, outs: tuple[float, ...]) -> None:
        fill = LEARNED if figure.words.learned else BOX
        if figure.shape in ("terminal", "cut"):
            fill = self.lanes.get(figure.on, PAPER)
        if figure.shape == "panel":
            fill = PAPER
        if figure.mark is not None:
            fill = _MARKS[figure.mark.severity][1]
        shape = outline(figure, x, y)
        if shape:
            changed = f' fill="{fill}"' if fill != BOX else ""
            if figure.mark is not None:
                changed += f' stroke="{_MARKS[figure.mark.severity][0]}" stroke-width="2.4"'
            title = f"<title>{content(figure.title)}</title>" if figure.title else ""
            self.shapes.append(f"<g{changed}>{title}{shape}</g>" if changed or title else shape)
        self._inside(figure, x, y)
        below = y + 4 if figure.shape == "line" else y + figure.half_height + 12
        right = x + (outs[0] if outs else 0.0) + figure.clear
        for row, line in enumerate(figure.aside):
            self.text(line.style, right, below + LINE * row, line.text)
            self.text("type", right + line.tail_at(), below + LINE * row, line.tail)
        for row, line in enumerate(figure.notes):
            self.text(line.style, x - figure.clear, below + LINE * row, line.text)
        if figure.mark is not None and figure.mark.numbers:
            numbers = ",".join(map(str, figure.mark.numbers[:3])) + ("…" if len(figure.mark.numbers) > 3 else "")
            self._badge(figure.mark.severity, numbers, x - figure.half_width, y - figure.half_height)

    def _badge(self, severity: str, number: str, x: float, y: float) -> None:
        half = text_width(number, SMALL_SIZE) / 2 + 4
        self.shapes.append(
            f'<rect x="{tidy(x - half)}" y="{tidy(y - 7)}" width="{tidy(2 * half)}" height="14" rx="7" '
            f'fill="{_MARKS[severity][0]}" stroke="none"/>'
        )
        self.text("badge", x, y + 3.5, number)

    def _inside(self, figure: Figure, x: float, y: float) -> None:
        lines, ports = figure.words.inside, figure.words.ports
        if figure.shape == "panel":
            return
        if figure.shape == "bar":
            labelled = any(ports)
            for row, sign in enumerate(lines[:1]):
                self.text("sign", x, y + row + (11 if labelled else 5), sign)
            step = 2 * figure.half_width / max(len(ports), 1)
            for port, words in enumerate(ports):
                self.text("inside", x + step * (port + 0.5) - figure.half_width, y - 4 if lines else y + 4, words)
            return
        first = y + 4 - LINE / 2 * (len(lines) - 1)
        for row, words in enumerate(lines):
            self.text("inside" if row else "title", x, first + LINE * row, words)

    def _legend(self, width: float, y: float) -> float:
        """Write what the colours and lines mean; return the y below."""
        entries = legend_entries(_all_strands(self.picture), self.picture, self.lanes)
        if not entries:
            return y
        self.shapes.append(
            f'<path d="M14 {tidy(y - 4)}H{tidy(width - 14)}" stroke="{BORDER}" stroke-width=".6" fill="none"/>'
        )
        x = 16.0
        y += 13
        for sample, words in entries:
            need = 26 + text_width(words, SMALL_SIZE) + 14
            if x > 16 and x + need > width - 10:
                x = 16.0
                y += 16
            self.shapes.append(sample(x, y - 3.5))
            self.text("legend", x + 26, y, words)
            x += need
        return y + 12

    def _list(self, width: float, y: float) -> float:
        """Write the findings out; return the y below."""
        if not self.over.listed:
            return y
        room = max(30, int((width - 50) / text_width("x")))
        y += 8
        for number, (severity, words) in enumerate(self.over.listed, 1):
            for row, line in enumerate(wrap(words, room, 3)):
                if row == 0:
                    self._badge(severity, str(number), 24, y - 4)
                self.text(f"list-{severity}", 38, y, line)
                y += LINE
            y += 4
        if self.over.unlisted:
            self.text("list-error", 38, y, f"and {self.over.unlisted} more")
            y += LINE
        return y + 4


def _strand(irrep: Irrep) -> str:
    """Return the look of one strand."""
    dash = ' stroke-dasharray="5 3"' if is_dashed(irrep) else ""
    return f'stroke="{degree_colour(irrep.l)}"{dash}'


def _all_strands(picture: Picture) -> list[Strands]:
    found = list(picture.strands)
    for figure in picture.figures:
        if figure.panel is not None:
            found.extend(_all_strands(figure.panel))
    return found
