"""Settings of a training run, and the learning rate they imply."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator


class TrainConfig(BaseModel):
    """Settings of one run. At least one of ``epochs``, ``max_steps`` and ``max_seconds`` ends it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int | None = Field(default=None, ge=1)
    max_steps: int | None = Field(default=None, ge=1)
    max_seconds: float | None = Field(default=None, gt=0)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=0.01, gt=0)
    warmup_steps: int = Field(default=50, ge=0)
    energy_weight: float = Field(default=100.0, ge=0)
    """Weight of the mean square error of the energy per atom (eV²)."""
    force_weight: float = Field(default=1.0, ge=0)
    """Weight of the mean square error of force components (eV²/Å²)."""
    ema: float = Field(default=0.995, ge=0, lt=1)
    """Decay of the exponential moving average of the weights, which is what is evaluated and kept."""
    clip: float = Field(default=10.0, gt=0)
    """Largest norm of the gradient."""
    weight_decay: float = Field(default=0.0, ge=0)
    dtype: Literal["float32", "float64"] = "float32"
    seed: int = Field(default=0, ge=0)
    evaluate_every: int = Field(default=250, ge=1)
    """Steps between evaluations on the validation part, each of which also writes the resume file."""

    @model_validator(mode="after")
    def _ends(self) -> TrainConfig:
        if self.epochs is None and self.max_steps is None and self.max_seconds is None:
            raise ValueError("give epochs, max_steps or max_seconds")
        return self

    @model_validator(mode="after")
    def _weighs(self) -> TrainConfig:
        if self.energy_weight == 0 and self.force_weight == 0:
            raise ValueError("energy_weight and force_weight are both 0; nothing would be trained")
        return self

    @property
    def torch_dtype(self) -> torch.dtype:
        """The floating type of the weights."""
        return torch.float64 if self.dtype == "float64" else torch.float32

    def progress(self, step: int, epoch: int, seconds: float) -> float:
        """Return how far the run is, 0 to 1: the furthest of its limits."""
        parts = [0.0]
        if self.epochs is not None:
            parts.append(epoch / self.epochs)
        if self.max_steps is not None:
            parts.append(step / self.max_steps)
        if self.max_seconds is not None:
            parts.append(seconds / self.max_seconds)
        return min(1.0, max(parts))

    def rate(self, step: int, progress: float) -> float:
        """Return the learning rate: linear warm-up, then half a cosine down to a hundredth."""
        warm = min(1.0, (step + 1) / (self.warmup_steps + 1))
        return self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * progress)))
