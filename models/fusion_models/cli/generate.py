"""The command ``generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusion.errors import LimitError, NotationError
from fusion_models.cli.console import print_line

if TYPE_CHECKING:
    from fusion import Irreps
    from fusion.generation import Generated

MAX_TABLE = 100_000_000
"""Most entries of coupling tables that are compiled for an exact cost: 0.8 GB."""
MAX_SHOWN = 1000
"""Longest diagram text that is printed, in characters."""
_DOUBLE = 8
"""Bytes of a number."""


def generate(
    irreps: Annotated[
        list[str],
        typer.Option(
            metavar="IRREPS",
            help="Irreps of a leg, such as 0e+1o+2e. Once, with --order: identical legs. Repeated: one leg each.",
            show_default=False,
        ),
    ],
    out: Annotated[str, typer.Option(metavar="IRREPS", help="Irreps to couple to.", show_default=False)],
    order: Annotated[
        int | None, typer.Option(metavar="K", help="Number of identical legs.", show_default=False)
    ] = None,
    inner: Annotated[
        str | None,
        typer.Option(metavar="IRREPS", help="Irreps allowed on inner lines; all when left out.", show_default=False),
    ] = None,
    shape: Annotated[
        str, typer.Option(metavar="SHAPE", help="Shapes of the trees: comb, balanced, or all side by side.")
    ] = "comb",
    basis: Annotated[
        str,
        typer.Option(
            metavar="BASIS",
            help="full: every tree of ordered legs; distinct: every tree up to exchange; reduced: an independent set.",
        ),
    ] = "distinct",
    channels: Annotated[
        int, typer.Option(metavar="N", min=1, max=65_536, help="Channels of the legs and of the result.")
    ] = 16,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the layer as a diagram file (.yaml, .yml or .json).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Generate the complete layer that couples legs to irreps, and print its counts and its cost."""
    from fusion import generate as generate_layer
    from fusion import leg, save
    from fusion.files import SUFFIXES
    from fusion.generation.classes import KINDS
    from fusion.generation.layer import BASES

    _check_choice(shape, KINDS, "--shape")
    _check_choice(basis, BASES, "--basis")
    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"{output} must end in {', '.join(SUFFIXES)}", param_hint="'--output'")
    names = "abcdefghijklmnopqrstuvwxyz" if len(irreps) > 1 else "x"
    wires = [leg(name, _irreps(text, "--irreps"), channels=channels) for name, text in zip(names, irreps, strict=False)]
    if len(wires) == 1 and order is None:
        raise typer.BadParameter("one --irreps needs the number of identical legs: --order 3", param_hint="'--order'")
    if order is not None and (order < 1 or len(irreps) not in (1, order)):
        raise typer.BadParameter(f"{len(irreps)} --irreps do not make {order} legs", param_hint="'--order'")
    lines = None if inner is None else _irreps(inner, "--inner")
    wanted = _irreps(out, "--out")
    legs = wires[0] if len(wires) == 1 else wires
    layer = generate_layer(legs, wanted, order, inner=lines, shape=shape, basis=basis, channels=channels)
    if output is not None:
        about = (
            f"{basis} basis, shape {shape}, from {' x '.join(irreps)}{f', order {order}' if order else ''}, to {out}"
        )
        save(layer.diagram, output, name="generated layer", description=about)
    print_line(str(layer))
    for line in _cost_lines(layer):
        print_line(line)
    text = str(layer.diagram)
    print_line(text if len(text) <= MAX_SHOWN else f"diagram: {len(text)} characters; --output writes it to a file")


def _cost_lines(layer: Generated) -> list[str]:
    """Return what the compiled layer costs, exactly, or why that was not found out."""
    tables = table_entries(layer)
    if tables > MAX_TABLE:
        return [f"cost: not compiled, its coupling tables would have {tables} entries, above {MAX_TABLE}"]
    from fusion_compiler import compile as compile_diagram
    from fusion_compiler.cost import per_row

    costs = per_row(compile_diagram(layer.diagram).program)
    return [
        f"cost: {cost.flops} flops, {cost.bytes(_DOUBLE)} bytes {f'per {on}' if on else 'once per call'}"
        for on, cost in sorted(costs.items(), reverse=True)
    ]


def table_entries(layer: Generated) -> int:
    """Return the number of entries of dense coupling tables, one for each class of vertices: an upper bound."""
    from fusion.generation.assembly import by_shape

    found = by_shape(layer.trees)
    dims = {
        shape: layer.wires[shape].space.dim if isinstance(shape, int) else sum(tree.irrep.dim for tree in trees)
        for shape, trees in found.items()
    }
    return sum(dims[shape[0]] * dims[shape[1]] * dims[shape] for shape in found if not isinstance(shape, int))


def _irreps(text: str, option: str) -> Irreps:
    from fusion import Irreps

    try:
        found = Irreps.parse(text)
    except (NotationError, LimitError) as error:
        reason = str(error).partition("\n")[0]
        raise typer.BadParameter(f"{text[:80]!r}: {reason}", param_hint=f"'{option}'") from None
    if not found:
        raise typer.BadParameter(f"{text[:80]!r} has no irrep", param_hint=f"'{option}'")
    return found


def _check_choice(value: str, choices: tuple[str, ...], option: str) -> None:
    if value not in choices:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(choices)}", param_hint=f"'{option}'")
