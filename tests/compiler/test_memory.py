"""The forecast of memory against what torch's profiler measures, and the limit that refuses before it allocates."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import fusion
import fusion_compiler
from corpus import DIAGRAMS
from fusion import Wire, leg, tuples, weights
from fusion.sampling import random_tensors
from fusion_compiler import CompileError, MemoryLimitError
from fusion_compiler.derivatives import vjp
from fusion_compiler.emit import runner
from fusion_compiler.emit.tables import table_tensors
from fusion_compiler.memory import Memory, forecast, row_spaces
from fusion_compiler.program import Program

SMALL = 64
"""Bytes that torch takes now and then for a single number."""


def measured(run: Callable[[], object]) -> int:
    """Return the largest number of bytes that ``run`` holds, from every allocation that torch's profiler records."""
    gc.disable()  # tensors of earlier tests that go meanwhile would count as negative
    try:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
            kept = run()
    finally:
        gc.enable()
    live = peak = 0
    recorded: Any = profiler.profiler
    for event in sorted(recorded.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    del kept
    return peak


@pytest.mark.parametrize("name", DIAGRAMS)
@pytest.mark.parametrize(("emitter", "dtype"), [("source", torch.float64), ("interpret", torch.float32)])
def test_forecasts_are_those_measured(name: str, emitter: str, dtype: torch.dtype) -> None:
    """Within 1 %, for a run without autograd; sizes of all spaces differ."""
    diagram = DIAGRAMS[name]
    inputs = random_tensors(diagram, np.random.default_rng(3), (40, 150, 400))
    block = fusion_compiler.compile(diagram, emitter=emitter, dtype=dtype)
    block.load_coefficients(inputs.parameters)
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
    tensors = {name: value.to(dtype) if value.is_floating_point() else value for name, value in tensors.items()}
    given = {**tensors, **block._derived(tensors)}
    known = block._rows(given, inputs.sizes)
    found = forecast(block.program, {space: known[space] for space in row_spaces(block.program)}, dtype.itemsize)
    with torch.no_grad():
        block(given, sizes=inputs.sizes)  # what torch allocates once stays out of it
        checks = measured(lambda: block(given, sizes=inputs.sizes))
    assert abs(found.values - checks) <= 0.01 * checks + SMALL


@pytest.mark.parametrize("name", ["energy_readout", "mace_layer", "nequip_layer", "painn_message", "softmax_attention"])
def test_derivative_programs_are_forecast_alike(name: str) -> None:
    program = fusion_compiler.compile(DIAGRAMS[name]).program
    derivative = vjp(program, [*(name for name, _ in program.inputs), *(f"${name}" for name in program.coefficients)])
    rows = dict(zip(row_spaces(derivative), (40, 150, 400, 60), strict=False))
    tensors, generator = _drawn(derivative, {"constant": 1, **rows})
    shapes = {name: derivative.shapes[f"${name}"].axes for name in derivative.coefficients}
    coefficients = {name: torch.randn(axes, dtype=torch.float64, generator=generator) for name, axes in shapes.items()}
    run, tables = runner(derivative, "source"), table_tensors(derivative, torch.float64)
    with torch.no_grad():
        run(tensors, coefficients, tables, {"constant": 1, **rows})
        checks = measured(lambda: run(tensors, coefficients, tables, {"constant": 1, **rows}))
    assert abs(forecast(derivative, rows).values - checks) <= 0.01 * checks + SMALL


def _drawn(program: Program, rows: dict[str, int]) -> tuple[dict[str, Tensor], torch.Generator]:
    """Draw the tensors, labels and maps of a program."""
    found: dict[str, Tensor] = {}
    generator = torch.Generator().manual_seed(0)
    for name, shape in program.inputs:
        full = (rows[shape.on], *shape.axes) if shape.on else shape.axes
        found[name] = torch.randn(full, dtype=torch.float64, generator=generator)
    for name, on, classes in program.labels:
        found[name] = torch.randint(classes, (rows[on],), generator=generator)
    for name, source, target in program.maps:
        found[name] = torch.randint(rows[target], (rows[source],), generator=generator)
    return found, generator


def layer() -> Wire:
    h, harmonics, radial = leg("h", "0e+1o", channels=8), leg("Y", "0e+1o+2e", on="edge"), weights("R", on="edge")
    density = (harmonics @ h.mix("u->v").pull("sender"))["0e+1o+2e"].scale(radial).sum("receiver")
    return density.power(1, 2, basis="reduced")["0e+1o"].mix("u->v")


def tensors_of(atoms: int, edges: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {
        "h": torch.zeros(atoms, 8, 4, dtype=dtype),
        "Y": torch.zeros(edges, 9, dtype=dtype),
        "R": torch.zeros(edges, 8, 7, dtype=dtype),
        "sender": torch.zeros(edges, dtype=torch.int64),
        "receiver": torch.zeros(edges, dtype=torch.int64),
    }


def test_inputs_coefficients_and_tables_are_counted_apart() -> None:
    """By hand: one matrix of 2 x 2 numbers on 2 channels of 3 components, 5 rows, in single precision."""
    program = fusion_compiler.compile(leg("h", "1o", channels=2).mix("u->v")).program
    found = forecast(program, {"atom": 5}, 4)
    assert (found.inputs, found.held) == (5 * 2 * 3 * 4, 2 * 2 * 4)
    assert found.values >= 5 * 2 * 3 * 4
    assert found.peak == found.inputs + found.held + found.values


def test_views_hold_nothing() -> None:
    program = fusion_compiler.compile(leg("x", "0e+1o", channels=(4, 6)).merge()).program
    assert forecast(program, {"atom": 10}) == Memory(10 * 24 * 4 * 8, 0, 0)


def test_a_value_lives_until_its_last_reader() -> None:
    """tanh(tanh(tanh(x))): two values of n numbers at a time, never three."""
    program = fusion_compiler.compile(leg("x", "0e").map("tanh").map("tanh").map("tanh")).program
    assert forecast(program, {"atom": 1000}) == Memory(8000, 0, 2 * 8000, "%1")


def test_forecasts_of_huge_runs_allocate_nothing() -> None:
    program = fusion_compiler.compile(layer()).program
    found = forecast(program, {"atom": 10**7, "edge": 10**9})
    assert found.values > 10**12
    assert found.at in program.shapes


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"atom": 3}, "number of rows of edge is missing"),
        ({"atom": 3, "edge": -1}, "rows are whole numbers >= 0 of atom, edge; got edge=-1"),
        ({"atom": 2**62, "edge": 1}, "atom=4611686018427387904 rows are above the limit of 1099511627776"),
        ({"atom": 3, "edge": 1.5}, "got edge=1.5"),
        ({"atom": 3, "edge": 1, "system": 1}, "got system=1"),
    ],
)
def test_rows_that_do_not_fit_the_program_are_refused(rows: dict[str, int], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        forecast(fusion_compiler.compile(layer()).program, rows)
    with pytest.raises(CompileError, match=message):
        fusion_compiler.compile(layer(), max_memory=10**9, rows=rows)


def test_compile_refuses_rows_that_need_too_much_and_says_what_would_fit() -> None:
    rows = {"atom": 1000, "edge": 20_000}
    whole = forecast(fusion_compiler.compile(layer()).program, rows)
    with pytest.raises(MemoryLimitError) as caught:
        fusion_compiler.compile(layer(), dtype=torch.float64, max_memory=int(0.6 * whole.peak), rows=rows)
    text = str(caught.value)
    assert (caught.value.needed, caught.value.limit) == (whole.peak, int(0.6 * whole.peak))
    assert f"the block needs {whole.peak} bytes for atom=1000, edge=20000" in text
    assert f"{whole.inputs} of inputs, {whole.held} of coefficients and tables" in text
    assert f"which is at: {whole.at} = " in text
    part = dict(item.split("=") for item in text.split("what would fit: ")[1].split(" (")[0].split(", "))
    fitting = {space: int(count) for space, count in part.items()}
    program = fusion_compiler.compile(
        layer(), dtype=torch.float64, max_memory=int(0.6 * whole.peak), rows=fitting
    ).program
    assert 0.97 * 0.6 * whole.peak < forecast(program, fitting).peak <= 0.6 * whole.peak
    single = forecast(program, rows, 4).peak
    assert f"the same rows with dtype=torch.float32, {single} bytes" in text
    fusion_compiler.compile(layer(), dtype=torch.float32, max_memory=single, rows=rows)


def test_coefficients_that_do_not_fit_are_refused_without_rows() -> None:
    wide = leg("h", "0e", channels=30_000).mix("u->v")  # 7.2 GB in double precision, which would take seconds to draw
    with pytest.raises(MemoryLimitError, match="7200000000 bytes with no rows at all"):
        fusion_compiler.compile(wide, dtype=torch.float64, max_memory=10**9)
    with pytest.raises(MemoryLimitError, match="what would fit: nothing, not even no rows"):
        fusion_compiler.compile(wide, dtype=torch.float64, max_memory=10**9, rows={"atom": 1})


def test_where_less_than_one_row_fits_no_rows_do() -> None:
    wide = leg("h", "0e", channels=10_000).mix("u->v", v=2)
    held = forecast(fusion_compiler.compile(wide).program, {"atom": 0}).peak
    with pytest.raises(MemoryLimitError, match="what would fit: no rows at all;"):
        fusion_compiler.compile(wide, dtype=torch.float64, max_memory=held + 10, rows={"atom": 1})


def test_rows_without_a_limit_are_refused() -> None:
    with pytest.raises(CompileError, match="give both, or neither"):
        fusion_compiler.compile(layer(), rows={"atom": 1, "edge": 1})


def refused(block: fusion_compiler.Block, tensors: dict[str, Tensor]) -> None:
    with pytest.raises(MemoryLimitError):
        block(tensors)


def test_calls_are_refused_before_they_allocate() -> None:
    limit = forecast(fusion_compiler.compile(layer()).program, {"atom": 20, "edge": 100}).peak
    block = fusion_compiler.compile(layer(), dtype=torch.float64, max_memory=limit)
    tensors = tensors_of(20, 100)
    with torch.no_grad():
        assert block(tensors).shape == (20, 8, 4)
        assert block(**tensors_of(10, 90)).shape == (10, 8, 4)
        larger = tensors_of(20, 101)
        with pytest.raises(MemoryLimitError, match="for atom=20, edge=101, more than max_memory"):
            block(larger)
        assert measured(lambda: refused(block, larger)) == 0
        assert block.to(torch.float32)(tensors_of(20, 150, torch.float32)).shape == (20, 8, 4)


def test_rows_of_tuples_are_counted_before_the_tuples_are_made() -> None:
    """Three edges at atom 0 and one at atom 1: ten pairs, not sixteen."""
    first, second = tuples("receiver")
    x = leg("x", "1o", on="edge")
    diagram = (x.pull(first) @ x.pull(second))["0e"].sum(first).sum("receiver")
    program = fusion_compiler.compile(diagram, without="distribute").program
    limit = forecast(program, {"edge": 4, "atom": 2, "receiver^2": 10}).peak
    given = {"x": torch.ones(4, 3, dtype=torch.float64), "receiver": torch.tensor([0, 1, 0, 0])}
    block = fusion_compiler.compile(diagram, dtype=torch.float64, without="distribute", max_memory=limit)
    assert block(given, sizes={"atom": 2}).shape == (2, 1)
    tight = fusion_compiler.compile(diagram, dtype=torch.float64, without="distribute", max_memory=limit - 1)
    with pytest.raises(MemoryLimitError, match=r"receiver\^2=10"):
        tight(given, sizes={"atom": 2})


def test_a_limited_block_can_be_copied_and_pickled() -> None:
    limit = forecast(fusion_compiler.compile(layer()).program, {"atom": 20, "edge": 100}).peak
    block = fusion_compiler.compile(layer(), dtype=torch.float64, max_memory=limit)
    assert block.state_dict().keys() == fusion_compiler.compile(layer()).state_dict().keys()
    for other in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        with torch.no_grad(), pytest.raises(MemoryLimitError):
            other(tensors_of(20, 101))


def test_wrong_inputs_are_refused_as_without_a_limit() -> None:
    block = fusion_compiler.compile(layer(), dtype=torch.float64, max_memory=10**6)
    with pytest.raises(fusion.InputError, match="missing: h"):
        block({name: value for name, value in tensors_of(2, 3).items() if name != "h"})


def test_a_limited_block_compiles_and_exports() -> None:
    block = fusion_compiler.compile(layer(), dtype=torch.float64, max_memory=10**7)
    tensors = tensors_of(3, 5)
    expected = block(tensors)
    assert torch.allclose(torch.compile(block, fullgraph=True, backend="eager")(tensors), expected)
    shapes = ({name: {0: torch.export.Dim.AUTO} for name in tensors},)
    assert torch.allclose(torch.export.export(block, (tensors,), dynamic_shapes=shapes).module()(tensors), expected)


@pytest.mark.parametrize("wrong", ["1", 0, -5, float("nan"), True])
def test_a_limit_is_a_positive_number_of_bytes(wrong: object) -> None:
    with pytest.raises(CompileError, match="max_memory is a positive whole number of bytes"):
        fusion_compiler.compile(leg("v", "1o"), max_memory=wrong)  # pyright: ignore[reportArgumentType]
