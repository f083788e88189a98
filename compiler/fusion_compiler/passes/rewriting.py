"""Rewriting of programs: rules that replace one instruction, judged by exact cost; shared by the passes on programs.

A rule is asked about every instruction, in order, and answers with a value that stands in for the result. What it adds
is a :class:`Draft`; what nobody reads any more is dropped with it. The exact cost of both decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fusion.index import CONSTANT_SPACE
from fusion_compiler import program as ops
from fusion_compiler.cost import instruction_costs, program_spaces, totals
from fusion_compiler.passes.worth import representative_rows
from fusion_compiler.program import Array, Instruction, Program, Shape

ITEMSIZE = 8
"""Bytes of a number, for the decisions: float64."""
ROUNDING = 1e-14
"""Sums below this fraction of what they are sums of are zero: they cancel exactly."""


def renamed(instruction: Instruction, names: Mapping[str, str]) -> Instruction:
    """Return an instruction that reads and defines other values, by name; names that are not given stay."""
    if not any(name in names for name in (instruction.out, *instruction.reads())):
        return instruction
    return replace(instruction.renamed(names), out=names.get(instruction.out, instruction.out))


class Draft:
    """What one rule wants to add: instructions and tables."""

    def __init__(self, state: Rewriting) -> None:
        self.state = state
        self.made: dict[str, Instruction] = {}
        self.tables: dict[str, Array] = {}
        self.shapes: dict[str, Shape] = {}

    def emit(self, instruction: Instruction, shape: Shape) -> str:
        """Add an instruction; return the name of its value."""
        name = f"%_{self.state.count + len(self.shapes)}"
        self.made[name] = replace(instruction, out=name)
        self.shapes[name] = shape
        return name

    def table(self, table: Array) -> str:
        """Add a constant, shared with an equal one; return its name."""
        table = np.ascontiguousarray(table, dtype=np.float64)
        known = self.state.names.get((table.shape, table.tobytes()))
        if known is not None:
            return known
        name = f"#_{self.state.count + len(self.shapes)}"
        self.tables[name] = table
        self.shapes[name] = Shape("", table.shape)
        return name

    def keep(self, found: str) -> None:
        """Drop what does not lead to ``found``."""
        wanted = {found}
        for name, instruction in reversed(self.made.items()):
            if name in wanted:
                wanted.update(instruction.reads())
        self.made = {name: item for name, item in self.made.items() if name in wanted}
        self.tables = {name: table for name, table in self.tables.items() if name in wanted}

    def shape(self, name: str) -> Shape:
        """Return the shape of a value, drafted or not."""
        return self.shapes[name] if name in self.shapes else self.state.shapes[name]


Rule = Callable[[Draft, Instruction], str | None]
"""Answers with the value that stands in for the result of an instruction, or with nothing."""


class Rewriting:
    """A program while rules change it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.shapes = dict(program.shapes)
        self.constants = dict(program.constants)
        self.names = {(table.shape, table.tobytes()): name for name, table in program.constants.items()}
        self.defined: dict[str, Instruction] = {}
        self.uses: Counter[str] = Counter()
        self.alias: dict[str, str] = {}
        self.count = 0
        self.changed = False
        self.rows = {"": 1, CONSTANT_SPACE: 1, **representative_rows(program)}

    def producer(self, name: str) -> Instruction | None:
        """Return the instruction that defines a value; nothing for inputs, coefficients and constants."""
        return self.defined.get(name)

    def known(self, name: str) -> Array | None:
        """Return the numbers of a constant, or of one that is repeated for every row: its one row is the first axis."""
        before = self.defined.get(name)
        if not isinstance(before, ops.Expand):
            return self.constants.get(name)
        table = self.constants.get(before.x)
        return None if table is None else table.reshape(1, *self.shapes[name].axes)

    def run(self, free: Sequence[Rule], strict: Sequence[Rule]) -> Program:
        """Apply rules until none applies; return the program, the same object when nothing changed.

        A strict rule is taken where neither operations nor bytes rise and one of them, or the number of instructions,
        falls. A free rule may leave all as it is; it has to lead nowhere where it applies again.
        """
        instructions = list(self.program.instructions)
        while True:
            self._count(instructions)
            before = self.changed
            self.changed = False
            for instruction in instructions:
                if self.uses[instruction.out]:
                    self._place(renamed(instruction, self.alias), free, strict)
            instructions = [item for item in self.defined.values() if self.uses[item.out]]
            again, self.changed = self.changed, self.changed or before
            if not again:
                if not self.changed:
                    return self.program
                outputs = tuple((name, self.alias.get(value, value)) for name, value in self.program.outputs)
                return numbered(self.program, instructions, self.shapes, self.constants, outputs)

    def _count(self, instructions: Sequence[Instruction]) -> None:
        self.defined = {}
        self.uses = Counter(self.alias.get(value, value) for _, value in self.program.outputs)
        for instruction in instructions:
            self.uses.update(self.alias.get(name, name) for name in instruction.reads())

    def _place(self, instruction: Instruction, free: Sequence[Rule], strict: Sequence[Rule]) -> None:
        """Add an instruction, or what a rule makes of it; the values it reads have been placed."""
        for rules, equal in ((free, True), (strict, False)):
            for rule in rules:
                draft = Draft(self)
                found = rule(draft, instruction)
                if found is None or (found not in draft.made and not self._free_to_stand_in(instruction, found)):
                    continue
                draft.keep(found)
                if self._pays(draft, instruction, found, equal):
                    self._take(draft, instruction, found, free, strict)
                    return
        self.defined[instruction.out] = instruction

    def _free_to_stand_in(self, instruction: Instruction, found: str) -> bool:
        """Whether another value may stand in: an output is a value of its own, not one of the caller or the block."""
        outputs = {self.alias.get(value, value) for _, value in self.program.outputs}
        return instruction.out not in outputs or (found in self.defined and found not in outputs)

    def _take(self, draft: Draft, old: Instruction, found: str, free: Sequence[Rule], strict: Sequence[Rule]) -> None:
        self.changed = True
        self.count += len(draft.shapes)
        self.shapes.update(draft.shapes)
        for name, table in draft.tables.items():
            self.constants[name] = table
            self.names[table.shape, table.tobytes()] = name
        for item in draft.made.values():
            self.uses.update(item.reads())
        self.uses[found] += self.uses[old.out]
        self.uses[old.out] = 0
        for name in old.reads():
            self._release(name)
        self.alias = {name: found if other == old.out else other for name, other in self.alias.items()}
        self.alias[old.out] = found
        for item in draft.made.values():
            # A rule may replace what the one before it made.
            self._place(renamed(item, self.alias), free, strict)

    def _release(self, name: str) -> None:
        self.uses[name] -= 1
        instruction = self.defined.get(name)
        if instruction is not None and not self.uses[name]:
            for other in instruction.reads():
                self._release(other)

    def _freed(self, old: Instruction, draft: Draft, found: str) -> list[Instruction]:
        """Return the instructions that nobody reads any more when ``old`` is replaced."""
        kept = Counter(name for item in draft.made.values() for name in item.reads())
        kept[found] += 1
        freed, gone, queue = [old], Counter[str](), list(old.reads())
        while queue:
            name = queue.pop()
            gone[name] += 1
            instruction = self.defined.get(name)
            if instruction is not None and gone[name] == self.uses[name] + kept[name]:
                freed.append(instruction)
                queue.extend(instruction.reads())
        return freed

    def _pays(self, draft: Draft, old: Instruction, found: str, equal: bool) -> bool:
        freed = self._freed(old, draft, found)
        before, after = self._cost(freed, draft), self._cost(draft.made.values(), draft)
        if after[0] > before[0] or after[1] > before[1]:
            return False
        fewer = len(draft.made) < len(freed)
        return after < before or fewer or (equal and len(draft.made) == len(freed))

    def _cost(self, instructions: Iterable[Instruction], draft: Draft) -> tuple[int, int]:
        """Return operations and bytes of instructions, for representative rows."""
        flops = moved = 0
        shapes = {**self.shapes, **draft.shapes}
        for instruction in instructions:
            around = (instruction,)
            if isinstance(instruction, ops.Reshape):
                around = tuple(self._origin(instruction, draft))
            program = replace(self.program, shapes=shapes, instructions=around)
            for cost in instruction_costs(instruction, program):
                flops += cost.flops * self.rows[cost.on]
                moved += cost.bytes(ITEMSIZE) * self.rows[cost.on]
        return flops, moved

    def _origin(self, instruction: Instruction, draft: Draft) -> list[Instruction]:
        """Return the instruction and the ones before it that its first operand comes from."""
        found = [instruction]
        while found[-1].reads():
            name = found[-1].reads()[0]
            before = draft.made.get(name) or self.defined.get(name)
            if before is None:
                break
            found.append(before)
        return found


