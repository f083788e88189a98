"""Where data files are: a path, the set shipped with the project, or a name below the reference data folder."""

from __future__ import annotations

import os
from pathlib import Path

from fusion_models.errors import DataError

SHIPPED = {"ethanol": "ethanol_pbe.npz"}
"""Sets that are part of the project (``examples/data``)."""
SUFFIXES = (".npz", ".xyz", ".extxyz")


def shipped_folder() -> Path:
    """Return ``examples/data`` of the checkout this package runs from."""
    return Path(__file__).resolve().parents[3] / "examples" / "data"


def find_data(name: str, data_dir: str | Path | None = None) -> Path:
    """Return the file meant by ``name``.

    Args:
        name: a path, ``ethanol`` (shipped), or a name such as ``rmd17/ethanol`` below the data folder.
        data_dir: the data folder; the environment variable ``FUSION_DATA`` when left out.

    Raises:
        DataError: there is no such file; the message says where it was looked for.
    """
    tried: list[Path] = []
    for candidate in _candidates(Path(name)):
        tried.append(candidate)
        if candidate.is_file():
            return candidate
    if name in SHIPPED:
        shipped = shipped_folder() / SHIPPED[name]
        tried.append(shipped)
        if shipped.is_file():
            return shipped
    root = data_dir or os.environ.get("FUSION_DATA")
    if root:
        for candidate in _candidates(Path(root) / name):
            tried.append(candidate)
            if candidate.is_file():
                return candidate
    hint = (
        ""
        if root
        else "; reference data are looked for below --data or the environment variable FUSION_DATA, which are not set"
    )
    raise DataError(f"no data called {name!r}; looked for {', '.join(str(path) for path in tried)}{hint}")


def _candidates(path: Path) -> list[Path]:
    return [path] if path.suffix in SUFFIXES else [path.with_name(path.name + suffix) for suffix in SUFFIXES]
