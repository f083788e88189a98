"""Which frames are for training, validation and test: frozen in a file, or drawn once with a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fusion.errors import LimitError
from fusion_models.errors import DataError

MAX_BYTES = 64 << 20
PARTS = ("train", "val", "test")

Splits = dict[str, dict[str, tuple[int, ...]]]
"""Name of a split -> part ("train", "val", "test") -> frame indices."""


def read_splits(path: Path | str, frames: int | None = None) -> Splits:
    """Read a ``.splits.json`` file: {"split1": {"train": [..], "val": [..], "test": [..]}, ..}.

    A file with the parts at its top has one split, which is called "split1".

    Args:
        path: the file.
        frames: number of frames of the data file; indices are then checked against it.

    Raises:
        DataError: the file cannot be read, has another structure, or two parts of a split share a frame.
        LimitError: the file is larger than ``MAX_BYTES``.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LimitError(f"{path.name}: larger than {MAX_BYTES} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path.name}: not a readable JSON file ({error})") from error
    if not isinstance(content, dict) or not content:
        raise DataError(f"{path.name}: expected an object of splits, each with the parts {', '.join(PARTS)}")
    if set(content) <= set(PARTS):
        content = {"split1": content}
    return {name: _check(f"{path.name}: {name}", value, frames) for name, value in content.items()}


def random_split(count: int, seed: int, val: float = 0.1, test: float = 0.1) -> dict[str, tuple[int, ...]]:
    """Draw a split of ``count`` frames into parts of the fractions 1 - val - test, val and test.

    Raises:
        DataError: fractions out of range, or nothing left to train on.
    """
    if not (0 <= val < 1 and 0 <= test < 1 and val + test < 1):
        raise DataError(f"the fractions val={val} and test={test} must be at least 0 and leave something to train on")
    n_val, n_test = round(count * val), round(count * test)
    if count - n_val - n_test < 1:
        raise DataError(f"{count} frames are too few to be split")
    order = np.random.default_rng(seed).permutation(count).tolist()
    parts = {"train": order[n_val + n_test :], "val": order[:n_val], "test": order[n_val : n_val + n_test]}
    return {name: tuple(sorted(part)) for name, part in parts.items()}


def _check(where: str, parts: Any, frames: int | None) -> dict[str, tuple[int, ...]]:
    if not isinstance(parts, dict) or not parts or not set(parts) <= set(PARTS):
        raise DataError(f"{where}: expected an object with the parts {', '.join(PARTS)}")
    owner: dict[int, str] = {}
    checked: dict[str, tuple[int, ...]] = {}
    for part, indices in parts.items():
        checked[part] = _indices(f"{where}.{part}", indices, frames)
        for index in checked[part]:
            if index in owner:
                twice = f"in {owner[index]} and in {part}" if owner[index] != part else f"twice in {part}"
                raise DataError(f"{where}: frame {index} is {twice}")
            owner[index] = part
    return checked


def _indices(where: str, indices: Any, frames: int | None) -> tuple[int, ...]:
    if not isinstance(indices, Sequence) or isinstance(indices, str):
        raise DataError(f"{where}: expected a list of frame numbers")
    for index in indices:
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise DataError(f"{where}: {str(index)[:40]!r} is not a frame number")
        if frames is not None and index >= frames:
            raise DataError(f"{where}: there is no frame {index}; the data file has {frames}")
    return tuple(indices)
