"""The memory of a program: a forecast of what a run holds at its largest, and the limit that refuses too large a run.

The forecast carries the instructions out on tensors without data (torch's ``meta`` device) and counts the bytes of
their storages: views share the storage of what they view, the copies inside an instruction count while it runs, and a
value is gone after the instruction that reads it last. Nothing is allocated, whatever the numbers of rows. It is the
memory of a run that records nothing for autograd, on the CPU; derivative programs are programs and are forecast alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fusion.index import CONSTANT_SPACE, derived_from
from fusion_compiler.cost import INDEX_BYTES, program_spaces
from fusion_compiler.emit.interpret import Runner, interpret
from fusion_compiler.emit.tables import index_tables
from fusion_compiler.errors import CompileError, MemoryLimitError
from fusion_compiler.program import Instruction, Program, Shape, last_read
from fusion_compiler.rows import product_rows

_TYPES = {4: torch.float32, 8: torch.float64}
MAX_ROWS = 2**40
"""Largest number of rows that is forecast."""
_PARTS = 1024
"""What would fit is found to this part of the rows that were asked for."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a run holds.

    Attributes:
        inputs: tensors, labels and maps that the caller gives.
        held: coefficients and tables, which the block keeps between runs.
        values: what the run itself holds at its largest, outputs and copies inside instructions included.
        at: the value whose instruction runs when this happens; empty when the run allocates nothing.
    """

    inputs: int
    held: int
    values: int
    at: str = ""

    @property
    def peak(self) -> int:
        """Everything at the largest: inputs, coefficients and tables, and values."""
        return self.inputs + self.held + self.values


def forecast(program: Program, rows: Mapping[str, int], itemsize: int = 8) -> Memory:
    """Return the memory of a run without autograd, for floating-point numbers of ``itemsize`` bytes (4 or 8).

    Raises:
        CompileError: an index space has no number of rows, or a negative one, or is not one of the program.
    """
    counts = checked_rows(program, rows)
    dtype = _TYPES[itemsize]
    values = {name: _empty(_full(shape, counts), dtype) for name, shape in program.inputs}
    values.update({name: _empty((counts[on],), torch.int64) for name, on, _ in program.labels})
    values.update({name: _empty((counts[source],), torch.int64) for name, source, _ in program.maps})
    inputs = sum(value.nbytes for value in values.values())
    coefficients = {f"${name}": program.shapes[f"${name}"].axes for name in program.coefficients}
    tables = {name: table.shape for name, table in program.constants.items()}
    kept = {name: _empty(tuple(shape), dtype) for name, shape in {**coefficients, **tables}.items()}
    held = sum(value.nbytes for value in kept.values()) + INDEX_BYTES * sum(map(len, index_tables(program)))
    values.update(kept)
    steps = [_Step.of(instruction, program) for instruction in program.instructions]
    at = ""
    with torch.no_grad(), _Watch() as watch:
        for step, dying in zip(steps, last_read(program), strict=True):
            before = watch.peak
            values[step.out] = step.run(values, {}, step.indices, counts)[step.out]
            if watch.peak > before:
                at = step.out
            for name in dying:
                del values[name]
    return Memory(inputs, held, watch.peak, at)


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction as a program of its own, which takes everything that the instruction reads."""

    out: str
    run: Runner
    indices: dict[str, Tensor]

    @classmethod
    def of(cls, instruction: Instruction, program: Program) -> _Step:
        alone = replace(
            program,
            inputs=tuple((name, program.shapes[name]) for name in dict.fromkeys(instruction.reads())),
            coefficients=(),
            constants={},
            instructions=(instruction,),
            outputs=((instruction.out, instruction.out),),
        )
        indices = {name: _empty((len(index),), torch.int64) for index, name in index_tables(alone).items()}
        return cls(instruction.out, interpret(alone), indices)


class _Watch(TorchDispatchMode):
    """Counts the bytes of the storages that are made inside it and still live.

    Attributes:
        peak: the largest number of bytes at one time so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        result = func(*args, **(kwargs or {}))
        self._live = {key: entry for key, entry in self._live.items() if not entry[0].expired()}
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in given:
                    self._live.setdefault(storage._cdata, (StorageWeakRef(storage), storage.nbytes()))
        copied = sum(map(_copied, args)) if func in _PRODUCTS else 0
        self.peak = max(self.peak, copied + sum(size for _, size in self._live.values()))
        return result


_PRODUCTS = (torch.ops.aten.mm.default, torch.ops.aten.bmm.default)


def _copied(operand: Tensor) -> int:
    """Return the bytes of the copy that BLAS wants of a matrix in which neither rows nor columns are contiguous."""
    return 0 if 1 in operand.stride()[-2:] else operand.nbytes


def _full(shape: Shape, rows: Mapping[str, int]) -> tuple[int, ...]:
    """Return the axes of a whole value; one without rows has those of a row."""
    return (rows[shape.on], *shape.axes) if shape.on else shape.axes


def _empty(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def row_spaces(program: Program) -> tuple[str, ...]:
    """Return the index spaces of a program whose numbers of rows are known at run time only, sorted."""
    return tuple(space for space in program_spaces(program) if space != CONSTANT_SPACE)


def checked_rows(program: Program, rows: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of rows of all index spaces of a program.

    Raises:
        CompileError: an index space has no number of rows, or a negative one, or is not one of the program.
    """
    spaces = row_spaces(program)
    for space, count in rows.items():
        if space not in spaces or type(count) is not int or count < 0:
            known = ", ".join(spaces) or "nothing"
            raise CompileError(f"rows are whole numbers >= 0 of {known}; got {space}={count!r}")
        if count > MAX_ROWS:
            raise CompileError(f"{space}={count} rows are above the limit of {MAX_ROWS}")
    missing = [space for space in spaces if space not in rows]
    if missing:
        raise CompileError(f"the number of rows of {', '.join(missing)} is missing; give rows={{'{missing[0]}': ...}}")
    return {CONSTANT_SPACE: 1, **rows}


