"""Diagram files: what is written, what is refused, and that nothing in a file is executed."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

import fusion
from fusion import (
    FileFormatError,
    FusionError,
    LimitError,
    NotationError,
    apply,
    check,
    label,
    leg,
    load,
    outputs,
    save,
    vertex,
)
from fusion.files import DiagramFile, read_file

H = leg("h", "0e+1o", channels=4)
Z = label("z", 3)
PRODUCT = H.power(1, 2)["0e"].mix("u->v", per=Z, name="out_weights")
NETWORK = apply(vertex("a=1o", "b=1o", "c=0e"), {"a": H["1o"], "b": H["1o"]})
BODY: dict[str, Any] = {"format": "fusion-diagram", "version": 1, "diagram": str(PRODUCT)}

suffixes = pytest.mark.parametrize("suffix", ["json", "yaml", "yml", "JSON", "YML"])


@suffixes
@pytest.mark.parametrize("value", [PRODUCT, NETWORK, outputs(a=H, b=H["0e"])], ids=["wire", "network", "outputs"])
def test_what_is_saved_is_loaded(tmp_path: Path, suffix: str, value: fusion.Wire | fusion.Diagram) -> None:
    path = tmp_path / f"file.{suffix}"
    save(value, path, name="a: name", description='several\nlines, "quotes", # and ümlauts')
    assert read_file(path) == DiagramFile(value, "a: name", 'several\nlines, "quotes", # and ümlauts')
    assert load(str(path)) == value
    save(value, path)
    assert read_file(path) == DiagramFile(value)


def test_the_yaml_file_in_full(tmp_path: Path) -> None:
    save(NETWORK, tmp_path / "file.yaml", name="dot product")
    assert (tmp_path / "file.yaml").read_text(encoding="utf-8") == (
        "format: fusion-diagram\n"
        "version: 1\n"
        "name: dot product\n"
        "diagram:\n"
        "- 'leg h: 0e+1o, u=4, on atom'\n"
        "- t1 = h[1o]\n"
        "- network[fuse a b > c; a=1o b=1o c=0e](a=t1, b=t1)\n"
    )


def test_the_json_file_in_full(tmp_path: Path) -> None:
    save(outputs(a=H), tmp_path / "file.json")
    assert json.loads((tmp_path / "file.json").read_text(encoding="utf-8")) == {
        "format": "fusion-diagram",
        "version": 1,
        "diagram": ["leg h: 0e+1o, u=4, on atom", "out a = h"],
    }


def write(path: Path, body: object) -> Path:
    text = json.dumps(body) if path.suffix == ".json" else yaml.safe_dump(body)
    path.write_text(text, encoding="utf-8")
    return path


BAD: dict[str, tuple[object, str]] = {
    "unknown key": (
        {**BODY, "script": "import os"},
        "unknown key 'script'; allowed keys: description, diagram, format",
    ),
    "missing key": ({"format": "fusion-diagram", "version": 1}, "missing key 'diagram'"),
    "both": ({"version": 1, "x": 1}, "unknown key 'x'; missing key 'diagram'; missing key 'format'"),
    "wrong format": ({**BODY, "format": "cuequivariance"}, "format is 'cuequivariance', expected 'fusion-diagram'"),
    "format number": ({**BODY, "format": 1}, "format is '1'"),
    "newer version": ({**BODY, "version": 2}, "version '2'; this program reads version 1"),
    "version text": ({**BODY, "version": "1"}, "version '1'"),
    "version float": ({**BODY, "version": 1.0}, "version '1.0'"),
    "version bool": ({**BODY, "version": True}, "version 'True'"),
    "diagram number": ({**BODY, "diagram": 3}, "'diagram' must be a text or a list of texts"),
    "diagram mapping": ({**BODY, "diagram": {"a": "x"}}, "'diagram' must be a text or a list of texts"),
    "diagram of numbers": ({**BODY, "diagram": ["x", 1]}, "'diagram' must be a text or a list of texts"),
    "diagram empty": ({**BODY, "diagram": []}, "'diagram' must be a text or a list of texts"),
    "diagram null": ({**BODY, "diagram": None}, "'diagram' must be a text or a list of texts"),
    "name number": ({**BODY, "name": 3}, "'name' must be a text"),
    "description list": ({**BODY, "description": ["a"]}, "'description' must be a text"),
    "list": ([BODY], "the top level must be a mapping"),
    "text": ("leg h: 0e, on atom; h", "the top level must be a mapping"),
    "null": (None, "the top level must be a mapping"),
}


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize("name", BAD)
def test_the_schema_is_closed(tmp_path: Path, name: str, suffix: str) -> None:
    body, message = BAD[name]
    path = write(tmp_path / f"bad.{suffix}", body)
    with pytest.raises(FileFormatError) as caught:
        load(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


HEAD = "format: fusion-diagram\nversion: 1\n"
TEXTS: dict[str, tuple[str, str, str]] = {
    "json syntax": ("json", '{"format": ', "not valid JSON"),
    "json empty": ("json", "", "not valid JSON"),
    "json twice": ("json", '{"version": 1, "version": 2}', "key 'version' is given twice"),
    "json deep": ("json", "[" * 100_000, "nested too deeply"),
    "json deep mapping": ("json", '{"a":' * 50_000, "nested too deeply"),
    "json long number": ("json", '{"version": ' + "1" * 5000 + "}", "not valid JSON"),
    "json trailing": ("json", json.dumps(BODY) + "x", "not valid JSON"),
    "json comment": ("json", "// a\n" + json.dumps(BODY), "not valid JSON"),
    "yaml syntax": ("yaml", "a: [1", "not valid YAML"),
    "yaml empty": ("yaml", "", "the top level must be a mapping"),
    "yaml tabs": ("yaml", "\tformat: x", "not valid YAML"),
    "yaml documents": ("yaml", "a: 1\n---\nb: 2\n", "not valid YAML"),
    "yaml twice": ("yaml", HEAD + "version: 1\ndiagram: x\n", "a key is given twice (line 1)"),
    "yaml alias": ("yaml", HEAD + "name: &a x\ndescription: *a\ndiagram: x\n", "aliases are not allowed (line 4)"),
    "yaml bomb": ("yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "aliases are not allowed"),
    "yaml merge": ("yaml", "a: &a {x: 1}\nb:\n  <<: *a\n", "aliases are not allowed"),
    "yaml python": (
        "yaml",
        HEAD + "diagram: !!python/object/apply:os.system ['true']\n",
        "tags are not allowed (line 3)",
    ),
    "yaml timestamp": ("yaml", HEAD + "diagram: !!timestamp x\n", "tags are not allowed"),
    "yaml own tag": ("yaml", "!leg {a: 1}\n", "tags are not allowed"),
    "yaml key tag": ("yaml", "? !!str format\n: 1\n", "tags are not allowed"),
    "yaml date": ("yaml", HEAD + "name: 2026-01-01\ndiagram: x\n", "'name' must be a text"),
    "yaml no date": ("yaml", HEAD + "name: 2026-99-99\ndiagram: x\n", "not valid YAML"),
    "yaml list key": ("yaml", "? [a]\n: 1\n", "not valid YAML"),
    "yaml deep": ("yaml", "[" * 20_000, "nested too deeply"),
    "yaml control character": ("yaml", "a: \x07\n", "not valid YAML"),
    "yaml long number": ("yaml", "version: " + "1" * 5000, "not valid YAML"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_not_a_file_of_ours(tmp_path: Path, name: str) -> None:
    suffix, text, message = TEXTS[name]
    path = tmp_path / f"bad.{suffix}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        load(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"missing.json: cannot be read: No such file"):
        load(tmp_path / "missing.json")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(FileFormatError, match=r"not a regular file"):
        load(tmp_path / "folder.yaml")
    with pytest.raises(FileFormatError, match=r"a diagram file ends in .json, .yaml, .yml"):
        load(tmp_path / "diagram.txt")
    with pytest.raises(FileFormatError, match="cannot be read"):
        load("a\0b.json")
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xfc"}')
    with pytest.raises(FileFormatError, match=r"not UTF-8 text \(invalid start byte at byte 10\)"):
        load(tmp_path / "latin.json")
    (tmp_path / "large.yaml").write_text(HEAD + "#" * 300_000, encoding="utf-8")
    with pytest.raises(FileFormatError, match="more than the limit of 300000 bytes"):
        load(tmp_path / "large.yaml")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(FileFormatError, match="not a regular file"):
        load(tmp_path / "pipe.json")


def test_an_error_in_the_text_says_in_which_file(tmp_path: Path) -> None:
    path = write(tmp_path / "diagram.yaml", {**BODY, "diagram": ["leg h: 0e, on atom", "h.explode()"]})
    with pytest.raises(NotationError, match="unknown operation 'explode'") as caught:
        load(path)
    assert caught.value.__notes__ == [f"in {path}"]
    path = write(tmp_path / "diagram.yaml", {**BODY, "diagram": "leg h: 99e, on atom; h"})
    with pytest.raises(LimitError) as caught_limit:
        load(path)
    assert caught_limit.value.__notes__ == [f"in {path}"]


def test_laws_are_not_checked_when_a_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "diagram.json", {**BODY, "diagram": "leg h: 1o, on atom; (h @ h)[5o]"})
    with pytest.raises(FusionError, match="no path couples"):
        check(load(path))


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "diagram.json"
    save(PRODUCT, path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(FileFormatError, match=r"diagram.json: cannot be written: No space left"):
                save(H, path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["diagram.json"]
    save(H, path)
    assert load(path) == H
    assert os.listdir(tmp_path) == ["diagram.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot be written: No such file"):
        save(H, tmp_path / "missing" / "diagram.json")
    with pytest.raises(FileFormatError, match="a diagram file ends in"):
        save(H, tmp_path / "diagram.pkl")
    assert os.listdir(tmp_path) == []
