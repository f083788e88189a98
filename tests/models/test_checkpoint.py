"""Checkpoints: exact round trip, and a clear error for everything that is not one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from fusion_models.checkpoint import load_potential, save_potential
from fusion_models.errors import CheckpointError
from models.structures import batch_of, molecule, small_potential

EMBEDDING = "block.coefficients.embedding_0e"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    save_potential(small_potential(3), file, {"data": "made up"})
    return file


def rewrite(path: Path, **changes: object) -> None:
    with safe_open(path, framework="pt") as stream:
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        manifest = json.loads(stream.metadata()["manifest"])
    manifest.update(changes)
    save_file(tensors, path, {"manifest": json.dumps(manifest)})


def test_round_trip_is_exact(path: Path) -> None:
    potential, manifest = load_potential(path)
    batch = batch_of(molecule(1))
    assert torch.equal(potential(batch), small_potential(3)(batch))
    assert manifest.notes == {"data": "made up"}
    assert manifest.diagram.startswith("leg displacement: ")


def test_emitters_share_checkpoints(path: Path) -> None:
    batch = batch_of(molecule(1))
    source, interpreted = load_potential(path)[0], load_potential(path, emitter="interpret")[0]
    assert torch.allclose(source(batch), interpreted(batch), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 9}, "checkpoint version 9; this program reads version 1"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"couplings": "0" * 64}, "another coupling table"),
        ({"diagram": "leg x: 0e, on atom; x"}, "not what this version builds"),
        ({"dtype": "float16"}, "dtype"),
    ],
)
def test_manifests_are_checked(path: Path, changes: dict[str, object], message: str) -> None:
    rewrite(path, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_potential(path)


def test_tensors_are_checked(path: Path) -> None:
    with safe_open(path, framework="pt") as stream:
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        metadata = stream.metadata()
    save_file({k: v for k, v in tensors.items() if k != EMBEDDING}, path, metadata)
    with pytest.raises(CheckpointError, match=rf"missing tensors \['{EMBEDDING}'\]"):
        load_potential(path)
    save_file({**tensors, EMBEDDING: tensors[EMBEDDING][:1]}, path, metadata)
    with pytest.raises(CheckpointError, match=f"'{EMBEDDING}' has shape"):
        load_potential(path)
    save_file({**tensors, EMBEDDING: tensors[EMBEDDING] * float("nan")}, path, metadata)
    with pytest.raises(CheckpointError, match="not finite"):
        load_potential(path)


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 200, -1])
def test_truncated_files_are_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError):
        load_potential(path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_potential(tmp_path / "nothing.safetensors")


def test_damaged_weights_are_refused(path: Path) -> None:
    """One bit of the last weight; safetensors itself does not notice."""
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="weights are damaged"):
        load_potential(path)
