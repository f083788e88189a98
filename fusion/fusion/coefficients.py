"""The coefficients of a mix: learned, constant, a fitted buffer, or tied (constant tensor x learned tensor)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep
from fusion.limits import MAX_CONSTANT

Nested = float | tuple["Nested", ...]
"""A number or nested tuples of numbers: a constant tensor as an immutable value."""


def freeze(values: object) -> Nested:
    """Return nested sequences (or an array) as nested tuples of finite floats; raise on anything else."""
    try:
        array = np.asarray(values)
    except ValueError:  # ragged, or nested deeper than numpy goes
        array = np.asarray("ragged")
    if array.dtype.kind not in "fiu":
        raise NotationError("constant coefficients must be numbers in sequences of equal length")
    if array.size > MAX_CONSTANT:
        raise LimitError(f"a constant with {array.size} numbers is above the limit of {MAX_CONSTANT}")
    if not np.all(np.isfinite(array)):
        raise NotationError("constant coefficients must be finite")
    return _tuples(np.asarray(array, dtype=np.float64))


def _tuples(array: NDArray[np.float64]) -> Nested:
    return float(array) if array.ndim == 0 else tuple(_tuples(array[i]) for i in range(len(array)))


def nested_text(values: Nested) -> str:
    """Return nested tuples in brackets, ``[[1.0, 0.0], [0.0, 1.0]]``."""
    return "[" + ", ".join(map(nested_text, values)) + "]" if isinstance(values, tuple) else repr(values)


@dataclass(frozen=True, slots=True)
class Learned:
    """Learned coefficients, one tensor per irrep or one for all (shape: :func:`fusion.parameters.mix_axes`)."""

    def __str__(self) -> str:
        return "learned"


LEARNED = Learned()


@dataclass(frozen=True, slots=True)
class Constant:
    """Constant coefficients; ``values`` are (irrep or None for all irreps, tensor broadcast to the learned shape)."""

    values: tuple[tuple[Irrep | None, Nested], ...]

    @classmethod
    def of(cls, values: object) -> Constant:
        """Build from a number, nested sequences, or one of these per irrep."""
        if isinstance(values, Mapping):
            given = cast("Mapping[object, object]", values)
            items: list[tuple[Irrep | None, Nested]] = [(Irrep.parse(str(k)), freeze(v)) for k, v in given.items()]
            if not items or len({irrep for irrep, _ in items}) != len(items):
                raise NotationError("constant coefficients need each irrep once")
            return cls(tuple(sorted(items, key=lambda item: str(item[0]))))
        return cls(((None, freeze(values)),))

    def tensor(self, irrep: Irrep) -> NDArray[np.float64] | None:
        """Return the tensor for one irrep, or ``None`` when it is missing."""
        for key, value in self.values:
            if key is None or key == irrep:
                return np.asarray(value, dtype=np.float64)
        return None

    def __str__(self) -> str:
        if len(self.values) == 1 and self.values[0][0] is None:
            return f"constant={nested_text(self.values[0][1])}"
        return "constant={" + ", ".join(f"{irrep}: {nested_text(value)}" for irrep, value in self.values) + "}"


@dataclass(frozen=True, slots=True)
class Buffer:
    """Constant coefficients that are fitted and bound later, such as a PCA; same shape as learned ones."""

    name: str

    def __str__(self) -> str:
        return f"buffer={self.name}"


@dataclass(frozen=True, slots=True)
class Tied:
    """Constant tensor x learned tensor, contracted over letters that the pattern lacks.

    With pattern ``"uc->vd"``, a tensor with letters ``"kcd"`` and weights with letters ``"kuv"`` the coefficient of
    (u, c) -> (v, d) is ``sum_k tensor[k, c, d] weight[k, u, v]``: a complex weight on pairs of real channels.
    """

    values: Nested
    tensor_letters: str
    weight_letters: str

    @classmethod
    def of(cls, tensor: object, tensor_letters: str, weight_letters: str) -> Tied:
        """Build from a nested sequence; raise when letters and axes do not agree."""
        values = freeze(tensor)
        array = np.asarray(values, dtype=np.float64)
        for letters in (tensor_letters, weight_letters):
            if not (letters.isascii() and letters.isalpha() and letters.islower()) or len(set(letters)) != len(letters):
                raise NotationError(
                    f"letters of a tied coefficient must be distinct lower-case letters, got {letters!r}"
                )
        if array.ndim != len(tensor_letters):
            raise NotationError(
                f"the tied tensor has {array.ndim} axes, its letters {tensor_letters!r} name {len(tensor_letters)}"
            )
        return cls(values, tensor_letters, weight_letters)

    @property
    def tensor(self) -> NDArray[np.float64]:
        """The constant tensor."""
        return np.asarray(self.values, dtype=np.float64)

    def __str__(self) -> str:
        return f"tied={nested_text(self.values)} {self.tensor_letters} {self.weight_letters}"


Coefficients = Learned | Constant | Buffer | Tied
