"""A data set ready for training: frames, their neighbour lists, and named splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from fusion_models.batch import AtomicBatch, collate
from fusion_models.data.files import find_data, read_frames
from fusion_models.data.splits import PARTS, random_split, read_splits
from fusion_models.errors import DataError
from fusion_models.frames import SYMBOLS, Frame
from fusion_models.neighbours import Neighbours, neighbours


@dataclass(frozen=True)
class Dataset:
    """Frames, their neighbour lists for one cutoff, and the frame numbers of each part of one split.

    Attributes:
        origin: where the data came from, for records: file name and split.
        labels: how many labels of each kind the file holds, and under which keys.
    """

    frames: tuple[Frame, ...]
    neighbours: tuple[Neighbours, ...]
    parts: dict[str, tuple[int, ...]]
    cutoff: float
    origin: str
    labels: str = ""

    def batch(self, indices: Sequence[int], dtype: torch.dtype = torch.float64) -> AtomicBatch:
        """Return the given frames as one batch."""
        return collate([(self.frames[i], self.neighbours[i]) for i in indices], dtype)

    def part(self, name: str) -> list[Frame]:
        """Return the frames of one part of the split."""
        return [self.frames[i] for i in self.parts[name]]

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers in the data, ascending."""
        return tuple(sorted({int(z) for frame in self.frames for z in frame.numbers}))

    @property
    def mean_neighbours(self) -> float:
        """Mean number of neighbours of an atom of the training part."""
        atoms = sum(len(self.frames[i]) for i in self.parts["train"])
        return max(1.0, sum(len(self.neighbours[i]) for i in self.parts["train"]) / max(1, atoms))

    @property
    def force_scale(self) -> float:
        """Root mean square of the force components of the training part, in eV/Å (1 where there are none)."""
        forces = [frame.forces for frame in self.part("train") if frame.forces is not None]
        return (float(np.sqrt(np.mean(np.concatenate(forces) ** 2))) if forces else 1.0) or 1.0

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of structures, labels, split and cutoff."""
        found = hashlib.sha256(repr((self.cutoff, sorted(self.parts.items()))).encode())
        for f in self.frames:
            for value in (f.numbers, f.positions, f.cell, f.pbc, f.energy, f.forces, f.stress):
                part = b"" if value is None else np.ascontiguousarray(value).tobytes()
                found.update(len(part).to_bytes(8, "little") + part)
        return found.hexdigest()

    def summary(self) -> str:
        """Return one line: labels found, elements, parts of the split."""
        parts = ", ".join(f"{name} {len(index)}" for name, index in self.parts.items())
        return f"{self.labels or f'{self.origin}: {len(self.frames)} frames'}; {parts}"

    def check_elements(self, known: Sequence[int]) -> None:
        """Raise :class:`DataError` when a frame holds an element that is not ``known``."""
        for frame in self.frames:
            unknown = sorted({int(z) for z in frame.numbers} - set(known))
            if unknown:
                names = " ".join(SYMBOLS[z] for z in unknown)
                raise DataError(
                    f"{frame.name} holds {names}, which the potential does not know "
                    f"({' '.join(SYMBOLS[z] for z in known)})"
                )


def load_dataset(
    name: str, cutoff: float, *, split: str = "split1", data_dir: str | Path | None = None, seed: int = 0
) -> Dataset:
    """Read a data set with its frozen split and find all neighbours.

    The split comes from ``<file>.splits.json``. A file without one is divided 80/10/10, always alike (``seed``); one
    that is called ``test_*`` is all test.

    Raises:
        DataError: a missing or damaged file, wrong units, coincident atoms, or an unknown split.
        LimitError: a file is too large.
    """
    file = find_data(name, data_dir)
    frames, labels = read_frames(file.path)
    if file.splits is not None:
        splits = read_splits(file.splits, len(frames))
        if split not in splits:
            raise DataError(f"{file.splits.name}: no split {split!r}; there is {', '.join(sorted(splits))}")
        parts = splits[split]
    elif split != "split1":
        raise DataError(f"{file.path.name}: there is no {file.path.stem}.splits.json, so there is no split {split!r}")
    elif file.path.name.startswith("test_"):
        parts = {"test": tuple(range(len(frames)))}
    else:
        parts = random_split(len(frames), seed)
    found = [neighbours(f.positions, cutoff, f.cell if f.pbc.any() else None, f.pbc, name=f.name) for f in frames]
    whole = {part: tuple(parts.get(part, ())) for part in PARTS}
    return Dataset(tuple(frames), tuple(found), whole, cutoff, f"{file.path.name} {split}", str(labels))
