"""The potential: one compiled diagram from displacements to energies, and the energies of free atoms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import fusion_compiler
from fusion import Diagram, FusionError
from fusion.index import CONSTANT_SPACE
from fusion_compiler.derivatives import gradient
from fusion_compiler.program import Program
from fusion_models.architectures import mace
from fusion_models.batch import AtomicBatch
from fusion_models.config import PotentialConfig
from fusion_models.errors import DataError
from fusion_models.routine import Routine

ENERGY, SLOPE = "out", "out/displacement"
"""Outputs of the derivative program: energies of the systems, and their derivatives by the displacements of the edges.
"""


class Potential(nn.Module):
    """Energy of atomic systems.

    ``forward(batch)`` returns the energy of each system in eV, shape (S,). Forces and stress are its derivatives (see
    :mod:`fusion_models.derivatives`).

    Attributes:
        config: what was built.
        block: the compiled diagram; its energies are in units of ``config.scale``, without those of free atoms.
        slopes: the program of these energies (S, 1) and of their derivatives by the displacements, (E, 3).
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
        self.block = fusion_compiler.compile(mace.energy(config), emitter=emitter, dtype=dtype)
        for name, value in self.block.coefficients.items():
            if name.startswith(mace.STANDARD):
                nn.init.normal_(value)
        self.slopes = Routine(self.slope_program(), emitter, dtype)
        count = len(config.elements)
        self.register_buffer(
            "references", torch.zeros(count, dtype=torch.float64) if references is None else references.double()
        )
        table = torch.full((119,), -1, dtype=torch.int64)
        table[list(config.elements)] = torch.arange(count)
        self.register_buffer("element_index", table, persistent=False)

    def slope_program(self) -> Program:
        """Return the program of ``slopes`` as it was derived, which is the one to differentiate further."""
        return gradient(self.block.unbatched, ENERGY, ["displacement"])

    @property
    def diagram(self) -> Diagram:
        """The diagram of the energy."""
        return self.block.diagram

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of weights and of what a batch must have."""
        return self.block.dtype

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

    def tensors(self, batch: AtomicBatch) -> dict[str, Tensor]:
        """Return the tensors, by name, that the programs take from a batch.

        Raises:
            DataError: an unknown element, or positions of another type than the weights.
        """
        if batch.positions.dtype != self.dtype:
            raise DataError(f"the potential computes in {self.dtype}, the positions are {batch.positions.dtype}")
        return {
            "displacement": batch.displacements(),
            "z": self.elements_of(batch.numbers),
            "sender": batch.sender,
            "receiver": batch.receiver,
            "system": batch.system,
        }

    def rows(self, batch: AtomicBatch) -> dict[str, int]:
        """Return the numbers of rows of the index spaces."""
        atoms, edges = batch.numbers.shape[0], batch.sender.shape[0]
        return {CONSTANT_SPACE: 1, "system": batch.n_systems, "atom": atoms, "edge": edges}

    def detached(self) -> dict[str, Tensor]:
        """Return the coefficients by name, for programs that torch is not to differentiate."""
        return {name: value.detach() for name, value in self.block.coefficients.items()}

    def forward(self, batch: AtomicBatch) -> Tensor:
        """Return the energy of each system in eV, shape (S,), in double precision."""
        tensors = self.tensors(batch)
        found = self.block(tensors, sizes={"system": batch.n_systems})
        if not isinstance(found, Tensor):
            raise FusionError("the diagram of a potential has one output")
        return self.total(found, tensors["z"], batch)

    def total(self, found: Tensor, z: Tensor, batch: AtomicBatch) -> Tensor:
        """Return energies in eV, shape (S,), of those of the program, shape (S, 1), in double precision."""
        free = self.get_buffer("references").index_select(0, z)
        return (found.squeeze(-1).double() * self.config.scale).index_add(0, batch.system, free)
