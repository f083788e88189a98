"""The command ``fuzz``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fusion_models.cli.console import messages, print_line
from fusion_models.cli.errors import ExitCode
from fusion_models.cli.verify import DTYPES

if TYPE_CHECKING:
    from fusion_compiler.fuzz import FuzzResult


def fuzz(
    what: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What to compare; 'values': compiled blocks with the dense evaluation; "
            "'passes': the same with every pass, with none, and with a random choice of them; "
            "'gradients': their first and second derivatives with those of the dense evaluation; "
            "'emitters': every emitter with every other; "
            "'rules': the validator with a brute-force judge, on legal and illegal diagrams.",
        ),
    ] = "values",
    cases: Annotated[int, typer.Option(metavar="N", min=1, max=10_000_000, help="Number of distinct diagrams.")] = 200,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed draws the same diagrams.")] = 1,
    dtype: Annotated[
        str, typer.Option(metavar="TYPE", help="float64, where errors pass up to 1e-12, or float32, up to 1e-5.")
    ] = "float64",
) -> None:
    """Compare random diagrams with the definition of what they mean.

    Prints what the diagrams covered, a small reproducer of each of the first mismatches, and a last line with the
    numbers of cases and mismatches. Exit code 1 on a mismatch.
    """
    import torch

    from fusion_compiler.fuzz import KINDS, run_fuzz

    if what not in KINDS:
        raise typer.BadParameter(f"{what!r} is not one of {', '.join(KINDS)}", param_hint="'--what'")
    if dtype not in DTYPES:
        raise typer.BadParameter(f"{dtype!r} is not one of {', '.join(DTYPES)}", param_hint="'--dtype'")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = messages()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"fuzz {what}", total=cases)

        def advance(result: FuzzResult) -> None:
            progress.update(bar, completed=result.cases)

        result = run_fuzz(what, cases, seed, dtype=getattr(torch, dtype), progress=advance)
    print_line(str(result))
    if result.mismatches:
        raise typer.Exit(ExitCode.FAILED)
