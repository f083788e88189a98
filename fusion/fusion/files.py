"""Diagram files: JSON or YAML with a closed, versioned schema, size limits, and nothing executed.

format: fusion-diagram
version: 1
name: mace-product            # optional
description: ...              # optional
diagram:                      # the statements of the notation, one a line
  - "leg A: 0e+1o, u=8, on atom"
  - "A.power(1, 2, basis=full)[0e].mix(u->u)"
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from fusion.diagram import Diagram, Wire
from fusion.errors import FileFormatError, FusionError
from fusion.limits import MAX_TEXT
from fusion.notation import parse
from fusion.printing import print_outputs

FORMAT = "fusion-diagram"
VERSION = 1
SUFFIXES = (".json", ".yaml", ".yml")
_KEYS = {"format", "version", "name", "description", "diagram"}
_REQUIRED = {"format", "version", "diagram"}


@dataclass(frozen=True, slots=True)
class DiagramFile:
    """The content of a diagram file."""

    diagram: Wire | Diagram
    name: str = ""
    description: str = ""


def save(value: Wire | Diagram, path: str | Path, *, name: str = "", description: str = "") -> None:
    """Write a diagram file; the suffix says whether it is JSON or YAML. The file appears whole or not at all.

    Raises:
        FileFormatError: the suffix is not one of a diagram file, or the file cannot be written.
    """
    target = Path(path)
    content = {"format": FORMAT, "version": VERSION, "name": name, "description": description}
    content = {key: item for key, item in content.items() if item != ""}
    body = {**content, "diagram": list(print_outputs(Diagram.of(value).outputs).statements)}
    if _suffix(target) == ".json":
        text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    else:
        text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=10**6)
    try:
        _write_whole(target, text.encode("utf-8"))
    except OSError as error:
        raise FileFormatError(f"{target}: cannot be written: {error.strerror}") from None


def _write_whole(target: Path, content: bytes) -> None:
    """Write to a file beside ``target`` and move it into place."""
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def load(path: str | Path) -> Wire | Diagram:
    """Read a diagram file (see :func:`read_file`)."""
    return read_file(path).diagram


def read_file(path: str | Path) -> DiagramFile:
    """Read a diagram file with its name and description. Laws are not checked here (see :func:`fusion.check`).

    Raises:
        FileFormatError: no such file, too large, not JSON or YAML, unknown, missing or repeated key, wrong type or
            version.
        NotationError: the diagram text does not follow the notation.
        LimitError: the diagram text, or something in it, is too large.
    """
    source = Path(path)
    suffix = _suffix(source)
    text = _read_text(source)
    try:
        loaded: object = (
            json.loads(text, object_pairs_hook=_distinct) if suffix == ".json" else yaml.load(text, _Loader)
        )
    except RecursionError:
        raise FileFormatError(f"{source}: nested too deeply") from None
    except (ValueError, yaml.YAMLError) as error:
        raise FileFormatError(f"{source}: not valid {suffix[1:].upper()}: {_reason(error)}") from None
    return _read_body(source, loaded)


def _read_text(source: Path) -> str:
    try:
        if not stat.S_ISREG(source.stat().st_mode):
            raise FileFormatError(f"{source}: not a regular file")
        with source.open("rb") as stream:
            content = stream.read(2 * MAX_TEXT + 1)
        if len(content) > 2 * MAX_TEXT:
            raise FileFormatError(f"{source}: more than the limit of {2 * MAX_TEXT} bytes")
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{source}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise FileFormatError(f"{source}: cannot be read: {error.strerror}") from None
    except FusionError:
        raise
    except ValueError as error:  # a path that no file can have
        raise FileFormatError(f"{str(source)!r}: cannot be read: {error}") from None


def _reason(error: Exception) -> str:
    """Return what a YAML or JSON reader says, in one line."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or (str(error).splitlines() or ["unreadable"])[0]
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build a JSON object; refuse a repeated key, of which the reader would silently keep the last."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key[:40]!r} is given twice")
        found[key] = value
    return found


def _read_body(source: Path, loaded: object) -> DiagramFile:
    if not isinstance(loaded, dict):
        raise FileFormatError(f"{source}: the top level must be a mapping with the keys {', '.join(sorted(_REQUIRED))}")
    body = cast("dict[object, object]", loaded)
    unknown = sorted(str(key)[:40] for key in body if key not in _KEYS)
    missing = sorted(_REQUIRED - set(map(str, body)))
    if unknown or missing:
        wrong = [f"unknown key {key!r}" for key in unknown[:8]] + [f"missing key {key!r}" for key in missing]
        raise FileFormatError(f"{source}: {'; '.join(wrong)}; allowed keys: {', '.join(sorted(_KEYS))}")
    if body["format"] != FORMAT:
        raise FileFormatError(f"{source}: format is {str(body['format'])[:40]!r}, expected {FORMAT!r}")
    version = body["version"]
    if type(version) is not int or version != VERSION:
        raise FileFormatError(f"{source}: version {str(version)[:40]!r}; this program reads version {VERSION}")
    texts = body["diagram"]
    lines = cast("list[object]", texts) if isinstance(texts, list) else [texts]
    if not lines or not all(isinstance(item, str) for item in lines):
        raise FileFormatError(f"{source}: 'diagram' must be a text or a list of texts")
    name, description = _text(source, body, "name"), _text(source, body, "description")
    try:
        diagram = parse("; ".join(cast("list[str]", lines)))
    except FusionError as error:
        error.add_note(f"in {source}")
        raise
    return DiagramFile(diagram, name, description)


def _text(source: Path, body: dict[object, object], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise FileFormatError(f"{source}: {key!r} must be a text")
    return value


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileFormatError(f"{path}: a diagram file ends in {', '.join(SUFFIXES)}")
    return suffix


class _Loader(yaml.SafeLoader):
    """The safe loader without what a diagram file has no use for.

    Refused are aliases (their expansion could grow without bound), explicit tags (they choose other constructors), and
    keys given twice (the loader would silently keep the last).
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = cast("Any", self).peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="tags are not allowed", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) < len(keys):
                raise yaml.MarkedYAMLError(problem="a key is given twice", problem_mark=node.start_mark)
        return node
