"""Which labels a file holds, and the units that are accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fusion_models.errors import DataError
from fusion_models.frames import Frame, element_names

ACCEPTED = "positions and cells in Å, energies in eV, forces in eV/Å, stress in eV/Å³"

# Names that say eV and Å, compared after lower-casing and removing blanks, dots and signs between units.
_GOOD_UNITS = {
    "ev",
    "å",
    "angstrom",
    "ang",
    "eva",
    "evå",
    "evangstrom",
    "evang",
    "eva3",
    "evå3",
    "evangstrom3",
    "evang3",
}
_QUANTITIES = ("energy", "energies", "force", "forces", "stress", "virial", "virials", "position", "positions", "cell")
_UNIT_SUFFIX = re.compile(
    rf"(?:{'|'.join(_QUANTITIES)})_(?:in_)?"
    r"(k?cal|kj|j|ha|hartree|au|a_u|bohr|ry|rydberg|mev|kev|cm_?1|gpa|kbar|bar|pa|nm|pm|m|k)(?:_.*|per.*|mol.*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LabelReport:
    """How many labels were found in one file, for showing to the user before anything is done with them.

    Attributes:
        source: name of the file.
        frames, energies, forces, stresses: numbers of frames, and of frames with each label.
        atoms: number of atoms in all frames.
        elements: symbols, by atomic number.
        keys: where each label was found, such as ``("energy", "REF_energy")``.
        ignored: keys that were left aside.
    """

    source: str
    frames: int
    energies: int
    forces: int
    stresses: int
    atoms: int
    elements: str
    keys: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = dict(self.keys)
        found = [
            f"{count} {what}" + (f" ({where[key]})" if where.get(key, key) != key else "")
            for key, what, count in (
                ("energy", "energies", self.energies),
                ("forces", "forces", self.forces),
                ("stress", "stresses", self.stresses),
            )
        ]
        text = f"{self.source}: {self.frames} frames, {self.atoms} atoms ({self.elements}); labels: {', '.join(found)}"
        if self.ignored:
            text += f"; ignored: {', '.join(self.ignored)}"
        if not (self.energies or self.forces or self.stresses):
            text += "; NO LABELS FOUND"
        return text


def report(
    source: str, frames: Sequence[Frame], keys: Iterable[tuple[str, str]] = (), ignored: Iterable[str] = ()
) -> LabelReport:
    numbers = [int(z) for z in sorted({int(z) for f in frames for z in set(f.numbers.tolist())})]
    return LabelReport(
        source=source,
        frames=len(frames),
        energies=sum(f.energy is not None for f in frames),
        forces=sum(f.forces is not None for f in frames),
        stresses=sum(f.stress is not None for f in frames),
        atoms=sum(len(f) for f in frames),
        elements=element_names(numbers) or "no elements",
        keys=tuple(sorted(set(keys))),
        ignored=tuple(sorted(set(ignored))),
    )


def refuse_units(source: str, keys: Iterable[str]) -> None:
    """Refuse keys that name another unit, such as ``energy_kcal``.

    Raises:
        DataError: at the first such key.
    """
    for key in keys:
        match = _UNIT_SUFFIX.fullmatch(key)
        if match:
            raise DataError(
                f"{source}: the key {key!r} says that its values are in {match[1]!r}; this program reads "
                f"{ACCEPTED}. Convert the values and name the key {key[: match.start(1)].rstrip('_')!r}."
            )


def check_units(source: str, value: object) -> None:
    """Accept a ``units`` entry only when every unit in it is eV or Å or made of them.

    Raises:
        DataError: another unit, or something that is no text.
    """
    texts = [value] if isinstance(value, (str, bytes)) else list(value) if isinstance(value, Iterable) else [value]
    for item in texts:
        text = item.decode(errors="replace") if isinstance(item, bytes) else str(item)
        for part in re.split(r"[,;\s]+(?!\d)", text.strip()):
            plain = re.sub(r"[\s/*·^._-]|per", "", part.rpartition(":")[2].rpartition("=")[2]).lower().replace("³", "3")
            if plain and plain not in _GOOD_UNITS:
                raise DataError(f"{source}: the units are given as {text!r}; this program reads {ACCEPTED}")
