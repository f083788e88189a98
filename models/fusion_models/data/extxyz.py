"""Extended XYZ files, read by ASE."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusion.errors import FusionError, LimitError
from fusion_models.data.labels import LabelReport, check_units, refuse_units, report
from fusion_models.errors import DataError
from fusion_models.frames import Frame, frame

MAX_BYTES = 1 << 30
"""Largest size of a file."""


@dataclass(frozen=True)
class LabelKeys:
    """Names under which labels are looked for; of several names the first that a frame has is taken."""

    energy: tuple[str, ...] = ("REF_energy", "energy")
    forces: tuple[str, ...] = ("REF_forces", "forces")
    stress: tuple[str, ...] = ("REF_stress", "stress")


def read_extxyz(path: Path | str, keys: LabelKeys = LabelKeys()) -> tuple[list[Frame], LabelReport]:
    """Read every frame of an extended XYZ file.

    A stress may be a (3, 3) matrix, nine numbers, or six in the order xx, yy, zz, yz, xz, xy; it is read only for
    frames with three periodic directions.

    Raises:
        DataError: the file cannot be read, a key names another unit, or values do not fit.
        LimitError: the file is larger than ``MAX_BYTES``.
    """
    # Imported here: reading npz files needs no ASE, and ASE is slow to import.
    from ase.io import read

    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: no such file") from error
    if size > MAX_BYTES:
        raise LimitError(f"{path.name}: {size} bytes; at most {MAX_BYTES} are read")
    if size == 0:
        raise DataError(f"{path.name}: the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structures: Any = read(path, index=":", format="extxyz")
    # ASE's reader raises whatever its parsing steps raise: any of it means that the text is not extended XYZ.
    except Exception as error:
        raise DataError(f"{path.name}: not a readable extended XYZ file ({type(error).__name__}: {error})") from error
    frames: list[Frame] = []
    used: set[tuple[str, str]] = set()
    ignored: set[str] = set()
    for index, atoms in enumerate(structures):
        name = f"{path.name}[{index}]"
        found: dict[str, Any] = {**atoms.info, **atoms.arrays, **(atoms.calc.results if atoms.calc is not None else {})}
        _check_units(name, atoms.info, found)
        labels: dict[str, Any] = {}
        for label, names in (("energy", keys.energy), ("forces", keys.forces), ("stress", keys.stress)):
            key = next((k for k in names if k in found), None)
            if key is not None:
                labels[label] = found[key]
                used.add((label, key))
        ignored |= set(found) - {key for _, key in used} - {"numbers", "positions", "units"}
        if "stress" in labels:
            labels["stress"] = _stress(name, labels["stress"]) if bool(np.all(atoms.pbc)) else None
        try:
            frames.append(frame(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, name=name, **labels))
        except (TypeError, ValueError) as error:
            if isinstance(error, FusionError):
                raise
            raise DataError(f"{name}: {error}") from error
    return frames, report(path.name, frames, used, ignored - {key for _, key in used})


def _check_units(name: str, info: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    refuse_units(name, found)
    for key, value in info.items():
        if key.lower() in ("units", "unit", "energy_unit", "energy_units", "force_unit", "forces_unit", "forces_units"):
            check_units(name, value)


def _stress(name: str, value: object) -> np.ndarray:
    array = np.asarray(value)
    if array.shape == (6,):
        xx, yy, zz, yz, xz, xy = array
        return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    if array.size == 9:
        return array.reshape(3, 3)
    raise DataError(f"{name}: the stress has shape {array.shape}; expected (3, 3), nine or six numbers")
