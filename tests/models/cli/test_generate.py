"""``fusion generate``: what it prints, writes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fusion import generate, leg, load
from fusion_compiler import compile as compile_diagram
from fusion_compiler.cost import per_row
from fusion_models.cli.generate import MAX_TABLE, table_entries

Run = Callable[..., Any]
ALL = "0e+1o+2e+3o"


def test_it_prints_counts_costs_and_the_diagram(run: Run) -> None:
    result = run("generate", "--irreps", ALL, "--order", 3, "--out", "0e+1o+2e", "--basis", "reduced")
    assert (result.exit_code, result.stderr) == (0, "")
    layer = generate(leg("x", ALL, channels=16), "0e+1o+2e", 3, basis="reduced", channels=16)
    costs = per_row(compile_diagram(layer.diagram).program)
    assert result.stdout.splitlines() == [
        "leg x: 0e+1o+2e+3o [u=16] on atom",
        "     trees  distinct  independent  kept",
        " 0e     23        15            8     8",
        " 1o     51        29           12    12",
        " 2e     65        36           14    14",
        "all    139        80           34    34",
        "shape ((x x) x): 23 0e, 51 1o, 65 2e",
        f"terms: {layer.terms} per row and channel",
        f"cost: {costs['atom'].flops} flops, {costs['atom'].bytes(8)} bytes per atom",
        f"cost: 0 flops, {costs[''].bytes(8)} bytes once per call",
        "leg x: 0e+1o+2e+3o, u=16, on atom; x.power(3, basis=reduced)[0e+1o+2e].mix(u->v, v=16)",
    ]


def test_several_legs_and_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "layer.yaml"
    options = ["--inner", "0e+1o", "--shape", "all", "--channels", 4, "-o", path]
    result = run("generate", "--irreps", "0e+1o", "--irreps", "1o", "--irreps", "0e+2e", "--out", "1o", *options)
    assert result.exit_code == 0
    assert "shape ((a b) c): 2 1o" in result.stdout
    assert "shape ((b c) a): " in result.stdout
    legs = [leg(name, irreps, channels=4) for name, irreps in zip("abc", ("0e+1o", "1o", "0e+2e"), strict=True)]
    assert load(path) == generate(legs, "1o", inner="0e+1o", shape="all", channels=4).diagram
    assert run("check", path).exit_code == 0


@pytest.mark.parametrize("basis", ["distinct", "reduced"])
def test_four_legs_up_to_degree_three(run: Run, basis: str) -> None:
    options = ["--shape", "all", "--basis", basis, "--inner", ALL]
    result = run("generate", "--irreps", ALL, "--order", 4, "--out", ALL, *options)
    assert result.exit_code == 0
    assert "shape (((x x) x) x): 1" in result.stdout
    assert "cost: " in result.stdout


def test_a_layer_with_huge_tables_is_not_compiled(run: Run) -> None:
    options = [item for _ in range(4) for item in ("--irreps", ALL)]
    result = run("generate", *options, "--out", ALL, "--shape", "balanced")
    assert result.exit_code == 0
    assert f"entries, above {MAX_TABLE}" in result.stdout
    assert "204 0e, 520 1o, 720 2e, 768 3o" in result.stdout


def test_a_long_diagram_is_not_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion_models.cli.generate.MAX_SHOWN", 50)
    result = run("generate", "--irreps", "0e+1o", "--order", 2, "--out", "0e+1o")
    assert result.exit_code == 0
    layer = generate(leg("x", "0e+1o", channels=16), "0e+1o", 2, channels=16)
    expected = f"diagram: {len(str(layer.diagram))} characters; --output writes it to a file"
    assert result.stdout.splitlines()[-1] == expected


def test_the_tables_are_bounded_from_above() -> None:
    legs = [leg(name, "0e+1o") for name in "ab"]
    assert table_entries(generate(legs, "0e+1o")) == 4 * 4 * (2 + 2 * 3)
    assert table_entries(generate(legs[0], "1o", 1)) == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--irreps", "0e+1q", "--order", 2, "--out", "0e"], 2, "'0e+1q': expected"),
        (["--irreps", "99o", "--order", 2, "--out", "0e"], 2, "'99o': degree l = 99 is above the limit of 16"),
        (["--irreps", "0x1o", "--order", 2, "--out", "0e"], 2, "'0x1o' has no irrep"),
        (["--irreps", "1o", "--order", 2, "--out", "zero"], 2, "'zero': expected"),
        (["--irreps", "1o", "--order", 2, "--out", "0e", "--inner", "x"], 2, "'x': expected"),
        (["--irreps", "1o", "--out", "0e"], 2, "needs the number of identical legs: --order 3"),
        (["--irreps", "1o", "--order", 0, "--out", "0e"], 2, "1 --irreps do not make 0 legs"),
        (["--irreps", "1o", "--irreps", "1o", "--order", 3, "--out", "0e"], 2, "2 --irreps do not make 3 legs"),
        (["--irreps", "1o", "--order", 2, "--out", "0e", "--shape", "star"], 2, "not one of comb, balanced, all"),
        (["--irreps", "1o", "--order", 2, "--out", "0e", "--basis", "few"], 2, "not one of full, distinct, reduced"),
        (["--irreps", "1o", "--order", 2, "--out", "0e", "--channels", 0], 2, "'--channels'"),
        (["--irreps", "1o", "--order", 2, "--out", "0e", "-o", "layer.toml"], 2, "must end in .json, .yaml, .yml"),
        (["--irreps", "1o", "--order", 2, "--out", "5o"], 1, "no tree over these legs couples to 5o; reachable: 0e"),
        (["--irreps", "1o", "--order", 7, "--out", "1o"], 1, "7 legs is above the limit of 6"),
        (["--irreps", "40x0e+40x1o", "--order", 3, "--out", "0e+1o"], 1, "323200 trees is above the limit of 100000"),
        (["--irreps", "1o", "--irreps", "1", "--out", "1o"], 1, "O(3) and SO(3)"),
        (["--irreps", "1o", "--order", 2, "--out", "0e", "-o", "missing/layer.json"], 3, "cannot be written"),
    ],
)
def test_refusals(run: Run, options: list[object], code: int, words: str) -> None:
    result = run("generate", *options)
    assert result.exit_code == code
    assert words in " ".join(result.stderr.replace("│", " ").split())
