"""Solid harmonics of differences of neighbours fall into factors of one neighbour each, exactly."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
import pytest
import torch

import fusion_compiler
from compiler.passes.measured import error_of
from fusion import Wire, add, evaluate, leg, tuples
from fusion.diagram import Diagram
from fusion.harmonics import solid_harmonics
from fusion.index import IndexMap
from fusion.sampling import random_tensors
from fusion.symbols import clebsch_gordan
from fusion_compiler.cost import totals
from fusion_compiler.passes.addition import taken_apart
from fusion_compiler.passes.distribute import distribute, distribute_all
from fusion_compiler.polynomial.plain import plain

R = leg("r", "1o", on="edge")
X = leg("x", "0e+1o", channels=2, on="edge")
Y = leg("y", "0e+1o", channels=2, on="edge")
W = leg("w", "0e", channels=2, on="edge")
FIRST, SECOND = tuples("receiver")
A, B, C = tuples("receiver", 3)


def between(one: IndexMap = FIRST, other: IndexMap = SECOND) -> Wire:
    """The displacement from one neighbour to another."""
    return add(R.pull(one), -1 * R.pull(other))


def examples() -> dict[str, Wire]:
    weighted = between().solid_harmonics(3).scale(W.pull(FIRST)).scale(X["0e"].pull(SECOND))
    nested = add((2.0, between(A, B)), R.pull(C), (0.3, R.pull(A)), -1 * X.select({"1o": None}).mix("u->").pull(B))
    return {
        "of two": between().solid_harmonics(6).sum(FIRST).sum("receiver"),
        "of three, nested": nested.solid_harmonics(4).sum(A).sum("receiver"),
        "weighted by both": weighted.sum(FIRST).sum("receiver"),
        "with a factor of each": ((X.pull(FIRST) @ between().solid_harmonics(2))["0e+1o"] @ Y.pull(SECOND))["0e+1o"]
        .sum(FIRST)
        .sum("receiver"),
        "after the other factors": ((X.pull(FIRST) @ Y.pull(SECOND))["0e+1o"] @ between().solid_harmonics(2))["0e"]
        .sum(SECOND)
        .sum("receiver"),
        "a ring of three": (
            (between(A, B).solid_harmonics(1) @ between(B, C).solid_harmonics(1))["0e+1o+2e"]
            @ between(C, A).solid_harmonics(2)
        )["0e"]
        .sum(A)
        .sum("receiver"),
    }


def test_the_identity() -> None:
    """R_l(f a + g b), written out with numpy, to l = 6."""
    rng = np.random.default_rng(3)
    a, b, (f, g) = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.normal(size=2)
    whole, left, right = (solid_harmonics(6, v) for v in (f * a + g * b, a, b))
    for l in range(7):
        terms = [
            sqrt(comb(2 * l, 2 * k))
            * f**k
            * g ** (l - k)
            * np.einsum(
                "ni,nj,ijm->nm",
                left[:, k * k : (k + 1) ** 2],
                right[:, (l - k) ** 2 : (l - k + 1) ** 2],
                clebsch_gordan(k, l - k, l),
            )
            for k in range(l + 1)
        ]
        size = sum(np.linalg.norm(term, axis=-1, keepdims=True) for term in terms)
        assert np.max(np.abs(sum(terms) - whole[:, l * l : (l + 1) ** 2]) / size) < 1e-14


@pytest.mark.parametrize("name", examples())
def test_values_do_not_change(name: str) -> None:
    """Against the dense sum over all tuples, coincident ones included; relative to the terms of the polynomial."""
    diagram = Diagram.of(examples()[name])
    assert taken_apart(diagram) is not diagram
    for found in (distribute_all(diagram), distribute(diagram), None):
        assert max(error_of(diagram, found, seed, rows) for seed in range(3) for rows in ((), (0,), (1,))) < 1e-12


@pytest.mark.parametrize("name", examples())
def test_a_sum_over_tuples_becomes_sums_over_neighbours(name: str) -> None:
    """No row is made for a tuple, and the cost is linear in the number of neighbours."""
    program = fusion_compiler.compile(examples()[name], dtype=torch.float64).program
    assert {found for found, _, _ in program.maps} == {"receiver"}
    flops = {n: totals(program, {"atom": 1, "edge": n}).flops for n in (0, 50, 100)}
    assert flops[100] - flops[50] == flops[50] - flops[0]


def test_gradients_do_not_change() -> None:
    """Of a function of the sum with respect to displacements, against torch through the tuples."""
    diagram = (examples()["weighted by both"].power(2)["0e"]).mix("u->", constant=1.0)
    generator = torch.Generator().manual_seed(0)
    shapes = {"r": (9, 3), "w": (9, 2, 1), "x": (9, 2, 4)}
    given = {n: torch.randn(s, dtype=torch.float64, generator=generator) for n, s in shapes.items()}
    receiver = torch.tensor([0, 2, 2, 0, 1, 2, 0, 0, 2])
    found: list[torch.Tensor] = []
    for without in ((), ("distribute",)):
        block = fusion_compiler.compile(diagram, dtype=torch.float64, without=without)
        r = given["r"].clone().requires_grad_()
        out = block({**given, "r": r, "receiver": receiver}, sizes={"atom": 3})
        assert isinstance(out, torch.Tensor)
        found.extend(torch.autograd.grad(out.sum(), r))
    assert float((found[0] - found[1]).abs().max()) < 1e-12 * float(found[1].abs().max())


def test_what_is_taken_apart_is_plain_language() -> None:
    diagram = Diagram.of(examples()["of three, nested"])
    apart = plain(taken_apart(diagram)).diagram
    inputs = random_tensors(diagram, np.random.default_rng(5))
    values = [evaluate(d, inputs.tensors, inputs.parameters, inputs.sizes)["out"] for d in (diagram, apart)]
    assert values[1].error(values[0].value) < 1e-12


@pytest.mark.parametrize(
    "wire",
    [
        add(R.pull(FIRST), (0.5, R.pull(FIRST))),  # one neighbour only
        between().harmonics(2),  # of the direction: no polynomial
        between().length(),
        add(leg("p", "1o").pull("sender"), -1 * leg("p", "1o").pull("receiver")),  # no tuple
        add(leg("p", "1o").pull("sender").pull(FIRST), -1 * leg("p", "1o").pull("sender").pull(SECOND)),  # positions
        add(R.pull(FIRST), leg("q", "1o", on="receiver^2")),  # a leg of pairs
    ],
)
def test_what_is_not_taken_apart(wire: Wire) -> None:
    whole = wire.solid_harmonics(2) if wire.space.irreps.kinds()[0].l == 1 and wire.space.irreps.paths == 1 else wire
    diagram = Diagram.of(whole)
    assert taken_apart(diagram) is diagram


def test_it_is_kept_only_where_it_gains() -> None:
    """Solid harmonics of every pair that are an output themselves gain nothing from products."""
    diagram = Diagram.of(between().solid_harmonics(3))
    assert distribute(diagram) is diagram
    squared = (between().solid_harmonics(3)["0e+1o"].power(2)["0e"]).map("tanh").sum(FIRST).sum("receiver")
    assert "receiver^2.0" in {name for name, _, _ in fusion_compiler.compile(squared, dtype=torch.float64).program.maps}
