"""docs/how-the-compiler-thinks.md is true: its code prints what it shows, and it tells of every pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fusion_compiler import PIPELINE
from pages import Page, blocks_of, check_form, run

TEXT = (Path(__file__).parents[1] / "docs" / "how-the-compiler-thinks.md").read_text(encoding="utf-8")
BLOCKS = blocks_of(TEXT)


@pytest.fixture(scope="module")
def page() -> Page:
    return run(TEXT)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_prints_what_the_page_says(number: int, page: Page) -> None:
    assert page.printed[number] == BLOCKS[number].shown
    assert page.printed[number].strip()


def test_every_block_is_run() -> None:
    check_form(TEXT, 14)


def test_every_pass_has_its_paragraph() -> None:
    """In the order of the pipeline: the name of a pass stands in bold where the page tells of it."""
    assert re.findall(r"\*\*(\w+)\*\*", TEXT) == [step.name for step in PIPELINE]
