"""The README is true: its example runs, its picture is what the program draws, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fusion import load
from fusion.draw import svg

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    assert len(blocks[0].splitlines()) <= 25
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks[0], "README.md", "exec"), {})
    assert "torch.Size([5, 32, 4])" in capsys.readouterr().out
    assert (tmp_path / "layer.svg").read_text().startswith("<svg")


def test_the_picture_is_what_the_program_draws() -> None:
    drawn = svg(load(ROOT / "examples" / "diagrams" / "mace_layer.yaml"))
    assert (ROOT / "docs" / "images" / "mace-layer.svg").read_text(encoding="utf-8") == drawn


def test_no_place_is_left_open() -> None:
    assert not re.findall(r"\b(?:DEMO|RMD|TEST)_[A-Z]+\b|\bDRIFT\b", README)


def test_links_lead_somewhere() -> None:
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
