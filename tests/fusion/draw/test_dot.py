"""DOT: plain source without the program, escaped texts, and a clear word when rendering is not possible."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from fusion import Diagram, FusionError, Network, Wire, findings, leg
from fusion.draw import Drawing, dot, draw, render_dot

Drawn = Wire | Diagram | Network


@pytest.mark.parametrize("name", ["acdc", "freecg", "bent"])
def test_golden(name: str, build: Callable[[str], Drawn], golden: Callable[[str, str], None]) -> None:
    value = build(name)
    golden(f"{name}.dot", dot(value) if isinstance(value, Network) else dot(value, findings=()))


def test_every_example_has_source(example: Drawn) -> None:
    source = dot(example)
    assert source.startswith("digraph diagram {") and source.endswith("}\n")
    assert source.count("{") == source.count("}") or "{" in str(example)


def test_texts_are_never_markup_or_escapes() -> None:
    x = leg("x", "0e", channels=4)
    wire = x.mix("u->u")
    source = dot(wire, notes={x: '<b>bold</b>"; n9 [label=evil]', wire: "back\\nslash \\N \\"})
    assert '<b>bold</b>\\"; n9 [label=evil]"' in source
    assert "back\\\\nslash \\\\N \\\\" in source
    assert "label=<" not in source
    lonely = dot(x, findings=(), notes={})
    assert lonely.count("->") == 1


def test_findings_are_listed(build: Callable[[str], Drawn]) -> None:
    value = build("illegal")
    assert isinstance(value, Wire)
    source = dot(value)
    for count, finding in enumerate(findings(value), 1):
        assert f"[{count}] {finding.violation.severity}: {finding.violation.headline}"[:60] in source
    assert 'xlabel="[1]' in source


def test_rendering_without_the_program_says_so(
    build: Callable[[str], Drawn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FusionError, match="needs the 'dot' program, which is not on PATH; install Graphviz"):
        render_dot(build("acdc"))
    with pytest.raises(FusionError, match="'dot' program"):
        draw(build("acdc")).save(tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()
    assert draw(build("acdc")).save(tmp_path / "x.dot").read_text(encoding="utf-8") == dot(build("acdc"))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
def test_rendering_calls_the_program(
    build: Callable[[str], Drawn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    assert render_dot(build("acdc"), "png").decode().split() == ["-Kdot", "-Tpng"]
    program.write_text("#!/bin/sh\necho broken >&2\nexit 3\n", encoding="utf-8")
    with pytest.raises(FusionError, match="the 'dot' program failed"):
        render_dot(build("acdc"), "svg")


def test_other_formats_are_refused(build: Callable[[str], Drawn], tmp_path: Path) -> None:
    with pytest.raises(FusionError, match="dot renders svg, pdf, png here, not 'exe'"):
        render_dot(build("acdc"), "exe")
    with pytest.raises(FusionError, match=r"saved as \.svg, \.txt, \.dot, \.gv, \.pdf or \.png, not as 'x\.docx'"):
        draw(build("acdc")).save(tmp_path / "x.docx")


def test_a_drawing_saves_and_shows_itself(build: Callable[[str], Drawn], tmp_path: Path) -> None:
    drawing = draw(build("cormorant"), notes={})
    assert isinstance(drawing, Drawing)
    for suffix, expected in (
        (".svg", drawing.svg()),
        (".SVG", drawing.svg()),
        (".txt", str(drawing)),
        (".gv", drawing.dot()),
    ):
        assert drawing.save(str(tmp_path / f"drawing{suffix}")).read_bytes().decode() == expected
    assert drawing._repr_svg_() == drawing.svg()
    assert drawing.text(ascii=True).isascii()
