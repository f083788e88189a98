"""Finding data files by name, and reading them by kind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fusion_models.data.extxyz import LabelKeys, read_extxyz
from fusion_models.data.labels import LabelReport
from fusion_models.data.npz import read_npz
from fusion_models.errors import DataError
from fusion_models.frames import Frame

SHIPPED = {"ethanol": "examples/data/ethanol_pbe.npz"}
"""Data sets that come with a checkout of the project, by name."""
VARIABLE = "FUSION_DATA"
"""Environment variable that names the folder with reference data."""


@dataclass(frozen=True)
class DataFile:
    """A data file and, if there is one, the file beside it with its frozen splits."""

    path: Path
    splits: Path | None


def find_data(name: str, data_dir: Path | str | None = None) -> DataFile:
    """Find a data file.

    Args:
        name: path of a file; or a name under the data folder, such as ``rmd17/ethanol`` for ``rmd17/ethanol.npz``;
            or a data set that the project ships: ``ethanol``.
        data_dir: the data folder; None takes the environment variable ``FUSION_DATA``.

    Raises:
        DataError: nothing is found; the message says where was looked.
    """
    looked: list[Path] = []
    for candidate in _candidates(name, data_dir):
        if candidate.is_file():
            splits = candidate.with_name(candidate.stem + ".splits.json")
            return DataFile(candidate, splits if splits.is_file() else None)
        looked.append(candidate)
    root = _root(data_dir)
    advice = "" if root is not None else f"; name the folder of reference data with --data or {VARIABLE}"
    missing = "" if root is None or root.is_dir() else f"; the data folder {root} does not exist"
    raise DataError(f"no data set {name!r}; looked for {', '.join(map(str, looked))}{advice}{missing}")


def read_frames(path: Path | str, keys: LabelKeys | None = None) -> tuple[list[Frame], LabelReport]:
    """Read all frames of an ``.npz``, ``.extxyz`` or ``.xyz`` file.

    Args:
        path: the file; its ending says what it is.
        keys: names of labels in extended XYZ files.

    Raises:
        DataError, LimitError: see :func:`read_npz` and :func:`read_extxyz`.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return read_npz(path)
    if path.suffix in (".extxyz", ".xyz"):
        return read_extxyz(path, keys or LabelKeys())
    raise DataError(f"{path.name}: unknown kind of file {path.suffix!r}; expected .npz, .extxyz or .xyz")


def _root(data_dir: Path | str | None) -> Path | None:
    value = data_dir if data_dir is not None else os.environ.get(VARIABLE)
    return Path(value).expanduser() if value else None


def _candidates(name: str, data_dir: Path | str | None) -> list[Path]:
    if not name:
        raise DataError("the name of a data set is empty")
    given = Path(name).expanduser()
    candidates = [given]
    root = _root(data_dir)
    if root is not None and not given.is_absolute() and ".." not in PurePosixPath(name).parts:
        candidates += [root / name, root / f"{name}.npz"]
    if name in SHIPPED:
        candidates.append(Path(__file__).resolve().parents[3] / SHIPPED[name])
    return candidates
