"""The command ``doctor``: what is installed, what works here, and why the rest does not."""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from fusion_models.cli.console import output
from fusion_models.cli.errors import ExitCode
from fusion_models.cli.health import SECTIONS, Finding, State, run_section

_MARKS = {
    State.FINE: ("ok", "green"),
    State.INFORMATION: ("-", "dim"),
    State.WARNING: ("warning", "yellow"),
    State.BROKEN: ("BROKEN", "bold red"),
}


def doctor() -> None:
    """Show versions, devices, emitters and surroundings: what works, and why the rest does not.

    Ends with exit code 1 if something is broken.
    """
    console = output()
    found: list[Finding] = []
    for title, examine in SECTIONS:
        findings = run_section(title, examine)
        found.extend(findings)
        console.print(_table(title, findings))
        console.print()
    broken = [finding for finding in found if finding.state is State.BROKEN]
    warnings = sum(finding.state is State.WARNING for finding in found)
    if broken:
        console.print(f"broken: {'; '.join(finding.subject for finding in broken)}", style="bold red")
        raise typer.Exit(ExitCode.FAILED)
    remark = f"; {warnings} warning{'s' * (warnings > 1)}" if warnings else ""
    console.print(f"nothing is broken{remark}")


def _table(title: str, findings: list[Finding]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(no_wrap=True)
    for finding in findings:
        words, style = _MARKS[finding.state]
        table.add_row(finding.subject, Text(finding.value), Text(words, style=style))
    return table
