"""Single structures in and out of files, through ASE."""

from __future__ import annotations

import io
from pathlib import Path

from ase import Atoms
from ase.io import read, write

from fusion_models.errors import DataError

MAX_BYTES = 1024**3


def read_structure(path: str | Path) -> Atoms:
    """Return the last structure of a file in any format that ASE reads.

    Raises:
        DataError: no such file, too large, or not a structure.
    """
    source = Path(path)
    if not source.is_file():
        raise DataError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}")
    if source.stat().st_size > MAX_BYTES:
        raise DataError(f"{source}: {source.stat().st_size} bytes is above the limit of {MAX_BYTES}")
    try:
        found = read(source)
    except Exception as error:  # ase raises many types for malformed files
        raise DataError(f"{source}: not a structure that ASE can read ({error or type(error).__name__})") from None
    if not isinstance(found, Atoms) or not len(found):
        raise DataError(f"{source}: holds no atoms")
    return found


def structure_text(atoms: Atoms) -> str:
    """Return a structure, with velocities, as extended XYZ."""
    stream = io.StringIO()
    plain = atoms.copy()
    write(stream, plain, format="extxyz")
    return stream.getvalue()
