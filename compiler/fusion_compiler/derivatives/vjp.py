"""Reverse differentiation of programs: the vector-Jacobian product of a program is a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from fusion_compiler.derivatives.calculus import Calculus
from fusion_compiler.derivatives.rules import RULES, Contribution
from fusion_compiler.errors import CompileError
from fusion_compiler.program import Instruction, Program, Shape


def vjp(program: Program, wrt: Sequence[str], of: Sequence[str] | None = None) -> Program:
    """Return the program of the cotangents of ``wrt``, given those of the outputs ``of`` (of all when left out).

    It takes what ``program`` takes and a cotangent for every output in ``of``, named by :func:`cotangent_names` and
    with the output's shape. Its outputs are named as in ``wrt``; one that no output depends on is zero.

    Args:
        program: a verified program.
        wrt: inputs by name and coefficients as ``$name``.
        of: outputs by name.

    Raises:
        CompileError: a name that the program does not have, or one given twice.
    """
    calculus, _, found = _joined_reverse(program, wrt, of)
    return calculus.program(found)


def joint(program: Program, wrt: Sequence[str], of: Sequence[str] | None = None) -> Program:
    """Return one program for the outputs of ``program`` and, after them, those of :func:`vjp`."""
    calculus, outputs, found = _joined_reverse(program, wrt, of)
    return calculus.program([*outputs, *found])


def gradient(program: Program, of: str, wrt: Sequence[str]) -> Program:
    """Return the program that gives the outputs of ``program``, and the gradient of the sum of one of them.

    The sum is over all rows and components of the output ``of``. Its gradient with respect to ``name`` is the output
    ``of/name``; where it does not depend on that, it is zero.

    Raises:
        CompileError: a name that the program does not have, or one given twice.
    """
    _check(program, wrt, (of,))
    calculus = Calculus()
    values = calculus.repeat(program)
    outputs = [(name, values[value]) for name, value in program.outputs]
    summed = dict(outputs)[of]
    found = _reverse(calculus, wrt, [(summed, calculus.filled(1.0, calculus.shapes[summed]))])
    return calculus.program([*outputs, *((f"{of}/{name}", value) for name, value in zip(wrt, found, strict=True))])


def cotangent_names(program: Program, of: Iterable[str] | None = None) -> dict[str, str]:
    """Return the name of the cotangent of every output: ``~`` before the output's name, repeated until it is new."""
    return marked(program, "~", [name for name, _ in program.outputs] if of is None else of)


def marked(program: Program, mark: str, names: Iterable[str]) -> dict[str, str]:
    """Return new names of inputs: ``mark`` before each, repeated until no input has such a name."""
    wanted, taken = list(names), {name for name, _ in program.inputs}
    found = mark
    while any(found + name in taken for name in wanted):
        found += mark
    return {name: found + name for name in wanted}


def depending(instructions: Iterable[Instruction], wrt: Iterable[str]) -> set[str]:
    """Return the values that depend on some inputs and coefficients, these included."""
    active = set(wrt)
    for instruction in instructions:
        if active.intersection(instruction.reads()):
            active.add(instruction.out)
    return active


def _joined_reverse(
    program: Program, wrt: Sequence[str], of: Sequence[str] | None
) -> tuple[Calculus, list[tuple[str, str]], list[tuple[str, str]]]:
    """Write a program and its reverse; return the writer, the outputs of the program, and those of the reverse."""
    chosen = tuple(name for name, _ in program.outputs) if of is None else tuple(of)
    _check(program, wrt, chosen)
    calculus = Calculus()
    values = calculus.repeat(program)
    outputs = {name: values[value] for name, value in program.outputs}
    names = cotangent_names(program, chosen)
    seeds = [(outputs[name], calculus.add_input(names[name], calculus.shapes[outputs[name]])) for name in chosen]
    found = _reverse(calculus, wrt, seeds)
    return calculus, list(outputs.items()), list(zip(wrt, found, strict=True))


def _check(program: Program, wrt: Sequence[str], of: Sequence[str]) -> None:
    inputs = [*(name for name, _ in program.inputs), *(f"${name}" for name in program.coefficients)]
    outputs = [name for name, _ in program.outputs]
    for names, known, what in ((wrt, inputs, "input or coefficients"), (of, outputs, "output")):
        for name in names:
            if name not in known:
                raise CompileError(f"the program has no {what} {name!r} to differentiate; it has: {', '.join(known)}")
        if len(set(names)) < len(names):
            raise CompileError(f"names of values to differentiate are given twice: {', '.join(names)}")


def _reverse(calculus: Calculus, wrt: Sequence[str], seeds: Sequence[tuple[str, str]]) -> list[str]:
    """Go through the instructions from the last to the first; return the cotangents of ``wrt``."""
    tape: list[Instruction] = list(calculus.instructions)
    calculus.active = active = depending(tape, wrt)
    parts: dict[str, list[Contribution]] = {}
    for value, cotangent in seeds:
        parts.setdefault(value, []).append(Contribution(value, cotangent))
    for instruction in reversed(tape):
        if instruction.out in active and instruction.out in parts:
            cotangent = _added(calculus, calculus.shapes[instruction.out], parts.pop(instruction.out))
            for part in RULES[type(instruction)](calculus, instruction, cotangent):
                if part.to in active:
                    parts.setdefault(part.to, []).append(part)
    return [_added(calculus, calculus.shapes[name], parts.get(name, [])) for name in wrt]


def _added(calculus: Calculus, shape: Shape, parts: Sequence[Contribution]) -> str:
    """Return the sum of all contributions to a cotangent of this shape."""
    terms = [(part.factor, part.value) for part in parts if part.start is None]
    pieces: dict[tuple[int, int], list[tuple[float, str]]] = {}
    for part in parts:
        if part.start is not None:
            end = part.start + calculus.shapes[part.value].axes[-1]
            pieces.setdefault((part.start, end), []).append((part.factor, part.value))
    terms.extend(
        (1.0, value) for value in _joined(calculus, shape, {k: calculus.combine(pieces[k]) for k in sorted(pieces)})
    )
    return calculus.combine(terms) if terms else calculus.filled(0.0, shape)


def _joined(calculus: Calculus, shape: Shape, pieces: Mapping[tuple[int, int], str]) -> list[str]:
    """Return cotangents of the whole last axis from those of ranges of it, sorted: one where they do not overlap."""
    size = shape.axes[-1] if shape.axes else 0
    ranges = list(pieces)
    if len(ranges) < 2 or any(end > start for (_, end), (start, _) in pairwise(ranges)):
        return [calculus.place(value, range(start, end), size) for (start, end), value in pieces.items()]
    values: list[str] = []
    reached = 0
    for (start, end), value in [*pieces.items(), ((size, size), "")]:
        if start > reached:
            values.append(calculus.filled(0.0, Shape(shape.on, (*shape.axes[:-1], start - reached))))
        values.extend([value] if value else [])
        reached = end
    return [calculus.concatenate(values)]
