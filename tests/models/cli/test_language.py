"""``fusion check``, ``draw`` and ``explain``: what they print, write and refuse."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
ROOT = Path(__file__).parents[3]


def test_check_describes_a_legal_diagram(run: Run, legal: Path) -> None:
    result = run("check", legal)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0].endswith("legal.yaml: legal")
    assert lines[1:] == [
        "name powers",
        "about brackets [bold]stay[/bold] brackets",
        "outputs out: 0e [u=4] on atom",
        "nodes 3",
        "learned 12 numbers in 1 tensor",
        "notices none",
    ]


def test_check_prints_every_violation(run: Run, illegal: Path) -> None:
    result = run("check", illegal)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"error: {illegal}: 2 violations" in result.stderr
    assert "1. no path couples the two wires to 4e" in result.stderr
    assert "2. no path couples the two wires to 3e" in result.stderr
    assert "^^" in result.stderr
    assert "reachable: 1o, 2o, 3o" in result.stderr


def test_check_shows_notices_of_a_legal_diagram(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text('format: fusion-diagram\nversion: 1\ndiagram: "leg v: 1o, on atom; (v @ v)[0e+1e]"\n')
    result = run("check", path)
    assert result.exit_code == 0
    assert "notices  1" in result.stdout
    assert "notice: " in result.stdout


def test_check_goes_through_all_files_and_returns_the_largest_code(
    run: Run, legal: Path, illegal: Path, malformed: Path
) -> None:
    assert run("check", illegal, legal).exit_code == 1
    result = run("check", malformed, illegal, "missing.yaml", legal)
    assert result.exit_code == 3
    assert "legal.yaml: legal" in result.stdout
    assert "missing.yaml: cannot be read: No such file or directory" in result.stderr
    assert "malformed.yaml" in result.stderr
    assert "2 violations" in result.stderr


def test_check_points_at_the_place_in_a_malformed_text(run: Run, malformed: Path) -> None:
    result = run("check", malformed)
    assert result.exit_code == 3
    assert "v @@ v" in result.stderr
    assert "^" in result.stderr
    assert str(malformed) in result.stderr


@pytest.mark.parametrize("command", ["check", "draw", "explain"])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.yaml", None, "No such file"),
        ("diagram.toml", "x", "a diagram file ends in .json, .yaml, .yml"),
        ("empty.yaml", "", "top level must be a mapping"),
        ("list.json", "[1, 2]", "top level must be a mapping"),
        ("broken.json", "{", "not valid JSON"),
        ("keys.yaml", "format: fusion-diagram\nversion: 1\ncolour: red\ndiagram: x\n", "unknown key 'colour'"),
        ("version.yaml", "format: fusion-diagram\nversion: 99\ndiagram: x\n", "version '99'"),
        ("bytes.yaml", b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_unreadable_files_are_code_3(
    run: Run, tmp_path: Path, command: str, name: str, content: str | bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run(command, path)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert name in result.stderr


def test_a_folder_is_not_a_diagram_file(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert run("check", folder).exit_code == 3


def test_draw_prints_text(run: Run, legal: Path) -> None:
    result = run("draw", legal)
    assert result.exit_code == 0
    assert "leg A" in result.stdout
    assert "0e [u=4] on atom" in result.stdout


@pytest.mark.parametrize("suffix", [".svg", ".SVG", ".txt", ".dot"])
def test_draw_writes_each_kind_of_file(run: Run, legal: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"drawing{suffix}"
    out.write_text("older")
    result = run("draw", legal, "-o", out)
    assert (result.exit_code, result.output) == (0, "")
    content = out.read_text(encoding="utf-8")
    if suffix.lower() == ".svg":
        assert ElementTree.fromstring(content).tag.endswith("svg")
    elif suffix == ".dot":
        assert content.startswith("digraph")
    else:
        assert content == run("draw", legal).stdout
    assert {path.name for path in tmp_path.iterdir()} == {out.name, legal.name}


@pytest.mark.parametrize("suffix", [".svg", ".txt", ".dot"])
def test_draw_marks_what_is_illegal(run: Run, illegal: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"drawing{suffix}"
    result = run("draw", illegal, "--output", out)
    assert result.exit_code == 0
    assert "breaks laws: 2 violations, marked in the drawing" in result.stderr
    assert "no path couples" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["drawing.png", "drawing", "drawing.svg.gz"])
def test_draw_refuses_other_suffixes(run: Run, legal: Path, tmp_path: Path, name: str) -> None:
    result = run("draw", legal, "-o", tmp_path / name)
    assert result.exit_code == 2
    assert ".svg,.txt,.dot" in "".join(c for c in result.stderr if c not in "│ \n")  # however the message is wrapped
    assert not (tmp_path / name).exists()


def test_draw_says_why_it_cannot_write(run: Run, legal: Path, tmp_path: Path) -> None:
    (tmp_path / "taken.svg").mkdir()
    result = run("draw", legal, "-o", tmp_path / "taken.svg")
    assert result.exit_code == 3
    assert "taken.svg: cannot be written" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [legal.name, "taken.svg"]


def test_explain_shows_levels_costs_and_totals(run: Run, legal: Path) -> None:
    result = run("explain", legal, "--rows", "atom=100")
    assert result.exit_code == 0
    levels = ("== diagram", "== expansion", "== plan", "== program")
    for level in (*levels, "== costs", "== memory", "== what the passes", "== coefficients", "== dead"):
        assert level in result.stdout
    assert "totals for atom=100: " in result.stdout
    assert "== emitted source" not in result.stdout


@pytest.mark.parametrize("emitter", ["interpret", "source"])
def test_explain_takes_an_emitter_and_prints_the_source(run: Run, legal: Path, emitter: str) -> None:
    result = run("explain", legal, "--emitter", emitter, "--source")
    assert result.exit_code == 0
    assert f"emitter {emitter}" in result.stdout
    assert "def " in result.stdout.split("== emitted source")[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--emitter", "cobol"], "'cobol' is not one of interpret, source"),
        (["--rows", "atom"], "'atom' is not of the form SPACE=COUNT"),
        (["--rows", "atom=-3"], "'atom=-3' is not of the form SPACE=COUNT"),
        (["--rows", "atom=1e3"], "is not of the form SPACE=COUNT"),
        (["--rows", "edge=3"], "no index space 'edge'; it has: atom"),
    ],
)
def test_explain_refuses_wrong_options(run: Run, legal: Path, options: list[str], words: str) -> None:
    result = run("explain", legal, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_explain_draws_the_costs(run: Run, legal: Path, tmp_path: Path) -> None:
    out = tmp_path / "costs.svg"
    result = run("explain", legal, "--svg", out)
    assert result.exit_code == 0
    assert "== plan" in result.stdout
    drawing = out.read_text(encoding="utf-8")
    assert ElementTree.fromstring(drawing).tag.endswith("svg")
    assert re.search(r">atom: \d+ flop, \d+ B<", drawing)


def test_explain_draws_only_as_svg(run: Run, legal: Path, tmp_path: Path) -> None:
    result = run("explain", legal, "--svg", tmp_path / "costs.png")
    assert result.exit_code == 2
    assert "must end in .svg" in " ".join(result.stderr.replace("│", " ").split())
    (tmp_path / "taken.svg").mkdir()
    result = run("explain", legal, "--svg", tmp_path / "taken.svg")
    assert result.exit_code == 3
    assert "taken.svg: cannot be written" in result.stderr


def test_explain_reports_an_illegal_diagram(run: Run, illegal: Path) -> None:
    result = run("explain", illegal)
    assert result.exit_code == 1
    assert "2 violations" in result.stderr


def test_the_shipped_examples_are_legal_and_can_be_drawn(run: Run) -> None:
    files = sorted((ROOT / "examples" / "diagrams").glob("*.yaml"))
    assert files
    assert run("check", *files).exit_code == 0
    assert run("draw", files[0]).exit_code == 0
