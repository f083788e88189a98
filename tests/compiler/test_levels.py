"""The levels between diagram and module: trees, pruning, orders, exact costs, and the report."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fusion_compiler
from compiler.running import case
from fusion import SelectionRuleError, evaluate, label, leg
from fusion.diagram import Diagram
from fusion.sampling import random_tensors
from fusion_compiler.cost import instruction_costs, totals
from fusion_compiler.passes.contract import contract
from fusion_compiler.passes.expand import expand
from fusion_compiler.passes.lower import lower
from fusion_compiler.passes.prune import prune
from fusion_compiler.program import Contract, Products


@pytest.mark.parametrize(
    ("order", "irrep", "trees"), [(2, "0e", 4), (2, "1o", 6), (2, "2e", 7), (3, "0e", 23), (3, "1o", 51), (3, "2e", 65)]
)
def test_expand_lists_the_trees_of_mace(order: int, irrep: str, trees: int) -> None:
    """The path counts of MACE's full coupling table (``freecg_acdc_mace`` 3.2)."""
    a = leg("A", "0e+1o+2e+3o", channels=2)
    pruned = prune(expand(Diagram.of(a.power(order)[irrep])))
    assert len(pruned.groups[-1].terms) == trees


def test_prune_finds_exchange_odd_squares_and_dead_paths() -> None:
    v = leg("v", "1o", channels=2)
    pruned = prune(expand(Diagram.of(v @ v)))
    assert [term.zero for term in pruned.groups[0].terms] == [False, True, False]
    narrowed = prune(expand(Diagram.of((v @ v).select({"2e": [0]}))))
    assert [str(term.out[0]) for term in narrowed.groups[0].terms] == ["2e"]
    assert narrowed.dropped == 2


def test_zero_terms_still_have_their_place() -> None:
    v = leg("v", "1o", channels=2)
    found = case(v @ v, rows=(3,))
    assert found.error() < 1e-12
    assert torch.all(found.run()["out"][..., 1:4] == 0)


def test_the_planner_knows_that_squares_are_cheap() -> None:
    """Three unordered products per degree-one pair, not nine: forming products first is the cheaper order."""
    program = fusion_compiler.compile(leg("v", "0e+1o+2e", channels=4).power(2)["0e"]).program
    (step,) = (i for i in program.instructions if isinstance(i, Products))
    assert len(step.left) == 1 + 3 + 5
    assert totals(program, {"atom": 1}).flops == 4 * 9 * (1 + 2 * 3)


def test_one_matrix_for_all_irreps_is_one_contraction() -> None:
    program = fusion_compiler.compile(leg("v", "0e+1o+2e", channels=4).mix("u->v", v=3, shared=True)).program
    (step,) = program.instructions
    assert isinstance(step, Contract)
    assert totals(program, {"atom": 1}).flops == 2 * 4 * 3 * 9


def test_the_cheaper_order_is_taken() -> None:
    """Declared, the outer product with all channels comes first; the table belongs to the wire without channels."""
    h, y = leg("h", "0e+1o", channels=32, on="edge"), leg("Y", "0e+1o+2e", on="edge")
    (found,) = contract(prune(expand(Diagram.of(h @ y)))).contractions
    assert found.order.strategy == "optimal"
    assert found.flops < found.declared_flops


def test_groups_with_many_channel_letters_are_cut() -> None:
    product = leg("x0", "0e", channels=(1, 1, 1, 1))
    for number in range(1, 9):
        product = (product @ leg(f"x{number}", "0e", channels=(1, 1, 1, 1))).on("abcd,efgh->abcd")["0e"]
    assert case(product, rows=(2,)).error() < 1e-12


def test_a_wire_without_channels_meets_the_table_first() -> None:
    """The table is contracted with the harmonics once per edge, not once per edge and channel."""
    h, y = leg("h", "0e+1o", channels=32, on="edge"), leg("Y", "0e+1o+2e", on="edge")
    program = fusion_compiler.compile(y @ h).program
    first = next(i for i in program.instructions if isinstance(i, Contract))
    assert first.x == "Y"


def test_eight_operands_are_planned_by_dynamic_programming() -> None:
    legs = [leg(name, "0e+1o", channels=4) for name in "abcde"]
    product = legs[0]
    for other in legs[1:]:
        product = (product @ other)["0e+1o"]
    plan = contract(prune(expand(Diagram.of(product))))
    assert len(plan.contractions) == 1
    assert len(plan.contractions[0].operands) == 9
    assert plan.contractions[0].order.strategy in ("dp", "declared")
    assert case(product, rows=(2,)).error() < 1e-12


def test_costs_are_exact_integers() -> None:
    """One matrix product of 2 channels x 3 components, done by hand: (2 x 2) weights on 3 components."""
    program = lower(contract(prune(expand(Diagram.of(leg("h", "1o", channels=2).mix("u->v"))))))
    found = totals(program, {"atom": 5})
    assert found.flops == 5 * 2 * (2 * 2 * 3)
    (step,) = (i for i in program.instructions if isinstance(i, Contract))
    costs = {cost.on: cost for cost in instruction_costs(step, program)}
    assert (costs["atom"].numbers, costs[""].numbers) == (6 + 6, 4)


