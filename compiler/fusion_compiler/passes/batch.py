"""batch: contractions of one value with several coefficients as one, and equal instructions on parts of a value as one.

Program -> Program. What stays: values to rounding, names and shapes of inputs, labels, maps, coefficients and outputs.

- *stacked*: contractions of one value with different coefficients by one equation become one contraction with the
  coefficients side by side, and cuts of its result. The value is read once; the coefficients are copied once per call.
- *lifted*: one function, gather, scatter or reshape of several parts of a value, by the same map, is done on the value.

A call has a price besides the bytes it moves. Measured on one CPU core with torch 2 in float64 (microseconds, values of
1 to 300 rows of 64 numbers): einsum 9, matrix product 4, concatenation 1.3, view 1.3, function or sum 1, gather 1.6,
scatter 4. Five contractions of one value with 8 x 8 coefficients took 48 us for 1 row, 214 us for 300 and 2.8 ms for
3000; stacked they take 15 us, 78 us and 1.1 ms. Copying values with rows side by side to save a call of another kind
gains nothing from some hundred rows on, so only coefficients are copied. A gather from a part of a value is up to
seventeen times slower than from a value that lies in one piece; so contractions are stacked only where the same maps
take up their results. Decisions weigh prices and bytes for representative numbers of rows.

Constants and index tables keep their names, so that a program and the batched one take the same tables. Run it last:
the derivative of several cuts of one value writes each of them into zeros of the size of the value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fusion_compiler import program as ops
from fusion_compiler.cost import program_spaces
from fusion_compiler.emit.forms import Einsum, MatMul, Product, form_of
from fusion_compiler.emit.tables import contiguous
from fusion_compiler.passes.rewriting import ITEMSIZE, numbered, representative_totals
from fusion_compiler.passes.worth import representative_rows
from fusion_compiler.program import Instruction, Program, Shape

PRICES = {Einsum: 9.0, MatMul: 4.0, Product: 1.0}
"""Microseconds of the call of a contraction, by its form."""
CUT, CONCATENATION = 1.3, 1.3
"""Microseconds of the call of a view and of a concatenation."""
BYTES = 1e4
"""Bytes that are moved in a microsecond."""

Unary = ops.Gather | ops.Scatter | ops.Function | ops.Reshape


def batch(program: Program) -> Program:
    """Return the batched program, or the program itself where nothing is gained."""
    state = _State(list(program.instructions), dict(program.shapes))
    spaces = program_spaces(program)
    rows = {"": 1, **{space: count for space, count in representative_rows(program).items() if space in spaces}}
    while _stack(state, program, rows) or _lift(state):
        pass
    if not state.changed:
        return program
    found = numbered(program, _live(state.instructions, program), state.shapes, program.constants, program.outputs)
    before, after = representative_totals(program), representative_totals(found)
    return found if all(new <= old for new, old in zip(after, before, strict=True)) else program


@dataclass
class _State:
    """A program while it changes."""

    instructions: list[Instruction]
    shapes: dict[str, Shape]
    changed: int = 0

    def fresh(self, shape: Shape) -> str:
        """Return the name of a new value."""
        self.changed += 1
        name = f"%_{self.changed}"
        self.shapes[name] = shape
        return name

    def replace(self, new: dict[str, Iterable[Instruction]]) -> None:
        """Put other instructions into the places of those that define the named values."""
        self.instructions = [item for old in self.instructions for item in new.get(old.out, (old,))]


@dataclass(frozen=True, slots=True)
class _Stackable:
    """A contraction of a value with coefficients whose last axis is one of the result, counted from its end."""

    instruction: ops.Contract
    coefficients: str
    axis: int


def _stack(state: _State, program: Program, rows: dict[str, int]) -> bool:
    """Stack the first group of contractions for which that pays; say whether there was one."""
    place = {item.out: number for number, item in enumerate(state.instructions)}
    readers = _readers(state.instructions)
    groups: dict[tuple[object, ...], list[_Stackable]] = {}
    for item in state.instructions:
        found = _stackable(item, state.shapes, program)
        if found is None:
            continue
        shape, out = state.shapes[found.coefficients], list(state.shapes[item.out].axes)
        del out[found.axis]
        x = found.instruction.y if found.instruction.x == found.coefficients else found.instruction.x
        maps = tuple(sorted(_taken_up(item.out, readers)))
        key = (x, found.coefficients == found.instruction.x, found.instruction.equation, shape.axes[:-1], *out, maps)
        first = groups.setdefault(key, [found])[0]
        if first is not found and place.get(found.coefficients, -1) < place[first.instruction.out]:
            groups[key].append(found)
    for group in groups.values():
        if len(group) > 1 and _pays(group, state, rows):
            _stacked(group, state)
            return True
    return False


def _stackable(item: Instruction, shapes: dict[str, Shape], program: Program) -> _Stackable | None:
    if not isinstance(item, ops.Contract) or not shapes[item.out].on:
        return None
    inputs, _, result = item.equation.partition("->")
    x, _, y = inputs.partition(",")
    for name, letters, other in ((item.y, y, x), (item.x, x, y)):
        plain = not shapes[name].on and name not in program.constants
        if plain and letters and letters[-1] in result and letters[-1] not in other and "N" in other:
            return _Stackable(item, name, result.index(letters[-1]) - len(result))
    return None


def _pays(group: Sequence[_Stackable], state: _State, rows: dict[str, int]) -> bool:
    """Whether calls and bytes cost less: the value is read once, the coefficients are read and written once more."""
    first = group[0].instruction
    x = state.shapes[first.y if first.x == group[0].coefficients else first.x]
    copied = 2 * sum(math.prod(state.shapes[item.coefficients].axes) for item in group)
    saved = (len(group) - 1) * math.prod(x.axes) * rows.get(x.on, 1) - copied
    call = PRICES[type(form_of(first.equation))]
    return saved >= 0 and (len(group) - 1) * call + saved * ITEMSIZE / BYTES > CONCATENATION + CUT * len(group)


def _stacked(group: Sequence[_Stackable], state: _State) -> None:
    names = tuple(item.coefficients for item in group)
    one, first = state.shapes[names[0]], group[0].instruction
    sizes = [state.shapes[name].axes[-1] for name in names]
    side = "x" if first.x == names[0] else "y"
    weights = state.fresh(Shape("", (*one.axes[:-1], sum(sizes))))
    axis, shape = group[0].axis, state.shapes[first.out]
    axes = list(shape.axes)
    axes[axis] = sum(sizes)
    whole = state.fresh(Shape(shape.on, tuple(axes)))
    made: list[Instruction] = [ops.Concatenate(weights, names), replace(first, out=whole, **{side: weights})]
    start = 0
    new: dict[str, Iterable[Instruction]] = {}
    for item, size in zip(group, sizes, strict=True):
        made.append(ops.Take(item.instruction.out, whole, tuple(range(start, start + size)), axis))
        new[item.instruction.out] = ()
        start += size
    state.replace({**new, first.out: made})


def _taken_up(value: str, readers: dict[str, list[Instruction]]) -> Iterator[str]:
    """Yield the maps along which a value is gathered or summed, as it is or as a view."""
    for item in readers.get(value, ()):
        if isinstance(item, ops.Gather | ops.Scatter):
            yield item.index_map
        elif isinstance(item, ops.Reshape | ops.Segment | ops.Transpose | ops.Take):
            yield from _taken_up(item.out, readers)


def _readers(instructions: Iterable[Instruction]) -> dict[str, list[Instruction]]:
    found: dict[str, list[Instruction]] = {}
    for item in instructions:
        for name in item.reads():
            found.setdefault(name, []).append(item)
    return found


def _lift(state: _State) -> bool:
    """Do one instruction on a value in place of several on its parts; say whether there was one to do."""
    cuts: dict[str, ops.Take] = {}
    groups: dict[tuple[object, ...], list[tuple[ops.Take, Unary]]] = {}
    for item in state.instructions:
        if isinstance(item, ops.Take) and contiguous(item.index):
            cuts[item.out] = item
        elif isinstance(item, Unary) and item.x in cuts:
            cut = cuts[item.x]
            axis = _axis_after(item, cut, state.shapes)
            if axis is not None:
                rest = () if isinstance(item, ops.Reshape) else (replace(item, out="", x=""),)
                others = list(state.shapes[item.out].axes)
                del others[axis]
                groups.setdefault((cut.x, cut.axis, axis, type(item), *rest, *others), []).append((cut, item))
    for group in groups.values():
        group.sort(key=lambda pair: pair[0].index[0])
        run = group[:1]
        for pair in group[1:]:
            if pair[0].index[0] == run[-1][0].index[-1] + 1:
                run.append(pair)
            elif len(run) > 1:
                break
            else:
                run = [pair]
        if len(run) > 1:
            _lifted(run, state)
            return True
    return False


def _axis_after(item: Unary, cut: ops.Take, shapes: dict[str, Shape]) -> int | None:
    """Return the axis of the result that is cut as that of the operand is, from the end; nothing when there is none."""
    before, after = shapes[cut.out], shapes[item.out]
    if not before.on:
        return None
    if isinstance(item, ops.Reshape):
        place = len(before.axes) + cut.axis
        return place - len(after.axes) if before.axes[: place + 1] == after.axes[: place + 1] else None
    if isinstance(item, ops.Function) and item.name == "layer_norm":
        return None  # acts across the channels
    if isinstance(item, ops.Gather) and item.label and cut.axis == -len(before.axes):
        return None  # these are the classes that the label chooses from
    return cut.axis


def _lifted(run: Sequence[tuple[ops.Take, Unary]], state: _State) -> None:
    (cut, one), (last, _) = run[0], run[-1]
    start, stop = cut.index[0], last.index[-1] + 1
    source, place = state.shapes[cut.x], cut.axis
    made: list[Instruction] = []
    x = cut.x
    if stop - start < source.axes[place]:
        x = state.fresh(Shape(source.on, _with(source.axes, place, stop - start)))
        made.append(ops.Take(x, cut.x, tuple(range(start, stop)), place))
    out, axis = state.shapes[one.out], _axis_after(one, cut, state.shapes)
    if axis is None:
        return
    axes = _with(out.axes, axis, stop - start)
    whole = state.fresh(Shape(out.on, axes))
    made.append(replace(one, out=whole, x=x, **({"axes": axes} if isinstance(one, ops.Reshape) else {})))
    new: dict[str, Iterable[Instruction]] = {item.out: () for _, item in run}
    for part, item in run:
        made.append(ops.Take(item.out, whole, tuple(range(part.index[0] - start, part.index[-1] + 1 - start)), axis))
    places = {item.out: number for number, item in enumerate(state.instructions)}
    earliest = min((item.out for _, item in run), key=lambda name: places[name])
    state.replace({**new, earliest: made})


def _with(axes: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    found = list(axes)
    found[axis] = size
    return tuple(found)


def _live(instructions: Sequence[Instruction], program: Program) -> list[Instruction]:
    """Return the instructions that lead to an output."""
    read = Counter(value for _, value in program.outputs)
    kept: list[Instruction] = []
    for item in reversed(instructions):
        if read[item.out]:
            kept.append(item)
            read.update(item.reads())
    return kept[::-1]
