"""Where our packages come from, and whether another distribution has written over them.

pip does not notice when two distributions write the same folder: the later one wins, file by file. The package index
has a distribution ``pyfusion`` that installs a package ``fusion``.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "fusion-networks"
PACKAGES = {"fusion": "fusion", "fusion_compiler": "compiler", "fusion_models": "models"}
"""Our packages, and the folder of the repository that holds each."""


@dataclass(frozen=True, slots=True)
class Package:
    """One of our packages.

    Attributes:
        name: import name.
        location: the folder it is imported from.
        faults: what is wrong with it; empty when nothing.
        rivals: other distributions that install a package of this name.
    """

    name: str
    location: str
    faults: tuple[str, ...]
    rivals: tuple[str, ...]


def installation(search: Sequence[str] | None = None) -> list[Package]:
    """Return the state of our packages.

    Args:
        search: folders with metadata of distributions; ``sys.path`` when left out.
    """
    found = list(distributions() if search is None else distributions(path=list(search)))
    ours = next((item for item in found if _normal(item.name) == DISTRIBUTION), None)
    others = [item for item in found if _normal(item.name) != DISTRIBUTION]
    return [_package(name, ours, others) for name in PACKAGES]


def _package(name: str, ours: Distribution | None, others: Sequence[Distribution]) -> Package:
    rivals = tuple(sorted({item.name for item in others if name in _top_level(item)}))
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return Package(name, "not found, or without __init__.py", ("cannot be imported as a package",), rivals)
    folder = Path(spec.origin).resolve().parent
    faults: list[str] = []
    if ours is not None:
        faults.extend(_strangeness(name, folder, ours))
    if not (folder / "py.typed").is_file():
        faults.append("its py.typed is missing: this is not our package, or not all of it")
    return Package(name, str(folder), tuple(faults), rivals)


def _strangeness(name: str, folder: Path, ours: Distribution) -> Iterator[str]:
    """Compare the folder that is imported with what the installation says."""
    recorded = {
        str(path): path.hash.value for path in ours.files or () if path.parts[0] == name and path.hash is not None
    }
    root = _source_tree(ours)
    if recorded:
        home = Path(str(ours.locate_file(name))).resolve()
        changed = [path for path, digest in recorded.items() if not _unchanged(ours.locate_file(path), digest)]
        if changed:
            yield (
                f"{len(changed)} of {len(recorded)} files are not those that {DISTRIBUTION} {ours.version} installed "
                f"({', '.join(changed[:3])}{', ...' * (len(changed) > 3)}); reinstall {DISTRIBUTION}"
            )
    elif root is not None:
        home = (root / PACKAGES[name] / name).resolve()
    else:
        return
    if folder != home:
        yield f"imported from there, but {DISTRIBUTION} {ours.version} has it in {home}"


def _unchanged(path: object, digest: str) -> bool:
    try:
        content = Path(str(path)).read_bytes()
    except OSError:
        return False
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode() == digest


def _source_tree(ours: Distribution) -> Path | None:
    """Return the repository of an editable installation."""
    text = ours.read_text("direct_url.json")
    if text is None:
        return None
    parts = urlsplit(json.loads(text).get("url", ""))
    return Path(url2pathname(unquote(parts.path))) if parts.scheme == "file" else None


def _top_level(item: Distribution) -> set[str]:
    """Return the import names that a distribution installs."""
    text = item.read_text("top_level.txt")
    if text is not None and text.strip():
        return set(text.split())
    return {_first(path) for path in item.files or ()}


def _first(path: PurePosixPath) -> str:
    return path.parts[0] if len(path.parts) > 1 else path.name.removesuffix(".py")


def _normal(name: str | None) -> str:
    return re.sub(r"[-_.]+", "-", name or "").lower()
