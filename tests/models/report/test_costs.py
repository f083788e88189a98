"""The plan table of a block states the exact costs that ``explain`` states."""

from __future__ import annotations

import torch

from fusion import leg, weights
from fusion_compiler import compile as compile_diagram
from fusion_compiler.cost import totals
from fusion_models.report import cost_rows


def test_rows_add_up_to_the_totals_of_the_program() -> None:
    harmonics, h = leg("Y", "0e+1o", on="edge"), leg("h", "0e", channels=4, on="atom")
    density = (harmonics @ h.mix("u->v").pull("sender")).scale(weights("R", on="edge")).sum("receiver")
    block = compile_diagram(density.power(1, 2)["0e"].mix("u->u"), dtype=torch.float64)
    rows = cost_rows("layer", block)
    assert {row.value for row in rows} == {step.out for step in block.program.instructions}
    assert {row.block for row in rows} == {"layer"}
    assert {row.on for row in rows} <= {"atom", "edge", ""}
    counts = {"atom": 9, "edge": 72, "": 1}
    total = totals(block.program, {"atom": 9, "edge": 72})
    assert sum(row.flops * counts[row.on] for row in rows) == total.flops
    assert sum(row.bytes * counts[row.on] + row.bytes_once for row in rows) == total.bytes
