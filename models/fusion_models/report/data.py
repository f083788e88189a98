"""What a report is made from: texts, numbers and arrays, no tensors and no modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Drawing(NamedTuple):
    """A diagram of the model: its name, its drawing, its text in one line."""

    title: str
    svg: str
    text: str


class CostRow(NamedTuple):
    """One instruction of a compiled block; costs are per row of the index space ``on`` (empty: once per call).

    ``bytes_once`` are read in addition whatever the number of rows: coefficients and tables.
    """

    block: str
    value: str
    instruction: str
    result: str
    flops: int
    bytes: int
    on: str
    bytes_once: int = 0


class CurvePoint(NamedTuple):
    """One validation during training: seconds of training, epochs, and mean absolute errors."""

    seconds: float
    epoch: float
    force_mae_mev_per_a: float
    energy_mae_mev_per_atom: float


class ErrorRow(NamedTuple):
    """One error on the test split beside that of the baseline (NaN where it has none)."""

    quantity: str
    unit: str
    model: float
    baseline: float


@dataclass(frozen=True, eq=False)
class Parity:
    """Reference and prediction on the test split.

    Attributes:
        energy_reference, energy_predicted: (S,) eV per atom.
        force_reference, force_predicted: (..., 3) eV/Å.
    """

    energy_reference: Array
    energy_predicted: Array
    force_reference: Array
    force_predicted: Array


@dataclass(frozen=True, eq=False)
class Drift:
    """A trajectory at constant energy.

    Attributes:
        time_ps: (T,) ps.
        total_energy_ev: (T,) eV, potential and kinetic.
        atoms: number of atoms.
        slope_mev_per_atom_per_ps: the fitted drift.
        text: how it was made, such as step and temperature.
    """

    time_ps: Array
    total_energy_ev: Array
    atoms: int
    slope_mev_per_atom_per_ps: float
    text: str = ""


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything a report shows. A part left empty or None is left out of the page.

    Attributes:
        title: heading of the page.
        about: what this is; paragraphs are separated by empty lines.
        rule_error: the message of a selection-rule error, and ``rule_repair`` what mends it.
        drawings: the model's diagrams.
        costs: instructions of the compiled blocks (see :func:`fusion_models.report.cost_rows`).
        sizes: numbers of rows of index spaces, such as atom and edge, for which the costs are summed up.
        curve: validations during training, in order.
        curve_text: what the curve is of.
        tests: errors on the test split.
        tests_text: what the test split and the baseline are.
        parity: reference against prediction.
        drift: the trajectory at constant energy.
        stages: seconds of each stage, in order.
        settings: the configuration of the run, by name.
        versions: versions of the programs, by name.
    """

    title: str
    about: str
    rule_error: str = ""
    rule_repair: str = ""
    drawings: tuple[Drawing, ...] = ()
    costs: tuple[CostRow, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    curve: tuple[CurvePoint, ...] = ()
    curve_text: str = ""
    tests: tuple[ErrorRow, ...] = ()
    tests_text: str = ""
    parity: Parity | None = None
    drift: Drift | None = None
    stages: Mapping[str, float] = field(default_factory=dict[str, float])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
