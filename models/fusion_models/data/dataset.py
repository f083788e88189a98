"""A data set ready for training: frames, their neighbour lists, and named splits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fusion_models.batch import AtomicBatch, collate
from fusion_models.data.find import find_data
from fusion_models.data.read import read_frames
from fusion_models.errors import DataError
from fusion_models.frames import SYMBOLS, Frame
from fusion_models.neighbours import Neighbours, neighbours

PARTS = ("train", "val", "test")
MAX_SPLIT_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class Dataset:
    """Frames, their neighbour lists for one cutoff, and the frame numbers of each part of one split.

    Attributes:
        origin: where the data came from, for records: file name and split.
    """

    frames: tuple[Frame, ...]
    neighbours: tuple[Neighbours, ...]
    parts: dict[str, tuple[int, ...]]
    cutoff: float
    origin: str

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
        """Root mean square of the force components of the training part, in eV/Å (1 without forces)."""
        forces = [frame.forces for frame in self.part("train") if frame.forces is not None]
        return float(np.sqrt(np.mean(np.concatenate(forces) ** 2))) if forces else 1.0

    def summary(self) -> str:
        """Return one line: frames, labels, elements, parts."""
        count = len(self.frames)
        labels = ", ".join(
            f"{what} {sum(getattr(f, what) is not None for f in self.frames)}/{count}"
            for what in ("energy", "forces", "stress")
        )
        parts = ", ".join(f"{name} {len(index)}" for name, index in self.parts.items())
        return (
            f"{self.origin}: {count} frames ({labels}), elements {' '.join(SYMBOLS[z] for z in self.elements)}, {parts}"
        )

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

    The split comes from ``<file>.splits.json``. A file without one is divided 80/10/10 by ``seed``.

    Raises:
        DataError: a missing or damaged file, wrong units, coincident atoms, or an unknown split.
    """
    path = find_data(name, data_dir)
    frames = read_frames(path)
    parts = _read_split(path, split, len(frames), seed)
    found = [neighbours(f.positions, cutoff, f.cell if f.pbc.any() else None, f.pbc, name=f.name) for f in frames]
    return Dataset(tuple(frames), tuple(found), parts, cutoff, f"{path.name} {split}")


def _read_split(path: Path, split: str, count: int, seed: int) -> dict[str, tuple[int, ...]]:
    file = path.with_name(f"{path.name.removesuffix(path.suffix)}.splits.json")
    if not file.is_file():
        order = np.random.default_rng(seed).permutation(count)
        first, second = round(0.8 * count), round(0.9 * count)
        return {
            "train": tuple(map(int, order[:first])),
            "val": tuple(map(int, order[first:second])),
            "test": tuple(map(int, order[second:])),
        }
    if file.stat().st_size > MAX_SPLIT_BYTES:
        raise DataError(f"{file}: too large for a splits file")
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: not valid JSON ({error})") from None
    if not isinstance(loaded, dict) or split not in loaded:
        known = ", ".join(map(str, loaded)) if isinstance(loaded, dict) else "nothing"
        raise DataError(f"{file}: no split {split!r}; it has {known}")
    parts = loaded[split]
    if not isinstance(parts, dict) or set(parts) != set(PARTS):
        raise DataError(f"{file}: split {split!r} must have the parts {', '.join(PARTS)}")
    result: dict[str, tuple[int, ...]] = {}
    for name in PARTS:
        index = parts[name]
        if not isinstance(index, list) or not all(type(i) is int and 0 <= i < count for i in index):
            raise DataError(f"{file}: part {name!r} must list frame numbers from 0 to {count - 1}")
        result[name] = tuple(index)
    return result
