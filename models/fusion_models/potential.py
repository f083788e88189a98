"""The potential: compiled message-passing layers between an embedding and a read-out."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

import fusion_compiler
from fusion import Diagram, FusionError, Irreps, Wire
from fusion_models.architectures import mace
from fusion_models.batch import AtomicBatch
from fusion_models.errors import DataError
from fusion_models.radial import SILU_SCALE, RadialMLP


class PotentialConfig(BaseModel):
    """Everything that defines a potential but its numbers. Lengths in Å, energies in eV."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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


class Potential(nn.Module):
    """Energy of atomic systems.

    ``forward(batch)`` returns the energy of each system in eV, shape (S,). Forces and stress are its derivatives (see
    :mod:`fusion_models.derivatives`).

    Attributes:
        config: what was built.
        diagrams: the diagrams of the compiled blocks, by name.
    """

    def __init__(
        self,
        config: PotentialConfig,
        references: Tensor | None = None,
        *,
        emitter: str = "source",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.config = config
        hidden, scalar = Irreps.parse(config.hidden).canonical(), Irreps.parse("0e")
        count = len(config.elements)
        self.diagrams: dict[str, Wire | Diagram] = {
            "geometry": mace.edge_geometry(config.l_max, config.radial, config.cutoff, config.envelope)
        }
        for number in range(config.layers):
            self.diagrams[f"layer{number + 1}"] = mace.layer(
                scalar if number == 0 else hidden,
                scalar if number == config.layers - 1 else hidden,
                elements=count,
                channels=config.channels,
                l_max=config.l_max,
                powers=config.powers,
                basis=config.basis,
                neighbours=config.neighbours,
            )
        self.blocks = nn.ModuleDict(
            {
                name: fusion_compiler.compile(diagram, emitter=emitter, dtype=dtype)
                for name, diagram in self.diagrams.items()
            }
        )
        self.embedding = nn.Parameter(torch.randn(count, config.channels, dtype=dtype))
        widths = (config.radial, *config.radial_widths)
        self.radial = nn.ModuleList()
        self.radial_shapes: list[tuple[int, int]] = []
        self.readouts = nn.ParameterList()
        for number in range(config.layers):
            diagram = self.diagrams[f"layer{number + 1}"]
            if isinstance(diagram, Diagram):
                raise FusionError("a layer has one output")
            paths, channels = mace.radial_paths(diagram)
            self.radial.append(RadialMLP((*widths, channels * paths), dtype=dtype))
            self.radial_shapes.append((channels, paths))
            if number < config.layers - 1:
                self.readouts.append(nn.Parameter(torch.randn(config.channels, dtype=dtype) * config.channels**-0.5))
        self.readout_in = nn.Parameter(
            torch.randn(config.channels, config.readout_width, dtype=dtype) * config.channels**-0.5
        )
        self.readout_out = nn.Parameter(torch.randn(config.readout_width, dtype=dtype) * config.readout_width**-0.5)
        self.register_buffer(
            "references", torch.zeros(count, dtype=torch.float64) if references is None else references.double()
        )
        table = torch.full((119,), -1, dtype=torch.int64)
        table[list(config.elements)] = torch.arange(count)
        self.register_buffer("element_index", table, persistent=False)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move and convert as any module, but keep the reference energies in double precision."""
        kept = self.get_buffer("references").double().clone()
        super()._apply(fn, recurse)
        self.references = kept.to(self.get_buffer("references").device)
        return self

    def elements_of(self, numbers: Tensor) -> Tensor:
        """Return the number of every atom's element; raise :class:`DataError` for an unknown one."""
        found = self.get_buffer("element_index").index_select(0, numbers.clamp(0, 118))
        if not torch.compiler.is_compiling() and bool((found < 0).any()):
            unknown = sorted(set(numbers[found < 0].tolist()))
            raise DataError(f"the potential knows the elements {list(self.config.elements)}, not {unknown}")
        return found

    def forward(self, batch: AtomicBatch) -> Tensor:
        """Return the energy of each system in eV, shape (S,), in double precision."""
        z = self.elements_of(batch.numbers)
        vectors = batch.displacements()
        edges = self.blocks["geometry"](displacement=vectors)
        radial = edges["radial"].squeeze(-1)
        h = self.embedding.index_select(0, z).unsqueeze(-1)
        atom_energy = torch.zeros_like(h[:, 0, 0])
        for number in range(self.config.layers):
            h = self.blocks[f"layer{number + 1}"](
                h=h,
                Y=edges["Y"],
                R=self.radial[number](radial).unflatten(-1, self.radial_shapes[number]),
                z=z,
                sender=batch.sender,
                receiver=batch.receiver,
            )
            scalars = h[..., 0]
            if number < self.config.layers - 1:
                atom_energy = atom_energy + scalars @ self.readouts[number]
            else:
                inner = SILU_SCALE * nn.functional.silu(scalars @ self.readout_in)
                atom_energy = atom_energy + inner @ self.readout_out
        energy = atom_energy.double() * self.config.scale + self.get_buffer("references").index_select(0, z)
        return torch.zeros(batch.n_systems, dtype=torch.float64, device=energy.device).index_add(
            0, batch.system, energy
        )
