"""The plots of a report, as SVG fragments that stand inline in a page and take its text colour."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from fusion_models.report.data import CurvePoint, Drift, Parity

BLUE, ORANGE = "#3b82c4", "#d9782d"  # readable on white and on black
_INK = "#010203"  # stands for the page's text colour
_MANY = 1500
"""Points of a plot above which they become a picture inside the SVG, to bound the size of the file."""
_STYLE: dict[Any, Any] = {
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _INK,
    "grid.alpha": 0.14,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "font.family": "DejaVu Sans",
    "svg.fonttype": "path",
    "svg.hashsalt": "fusion",
    "path.simplify": True,
}


def learning_curve(points: Sequence[CurvePoint], name: str = "curve") -> str:
    """Return validation errors of forces and energies over the seconds of training, both axes of errors logarithmic."""
    seconds = np.array([point.seconds for point in points], dtype=np.float64)
    minutes = bool(len(seconds)) and float(np.nanmax(seconds)) > 300
    x = seconds / 60 if minutes else seconds
    panels = (
        ("forces", "MAE (meV/Å)", [point.force_mae_mev_per_a for point in points], BLUE),
        ("energy", "MAE (meV/atom)", [point.energy_mae_mev_per_atom for point in points], ORANGE),
    )
    with matplotlib.rc_context(_STYLE):
        figure = _figure(8.4, 3.2)
        for axes, (title, unit, values, colour) in zip(_pair(figure), panels, strict=True):
            y = np.array(values, dtype=np.float64)
            axes.plot(x, y, color=colour, marker="o", markersize=3, linewidth=1.4)
            axes.set(title=title, xlabel="training time (min)" if minutes else "training time (s)", ylabel=unit)
            _logarithmic(axes, y)
        return _inline(figure, name)


def _logarithmic(axes: Axes, y: np.ndarray) -> None:
    """Use a logarithmic axis with plain numbers, where the values allow it."""
    good = y[np.isfinite(y)]
    if not good.size or float(good.min()) <= 0:
        return
    low, high = float(good.min()), float(good.max())
    axes.set_yscale("log")
    axes.set_ylim(low / 1.25, high * 1.25)
    span = np.log10(high * 1.25) - np.log10(low / 1.25)
    steps = (1.0, 2.0, 5.0) if span < 2 else (1.0,) if span > 3.5 else (1.0, 3.0)
    if span < 0.5:
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def parity_plots(parity: Parity, name: str = "parity") -> str:
    """Return prediction over reference: energies per atom, from the mean of the reference, and force components."""
    reference = np.ravel(parity.energy_reference)
    zero = float(np.mean(reference)) if reference.size else 0.0
    predicted = np.ravel(parity.energy_predicted)
    panels = (
        ("energy per atom, from its mean", "meV/atom", 1e3 * (reference - zero), 1e3 * (predicted - zero)),
        ("force components", "eV/Å", np.ravel(parity.force_reference), np.ravel(parity.force_predicted)),
    )
    with matplotlib.rc_context(_STYLE):
        figure = _figure(8.4, 4.2)
        for axes, (title, unit, x, y), colour in zip(_pair(figure), panels, (ORANGE, BLUE), strict=True):
            _parity(axes, x, y, colour)
            axes.set(title=title, xlabel=f"reference ({unit})", ylabel=f"model ({unit})")
        return _inline(figure, name)


def _parity(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str) -> None:
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    both = np.concatenate([x, y])
    low, high = (float(both.min()), float(both.max())) if both.size else (0.0, 1.0)
    margin = 0.04 * (high - low) or 1.0
    low, high = low - margin, high + margin
    many = x.size > _MANY
    axes.plot([low, high], [low, high], color=_INK, alpha=0.5, linewidth=0.9, zorder=1)
    axes.plot(x, y, ".", color=colour, alpha=0.4 if many else 0.65, markersize=3 if many else 5, rasterized=many)
    axes.set(xlim=(low, high), ylim=(low, high))
    axes.set_box_aspect(1)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))


def drift_plot(drift: Drift, name: str = "drift") -> str:
    """Return the total energy per atom over time, from its first value, with the fitted line."""
    time = np.asarray(drift.time_ps, dtype=np.float64)
    energy = np.asarray(drift.total_energy_ev, dtype=np.float64)
    relative = 1e3 * (energy - energy[0]) / max(drift.atoms, 1) if energy.size else energy
    good = np.isfinite(relative)
    with matplotlib.rc_context(_STYLE):
        figure = _figure(8.4, 2.9)
        axes = figure.subplots()
        axes.plot(time, relative, color=BLUE, linewidth=0.9, label="total energy", rasterized=time.size > 20 * _MANY)
        if good.any():  # a least-squares line passes through the means
            slope = drift.slope_mev_per_atom_per_ps
            line = float(relative[good].mean()) + slope * (time - float(time[good].mean()))
            axes.plot(time, line, color=ORANGE, linewidth=1.6, label=f"fit: {signed(slope)} meV/atom/ps")
        axes.set(xlabel="time (ps)", ylabel="E − E(0) (meV/atom)")
        axes.ticklabel_format(axis="y", useOffset=False, style="plain")
        axes.margins(x=0.01)
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.1)
        return _inline(figure, name)


def signed(value: float) -> str:
    """Return a number in three digits with its sign and a true minus."""
    return f"{value:+.3g}".replace("-", "−")


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def _pair(figure: Figure) -> tuple[Axes, Axes]:
    left, right = figure.subplots(1, 2)
    return left, right


def _inline(figure: Figure, name: str) -> str:
    """Return the figure as SVG without prolog, metadata and fixed size; its identifiers are prefixed with ``name``."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, dpi=160, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'^<svg ([^>]*?)\bwidth="([\d.]+)pt" height="[\d.]+pt"', _sized, text, count=1)
    # matplotlib's own style element would apply to the whole page
    text = re.sub(r'<style type="text/css">[^<]*</style>', "", text)
    return text.replace(_INK, "currentColor").replace("<svg ", '<svg role="img" stroke-linejoin="round" ', 1)


def _sized(match: re.Match[str]) -> str:
    # points of 1/72 inch are 4/3 pixels of a page
    return f'<svg {match.group(1)}width="{float(match.group(2)) * 4 / 3:.0f}"'