@dataclass(slots=True)
class MemoryLimit:
    """Refuses runs of a program that would hold more than ``limit`` bytes, before they allocate anything.

    As a forward pre-hook of a block it looks at the numbers of rows of every call, except under ``torch.compile`` and
    ``torch.export``. Where no number of rows is larger than when they were last found to fit, nothing is forecast. Maps
    of tuples that the block computes from their base take some working memory that comes on top.

    Attributes:
        program: what runs.
        limit: bytes, for everything that :class:`Memory` counts.
        fitting: the rows that were last found to fit, for each size of floating-point numbers.
    """

    program: Program
    limit: int
    fitting: dict[int, Mapping[str, int]] = field(default_factory=dict[int, Mapping[str, int]])

    def __call__(self, block: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Check the rows of the tensors of a call; what does not fit the program is left to the block to refuse."""
        if torch.compiler.is_compiling():
            return
        tensors = {**(args[0] if args and isinstance(args[0], Mapping) else {}), **kwargs}
        rows = _rows_of(self.program, tensors, kwargs.get("sizes") or {})
        if rows is not None:
            self.check(rows, block.dtype.itemsize)

    def check(self, rows: Mapping[str, int], itemsize: int) -> None:
        """Raise :class:`MemoryLimitError` when a run with these rows would hold too much."""
        known = self.fitting.get(itemsize)
        if known is not None and all(count <= known.get(space, 0) for space, count in rows.items()):
            return
        needed = forecast(self.program, rows, itemsize)
        if needed.peak > self.limit:
            raise MemoryLimitError(self._message(needed, rows, itemsize), needed.peak, self.limit)
        self.fitting[itemsize] = dict(rows)

    def _message(self, needed: Memory, rows: Mapping[str, int], itemsize: int) -> str:
        where = f" for {shown_rows(rows)}" if any(rows.values()) else " with no rows at all"
        lines = [
            f"the block needs {needed.peak} bytes{where}, more than max_memory={self.limit}: {needed.inputs} of "
            f"inputs, {needed.held} of coefficients and tables, and {needed.values} of values at their largest"
        ]
        for instruction in self.program.instructions:
            if instruction.out == needed.at:
                lines.append(f"which is at: {instruction}   : {self.program.shapes[instruction.out]}")
        fits = "; ".join(self._fits(rows, itemsize))
        return "\n".join([*lines, f"what would fit: {fits or 'nothing, not even no rows'}"])

    def _fits(self, rows: Mapping[str, int], itemsize: int) -> list[str]:
        """Return what would fit: a part of the rows, and single precision."""
        found: list[str] = []
        low, high = -1, _PARTS  # the part low / _PARTS fits, high does not
        while any(rows.values()) and high - low > 1:
            middle = (low + high) // 2
            fits = forecast(self.program, _part(rows, middle), itemsize).peak <= self.limit
            low, high = (middle, high) if fits else (low, middle)
        part = _part(rows, max(low, 0))
        if any(part.values()):
            found.append(f"{shown_rows(part)} ({100 * low / _PARTS:.1f} % of these rows)")
        elif low >= 0:
            found.append("no rows at all")
        if itemsize == 8 and (single := forecast(self.program, rows, 4).peak) <= self.limit:
            found.append(f"the same rows with dtype=torch.float32, {single} bytes")
        return found


def _part(rows: Mapping[str, int], part: int) -> dict[str, int]:
    return {space: count * part // _PARTS for space, count in rows.items()}


def shown_rows(rows: Mapping[str, int]) -> str:
    """Return numbers of rows as text, sorted by index space."""
    return ", ".join(f"{space}={count}" for space, count in sorted(rows.items()))


def _rows_of(program: Program, tensors: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, int] | None:
    """Return the number of rows of every index space as the tensors of a call tell it; ``None`` when they do not."""
    rows = {space: count for space, count in sizes.items() if type(count) is int and count >= 0}
    named = [(name, shape.on) for name, shape in program.inputs]
    named += [(name, on) for name, on, _ in program.labels] + [(name, source) for name, source, _ in program.maps]
    for name, on in named:
        tensor = tensors.get(name)
        if on and isinstance(tensor, Tensor) and tensor.ndim:
            rows.setdefault(on, tensor.shape[0])
    for name, source, target in program.maps:
        derived = derived_from(name)
        if derived is not None and source not in rows:
            base = _base(derived[0], tensors)
            if base is None:
                return None
            rows.setdefault(target, len(base))
            rows[source] = int((torch.unique(base, return_counts=True)[1] ** derived[1]).sum())
    spaces = row_spaces(program)
    return {space: rows[space] for space in spaces} if all(space in rows for space in spaces) else None


def _base(name: str, tensors: Mapping[str, Any]) -> Tensor | None:
    """Return the array of a map, computed when it is that of a product space; ``None`` when its base is missing."""
    if isinstance(tensors.get(name), Tensor):
        return tensors[name]
    derived = derived_from(name)
    base = None if derived is None else _base(derived[0], tensors)
    return None if base is None or derived is None else product_rows(base, derived[1])[derived[2]]
