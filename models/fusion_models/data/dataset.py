"""Frames with their neighbour lists, handed out in batches whose order depends on a seed and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fusion_models.batch import AtomicBatch, collate
from fusion_models.errors import DataError
from fusion_models.frames import SYMBOLS, Frame, element_names
from fusion_models.neighbours import Neighbours, neighbours


@dataclass(frozen=True)
class Position:
    """Where a training run is in its shuffled data: the whole state of the shuffling, next to the seed."""

    epoch: int = 0
    batch: int = 0


class Dataset:
    """Frames ready for a model.

    Args:
        frames: in the order of their indices.
        cutoff: Å; neighbour lists are made once, here.
        elements: atomic numbers the model knows; None accepts what the frames have.

    Raises:
        DataError: a frame has an element that the model does not know.
        GeometryError: atoms coincide, or a cell is singular.
    """

    def __init__(self, frames: Sequence[Frame], cutoff: float, elements: Sequence[int] | None = None) -> None:
        self.frames = tuple(frames)
        self.cutoff = float(cutoff)
        if elements is not None:
            check_elements(self.frames, elements)
        self.neighbours: tuple[Neighbours, ...] = tuple(
            neighbours(f.positions, cutoff, f.cell, f.pbc, name=f.name) for f in self.frames
        )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers that occur, ascending."""
        return tuple(sorted({int(z) for f in self.frames for z in set(f.numbers.tolist())}))

    @property
    def has_stress(self) -> bool:
        """Whether there are frames, and every frame is periodic and has a stress."""
        return bool(self.frames) and all(f.stress is not None and f.periodic for f in self.frames)

    def average_neighbours(self) -> float:
        """Return the mean number of neighbours of an atom, 0 without atoms."""
        atoms = sum(len(f) for f in self.frames)
        return sum(len(n) for n in self.neighbours) / atoms if atoms else 0.0

    def batch(
        self, indices: Sequence[int], dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
    ) -> AtomicBatch:
        """Return the frames of these indices as one batch."""
        chosen = [self.frames[i] for i in indices]
        return collate(chosen, [self.neighbours[i] for i in indices], dtype=dtype, device=device)

    def batches(self, size: int) -> Iterator[list[int]]:
        """Yield the indices of consecutive batches of at most ``size`` frames, in order."""
        for start in range(0, len(self), size):
            yield list(range(start, min(start + size, len(self))))

    def batches_per_epoch(self, size: int) -> int:
        return -(-len(self) // size)

    def shuffled(self, seed: int, epoch: int, size: int) -> list[list[int]]:
        """Return the batches of one epoch: a permutation drawn from (seed, epoch) alone, cut into pieces.

        The last batch of an epoch may be smaller. Because no epoch depends on the one before, a run that is resumed
        needs only its :class:`Position` to see the same batches as a run that never stopped.
        """
        order = np.random.default_rng([seed, epoch]).permutation(len(self)).tolist()
        return [order[start : start + size] for start in range(0, len(self), size)]

    def digest(self) -> str:
        """Return the SHA-256 of all structures and labels and the cutoff, to recognise a data set by."""
        found = hashlib.sha256(repr(self.cutoff).encode())
        for f in self.frames:
            for array in (f.numbers, f.positions, f.cell, f.pbc, f.energy, f.forces, f.stress):
                part = b"" if array is None else np.ascontiguousarray(array).tobytes()
                found.update(len(part).to_bytes(8, "little") + part)
        return found.hexdigest()


def check_elements(frames: Sequence[Frame], elements: Sequence[int]) -> None:
    """Refuse frames with other elements than these.

    Raises:
        DataError: names the first such frame, atom and element.
    """
    known = np.unique(np.asarray(sorted(elements), dtype=np.int64))
    for f in frames:
        strange = np.flatnonzero(~np.isin(f.numbers, known))
        if strange.size:
            atom = int(strange[0])
            raise DataError(
                f"{f.name}: atom {atom} is {SYMBOLS[int(f.numbers[atom])]}, which the model does not know; "
                f"it knows {element_names(known) or 'no element'}"
            )
