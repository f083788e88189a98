"""Splits, finding files, and data sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fusion_models.data import Dataset, find_data, load_dataset
from fusion_models.data.splits import random_split, read_splits
from fusion_models.errors import DataError


def write(folder: Path, name: str = "set", frames: int = 10, splits: object = None) -> Path:
    path = folder / f"{name}.npz"
    np.savez(
        path,
        n_atoms=np.full(frames, 2),
        numbers=np.tile([8, 1], frames),
        positions=np.tile([[0.0, 0, 0], [0, 0, 1.0]], (frames, 1)),
        energy=np.arange(float(frames)),
        forces=np.ones((2 * frames, 3)),
    )
    if splits is not None:
        (folder / f"{name}.splits.json").write_text(json.dumps(splits))
    return path


PARTS = {"train": [0, 1, 2], "val": [3], "test": [4, 5]}


@pytest.mark.parametrize("splits", [{"split1": PARTS, "split2": {"train": [9]}}, PARTS])
def test_splits_of_both_layouts(tmp_path: Path, splits: object) -> None:
    """The reference data have several named splits (rMD17), or the parts at the top of the file (all others)."""
    data = load_dataset(str(write(tmp_path, splits=splits)), 2.0)
    assert data.parts == {"train": (0, 1, 2), "val": (3,), "test": (4, 5)}
    assert [f.energy for f in data.part("test")] == [4.0, 5.0]


def test_missing_parts_are_empty(tmp_path: Path) -> None:
    assert load_dataset(str(write(tmp_path, splits={"train": [0], "val": [1]})), 2.0).parts["test"] == ()


def test_a_test_file_is_all_test(tmp_path: Path) -> None:
    data = load_dataset(str(write(tmp_path, "test_300K")), 2.0)
    assert (data.parts["train"], len(data.parts["test"])) == ((), 10)


def test_random_splits_depend_on_the_seed_only(tmp_path: Path) -> None:
    path = str(write(tmp_path))
    parts = load_dataset(path, 2.0, seed=3).parts
    assert parts == load_dataset(path, 2.0, seed=3).parts != load_dataset(path, 2.0, seed=4).parts
    assert sorted(i for part in parts.values() for i in part) == list(range(10))
    assert [len(parts[name]) for name in ("train", "val", "test")] == [8, 1, 1]
    with pytest.raises(DataError, match="too few"):
        random_split(0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "JSON"),
        ("[]", "expected an object"),
        ('{"split1": 3}', "expected an object"),
        ('{"split1": {"training": [0]}}', "parts train, val, test"),
        ('{"train": "01"}', "list of frame numbers"),
        ('{"train": [0, true]}', "not a frame number"),
        ('{"train": [-1]}', "not a frame number"),
        ('{"train": [10]}', "there is no frame 10; the data file has 10"),
        ('{"train": [1, 1]}', "frame 1 is twice in train"),
        ('{"train": [1], "test": [1]}', "frame 1 is in train and in test"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_wrong_splits_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "set.splits.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_splits(tmp_path / "set.splits.json", 10)


def test_an_unknown_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split 'split3'; there is split1"):
        load_dataset(str(write(tmp_path, splits=PARTS)), 2.0, split="split3")


def test_files_are_found_below_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rmd17").mkdir()
    path = write(tmp_path / "rmd17", "ethanol")
    monkeypatch.delenv("FUSION_DATA", raising=False)
    assert find_data("rmd17/ethanol", tmp_path).path == path
    with pytest.raises(DataError, match="FUSION_DATA"):
        find_data("rmd17/ethanol")
    monkeypatch.setenv("FUSION_DATA", str(tmp_path))
    assert find_data("rmd17/ethanol").path == path


def test_digests_tell_data_sets_apart(tmp_path: Path) -> None:
    data = load_dataset(str(write(tmp_path, splits=PARTS)), 2.0)
    again = load_dataset(str(write(tmp_path, splits=PARTS)), 2.0)
    assert data.digest == again.digest
    swapped = Dataset((*data.frames[1::-1], *data.frames[2:]), data.neighbours, data.parts, 2.0, data.origin)
    assert swapped.digest != data.digest
    assert load_dataset(str(write(tmp_path, splits=PARTS)), 2.5).digest != data.digest


def test_unknown_elements_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"set.npz\[0\] holds O"):
        load_dataset(str(write(tmp_path)), 2.0).check_elements((1, 6))
