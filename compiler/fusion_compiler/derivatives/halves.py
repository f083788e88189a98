"""A program and its reverse as two programs that share intermediate values, so that none is computed twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusion_compiler import program as ops
from fusion_compiler.derivatives.calculus import Calculus
from fusion_compiler.derivatives.vjp import cotangent_names, joint, marked
from fusion_compiler.emit.tables import contiguous
from fusion_compiler.program import Instruction, Program

MARK = "&"
"""What names of kept values begin with."""


def keeping(program: Program, wrt: Sequence[str]) -> Program:
    """Return the program with the values that its reverse needs as further outputs, named ``&0``, ``&1``, ...

    Views of other values are not kept: the reverse takes them again.
    """
    whole = joint(program, wrt)
    cotangents = set(cotangent_names(program).values())
    makers = {instruction.out: instruction for instruction in whole.instructions}
    late: set[str] = set(cotangents)
    kept: dict[str, None] = {}

    def keep(value: str) -> None:
        maker = makers.get(value)
        if maker is None or value in late:
            return
        if _is_view(maker):
            for read in maker.reads():
                keep(read)
        else:
            kept[value] = None

    for instruction in whole.instructions:
        if late.intersection(instruction.reads()):
            late.add(instruction.out)
            for read in instruction.reads():
                keep(read)
    outputs = whole.outputs[: len(program.outputs)]
    known = {value for _, value in outputs}
    mark = MARK
    while any(name.startswith(mark) for name, _ in (*program.inputs, *program.outputs)):
        mark += MARK
    more = [(f"{mark}{number}", value) for number, value in enumerate(value for value in kept if value not in known)]
    return cut(whole, {}, [*outputs, *more])


def kept_names(program: Program) -> dict[str, str]:
    """Return for every output the name of the input by which :func:`reverse` takes it."""
    return marked(program, MARK, (name for name, _ in program.outputs))


def reverse(program: Program, wrt: Sequence[str], of: Sequence[str]) -> Program:
    """Return the vector-Jacobian product, which takes the outputs of the program that it needs as inputs.

    It takes no inputs and coefficients that it does not need. See :func:`fusion_compiler.derivatives.vjp`.
    """
    whole = joint(program, wrt, of)
    outputs, found = whole.outputs[: len(program.outputs)], whole.outputs[len(program.outputs) :]
    made = {instruction.out for instruction in whole.instructions}
    names = kept_names(program)
    given: dict[str, str] = {}
    for name, value in outputs:
        if value in made:
            given.setdefault(value, names[name])
    return cut(whole, given, found)


def cut(program: Program, given: Mapping[str, str], outputs: Sequence[tuple[str, str]]) -> Program:
    """Return the part of a program that computes some outputs (name, value), taking ``given`` values by their names."""
    needed = {value for _, value in outputs} - set(given)
    live: list[Instruction] = []
    for instruction in reversed(program.instructions):
        if instruction.out in needed:
            live.append(instruction)
            needed.update(set(instruction.reads()) - set(given))
    taken = {*(value for _, value in outputs), *(read for instruction in live for read in instruction.reads())}
    part = Program(
        (
            *((name, shape) for name, shape in program.inputs if name in taken),
            *((name, program.shapes[value]) for value, name in given.items() if value in taken),
        ),
        program.labels,
        program.maps,
        tuple(name for name in program.coefficients if f"${name}" in taken),
        {name: table for name, table in program.constants.items() if name in taken},
        tuple(reversed(live)),
        program.shapes,
        tuple(outputs),
    )
    calculus = Calculus()
    names = calculus.repeat(part, given)
    return calculus.program((name, names[value]) for name, value in outputs)


def _is_view(instruction: Instruction) -> bool:
    if isinstance(instruction, ops.Take):
        return contiguous(instruction.index)
    return isinstance(instruction, ops.Segment | ops.Reshape | ops.Transpose | ops.Expand)
