"""The explanation of a block: what passes changed and saved, the costs drawn on the diagram, dead parameters."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import fusion_compiler
from corpus import DIAGRAMS
from fusion import Wire, add, evaluate, label, leg, tuples
from fusion.diagram import Diagram
from fusion.parameters import parameters as declared
from fusion.sampling import random_tensors
from fusion_compiler import CompileError
from fusion_compiler.api import run_passes
from fusion_compiler.cost import per_row, totals
from fusion_compiler.explain import Explanation, explain
from fusion_compiler.explain.dead import dead_parameters
from fusion_compiler.explain.nodes import node_costs
from fusion_compiler.memory import forecast
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune
from fusion_compiler.plan import Plan


def pairs() -> Wire:
    """A sum over pairs of edges with one receiver, which is the square of a sum."""
    first, second = tuples("receiver")
    x = leg("x", "0e+1o", channels=2, on="edge")
    return (x.pull(first) @ x.pull(second))["0e"].sum(first).sum("receiver")


def explained(diagram: Wire | Diagram, rows: dict[str, int] | None = None) -> Explanation:
    return explain(fusion_compiler.compile(diagram, dtype=torch.float64), rows=rows)


def section(explanation: Explanation, title: str) -> list[str]:
    return explanation.text.split(f"== {title}")[1].split("\n\n")[0].splitlines()[1:]


def test_an_explanation_prints_and_shows_itself() -> None:
    found = explained(pairs())
    assert str(found) == found.text
    assert found._repr_svg_() == found.svg
    assert ElementTree.fromstring(found.svg).tag.endswith("svg")


def test_savings_are_the_difference_of_two_programs() -> None:
    rows = {"atom": 10, "edge": 200}
    lines = "\n".join(section(explained(pairs(), rows), "what the passes changed and saved"))
    programs = [
        fusion_compiler.compile(pairs(), dtype=torch.float64, without=without).program
        for without in (["distribute"], [])
    ]
    sizes = [{**rows, "receiver^2": 200 * 20}, rows]  # 20 edges an atom, so 400 pairs
    (old, new) = (totals(program, size) for program, size in zip(programs, sizes, strict=True))
    peaks = [forecast(program, size).peak for program, size in zip(programs, sizes, strict=True)]
    assert f"for atom=10, edge=200, receiver^2=4000: {old.flops} -> {new.flops} flops" in lines
    assert f"{old.bytes} -> {new.bytes} bytes" in lines
    assert f"peak memory {peaks[0]} -> {peaks[1]} bytes" in lines
    tuple_cost = per_row(programs[0])["receiver^2"]
    assert f"per row of receiver^2: {tuple_cost.flops} flops, {tuple_cost.bytes(8)} bytes -> nothing" in lines


def test_changes_of_a_diagram_are_shown_before_and_after() -> None:
    lines = section(explained(pairs()), "what the passes changed and saved")
    at = next(number for number, line in enumerate(lines) if line.startswith("distribute"))
    assert lines[at] == "distribute (diagram): pull 2 -> 0, sum 2 -> 1"
    assert lines[at + 1] == f"  - {pairs()}"
    assert lines[at + 2].startswith("  + ")
    off = section(explain(fusion_compiler.compile(pairs(), without="distribute")), "what the passes changed and saved")
    assert off[at] == "distribute (diagram): switched off"
    plain = section(explained(leg("v", "1o")), "what the passes changed and saved")
    assert "distribute (diagram): changed nothing" in plain


def test_every_pass_has_its_line() -> None:
    lines = section(explained(DIAGRAMS["mace_layer"]), "what the passes changed and saved")
    named = [line.split(" (")[0] for line in lines if not line.startswith(" ")]
    assert named == [step.name for step in fusion_compiler.PIPELINE]


def test_rows_of_unknown_spaces_are_refused() -> None:
    with pytest.raises(CompileError, match=r"rows are numbers >= 0 of atom, edge, receiver\^2; got system=3"):
        explained(pairs(), {"system": 3})
    with pytest.raises(CompileError, match="got edge=-1"):
        explained(pairs(), {"edge": -1})


@pytest.mark.parametrize("name", DIAGRAMS)
def test_costs_of_the_nodes_add_up(name: str) -> None:
    """Per row of every index space, to the costs of the program as it was lowered."""
    diagram = Diagram.of(DIAGRAMS[name])
    plan = contract(prune(expand(diagram)))
    found: Counter[tuple[str, str]] = Counter()
    for costs in node_costs(diagram, plan).values():
        for cost in costs:
            found.update({(cost.on, "flops"): cost.flops, (cost.on, "bytes"): cost.bytes(8)})
    expected: Counter[tuple[str, str]] = Counter()
    for space, cost in per_row(lower(plan)).items():
        expected.update({(space, "flops"): cost.flops, (space, "bytes"): cost.bytes(8)})
    assert +found == +expected


def test_the_drawing_states_the_costs_of_a_power_at_the_power() -> None:
    """A product of order two: 4 channels x (1 product + 2 for its sum) x 4 products of components, by hand."""
    diagram = leg("A", "0e+1o", channels=4).power(2)["0e"]
    svg = explained(diagram).svg
    assert "power" in svg
    (note,) = re.findall(r">atom: (\d+) flop, \d+ B<", svg)
    assert int(note) == 4 * 4 * (1 + 2 * 2)


def test_the_drawing_is_of_the_diagram_that_the_plan_is_of() -> None:
    found = explained(pairs())
    last = [stage.after for stage in run_passes(Diagram.of(pairs())) if isinstance(stage.after, Diagram)][-1]
    assert found.drawing.value == last
    assert any(isinstance(stage.after, Plan) for stage in run_passes(Diagram.of(pairs())))


KNOWN = {
    "cormorant_level_complex": ["atom_1: 16 of 104 numbers (p=9,12)"],  # antisymmetric parts of products with itself
    "mace_product_full": ["mix1_1o: 18 of 234 numbers (p=16,17)"],  # trees that vanish for equal legs
    "mix_each_path_shared_selected": ["mix1: 4 of 8 numbers (p=0)"],
}
"""Dead parameters of the corpus, as they print."""


def dead(diagram: Wire | Diagram) -> list[str]:
    return [str(item) for item in dead_parameters(fusion_compiler.compile(diagram))]


def test_weights_of_terms_that_vanish_by_exchange_are_dead() -> None:
    v = leg("v", "1o", channels=2)
    assert dead((v @ v).mix("u->v")) == ["mix1_1e: all 4 numbers"]


def test_weights_of_some_paths_may_be_dead() -> None:
    """(v v) of degree one is zero, so one of two paths of degree one is; the other comes from a leg."""
    v, w = leg("v", "1o", channels=2), leg("w", "1e", channels=2)
    diagram = (add((v @ v)["1e"], w) + (v @ v)["1e"]).mix("u->v")
    assert dead(diagram) == ["mix1_1e: 4 of 8 numbers (p=1)"]


def test_weights_that_no_output_takes_are_dead() -> None:
    h = leg("h", "0e+1o", channels=2)
    assert dead(h.mix("u->v")["0e"]) == ["mix1_1o: all 4 numbers"]
    assert dead(h.mix("u->v", paths=2).select({"0e": [1], "1o": [0, 1]})) == ["mix1_0e: 4 of 8 numbers (q=0)"]


def test_terms_that_cancel_without_a_rule_are_dead() -> None:
    """Three equal vectors have no symmetric coupling to 2o: exact arithmetic gives zero, floating point does not."""
    v = leg("v", "1o", channels=2)
    diagram = ((v @ v)["2e"] @ v)["2o+1o"].mix("u->v")
    assert dead(diagram) == ["mix1_2o: all 4 numbers"]


def test_small_gradients_are_alive() -> None:
    h = leg("h", "0e", channels=2)
    assert dead(add(h.mix("u->v", name="large"), 1e-18 * h.mix("u->v", name="small"))) == []


def test_classes_that_do_not_occur_are_alive() -> None:
    z = label("z", 50)
    found = explained(leg("h", "0e", channels=2).mix("u->v", per=z))
    assert found.dead == ()
    assert section(found, "dead parameters") == ["none: every learned number receives a gradient"]


def test_weights_behind_a_cutoff_are_alive() -> None:
    radial = leg("d", "1o", on="edge").bessel(3, 0.1).scale(leg("d", "1o", on="edge").cutoff(0.1, 6))
    assert dead(radial.mix("n->k", k=2)) == []


@pytest.mark.parametrize("name", DIAGRAMS)
def test_dead_parameters_of_the_corpus(name: str) -> None:
    block = fusion_compiler.compile(DIAGRAMS[name], dtype=torch.float32, without="prune")
    assert [str(item) for item in dead_parameters(block)] == KNOWN.get(name, [])


@pytest.mark.parametrize(
    ("name", "tensor", "paths"),
    [("cormorant_level_complex", "atom_1", [9, 12]), ("mace_product_full", "mix1_1o", [16, 17])],
)
def test_the_definition_does_not_depend_on_dead_parameters(name: str, tensor: str, paths: list[int]) -> None:
    """Changed by one, they change no output of the dense evaluation; every other path of the tensor changes some."""
    inputs = random_tensors(DIAGRAMS[name], np.random.default_rng(2), (5,))

    def change(path: int) -> float:
        parameters = {key: value.copy() for key, value in inputs.parameters.items()}
        axis = next(p.letters for p in declared(DIAGRAMS[name]) if p.name == tensor).index("p")
        np.moveaxis(parameters[tensor], axis, 0)[path] += 1.0
        moved = evaluate(DIAGRAMS[name], inputs.tensors, parameters, inputs.sizes)
        return max(value.error(before[output].value) for output, value in moved.items())

    before = evaluate(DIAGRAMS[name], inputs.tensors, inputs.parameters, inputs.sizes)
    count = next(p.shape[p.letters.index("p")] for p in declared(DIAGRAMS[name]) if p.name == tensor)
    assert [path for path in range(count) if change(path) < 1e-12] == paths
