"""Numbers of rows for totals: those given, and those that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fusion.errors import FusionError
from fusion.index import CONSTANT_SPACE, IndexMap, resolve_map
from fusion_compiler.block import Block, declared_tensors
from fusion_compiler.errors import CompileError
from fusion_compiler.memory import row_spaces
from fusion_compiler.program import Program


def index_spaces(block: Block) -> tuple[str, ...]:
    """Return the index spaces of a block's diagram and program, sorted."""
    return tuple(sorted({*row_spaces(block.program), *declared_tensors(block.diagram).values()} - {CONSTANT_SPACE}))


@dataclass(frozen=True)
class Sizes:
    """Numbers of rows of index spaces, as far as they were given, and bytes of a floating-point number."""

    given: Mapping[str, int]
    itemsize: int

    @classmethod
    def of(cls, block: Block, rows: Mapping[str, int]) -> Sizes:
        """Check the rows given for a block.

        Raises:
            CompileError: rows of an index space that the diagram does not have, or a negative number.
        """
        spaces = index_spaces(block)
        for space, count in rows.items():
            if space not in spaces or count < 0:
                known = ", ".join(spaces) or "nothing"
                raise CompileError(f"rows are numbers >= 0 of {known}; got {space}={count}")
        return cls(dict(rows), block.dtype.itemsize)

    def rows(self, program: Program) -> dict[str, int]:
        """Return the rows of all index spaces of a program: given, 1, or as many tuples as n equal images have."""
        found = {space: self.given.get(space, 1) for space in row_spaces(program)}
        for space in found:
            if space not in self.given:
                found[space] = self._tuples(space, program.maps)
        return found

    def _tuples(self, space: str, maps: Iterable[tuple[str, str, str]]) -> int:
        """Return the number of rows of a space of tuples; 1 for any other space."""
        for name, source, target in maps:
            derived = IndexMap(name, source, target).derived
            if derived is not None and source == space:
                many = self.given.get(target, 1)
                return round(many * (many / max(1, self.given.get(_images(derived[0]), many))) ** (derived[1] - 1))
        return 1


def _images(base: str) -> str:
    """Return the target of a map by its name; empty when the name alone does not tell."""
    try:
        return resolve_map(base).target
    except FusionError:
        return ""