def numbered(
    program: Program,
    instructions: Sequence[Instruction],
    shapes: Mapping[str, Shape],
    constants: Mapping[str, Array],
    outputs: tuple[tuple[str, str], ...],
) -> Program:
    """Return ``program`` with other instructions and outputs, verified; values are numbered in order.

    So are constants, unless they are those of the program: then they keep their names.
    """
    read = dict.fromkeys(name for item in instructions for name in item.reads())
    read.update(dict.fromkeys(value for _, value in outputs))
    tables = [name for name in read if name in constants]
    names = {item.out: f"%{number}" for number, item in enumerate(instructions)}
    same = constants is program.constants
    names.update({name: name if same else f"#{number}" for number, name in enumerate(tables)})
    fixed = [name for name, _ in program.inputs] + [f"${name}" for name in program.coefficients]
    found = replace(
        program,
        constants={names[name]: constants[name] for name in tables},
        instructions=tuple(renamed(item, names) for item in instructions),
        shapes={
            **{name: shapes[name] for name in fixed},
            **{new: shapes[name] for name, new in names.items()},
        },
        outputs=tuple((name, names.get(value, value)) for name, value in outputs),
    )
    found.verify()
    return found


def representative_totals(program: Program) -> tuple[int, int]:
    """Return operations and bytes of a program for numbers of rows that represent it."""
    rows = representative_rows(program)
    found = totals(program, {space: rows[space] for space in program_spaces(program) if space in rows})
    return found.flops, found.bytes
