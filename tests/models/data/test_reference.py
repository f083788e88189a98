"""The reference data, where they are present: sizes of official splits, units by magnitude, periodic neighbours."""

from __future__ import annotations

import os

import numpy as np
import pytest

from fusion_models.data import load_dataset

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not os.environ.get("FUSION_DATA"), reason="FUSION_DATA does not name the folder of reference data"
    ),
]


def test_official_split_of_rmd17() -> None:
    data = load_dataset("rmd17/ethanol", 4.0)
    assert [len(data.parts[name]) for name in ("train", "val", "test")] == [950, 50, 1000]
    assert data.elements == (1, 6, 8)
    assert 1.0 < data.force_scale < 1.3  # 1.19 eV/Å


def test_periodic_silicon() -> None:
    data = load_dataset("mlearn/Si", 4.0)
    assert all(frame.periodic for frame in data.frames)
    assert 10 < data.mean_neighbours < 40
    assert np.isfinite([len(found) for found in data.neighbours]).all()
