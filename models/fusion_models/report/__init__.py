"""The report of a run: one self-contained HTML file with drawings, plans, curves, errors and timings."""

from fusion_models.report.costs import cost_rows
from fusion_models.report.data import (
    CostRow,
    CurvePoint,
    Drawing,
    Drift,
    ErrorRow,
    Parity,
    ReportData,
)
from fusion_models.report.page import report_html, write_report

__all__ = [
    "CostRow",
    "CurvePoint",
    "Drawing",
    "Drift",
    "ErrorRow",
    "Parity",
    "ReportData",
    "cost_rows",
    "report_html",
    "write_report",
]
