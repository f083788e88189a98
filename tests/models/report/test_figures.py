"""Plots of a report: well-formed, in the page's colour, small, and defined for odd data."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from fusion_models.report import CurvePoint, Drift, Parity
from fusion_models.report.figures import drift_plot, learning_curve, parity_plots, signed

NAN = float("nan")


def checked(text: str, name: str) -> ElementTree.Element:
    """Parse a figure; every identifier carries its name, nothing is painted behind it."""
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "currentColor" in text
    for element in root.iter():
        assert element.attrib.get("id", name).startswith(name)
        assert not element.tag.endswith(("style", "metadata", "script"))
    return root


@pytest.mark.parametrize(
    "points",
    [
        [CurvePoint(3.0, 1.0, 100.0, 10.0)],
        [CurvePoint(60.0 * i, i, 900.0 / (1 + i), 40.0 / (1 + i) ** 2) for i in range(30)],
        [CurvePoint(1.0, 1.0, NAN, 0.0), CurvePoint(2.0, 2.0, NAN, 3.0)],
        [CurvePoint(float(i), i, 10.0**-i, 10.0**i) for i in range(6)],
    ],
)
def test_learning_curves(points: list[CurvePoint]) -> None:
    checked(learning_curve(points, "curve"), "curve")


@pytest.mark.parametrize("count", [0, 1, 5, 40_000])
def test_parity_plots_stay_small(count: int) -> None:
    forces = np.random.default_rng(1).normal(size=(count, 3))
    energies = forces[:, 0] - 17
    text = parity_plots(Parity(energies, energies + 1e-3, forces, forces), "p")
    checked(text, "p")
    assert len(text) < 400_000


def test_points_that_are_not_finite_are_left_out() -> None:
    values = np.array([1.0, NAN, 3.0])
    checked(parity_plots(Parity(values, values[::-1], values, values), "p"), "p")
    drift = Drift(np.array([0.0, 1.0, 2.0]), values, 9, NAN)
    checked(drift_plot(drift, "d"), "d")


@pytest.mark.parametrize("count", [0, 1, 2, 2000])
def test_drift_plots(count: int) -> None:
    time = np.linspace(0, 1, count)
    checked(drift_plot(Drift(time, -4200 + 1e-6 * time, 9, 1e-4), "d"), "d")


def test_two_figures_in_one_page_share_no_identifier() -> None:
    points = [CurvePoint(3.0, 1.0, 100.0, 10.0)]
    first, second = (
        {element.attrib["id"] for element in checked(learning_curve(points, name), name).iter() if element.get("id")}
        for name in ("a", "b")
    )
    assert first
    assert not first & second


def test_signed_numbers() -> None:
    assert [signed(value) for value in (0.00214, -1.5, 0.0)] == ["+0.00214", "−1.5", "+0"]
