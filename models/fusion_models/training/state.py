"""The state of an unfinished run, in one safetensors file, so that resuming goes on exactly where it stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import save as to_bytes
from torch import Tensor

from fusion_models.checkpoint import read_tensors, short
from fusion_models.config import PotentialConfig
from fusion_models.errors import CheckpointError
from fusion_models.files import write_atomic
from fusion_models.training.config import TrainConfig


@dataclass
class Position:
    """Where a run is: steps done, current epoch, batches done in it, seconds spent training."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0


class StateManifest(BaseModel):
    """What a resume file says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = "fusion-training-state"
    version: int = 1
    config: TrainConfig
    potential: PotentialConfig
    data: str
    digest: str
    """Digest of the frames, labels and split (:attr:`Dataset.digest`)."""
    position: dict[str, float]
    history: list[dict[str, float]]


def save_state(path: Path, manifest: StateManifest, tensors: dict[str, Tensor]) -> None:
    """Write a resume file; it appears whole or not at all."""
    contiguous = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_atomic(path, to_bytes(contiguous, {"manifest": manifest.model_dump_json()}))


def load_state(path: Path) -> tuple[StateManifest, dict[str, Tensor]]:
    """Read a resume file; raise :class:`CheckpointError` when it is not one."""
    tensors, metadata = read_tensors(path)
    try:
        return StateManifest.model_validate(json.loads(metadata.get("manifest", ""))), tensors
    except ValidationError as error:
        raise CheckpointError(f"{path}: the resume file is not valid: {short(error)}") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: is not a resume file of this program") from None


def position_dict(position: Position) -> dict[str, float]:
    """Return the position as plain numbers."""
    return {name: float(value) for name, value in asdict(position).items()}


def position_of(manifest: StateManifest) -> Position:
    """Return the stored position."""
    found = manifest.position
    return Position(int(found["step"]), int(found["epoch"]), int(found["batch"]), float(found["seconds"]))


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """Return the optimiser's state as named tensors."""
    found: dict[str, Tensor] = {}
    state = optimizer.state_dict()["state"]
    for number, name in enumerate(names):
        for key, value in state.get(number, {}).items():
            found[f"optimizer.{name}.{key}"] = torch.as_tensor(value)
    return found


def restore_optimizer(optimizer: torch.optim.Optimizer, names: list[str], tensors: dict[str, Tensor]) -> None:
    """Put the optimiser's state back."""
    state: dict[int, dict[str, Tensor]] = {}
    for number, name in enumerate(names):
        prefix = f"optimizer.{name}."
        entries = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        if entries:
            state[number] = entries
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
