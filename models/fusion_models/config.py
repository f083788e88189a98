"""What a potential is made of: the numbers that define it, without its weights."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fusion import FusionError, Irreps


class PotentialConfig(BaseModel):
    """Everything that defines a potential but its numbers. Lengths in Å, energies in eV."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    elements: tuple[int, ...] = Field(min_length=1, max_length=118)
    """Atomic numbers, ascending."""
    cutoff: float = Field(default=5.0, gt=0.0, le=50.0)
    channels: int = Field(default=32, ge=1, le=4096)
    l_max: int = Field(default=2, ge=0, le=8)
    hidden: str = "0e+1o"
    """Irreps of the node features between layers."""
    layers: int = Field(default=2, ge=1, le=16)
    powers: tuple[int, ...] = (1, 2, 3)
    basis: Literal["full", "reduced"] = "reduced"
    radial: int = Field(default=8, ge=1, le=256)
    """Number of Bessel functions."""
    envelope: int = Field(default=5, ge=2, le=64)
    radial_widths: tuple[int, ...] = (64, 64)
    readout_width: int = Field(default=16, ge=1, le=4096)
    neighbours: float = Field(default=8.0, gt=0.0)
    """Mean number of neighbours in the training data; divides the sums over neighbours."""
    scale: float = Field(default=1.0, gt=0.0)
    """Energy scale in eV, usually the root mean square of the force components times 1 Å."""

    @field_validator("elements")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)) or not all(1 <= z <= 118 for z in value):
            raise ValueError("elements are distinct atomic numbers in ascending order")
        return value

    @field_validator("powers")
    @classmethod
    def _orders(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or len(set(value)) != len(value) or not all(1 <= order <= 6 for order in value):
            raise ValueError(f"powers are distinct orders from 1 to 6, got {value}")
        return value

    @field_validator("hidden")
    @classmethod
    def _irreps(cls, value: str) -> str:
        try:
            kinds = Irreps.parse(value)
        except FusionError as error:
            raise ValueError(str(error).splitlines()[0]) from None
        if any(count != 1 for count, _ in kinds) or not any(str(irrep) == "0e" for _, irrep in kinds):
            raise ValueError(f"hidden irreps need each irrep once and 0e among them, got {value!r}")
        return value
