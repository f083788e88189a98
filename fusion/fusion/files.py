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
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from fusion.diagram import Diagram, Wire
from fusion.errors import FileFormatError, NotationError
from fusion.limits import MAX_TEXT
from fusion.notation import parse

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
    """Write a diagram file; the suffix says whether it is JSON or YAML. The file appears whole or not at all."""
    target = Path(path)
    content = {"format": FORMAT, "version": VERSION, "name": name, "description": description}
    content = {key: item for key, item in content.items() if item != ""}
    body = {**content, "diagram": str(value).split("; ")}
    if _suffix(target) == ".json":
        text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    else:
        text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=10**6)
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
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
        FileFormatError: no such file, too large, not JSON or YAML, unknown or missing key, wrong type or version.
        NotationError: the diagram text does not follow the notation.
    """
    source = Path(path)
    suffix = _suffix(source)
    try:
        if source.stat().st_size > 2 * MAX_TEXT:
            raise FileFormatError(f"{source}: {source.stat().st_size} bytes is above the limit of {2 * MAX_TEXT}")
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{source}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise FileFormatError(f"{source}: cannot be read: {error.strerror}") from None
    try:
        loaded: object = json.loads(text) if suffix == ".json" else yaml.load(text, _Loader)
    except RecursionError:
        raise FileFormatError(f"{source}: nested too deeply") from None
    except (ValueError, yaml.YAMLError) as error:
        raise FileFormatError(f"{source}: not valid {suffix[1:].upper()}: {str(error).splitlines()[0]}") from None
    return _read_body(source, loaded)


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
    strings: dict[str, str] = {}
    for key in ("name", "description"):
        value = body.get(key, "")
        if not isinstance(value, str):
            raise FileFormatError(f"{source}: {key!r} must be a text")
        strings[key] = value
    try:
        diagram = parse("; ".join(cast("list[str]", lines)))
    except NotationError as error:
        error.add_note(f"in {source}")
        raise
    return DiagramFile(diagram, strings["name"], strings["description"])


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileFormatError(f"{path}: a diagram file ends in {', '.join(SUFFIXES)}")
    return suffix


class _Loader(yaml.SafeLoader):
    """The safe loader without aliases, whose expansion could grow without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)
