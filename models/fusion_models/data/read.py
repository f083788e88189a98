"""Read structures from npz files of the project's layout and from extended XYZ. Units are eV, Å, eV/Å, eV/Å³ only."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from ase.io import iread

from fusion_models.errors import DataError
from fusion_models.frames import Frame, frame

MAX_BYTES = 4 * 1024**3
MAX_FRAMES = 5_000_000
ENERGY_KEYS = ("REF_energy", "energy")
FORCES_KEYS = ("REF_forces", "forces")
STRESS_KEYS = ("REF_stress", "stress")
UNITS = {"energy": {"ev"}, "length": {"angstrom", "ang", "a", "å"}}


def read_frames(path: str | Path) -> list[Frame]:
    """Return all structures of a file.

    Raises:
        DataError: no such file, too large, damaged, of other units, or with a structure that cannot be used.
    """
    source = Path(path)
    if not source.is_file():
        raise DataError(f"{source}: no such file")
    if source.stat().st_size > MAX_BYTES:
        raise DataError(f"{source}: {source.stat().st_size} bytes is above the limit of {MAX_BYTES}")
    if source.suffix == ".npz":
        return _read_npz(source)
    if source.suffix in (".xyz", ".extxyz"):
        return _read_xyz(source)
    raise DataError(f"{source}: data files end in .npz, .xyz or .extxyz")


def _read_npz(source: Path) -> list[Frame]:
    try:
        with zipfile.ZipFile(source) as archive:
            total = sum(item.file_size for item in archive.infolist())
        if total > MAX_BYTES:
            raise DataError(f"{source}: unpacks to {total} bytes, above the limit of {MAX_BYTES}")
        with np.load(source, allow_pickle=False) as loaded:
            arrays = {key: loaded[key] for key in loaded.files}
    except DataError:
        raise
    except (ValueError, OSError, zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise DataError(f"{source}: not a readable npz file ({error})") from None
    _check_keys(source, arrays)
    counts = arrays["n_atoms"].astype(np.int64)
    if counts.ndim != 1 or (counts < 0).any() or len(counts) > MAX_FRAMES:
        raise DataError(f"{source}: 'n_atoms' must be one non-negative number a frame")
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total_atoms = int(offsets[-1])
    for key, shape in (("numbers", (total_atoms,)), ("positions", (total_atoms, 3)), ("forces", (total_atoms, 3))):
        if key in arrays and arrays[key].shape != shape:
            raise DataError(f"{source}: {key!r} has shape {arrays[key].shape}, expected {shape} from 'n_atoms'")
    for key, tail in (("energy", ()), ("cell", (3, 3)), ("pbc", (3,)), ("stress", (3, 3))):
        if key in arrays and arrays[key].shape != (len(counts), *tail):
            raise DataError(f"{source}: {key!r} has shape {arrays[key].shape}, expected {(len(counts), *tail)}")
    frames: list[Frame] = []
    for number in range(len(counts)):
        atoms = slice(int(offsets[number]), int(offsets[number + 1]))
        frames.append(
            frame(
                arrays["numbers"][atoms].astype(np.int64),
                arrays["positions"][atoms],
                arrays["cell"][number] if "cell" in arrays else None,
                arrays["pbc"][number] if "pbc" in arrays else False,
                energy=arrays["energy"][number] if "energy" in arrays else None,
                forces=arrays["forces"][atoms] if "forces" in arrays else None,
                stress=arrays["stress"][number] if "stress" in arrays else None,
                name=f"{source.name}[{number}]",
            )
        )
    return frames


def _check_keys(source: Path, arrays: dict[str, Any]) -> None:
    missing = [key for key in ("n_atoms", "numbers", "positions") if key not in arrays]
    if missing:
        raise DataError(f"{source}: missing {', '.join(missing)}; found {', '.join(sorted(arrays)) or 'nothing'}")
    for quantity in ("energy", "forces"):
        relatives = [key for key in arrays if key.startswith(quantity) and key != quantity]
        if relatives and quantity not in arrays:
            raise DataError(
                f"{source}: no {quantity!r}, but {', '.join(relatives)}; {quantity} must be in eV and Å "
                f"under the key {quantity!r}"
            )
    if "units" in arrays:
        _check_units(source, str(arrays["units"]))


def _check_units(source: Path, text: str) -> None:
    words = {
        word.strip().lower()
        for word in text.replace("/", " ").replace(",", " ").replace("*", " ").replace("^", " ").split()
    }
    wrong = {word for word in words if word.isalpha()} - UNITS["energy"] - UNITS["length"]
    if wrong:
        raise DataError(f"{source}: units are given as {text[:80]!r}; only eV and Å are read, convert the file first")


def _read_xyz(source: Path) -> list[Frame]:
    frames: list[Frame] = []
    try:
        for number, atoms in enumerate(iread(source, index=":", format="extxyz")):
            frames.append(_from_atoms(source, number, atoms))
    except DataError:
        raise
    except Exception as error:  # ase raises many types for malformed text
        raise DataError(f"{source}: frame {len(frames)} is not valid extended XYZ ({error})") from None
    if not frames:
        raise DataError(f"{source}: holds no structure")
    return frames


def _from_atoms(source: Path, number: int, atoms: Any) -> Frame:
    where = f"{source.name}[{number}]"
    if "units" in atoms.info:
        _check_units(source, str(atoms.info["units"]))
    for key in atoms.info:
        if str(key).lower().startswith("energy_") and not any(k in atoms.info for k in ENERGY_KEYS):
            raise DataError(
                f"{where}: no energy, but {key!r}; energies must be in eV under one of {', '.join(ENERGY_KEYS)}"
            )
    results: dict[str, Any] = dict(atoms.calc.results) if atoms.calc is not None else {}
    energy = next((atoms.info[key] for key in ENERGY_KEYS if key in atoms.info), results.get("energy"))
    forces = next((atoms.arrays[key] for key in FORCES_KEYS if key in atoms.arrays), results.get("forces"))
    stress = next((atoms.info[key] for key in STRESS_KEYS if key in atoms.info), results.get("stress"))
    if stress is not None:
        stress = np.asarray(stress, dtype=float)
        if stress.size == 6:
            xx, yy, zz, yz, xz, xy = stress.ravel()
            stress = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        stress = stress.reshape(3, 3)
    periodic = bool(np.any(atoms.pbc))
    return frame(
        atoms.numbers,
        atoms.positions,
        np.asarray(atoms.cell) if periodic else None,
        atoms.pbc,
        energy=energy,
        forces=forces,
        stress=stress,
        name=where,
    )
