"""Terms: the single paths of all wires of a diagram, each distinct function once.

A path of a wire is a combination of terms, ``{term: coefficient}``. A term has a *key* that leaves signs out, because
the signs of learned coefficients are free (see :mod:`fusion.equality.signs`), and that knows coefficients by their
*colour* only, not by name. So a key sorts terms and does not identify one: ``a + b`` and ``a - b`` share a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from fusion.irreps import Irrep

Combination = dict[int, float]
"""Coefficients by number of the term."""

Sign = frozenset[tuple[str, int, int]]
"""The free signs that a quantity changes with; two of them cancel."""

FIXED: Sign = frozenset()
NEGLIGIBLE = 1e-10
"""A sum that is smaller than its parts by this factor has cancelled."""
ROUNDING = 1e-12
"""A coefficient that is smaller than another one of the same combination by this factor is an error of rounding."""


@dataclass(frozen=True, slots=True)
class Term:
    """One function: what is done (``kind`` and ``facts``) to which terms.

    Attributes:
        irrep: how it transforms.
        axes: number of its channel axes.
        children: numbers of the terms it is made from.
        coefficients: one per child where the term is a sum, or the argument of a function.
        key: digest of the term without signs.
        order: the key, then a digest with signs; sorts terms.
        sign: the free signs that the term changes with.
    """

    kind: str
    facts: tuple[object, ...]
    irrep: Irrep
    axes: int
    children: tuple[int, ...]
    coefficients: tuple[float, ...]
    key: str
    order: tuple[str, str]
    sign: Sign


class Terms:
    """All terms of one diagram, numbered so that children come first.

    Args:
        colours: what is known of every set of coefficients; equal colours cannot be told apart.
        recouple: couple along left combs over sorted legs, so that all trees over the same legs are comparable.
        settled: whether all colours differ, so that the order of legs is known and keys may depend on it.
    """

    def __init__(self, colours: dict[int, str], recouple: bool, settled: bool) -> None:
        self.colours = colours
        self.recouple = recouple
        self.settled = settled
        self._terms: list[Term] = []
        self._numbers: dict[tuple[object, ...], int] = {}

    def __getitem__(self, number: int) -> Term:
        return self._terms[number]

    def __len__(self) -> int:
        return len(self._terms)

    def make(
        self,
        kind: str,
        facts: tuple[object, ...],
        irrep: Irrep,
        axes: int,
        children: tuple[int, ...] = (),
        coefficients: tuple[float, ...] = (),
        sign: Sign | None = None,
        name: tuple[object, ...] | None = None,
    ) -> int:
        """Return the number of a term.

        Args:
            sign: the free signs; those of the children together when left out.
            name: what the key is made of, if not of facts, children and coefficients.
        """
        identity = (kind, facts, irrep, children, tuple(digits(value, True) for value in coefficients))
        if identity in self._numbers:
            return self._numbers[identity]
        if sign is None:
            sign = FIXED
            for child in children:
                sign ^= self[child].sign
        inside = [self[child].key for child in children]
        key = digest(kind, irrep, *((facts, inside, coefficients) if name is None else name))
        signs = [self[child].order[1] for child in children]
        order = (key, digest(key, signs, [value < 0 for value in coefficients], facts if kind == "comb" else ()))
        number = len(self._terms)
        self._terms.append(Term(kind, facts, irrep, axes, children, coefficients, key, order, sign))
        self._numbers[identity] = number
        return number

    def slot(self, parameter: int, path: int, irrep: Irrep, axes: int) -> int:
        """Return an output path of a learned linear map: a term with a free sign."""
        sign = frozenset({("slot", parameter, path)})
        return self.make("slot", (parameter, path), irrep, axes, sign=sign, name=(self.colours[parameter], path))

    def sum(self, value: Combination) -> tuple[float, int] | None:
        """Return a combination as one coefficient and one term, or ``None`` when it is zero."""
        items = self.sorted(value)
        if not items:
            return None
        if len(items) == 1:
            return items[0][1], items[0][0]
        overall = -1.0 if items[0][1] < 0 else 1.0
        children, coefficients = tuple(t for t, _ in items), tuple(overall * c for _, c in items)
        first = self[children[0]]
        # The number of the next term names the sum's own free sign: its overall sign is a matter of convention.
        sign = frozenset({("sum", len(self), 0)})
        name: tuple[object, ...] | None = None
        if not self.settled:  # children that cannot be told apart yet come in any order
            keys = [self[child].key for child in children]
            name = (sorted(set(keys)) if self.recouple else sorted(zip(keys, map(digits, coefficients), strict=True)),)
        return overall, self.make("combination", (), first.irrep, first.axes, children, coefficients, sign, name)

    def sorted(self, value: Combination) -> list[tuple[int, float]]:
        """Return the items of a combination that do not cancel, in the order of the terms."""
        largest = max(map(abs, value.values()), default=0.0)
        items = [(term, c) for term, c in value.items() if abs(c) > ROUNDING * largest]
        return sorted(items, key=lambda item: (self[item[0]].key, digits(item[1]), self[item[0]].order, item[0]))


def digits(value: float, signed: bool = False) -> str:
    """Return the digits of a coefficient that count: rounding errors do not."""
    return f"{value if signed else abs(value):.10g}"


def accumulate(into: Combination, value: Combination, factor: float = 1.0) -> None:
    """Add ``factor`` times ``value`` to ``into``."""
    for term, coefficient in value.items():
        old, more = into.get(term, 0.0), factor * coefficient
        new = old + more
        into[term] = 0.0 if abs(new) <= NEGLIGIBLE * max(abs(old), abs(more)) else new


def digest(*parts: object) -> str:
    """Return the SHA-256 of nested sequences of texts and numbers, with floats rounded and without their signs."""
    return hashlib.sha256(repr([_plain(part) for part in parts]).encode()).hexdigest()


def _plain(part: object) -> object:
    if isinstance(part, float):
        return digits(part)
    if isinstance(part, tuple | list):
        return [_plain(item) for item in cast("Sequence[object]", part)]
    return part if isinstance(part, str | int) else str(part)
