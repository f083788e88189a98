"""A program and its reverse that share values: together they are the vector-Jacobian product."""

from __future__ import annotations

import pytest
import torch

from compiler.derivatives.derived import problem
from corpus import DIAGRAMS
from fusion_compiler.cost import totals
from fusion_compiler.derivatives import cotangent_names, vjp
from fusion_compiler.derivatives.halves import keeping, kept_names, reverse

NAMES = (
    "mace_layer",
    "harmonics",
    "maps",
    "map_across_rows",
    "mix_per_labels",
    "split",
    "scale_to_channels",
    "triplet_block",
)


@pytest.mark.parametrize("name", NAMES)
def test_halves_are_the_whole(name: str) -> None:
    found = problem(DIAGRAMS[name], rows=(3,))
    values = {name: found.tensors[name] for name in found.floating}
    forward = keeping(found.program, found.floating)
    kept = found.run(forward, values)
    outputs = [name for name, _ in found.program.outputs]
    generator = torch.Generator().manual_seed(0)
    given = {n: torch.randn(kept[n].shape, dtype=torch.float64, generator=generator) for n in outputs}
    seeds = {cotangent_names(found.program)[n]: value for n, value in given.items()}
    expected = found.run(vjp(found.program, found.floating), {**values, **seeds})
    back = reverse(forward, found.floating, outputs)
    held = {kept_names(forward)[n]: value for n, value in kept.items()}
    marks = {cotangent_names(forward, outputs)[n]: value for n, value in given.items()}
    together = found.run(back, {**values, **held, **marks}, "source")
    for n, value in expected.items():
        assert torch.allclose(together[n], value, rtol=0, atol=1e-12 * (1 + float(value.abs().max())))


def test_no_value_is_computed_twice() -> None:
    program = problem(DIAGRAMS["mace_layer"]).program
    wrt = [*(n for n, _ in program.inputs), *(f"${n}" for n in program.coefficients)]
    rows = {"atom": 20, "edge": 300}
    forward = keeping(program, wrt)
    back = reverse(forward, wrt, [name for name, _ in program.outputs])
    whole = vjp(program, wrt)
    assert totals(forward, rows).flops + totals(back, rows).flops <= 1.01 * totals(whole, rows).flops
    assert totals(forward, rows).flops < 1.1 * totals(program, rows).flops
