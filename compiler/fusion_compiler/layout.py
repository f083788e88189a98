"""Which paths of a wire are computed, and where they lie on the component axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fusion.irreps import Irrep
from fusion.space import Space

Path = tuple[Irrep, int]
"""One path of a wire: its irrep and its number among the paths of that irrep."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The kept paths of a wire, in canonical order; a value holds just their components."""

    paths: tuple[Path, ...]

    @classmethod
    def full(cls, space: Space) -> Layout:
        """Every path of the space."""
        return cls(tuple((irrep, path) for count, irrep in space.irreps for path in range(count)))

    def keep(self, wanted: Iterable[Path]) -> Layout:
        """The paths that ``wanted`` holds, order kept."""
        chosen = set(wanted)
        return Layout(tuple(path for path in self.paths if path in chosen))

    @property
    def dim(self) -> int:
        """Number of components."""
        return sum(irrep.dim for irrep, _ in self.paths)

    @property
    def offsets(self) -> dict[Path, int]:
        """First component of every path."""
        found: dict[Path, int] = {}
        place = 0
        for path in self.paths:
            found[path] = place
            place += path[0].dim
        return found

    def groups(self) -> tuple[tuple[Irrep, int, tuple[int, ...]], ...]:
        """Return (irrep, first component, path numbers) for each irrep."""
        offsets = self.offsets
        found: dict[Irrep, list[int]] = {}
        for irrep, path in self.paths:
            found.setdefault(irrep, []).append(path)
        return tuple((irrep, offsets[irrep, numbers[0]], tuple(numbers)) for irrep, numbers in found.items())

    def components(self, paths: Iterable[Path]) -> tuple[int, ...]:
        """Return the components of ``paths`` in this layout, in the order asked."""
        offsets = self.offsets
        return tuple(offsets[path] + m for path in paths for m in range(path[0].dim))

    def __str__(self) -> str:
        return " ".join(f"{irrep}[{','.join(map(str, numbers))}]" for irrep, _, numbers in self.groups()) or "nothing"
