"""The command ``verify``: the certificate of a diagram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from fusion_models.cli.console import messages, output
from fusion_models.cli.errors import ExitCode

if TYPE_CHECKING:
    from fusion_compiler import Certificate

DTYPES = ("float64", "float32")


def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A diagram file (.yaml, .yml or .json).", show_default=False)
    ],
    emitter: Annotated[
        str, typer.Option(metavar="NAME", help="source or interpret; 'fusion doctor' shows which work here.")
    ] = "source",
    dtype: Annotated[str, typer.Option(metavar="TYPE", help="float64 or float32.")] = "float64",
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="CERT.json", help="Write the certificate as JSON.", show_default=False),
    ] = None,
) -> None:
    """Compile a diagram and measure on this machine what a compiled block promises.

    Agreement with the definition, equivariance, gradients, closed-loop work, torch.compile and torch.export. Exit code
    1 if a check fails.
    """
    if dtype not in DTYPES:
        raise typer.BadParameter(f"{dtype!r} is not one of {', '.join(DTYPES)}", param_hint="'--dtype'")
    import torch

    import fusion_compiler
    from fusion import load
    from fusion_compiler.emit import EMITTERS
    from fusion_models.files import write_atomic

    if emitter not in EMITTERS:
        raise typer.BadParameter(f"{emitter!r} is not one of {', '.join(EMITTERS)}", param_hint="'--emitter'")
    diagram = load(file)
    torch.manual_seed(0)  # the same certificate every time
    block = fusion_compiler.compile(diagram, emitter=emitter, dtype=getattr(torch, dtype))
    console = messages()
    if console.is_terminal:
        with console.status(f"verifying {file}"):
            certificate = fusion_compiler.verify(block)
    else:
        certificate = fusion_compiler.verify(block)
    output().print(_table(certificate))
    if out is not None:
        try:
            write_atomic(out, certificate.to_json())
        except OSError as error:  # it may name a temporary file
            raise OSError(error.errno, f"cannot be written: {error.strerror}", str(out)) from None
    passed = sum(check.passed for check in certificate.checks)
    verdict = Text.assemble(
        (f"{file}: ", "bold"),
        ("verified", "bold green") if certificate.passed else ("FAILED", "bold red"),
        f", {passed} of {len(certificate.checks)} checks passed ({dtype}, emitter {emitter}, {certificate.device})",
    )
    output().print(verdict, soft_wrap=True)
    if not certificate.passed:
        raise typer.Exit(ExitCode.FAILED)


def _table(certificate: Certificate) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("check", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("how", overflow="fold", style="dim")
    for check in certificate.checks:
        verdict = Text("passed", style="green") if check.passed else Text("FAILED", style="bold red")
        detail = Text(check.detail)
        table.add_row(check.name, f"{check.measured:.1e}", f"{check.limit:.0e}", verdict, detail)
    return table
