"""Every emitter equals the dense definition on the whole corpus and at the edges: 1e-12 of the magnitude."""

from __future__ import annotations

import pytest
import torch

from compiler.running import case
from corpus import DIAGRAMS


@pytest.mark.parametrize("emitter", ["interpret", "source"])
@pytest.mark.parametrize("name", DIAGRAMS)
def test_corpus(name: str, emitter: str) -> None:
    assert case(DIAGRAMS[name], seed=3, emitter=emitter).error() < 1e-12


@pytest.mark.parametrize("rows", [(0,), (1,), (2,)])
@pytest.mark.parametrize("name", DIAGRAMS)
def test_empty_and_single_batches(name: str, rows: tuple[int, ...]) -> None:
    assert case(DIAGRAMS[name], seed=4, rows=rows).error() < 1e-12


@pytest.mark.parametrize("name", list(DIAGRAMS)[::3])
def test_float32(name: str) -> None:
    assert case(DIAGRAMS[name], seed=5, dtype=torch.float32).error() < 1e-5


def test_corpus_is_large_enough() -> None:
    assert len(DIAGRAMS) >= 30
