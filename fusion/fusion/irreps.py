"""Labels: one irrep of O(3) or SO(3), and lists of them with multiplicities, in e3nn's text form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import total_ordering

from fusion.errors import LimitError, NotationError
from fusion.limits import MAX_L, MAX_PATHS, MAX_TEXT

_LETTER = {1: "e", -1: "o", 0: ""}
_PARITY = {letter: p for p, letter in _LETTER.items()}


@total_ordering
@dataclass(frozen=True, slots=True)
class Irrep:
    """An irreducible representation: degree ``l`` and parity ``p``.

    ``p`` is +1 (even) or -1 (odd) for O(3), and 0 for SO(3), which has no parity. Irreps are ordered by degree,
    then natural parity ``(-1)**l`` first. Text: ``1o``, ``2e``; without a letter (``1``) for SO(3).
    """

    l: int
    p: int

    def __post_init__(self) -> None:
        if type(self.l) is not int or type(self.p) is not int or self.l < 0 or self.p not in (-1, 0, 1):
            raise NotationError(
                f"an irrep needs a degree l >= 0 and a parity of -1, 0 or +1; got l={self.l!r}, p={self.p!r}"
            )
        if self.l > MAX_L:
            raise LimitError(f"degree l = {self.l} is above the limit of {MAX_L}")

    @classmethod
    def parse(cls, text: str) -> Irrep:
        """Read ``"1o"``; raise :class:`NotationError` when it is anything else."""
        items = Irreps.parse(text).items
        if len(items) != 1 or items[0][0] != 1:
            raise NotationError("expected one irrep such as 1o", text, 0)
        return items[0][1]

    @property
    def dim(self) -> int:
        """Number of components, ``2 l + 1``."""
        return 2 * self.l + 1

    @property
    def group(self) -> str:
        """``"O(3)"``, or ``"SO(3)"`` when the irrep carries no parity."""
        return "SO(3)" if self.p == 0 else "O(3)"

    @property
    def is_scalar(self) -> bool:
        """Whether the irrep is invariant under the whole group (an even scalar)."""
        return self.l == 0 and self.p >= 0

    def __str__(self) -> str:
        return f"{self.l}{_LETTER[self.p]}"

    def _key(self) -> tuple[int, int]:
        return self.l, -self.p * (-1) ** self.l

    def __lt__(self, other: Irrep) -> bool:
        return self._key() < other._key()


_ITEM = re.compile(r"[ ]*(?:([0-9]+)[ ]*x[ ]*)?([0-9]+)([eo]?)[ ]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Irreps:
    """A list of ``(multiplicity, irrep)``; on a wire the multiplicity counts *paths*, never channels.

    Text form of e3nn: ``"8x0e+4x1o+2e"``. ASCII digits only; multiplicities and degrees are bounded; in a text a
    multiplicity of zero is allowed and disappears, so ``0x0e`` is the empty list. O(3) and SO(3) labels do not mix.
    """

    items: tuple[tuple[int, Irrep], ...]

    def __post_init__(self) -> None:
        if any(type(count) is not int or count < 1 for count, _ in self.items):
            raise NotationError(f"multiplicities must be positive integers; got {[count for count, _ in self.items]}")
        if len({irrep.p == 0 for _, irrep in self.items}) > 1:
            raise NotationError(f"irreps of O(3) and SO(3) do not mix: {str(self)[:80]}")
        if sum(count for count, _ in self.items) > MAX_PATHS:
            raise LimitError(f"more than {MAX_PATHS} paths: {str(self)[:80]}")

    @classmethod
    def parse(cls, text: str | Irreps | Irrep) -> Irreps:
        """Read the text form.

        Raises:
            NotationError: with a caret under the offending place.
            LimitError: a degree or a multiplicity is too large.
        """
        if isinstance(text, Irreps):
            return text
        if isinstance(text, Irrep):
            return cls(((1, text),))
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # what a user may give
            raise NotationError(f"irreps are written as text such as '8x0e+1o', got {text!r:.40}")
        if len(text) > MAX_TEXT:
            raise LimitError(f"irreps of {len(text)} characters are above the limit of {MAX_TEXT}")
        items: list[tuple[int, Irrep]] = []
        position = 0
        while True:
            match = _ITEM.match(text, position)
            if match is None:
                raise NotationError("expected an irrep such as 1o or 8x0e", text or " ", position)
            count, degree, letter = match.groups("1")
            digits = max(len(count), len(degree))
            if digits > 9:
                raise LimitError(f"a number of {digits} digits is above the limits of irreps")
            multiplicity = int(count)
            if multiplicity > MAX_PATHS:
                raise LimitError(f"multiplicity {multiplicity} is above the limit of {MAX_PATHS}")
            items.append((multiplicity, Irrep(int(degree), _PARITY[letter])))
            position = match.end()
            if position == len(text):
                break
            if text[position] != "+":
                raise NotationError("expected '+' or the end", text, position)
            position += 1
        return cls(tuple((count, irrep) for count, irrep in items if count))

    @property
    def dim(self) -> int:
        """Number of components, the sum of ``multiplicity * (2 l + 1)``."""
        return sum(count * irrep.dim for count, irrep in self.items)

    @property
    def paths(self) -> int:
        """Number of paths, the sum of the multiplicities."""
        return sum(count for count, _ in self.items)

    def canonical(self) -> Irreps:
        """Return the same content with one entry per irrep, in the canonical order of :class:`Irrep`."""
        total: dict[Irrep, int] = {}
        for count, irrep in self.items:
            total[irrep] = total.get(irrep, 0) + count
        return Irreps(tuple((total[irrep], irrep) for irrep in sorted(total)))

    def count(self, irrep: Irrep) -> int:
        """Return the multiplicity of ``irrep`` (0 when it is absent)."""
        return sum(count for count, found in self.items if found == irrep)

    def kinds(self) -> tuple[Irrep, ...]:
        """Return the distinct irreps in canonical order."""
        return tuple(sorted({irrep for _, irrep in self.items}))

    def __iter__(self) -> Iterator[tuple[int, Irrep]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __str__(self) -> str:
        return "+".join(f"{count}x{irrep}" if count != 1 else str(irrep) for count, irrep in self.items) or "0x0e"

    def __repr__(self) -> str:
        return f"Irreps.parse({str(self)!r})"


def irreps_of(kinds: Iterable[Irrep]) -> Irreps:
    """Return ``Irreps`` with each of ``kinds`` once, in canonical order."""
    return Irreps(tuple((1, irrep) for irrep in kinds)).canonical()
