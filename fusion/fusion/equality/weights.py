"""The map that carries the coefficients of one diagram to those of an equal one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tensor:
    """The coefficients of one learned linear map, as they lie in a tensor.

    Attributes:
        name: name of the tensor.
        shape: its shape.
        path: the path by itself that they belong to; ``None`` where they are the whole tensor.
        place: axis of the paths in, in a whole tensor (*classes, paths out, paths in, *letters).
    """

    name: str
    shape: tuple[int, ...]
    path: int | None
    place: int

    def whole(self, given: ArrayLike) -> Array:
        """Return the coefficients as a whole tensor of their own.

        Raises:
            InputError: the shape is another one.
        """
        array = np.asarray(given, dtype=np.float64)
        if array.shape != self.shape:
            raise InputError(f"coefficients {self.name!r} need shape {self.shape}, got {array.shape}")
        if self.path is None:
            return array
        one = np.take(array, self.path, axis=self.place - 1)
        return one.reshape(*one.shape[: self.place - 1], 1, 1, *one.shape[self.place - 1 :])

    def put(self, whole: Array, into: dict[str, Array]) -> None:
        """Put the coefficients into their tensor."""
        if self.path is None:
            into[self.name] = np.ascontiguousarray(whole)
            return
        array = into.setdefault(self.name, np.zeros(self.shape))
        np.moveaxis(array, self.place - 1, 0)[self.path] = np.squeeze(whole, axis=(self.place - 1, self.place))


@dataclass(frozen=True)
class WeightPart:
    """What becomes of the coefficients of one map: signs on paths out, a matrix on paths in, an order of axes.

    Attributes:
        source: where they are.
        target: where they go.
        signs: one sign per path out.
        matrix: invertible, shape (paths in, paths in); the new coefficients are the old ones times the matrix.
        axes: order of the axes afterwards.
    """

    source: Tensor
    target: Tensor
    signs: tuple[float, ...]
    matrix: Array
    axes: tuple[int, ...]

    def __call__(self, whole: Array) -> Array:
        """Return the new coefficients, as a whole tensor."""
        place = self.source.place
        turned = np.moveaxis(np.tensordot(whole, self.matrix, axes=(place, 0)), -1, place)
        if place:
            turned = turned * np.asarray(self.signs).reshape(-1, *(1 for _ in range(turned.ndim - place)))
        else:  # a weighted fuse has one path out, and no axis for it
            turned = turned * self.signs[0]
        return turned.transpose(self.axes)

    def inverse(self) -> WeightPart:
        """Return the way back."""
        back = tuple(int(place) for place in np.argsort(self.axes))
        matrix = np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)
        return WeightPart(self.target, self.source, self.signs, matrix, back)

    def then(self, other: WeightPart) -> WeightPart:
        """Return this part followed by another one."""
        signs = tuple(a * b for a, b in zip(self.signs, other.signs, strict=True))
        axes = tuple(self.axes[axis] for axis in other.axes)
        return WeightPart(self.source, other.target, signs, self.matrix @ other.matrix, axes)


@dataclass(frozen=True)
class WeightMap:
    """An invertible linear map from the coefficients of one diagram to those of an equal one.

    ``evaluate(first, tensors, weights) == evaluate(second, tensors, weight_map(weights))``.
    """

    parts: tuple[WeightPart, ...]

    def __call__(self, parameters: Mapping[str, ArrayLike]) -> dict[str, Array]:
        """Return the coefficients of the other diagram, by name.

        Raises:
            InputError: a tensor is missing or has another shape.
        """
        missing = sorted({part.source.name for part in self.parts} - set(parameters))
        if missing:
            raise InputError(f"coefficients are missing: {', '.join(missing)}")
        found: dict[str, Array] = {}
        for part in self.parts:
            part.target.put(part(part.source.whole(parameters[part.source.name])), found)
        return found

    def inverse(self) -> WeightMap:
        """Return the way back."""
        return WeightMap(tuple(part.inverse() for part in self.parts))

    def then(self, other: WeightMap) -> WeightMap:
        """Return this map followed by another one, which starts where this one ends."""
        following = {(part.source.name, part.source.path): part for part in other.parts}
        return WeightMap(tuple(part.then(following[part.target.name, part.target.path]) for part in self.parts))

    def __str__(self) -> str:
        lines: list[str] = []
        for part in self.parts:
            trivial = np.array_equal(part.matrix, np.eye(len(part.matrix))) and set(part.signs) <= {1.0}
            permuted = bool(np.all(np.isin(np.abs(part.matrix), (0.0, 1.0))))
            how = "as it is" if trivial else "signs and order of paths" if permuted else "recoupled"
            ends = [end.name if end.path is None else f"{end.name}[{end.path}]" for end in (part.source, part.target)]
            lines.append(f"{ends[0]} -> {ends[1]}: {how}")
        return "\n".join(lines)
