"""Ragged npz files: the project's own layout of reference data.

    n_atoms (F,)   numbers (sum of n_atoms,)   positions (sum, 3) Å
    optional: energy (F,) eV   forces (sum, 3) eV/Å   stress (F, 3, 3) eV/Å³   cell (F, 3, 3) Å with pbc (F, 3)

The file is untrusted: sizes and headers are checked before anything is allocated, and object arrays (pickles) are
refused.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from fusion.errors import LimitError
from fusion_models.data.labels import LabelReport, check_units, refuse_units, report
from fusion_models.errors import DataError
from fusion_models.frames import Frame

MAX_BYTES = 4 << 30
"""Largest size of a file, and of its content when unpacked."""
MAX_ARRAYS = 64
MAX_HEADER = 10_000
MAX_FRAMES = 10_000_000

_REQUIRED = ("n_atoms", "numbers", "positions")
_LABELS = ("energy", "forces", "stress")
_CELL = ("cell", "pbc")
# Extra labels of the reference data, which nothing here reads.
_QM9 = (  # noqa: SIM905
    "A_GHz B_GHz C_GHz G_atom_eV G_eV H_atom_eV H_eV U0_atom_eV U0_eV U_atom_eV U_eV alpha_bohr3 atomization_energy_eV "
    "cv_cal_molK gap_eV gdb_index homo_eV homo_hf_eV lumo_eV mu_D r2_bohr2 zpve_eV"
).split()
EXTRAS = frozenset(
    "alpha_au beta_au config_type dihedral_angle dihedrals dipole_au displacement distance energy_s1 forces_s1 "  # noqa: SIM905
    "gamma_au group smiles temperature_K trajectory".split()
) | frozenset(_QM9)


def read_npz(path: Path | str) -> tuple[list[Frame], LabelReport]:
    """Read frames from a ragged npz file.

    Raises:
        DataError: the file cannot be read, lacks a key, has an unknown key, another unit, or values that do not fit.
        LimitError: the file or its content is larger than ``MAX_BYTES``, or has more than ``MAX_ARRAYS`` arrays.
    """
    path = Path(path)
    arrays = _read_arrays(path)
    name = path.name
    missing = [key for key in _REQUIRED if key not in arrays]
    known = {*_REQUIRED, *_LABELS, *_CELL, "units"} | EXTRAS
    unknown = sorted(key for key in arrays if key not in known)
    refuse_units(name, unknown)
    if missing or unknown:
        raise DataError(
            f"{name}: "
            + "; ".join(
                f"{what} {', '.join(map(repr, keys))}"
                for what, keys in (("missing", missing), ("unknown", unknown))
                if keys
            )
            + f". A data file has {', '.join(_REQUIRED)} and may have {', '.join((*_LABELS, *_CELL))}; {_hint(arrays)}"
        )
    if "units" in arrays:
        check_units(name, arrays["units"].ravel().tolist())
    frames = _frames(name, arrays)
    ignored = [key for key in arrays if key in EXTRAS]
    return frames, report(name, frames, [(key, key) for key in _LABELS if key in arrays], ignored)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LimitError(f"{path.name}: {size} bytes; at most {MAX_BYTES} are read")
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ARRAYS:
                raise LimitError(f"{path.name}: {len(entries)} arrays; at most {MAX_ARRAYS} are read")
            total = sum(entry.file_size for entry in entries)
            if total > MAX_BYTES:
                raise LimitError(f"{path.name}: {total} bytes when unpacked; at most {MAX_BYTES} are read")
            arrays: dict[str, np.ndarray] = {}
            for entry in entries:
                key = entry.filename.removesuffix(".npy")
                if key in arrays or key == entry.filename:
                    raise DataError(f"{path.name}: entry {entry.filename[:80]!r} is not an array of its own")
                with archive.open(entry) as stream:
                    arrays[key] = _read_array(stream, entry.file_size, f"{path.name}: {key[:80]}")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(f"{path}: not a readable npz file ({error})") from error
    return arrays


def _read_array(stream: IO[bytes], size: int, where: str) -> np.ndarray:
    """Read one .npy entry of ``size`` bytes; the header must account for exactly these bytes."""
    try:
        version = npy.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = npy.read_array_header_1_0(stream, max_header_size=MAX_HEADER)
        elif version == (2, 0):
            shape, fortran, dtype = npy.read_array_header_2_0(stream, max_header_size=MAX_HEADER)
        else:
            raise DataError(f"{where}: array format {version} is not supported")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: damaged array header ({error})") from error
    if dtype.hasobject or dtype.fields is not None:
        raise DataError(f"{where}: object and record arrays are not read, as they may hold pickled code")
    count = math.prod(shape)
    if count < 0 or count * dtype.itemsize > size:
        raise DataError(f"{where}: the header promises shape {shape}, but the entry has {size} bytes")
    data = stream.read(size + 1)
    if len(data) != count * dtype.itemsize:
        raise DataError(f"{where}: {len(data)} bytes of values; shape {shape} needs {count * dtype.itemsize}")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _frames(name: str, arrays: dict[str, np.ndarray]) -> list[Frame]:
    counts = _numeric(name, "n_atoms", arrays["n_atoms"], None, whole=True).astype(np.int64)
    if counts.ndim != 1 or (counts < 0).any():
        raise DataError(f"{name}: n_atoms must be a list of numbers of atoms, one per frame")
    f, total = len(counts), int(counts.sum())
    if f > MAX_FRAMES:
        raise LimitError(f"{name}: {f} frames; at most {MAX_FRAMES} are read")
    numbers = _numeric(name, "numbers", arrays["numbers"], (total,), whole=True)
    positions = _numeric(name, "positions", arrays["positions"], (total, 3))
    energy = _numeric(name, "energy", arrays["energy"], (f,)) if "energy" in arrays else None
    forces = _numeric(name, "forces", arrays["forces"], (total, 3)) if "forces" in arrays else None
    stress = _numeric(name, "stress", arrays["stress"], (f, 3, 3)) if "stress" in arrays else None
    if ("cell" in arrays) != ("pbc" in arrays):
        raise DataError(f"{name}: cell and pbc go together; only {'cell' if 'cell' in arrays else 'pbc'} is there")
    cell = _numeric(name, "cell", arrays["cell"], (f, 3, 3)) if "cell" in arrays else np.zeros((f, 3, 3))
    pbc = arrays.get("pbc", np.zeros((f, 3), bool))
    if pbc.shape != (f, 3) or pbc.dtype != bool:
        raise DataError(f"{name}: pbc is {pbc.dtype} of shape {pbc.shape}; expected bool of shape {(f, 3)}")
    offsets = np.concatenate([[0], np.cumsum(counts)])
    frames: list[Frame] = []
    for i in range(f):
        atoms = slice(int(offsets[i]), int(offsets[i + 1]))
        frames.append(
            Frame(
                numbers=numbers[atoms],
                positions=positions[atoms],
                cell=cell[i],
                pbc=pbc[i],
                energy=None if energy is None else energy[i],
                forces=None if forces is None else forces[atoms],
                stress=None if stress is None or not pbc[i].all() else stress[i],
                name=f"{name}[{i}]",
            )
        )
    return frames


def _numeric(name: str, key: str, array: np.ndarray, shape: tuple[int, ...] | None, whole: bool = False) -> np.ndarray:
    kind = np.integer if whole else np.floating
    good = np.issubdtype(array.dtype, kind) or (not whole and np.issubdtype(array.dtype, np.integer))
    if not good or (shape is not None and array.shape != shape):
        wanted = "whole numbers" if whole else "real numbers"
        raise DataError(
            f"{name}: {key} is {array.dtype} of shape {array.shape}; expected {wanted}"
            + (f" of shape {shape}" if shape is not None else "")
        )
    return array


def _hint(arrays: dict[str, np.ndarray]) -> str:
    if {"E", "R"} <= set(arrays) and ({"z"} <= set(arrays) or {"nuclear_charges"} <= set(arrays)):
        return "this looks like the sGDML layout (E, F, R, z), which is usually in kcal/mol"
    return "no other key is read"
