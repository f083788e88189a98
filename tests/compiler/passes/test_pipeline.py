"""The visible pipeline: passes that are switched off change no value and no parameter; the block says what ran."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fusion_compiler
from corpus import DIAGRAMS
from fusion import Diagram, Wire, evaluate, leg, tuples
from fusion.sampling import random_diagrams, random_tensors
from fusion_compiler import PIPELINE, CompileError

OPTIONAL = tuple(step.name for step in PIPELINE if step.off is not None)


def compare(diagram: Wire | Diagram, seed: int) -> None:
    """Values with every pass on, with one of them off in turn, and with none equal the dense ones to 1e-12 of their
    magnitude; parameters are the same.
    """
    settings = ((), (OPTIONAL[seed % len(OPTIONAL)],), OPTIONAL)
    inputs = random_tensors(diagram, np.random.default_rng(seed))
    expected = evaluate(diagram, inputs.tensors, inputs.parameters, inputs.sizes)
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
    shapes: set[tuple[tuple[str, torch.Size], ...]] = set()
    for without in settings:
        block = fusion_compiler.compile(diagram, dtype=torch.float64, without=without)
        shapes.add(tuple((name, value.shape) for name, value in block.state_dict().items()))
        block.load_coefficients(inputs.parameters)
        found = block(tensors, sizes=inputs.sizes)
        values = found if isinstance(found, dict) else {"out": found}
        assert list(values) == list(expected)
        for name, value in values.items():
            assert expected[name].error(value.detach().numpy()) < 1e-12, f"{name} without {without}: {diagram}"
    assert len(shapes) == 1


@pytest.mark.parametrize(("number", "name"), list(enumerate(DIAGRAMS)))
def test_passes_change_nothing_on_the_corpus(number: int, name: str) -> None:
    compare(DIAGRAMS[name], number)


@pytest.mark.parametrize("part", range(4))
def test_passes_change_nothing_on_random_diagrams(part: int) -> None:
    for number, diagram in random_diagrams(30, 500 + part):
        compare(diagram, number)


def test_the_passes_that_can_be_switched_off() -> None:
    assert (
        *("distribute", "canonical", "unshare", "symmetrise", "recouple", "mixes", "share"),
        *("prune", "contract", "fold", "differentiate", "batch"),
    ) == OPTIONAL


@pytest.mark.parametrize("without", ["lower", ("distribute", "folds"), "d"])
def test_other_passes_cannot_be_switched_off(without: str | tuple[str, ...]) -> None:
    with pytest.raises(CompileError, match="these can: distribute, canonical, unshare, symmetrise"):
        fusion_compiler.compile(leg("v", "1o"), without=without)


def test_the_block_and_explain_say_what_ran() -> None:
    first, second = tuples("receiver")
    x = leg("x", "0e+1o", channels=2, on="edge")
    diagram = (x.pull(first) @ x.pull(second))["0e"].sum(first).sum("receiver")
    block = fusion_compiler.compile(diagram, without=["prune"])
    assert [ran.name for ran in block.passes] == [step.name for step in PIPELINE]
    assert {ran.name: ran.on for ran in block.passes}["prune"] is False
    text = fusion_compiler.explain(block).text
    lines = text.splitlines()
    assert lines[0] == "== passes"
    became = {line.split()[0]: " ".join(line.split()[2:]) for line in lines[1 : 1 + len(PIPELINE)]}
    assert became["distribute"] == "ran"
    assert became["prune"] == "switched off"
    assert "== rewritten diagram" in text
    plain = fusion_compiler.compile(diagram, without="distribute")
    assert "== rewritten diagram" not in fusion_compiler.explain(plain).text
    assert plain.levels["diagram"] == block.levels["diagram"] == str(diagram)


def test_validate_says_that_it_changes_nothing() -> None:
    text = fusion_compiler.explain(fusion_compiler.compile(leg("v", "1o"))).text
    assert "validate       diagram    ran, changed nothing" in text
    assert "expand         expansion  ran\n" in text
