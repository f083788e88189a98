"""Put a report's parts together to one HTML page that refers to nothing outside itself."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from fusion.draw.style import SHEET
from fusion.errors import FusionError
from fusion_models.files import write_atomic
from fusion_models.report.data import CostRow, Drawing, ErrorRow, ReportData
from fusion_models.report.figures import drift_plot, learning_curve, parity_plots, signed
from fusion_models.report.style import STYLE

Section = tuple[str, str, str]
"""Anchor, heading, body."""


def write_report(path: str | Path, data: ReportData) -> None:
    """Write the report to ``path``; the file appears whole or not at all.

    Raises:
        FusionError: a drawing is not plain SVG.
        OSError: the file cannot be written.
    """
    write_atomic(path, report_html(data))


def report_html(data: ReportData) -> str:
    """Return the page as text. Every text of ``data`` is escaped; drawings are checked and put in as they are.

    Raises:
        FusionError: a drawing is not plain SVG.
    """
    sections = [section for make in _SECTIONS if (section := make(data)) is not None]
    contents = "".join(f'<a href="#{anchor}">{escape(heading)}</a>' for anchor, heading, _ in sections)
    bodies = "".join(
        f'<section id="{anchor}"><h2>{escape(heading)}</h2>\n{body}</section>\n' for anchor, heading, body in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(data.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(data.title)}</h1>\n{_headline(data)}</header>\n"
        f'<nav aria-label="Sections">{contents}</nav>\n{bodies}</main>\n</body>\n</html>\n'
    )


# --- sections --------------------------------------------------------------------------------------------------------


def _headline(data: ReportData) -> str:
    """Return the figures that a reader wants first."""
    first = {row.unit: row for row in reversed(data.tests)}  # one error of each unit: the first
    cards = [(_number(row.model), row.unit, f"{row.quantity} (test)") for row in data.tests if first[row.unit] is row]
    if data.drift is not None:
        cards.append((signed(data.drift.slope_mev_per_atom_per_ps), "meV/atom/ps", "energy drift at constant energy"))
    if data.stages:
        cards.append((_duration(sum(data.stages.values())), "", "for all stages"))
    body = "".join(
        f'<div class="card"><b>{escape(value)}</b> <span>{escape(unit)}</span><small>{escape(what)}</small></div>'
        for value, unit, what in cards
    )
    return f'<div class="cards">{body}</div>\n' if body else ""


def _about(data: ReportData) -> Section | None:
    paragraphs = "".join(f"<p>{escape(part.strip())}</p>\n" for part in data.about.split("\n\n") if part.strip())
    return ("about", "What this is", paragraphs + _pairs(data.settings)) if paragraphs else None


def _rules(data: ReportData) -> Section | None:
    if not data.rule_error:
        return None
    body = "<p>What the program says to a coupling that does not exist:</p>\n"
    body += f'<pre class="error">{escape(data.rule_error)}</pre>\n'
    if data.rule_repair:
        body += f'<p>The repair:</p>\n<pre class="repair">{escape(data.rule_repair)}</pre>\n'
    return "rules", "A selection-rule error and its repair", body


def _drawings(data: ReportData) -> Section | None:
    if not data.drawings:
        return None
    body = "".join(_drawing(item) for item in data.drawings)
    return "diagrams", "The model's diagrams", body


def _drawing(drawing: Drawing) -> str:
    return (
        f"<h3>{escape(drawing.title)}</h3>\n"
        f'<div class="drawing" tabindex="0">{plain_svg(drawing.svg, drawing.title)}</div>\n'
        f'<details><summary>as text</summary><pre class="wrap">{escape(drawing.text)}</pre></details>\n'
    )


def _costs(data: ReportData) -> Section | None:
    if not data.costs:
        return None
    blocks = list(dict.fromkeys(row.block for row in data.costs))
    sums: dict[tuple[str, str], list[int]] = {}
    for row in data.costs:
        entry = sums.setdefault((row.block, row.on), [0, 0, 0, 0])
        for place, amount in enumerate((1, row.flops, row.bytes, row.bytes_once)):
            entry[place] += amount
    totals = [(block, on or "once per call", *map(_count, numbers)) for (block, on), numbers in sums.items()]
    head = ("block", "per row of", "instructions", "flops", "bytes", "and once, bytes")
    body = (
        "<p>Exact costs of the compiled blocks. An operation is "
        "one multiplication or addition; bytes are those read and written, coefficients and tables once per call.</p>\n"
        + _table(head, totals, numbers=(2, 3, 4, 5))
        + _paragraph(_total(data))
        + "".join(_block_costs(block, [row for row in data.costs if row.block == block]) for block in blocks)
    )
    return "plan", "Compiled program and its costs", body


def _total(data: ReportData) -> str:
    """Return the sum over all blocks for the numbers of rows that are given."""
    if not data.sizes or any(row.on not in (*data.sizes, "", "constant") for row in data.costs):
        return ""
    flops = sum(row.flops * data.sizes.get(row.on, 1) for row in data.costs)
    moved = sum(row.bytes * data.sizes.get(row.on, 1) + row.bytes_once for row in data.costs)
    sizes = ", ".join(f"{count} {space}s" for space, count in data.sizes.items())
    return f"All blocks together for {sizes}: {_count(flops)} flops, {_count(moved)} bytes."


def _block_costs(block: str, rows: Sequence[CostRow]) -> str:
    cells = [
        (r.value, r.instruction, r.result, r.on or "once", _count(r.flops), _count(r.bytes), _count(r.bytes_once))
        for r in rows
    ]
    head = ("value", "instruction", "result", "per row of", "flops", "bytes", "and once, bytes")
    table = _table(head, cells, numbers=(4, 5, 6), code=(0, 1, 2))
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(row.instruction for row in rows).most_common(4))
    summary = f"{escape(block)}: {len(rows)} instruction{'s' * (len(rows) != 1)} <small>({escape(kinds)})</small>"
    return f"<details><summary>{summary}</summary>{table}</details>\n"


def _curve(data: ReportData) -> Section | None:
    if not data.curve:
        return None
    last = data.curve[-1]
    words = (
        f"{len(data.curve)} validations; the last after {_duration(last.seconds)} and {last.epoch:g} epochs: "
        f"{_number(last.force_mae_mev_per_a)} meV/Å, {_number(last.energy_mae_mev_per_atom)} meV/atom."
    )
    body = _paragraph(data.curve_text) + f'<div class="figure">{learning_curve(data.curve)}</div>\n{_paragraph(words)}'
    return "training", "Learning curve", body


def _tests(data: ReportData) -> Section | None:
    if not data.tests:
        return None
    cells = [(r.quantity, r.unit, _number(r.model), _number(r.baseline), _ratio(r)) for r in data.tests]
    table = _table(("error", "unit", "model", "baseline", "model / baseline"), cells, numbers=(2, 3, 4))
    return "test", "Errors on the test split", _paragraph(data.tests_text) + table


def _parity(data: ReportData) -> Section | None:
    if data.parity is None:
        return None
    words = f"{data.parity.energy_reference.size} structures, {data.parity.force_reference.size} force components."
    body = f'<div class="figure">{parity_plots(data.parity)}</div>\n{_paragraph(words)}'
    return "parity", "Prediction and reference", body


def _drift(data: ReportData) -> Section | None:
    if data.drift is None:
        return None
    body = _paragraph(data.drift.text) + f'<div class="figure">{drift_plot(data.drift)}</div>\n'
    return "dynamics", "Dynamics at constant energy", body


def _timings(data: ReportData) -> Section | None:
    if not data.stages and not data.versions:
        return None
    body = ""
    if data.stages:
        total = sum(data.stages.values())
        cells = [(stage, f"{seconds:.1f}") for stage, seconds in data.stages.items()]
        body += _table(("stage", "seconds"), [*cells, ("together", f"{total:.1f}")], numbers=(1,), last_is_sum=True)
    return "timings", "Timings and versions", body + _pairs(data.versions)


_SECTIONS: tuple[Callable[[ReportData], Section | None], ...] = (
    _about,
    _rules,
    _drawings,
    _costs,
    _curve,
    _tests,
    _parity,
    _drift,
    _timings,
)


# --- parts -----------------------------------------------------------------------------------------------------------


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>\n" if text else ""


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[int] = (),
    code: Sequence[int] = (),
    last_is_sum: bool = False,
) -> str:
    """Return a table; columns in ``numbers`` are right-aligned, those in ``code`` set in a fixed width."""
    kinds = ["number" if place in numbers else "code" if place in code else "" for place in range(len(head))]
    marks = [f' class="{kind}"' if kind else "" for kind in kinds]
    top = "".join(f"<th{mark}>{escape(words)}</th>" for mark, words in zip(marks, head, strict=True))
    lines = ["".join(f"<td{mark}>{escape(cell)}</td>" for mark, cell in zip(marks, row, strict=True)) for row in rows]
    body = "".join(
        f'<tr class="sum">{line}</tr>' if last_is_sum and number == len(lines) else f"<tr>{line}</tr>"
        for number, line in enumerate(lines, 1)
    )
    return f'<div class="table"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>\n'


def _pairs(values: Mapping[str, str]) -> str:
    if not values:
        return ""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in values.items())
    return f"<dl>{items}</dl>\n"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:.0f}"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", "\N{THIN SPACE}")


def _ratio(row: ErrorRow) -> str:
    usable = math.isfinite(row.model) and math.isfinite(row.baseline) and row.baseline > 0
    return f"{100 * row.model / row.baseline:.2g} %" if usable else "–"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def plain_svg(text: str, title: str) -> str:
    """Return the SVG element of a drawing, or refuse it.

    Raises:
        FusionError: it is not well-formed, is not SVG, runs scripts, or refers to something outside itself.
    """
    where = f"the drawing {title!r}"
    begin = text.find("<svg")
    if begin < 0 or "<!" in text:
        raise FusionError(f"{where} is not one plain svg element")
    body = text[begin:].strip()
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise FusionError(f"{where} is not well-formed: {error}") from None
    for element in root.iter():
        tag = str(element.tag).rpartition("}")[2].lower()
        if tag == "style" and element.text == SHEET:  # the colours of a drawing on a dark page, always the same text
            continue
        if tag in ("script", "foreignobject", "iframe", "style", "animate", "set"):
            raise FusionError(f"{where} holds a <{tag}> element; a report takes plain drawings only")
        for name, value in element.attrib.items():
            local = name.rpartition("}")[2].lower()
            outside = local == "href" and not value.startswith(("#", "data:image/png;"))
            if outside or local.startswith("on") or "url(" in value.replace("url(#", ""):
                raise FusionError(f"{where}: {local}={value[:60]!r} is not allowed in a report")
    return body
