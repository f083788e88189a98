"""Commands about diagrams: ``check``, ``draw``, ``explain``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from fusion.errors import FusionError, NotationError
from fusion.findings import DiagramError
from fusion_models.cli.console import facts, messages, output, print_line
from fusion_models.cli.errors import ExitCode, exit_code, report

DIAGRAM_SUFFIXES = (".svg", ".txt", ".dot")
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A diagram file (.yaml, .yml or .json).", show_default=False)
]


def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Diagram files (.yaml, .yml or .json).", show_default=False)
    ],
) -> None:
    """Validate diagram files: every law, and all violations at once.

    Of several files all are checked; the largest exit code among them is returned.
    """
    worst = ExitCode.FINE
    for path in files:
        try:
            _check(path)
        except FusionError as error:
            named = isinstance(error, DiagramError | NotationError)
            report(error, where=str(path) if named and not getattr(error, "__notes__", ()) else "")
            worst = max(worst, exit_code(error))
    if worst is not ExitCode.FINE:
        raise typer.Exit(worst)


def _check(path: Path) -> None:
    from fusion import Diagram, parameters, walk_nodes
    from fusion import check as find_violations
    from fusion.files import read_file

    content = read_file(path)
    notices = find_violations(content.diagram)
    diagram = Diagram.of(content.diagram)
    every = parameters(diagram)
    learned = [parameter for parameter in every if parameter.learned]
    count = sum(math.prod(parameter.shape) for parameter in learned)
    table = facts()
    if content.name:
        table.add_row("name", content.name)
    if content.description:
        table.add_row("about", content.description)
    table.add_row("outputs", "\n".join(f"{name}: {wire.space}" for name, wire in diagram.outputs))
    table.add_row("nodes", str(len(walk_nodes(diagram))))
    table.add_row("learned", f"{count} numbers in {len(learned)} tensor{'s' * (len(learned) != 1)}")
    if fitted := [parameter.name for parameter in every if not parameter.learned]:
        table.add_row("fitted", ", ".join(fitted))
    table.add_row("notices", str(len(notices) or "none"))
    console = output()
    console.print(Text.assemble((f"{path}: ", "bold"), ("legal", "bold green")), soft_wrap=True)
    console.print(table)
    for notice in notices:
        console.print(Text.assemble(("notice: ", "bold yellow"), str(notice)), soft_wrap=True)


def draw(
    file: File,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="File to write; its suffix (.svg, .txt or .dot) says what. Without it, the text drawing is printed.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw a diagram, also one that breaks laws: violations are marked and listed."""
    if out is not None and out.suffix.lower() not in DIAGRAM_SUFFIXES:
        raise typer.BadParameter(f"{out} must end in {', '.join(DIAGRAM_SUFFIXES)}", param_hint="'--output'")
    from fusion import findings, load
    from fusion.draw.dot import dot
    from fusion.draw.svg import svg
    from fusion.draw.text import text

    diagram = load(file)
    found = findings(diagram)
    if out is None:
        print_line(text(diagram, findings=found).rstrip("\n"))
    else:
        writer = {".svg": svg, ".txt": text, ".dot": dot}[out.suffix.lower()]
        _write(out, writer(diagram, findings=found))
    broken = sum(finding.violation.severity == "error" for finding in found)
    if broken:
        line = f"{file} breaks laws: {broken} violation{'s' * (broken > 1)}, marked in the drawing"
        messages().print(line, style="yellow", soft_wrap=True)


def _write(out: Path, drawing: str) -> None:
    from fusion_models.files import write_atomic

    try:
        write_atomic(out, drawing)
    except OSError as error:  # it may name a temporary file
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(out)) from None


def explain(
    file: File,
    emitter: Annotated[
        str, typer.Option(metavar="NAME", help="source or interpret; 'fusion doctor' shows which work here.")
    ] = "source",
    rows: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPACE=COUNT",
            help="Rows of an index space for the totals, such as atom=100; may be repeated. 1 each when left out.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[bool, typer.Option("--source", help="Print the emitted Python text as well.")] = False,
    svg: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.svg", help="Draw the diagram with the costs of every node into a file.", show_default=False
        ),
    ] = None,
) -> None:
    """Compile a diagram and show every level, what every pass changed and saved, exact costs and memory."""
    counts = dict(_row_count(item) for item in rows or ())
    if svg is not None and svg.suffix.lower() != ".svg":
        raise typer.BadParameter(f"{svg} must end in .svg", param_hint="'--svg'")
    import fusion_compiler
    from fusion import load
    from fusion_compiler.emit import EMITTERS
    from fusion_compiler.explain import index_spaces

    if emitter not in EMITTERS:
        raise typer.BadParameter(f"{emitter!r} is not one of {', '.join(EMITTERS)}", param_hint="'--emitter'")
    diagram = load(file)
    block = fusion_compiler.compile(diagram, emitter=emitter)
    spaces = index_spaces(block)
    if unknown := [space for space in counts if space not in spaces]:
        has = ", ".join(spaces) or "none"
        raise typer.BadParameter(f"the diagram has no index space {unknown[0]!r}; it has: {has}", param_hint="'--rows'")
    explanation = fusion_compiler.explain(block, rows=counts)
    print_line(explanation.text)
    if source:
        print_line(f"\n== emitted source\n{block.source}")
    if svg is not None:
        _write(svg, explanation.svg)


def _row_count(item: str) -> tuple[str, int]:
    space, equals, count = item.partition("=")
    if not (space and equals and count.isascii() and count.isdigit() and len(count) <= 15):
        raise typer.BadParameter(f"{item!r} is not of the form SPACE=COUNT, such as atom=100", param_hint="'--rows'")
    return space, int(count)
