"""Free signs: an output path of a learned map may change its sign, because its coefficients may.

Every place where a sign can be seen depends on some free signs. Going through the places in their order, a free sign
that is still open is used up to make the place positive; where none is left, the sign belongs to the diagram.
"""

from __future__ import annotations

from fusion.equality.terms import FIXED, Sign


class Signs:
    """Places with signs, and the free signs that make them positive as far as possible."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int, int], tuple[Sign, bool]] = {}
        self.seen: list[bool] = []
        """Whether each place stays negative, in the order of the places."""

    def place(self, negative: bool, free: Sign) -> None:
        """Take in the next place: its sign, and the free signs that it changes with."""
        for pivot in sorted(free):
            if pivot in free and pivot in self._rows:
                row, value = self._rows[pivot]
                free, negative = free ^ row, negative ^ value
        if free == FIXED:
            self.seen.append(negative)
            return
        pivot = min(free)
        self.seen.append(False)
        for other, (row, value) in list(self._rows.items()):
            if pivot in row:
                self._rows[other] = (row ^ free, value ^ negative)
        self._rows[pivot] = (free, negative)

    def negative(self, free: Sign) -> bool:
        """Return whether a quantity with these free signs is turned round."""
        return sum(self._rows[item][1] for item in free if item in self._rows) % 2 == 1
