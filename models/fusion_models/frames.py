"""One structure with its labels, as every reader returns it and every other part takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from fusion_models.errors import DataError, GeometryError

Array = np.ndarray

SYMBOLS = chemical_symbols
"""Chemical symbols by atomic number; index 0 is no element."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A structure in Å, eV, eV/Å and eV/Å³ (tension positive). Arrays are read-only float64, ``numbers`` int64.

    Attributes:
        numbers: (N,) atomic numbers, 1 to 118.
        positions: (N, 3).
        cell: (3, 3), rows are lattice vectors; the row of a direction that is not periodic is zero, whatever was given.
        pbc: (3,) bool, which lattice directions are periodic.
        energy, forces, stress: labels, (), (N, 3) and symmetric (3, 3); None where the data have none.
        name: what messages call this frame, for example ``ethanol.npz[12]``.

    Raises:
        GeometryError: positions or the cell of a periodic direction are not finite.
        DataError: shapes do not fit, an atomic number is out of range, or a label is not finite.
    """

    numbers: Array
    positions: Array
    cell: Array
    pbc: Array
    energy: float | None = None
    forces: Array | None = None
    stress: Array | None = None
    name: str = "frame"

    def __post_init__(self) -> None:
        numbers = np.asarray(self.numbers)
        if numbers.ndim != 1 or (numbers.size and not np.issubdtype(numbers.dtype, np.integer)):
            raise DataError(f"{self.name}: atomic numbers must be a list of integers, not {_kind(numbers)}")
        numbers = numbers.astype(np.int64)
        outside = np.flatnonzero((numbers < 1) | (numbers >= len(SYMBOLS)))
        if outside.size:
            at = int(outside[0])
            raise DataError(f"{self.name}: atom {at} has atomic number {numbers[at]}; it must be 1 to 118")
        count = len(numbers)
        positions = self._array("positions", self.positions, (count, 3), GeometryError)
        pbc = np.broadcast_to(np.asarray(self.pbc, dtype=bool), (3,)).copy()
        given = np.asarray(self.cell, dtype=np.float64)
        if given.shape != (3, 3):
            raise GeometryError(
                f"{self.name}: the cell has shape {given.shape}; rows are three lattice vectors, (3, 3)"
            )
        cell = self._array("cell", np.where(pbc[:, None], given, 0.0), (3, 3), GeometryError)
        values: dict[str, object] = {"numbers": numbers, "positions": positions, "cell": cell, "pbc": pbc}
        if self.energy is not None:
            values["energy"] = float(self._array("energy", self.energy, (), DataError))
        if self.forces is not None:
            values["forces"] = self._array("forces", self.forces, (count, 3), DataError)
        if self.stress is not None:
            stress = self._array("stress", self.stress, (3, 3), DataError)
            largest = float(np.abs(stress).max())
            if np.abs(stress - stress.T).max() > 1e-6 * max(largest, 1e-6):
                raise DataError(f"{self.name}: the stress is not symmetric")
            values["stress"] = 0.5 * (stress + stress.T)
        for key, value in values.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, key, value)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def periodic(self) -> bool:
        """Whether all three directions are periodic, so that there is a volume and a stress."""
        return bool(np.all(self.pbc))

    def _array(self, what: str, value: object, shape: tuple[int, ...], error: type[DataError]) -> Array:
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError) as cause:
            raise error(f"{self.name}: {what} are not numbers") from cause
        if array.shape != shape and not (array.size == 0 and shape[:1] == (0,)):
            raise error(f"{self.name}: {what} have shape {array.shape}; expected {shape}")
        array = array.reshape(shape)
        if not np.isfinite(array).all():
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            at = (
                f" of atom {where[0]}"
                if shape[:1] == (len(self.numbers),) and len(shape) == 2 and what != "cell"
                else ""
            )
            raise error(f"{self.name}: {what}{at} hold a value that is not finite ({array[tuple(where)]})")
        return array


def frame(
    numbers: object,
    positions: object,
    cell: object = None,
    pbc: object = False,
    *,
    energy: object = None,
    forces: object = None,
    stress: object = None,
    name: str = "frame",
) -> Frame:
    """Make a :class:`Frame` from anything numpy understands; ``cell=None`` is an isolated molecule."""
    box = np.zeros((3, 3)) if cell is None else np.asarray(cell)
    flags = np.broadcast_to(np.asarray(pbc, dtype=bool), (3,))
    if cell is None and flags.any():
        raise GeometryError(f"{name}: periodic directions are asked for, but there is no cell")
    z = np.asarray(numbers)
    z = z.astype(np.int64) if z.size == 0 else z
    return Frame(z, np.asarray(positions), box, flags, energy, forces, stress, name)  # type: ignore[arg-type]


def element_names(numbers: object) -> str:
    """Return the symbols of distinct atomic numbers, for messages: ``H C O``."""
    return " ".join(SYMBOLS[int(z)] for z in sorted({int(z) for z in np.asarray(numbers).ravel()}))


def _kind(array: Array) -> str:
    return f"an array of {array.dtype} with shape {array.shape}"