def test_sums_write_their_result_once() -> None:
    """1000 edges, 2 atoms, 100 classes, 2 channels, by hand: the gather, then the sum with its map and label."""
    z = label("z", 100)
    diagram = leg("h", "0e", channels=2).pull("sender").sum("receiver", by=z.pull("sender"))
    program = fusion_compiler.compile(diagram).program
    gather, scatter = 1000 * (2 + 2) * 8 + 1000 * 8, 1000 * 2 * 8 + 1000 * 3 * 8 + 2 * 200 * 8
    assert totals(program, {"edge": 1000, "atom": 2}).bytes == gather + scatter
    assert totals(program, {"edge": 1000, "atom": 2}).flops == 1000 * 2


def test_reshaping_a_transposed_value_copies_it() -> None:
    program = fusion_compiler.compile(leg("x", "0e+1o", channels=(4, 6)).reorder("uv->vu").merge()).program
    assert totals(program, {"atom": 1}).bytes == 2 * 96 * 8
    plain = fusion_compiler.compile(leg("x", "0e+1o", channels=(4, 6)).merge()).program
    assert totals(plain, {"atom": 1}).bytes == 0


def test_costs_refuse_rows_of_other_spaces() -> None:
    program = fusion_compiler.compile(leg("x", "0e").power(2)).program
    for rows in ({"edge": 3}, {"atom": -1}):
        with pytest.raises(fusion_compiler.CompileError, match="rows are numbers >= 0 of atom"):
            totals(program, rows)


def test_squares_form_each_product_once() -> None:
    program = fusion_compiler.compile(leg("A", "0e+1o+2e", channels=4).power(2)["0e+2e"]).program
    products = [i for i in program.instructions if isinstance(i, Products)]
    assert len(products) == 1
    assert len(set(zip(products[0].left, products[0].right, strict=True))) == len(products[0].left)
    assert all(i <= j for i, j in zip(products[0].left, products[0].right, strict=True))
    assert len(products[0].left) <= 45


def test_explain_prints_every_level_with_totals() -> None:
    block = fusion_compiler.compile(leg("A", "0e+1o", channels=4).power(2)["0e"].mix("u->v"), dtype=torch.float64)
    text = fusion_compiler.explain(block, rows={"atom": 100}).text
    for level in ("== diagram", "== expansion", "== plan", "== program", "totals for atom=100"):
        assert level in text
    assert f"{totals(block.program, {'atom': 100}).flops} flops" in text


def test_illegal_diagrams_do_not_compile() -> None:
    v = leg("v", "1o", channels=2)
    with pytest.raises(SelectionRuleError, match="1o"):
        fusion_compiler.compile((v @ v)["1o"])


def test_unknown_emitters_and_types_are_refused() -> None:
    v = leg("v", "1o", channels=2)
    with pytest.raises(fusion_compiler.CompileError, match="unknown emitter"):
        fusion_compiler.compile(v, emitter="fortran")
    with pytest.raises(fusion_compiler.CompileError, match=r"float32 or torch\.float64"):
        fusion_compiler.compile(v, dtype=torch.float16)


def test_texts_are_deterministic() -> None:
    a = leg("A", "0e+1o+2e", channels=4).power(1, 2, 3, basis="reduced")["0e+1o"].mix("u->v")
    first, second = fusion_compiler.compile(a), fusion_compiler.compile(a)
    assert first.levels == second.levels
    assert first.source == second.source


def test_large_trees_are_cut() -> None:
    """More legs than one contraction has letters for: the tree is cut into several groups."""
    product = leg("x0", "0e")
    for number in range(1, 25):
        product = (product @ leg(f"x{number}", "0e"))["0e"]
    assert case(product, rows=(2,)).error() < 1e-12


@pytest.mark.parametrize(
    ("irreps", "orders", "inner", "coupled"),
    [
        ("1o", (3,), "0e+1o", "1o"),
        ("1o", (3,), "0e+2e+4e", "1o"),
        ("9e", (3,), "2e+9e", "9e"),
        ("0e+1o", (1, 2, 3), "0e+5e", "0e"),
    ],
)
def test_a_power_may_name_more_inner_lines_than_there_are(
    irreps: str, orders: tuple[int, ...], inner: str, coupled: str
) -> None:
    diagram = leg("b", irreps, channels=2, on="atom").power(*orders, inner=inner)[coupled]
    inputs = random_tensors(diagram, np.random.default_rng(0))
    expected = evaluate(diagram, inputs.tensors, {})["out"]
    block = fusion_compiler.compile(diagram, dtype=torch.float64)
    assert expected.error(block(b=torch.as_tensor(inputs.tensors["b"])).numpy()) < 1e-12
