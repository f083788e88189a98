"""What is given at run time: tensors, labels and index maps as arrays, checked against the diagram."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.diagram import Diagram, Label, Leg, Map, Pull, Sum, walk_nodes
from fusion.errors import InputError
from fusion.index import CONSTANT_SPACE, IndexMap, derived_from
from fusion.parameters import parameters
from fusion.rows import product_rows

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


class Inputs:
    """The arrays of one evaluation and the number of rows of every index space.

    Attributes:
        maps: index arrays, one entry per row of the source of each map.
        coefficients: coefficients by name.
    """

    def __init__(
        self,
        diagram: Diagram,
        tensors: Mapping[str, ArrayLike],
        coefficients: Mapping[str, ArrayLike],
        sizes: Mapping[str, int],
    ) -> None:
        self._tensors = tensors
        self._rows: dict[str, int] = {CONSTANT_SPACE: 1, **sizes}
        self.maps: dict[IndexMap, Rows] = {}
        self.coefficients: dict[str, Array] = {}
        for node in walk_nodes(diagram):
            if isinstance(node, Leg):
                self._note(node.space.on, len(self._given(node.source)), node.source)
            elif isinstance(node, Label):
                self._note(node.on, len(self._integers(node.name)), node.name)
                for step in node.maps:
                    self._map(step)
            elif isinstance(node, Pull | Sum):
                self._map(node.index_map)
            elif isinstance(node, Map) and node.over is not None:
                self._map(node.over)
        for index_map, images in self.maps.items():
            self._check_images(index_map, images)
        for parameter in parameters(diagram):
            self._coefficients(parameter.name, parameter.shape, coefficients)

    def count(self, space: str) -> int:
        """Return the number of rows of an index space."""
        if space not in self._rows:
            raise InputError(
                f"the number of rows of index space {space} is unknown; give it in sizes={{'{space}': ...}}"
            )
        return self._rows[space]

    def leg(self, leg: Leg) -> Array:
        """Return the tensor of a leg, shape (rows, *channels, components)."""
        value = self._real(leg.source, self._given(leg.source))
        space = leg.space
        expected = (self.count(space.on), *space.sizes, space.dim)
        if value.shape != expected:
            raise InputError(
                f"tensor {leg.source!r} has shape {value.shape}; leg {leg.name} needs {expected} ({space})"
            )
        return value

    def one_hot(self, index_map: IndexMap) -> Array:
        """Return delta(map[i], j) as a dense (source rows, target rows) matrix."""
        count = self.count(index_map.target)
        return (self.maps[index_map][:, None] == np.arange(count)[None, :]).astype(np.float64)

    def label(self, label: Label) -> Rows:
        """Return the classes of a label, pulled along its maps."""
        rows = self._integers(label.name)
        bad = rows[(rows < 0) | (rows >= label.classes)]
        if bad.size:
            raise InputError(f"label {label.name} has value {bad[0]}, classes run from 0 to {label.classes - 1}")
        for step in label.maps:
            rows = rows[self.maps[step]]
        return rows

    def _given(self, name: str) -> NDArray[np.generic]:
        if name not in self._tensors:
            raise InputError(f"no tensor is given for {name!r}; given: {', '.join(sorted(self._tensors)) or 'nothing'}")
        try:
            found = np.asarray(self._tensors[name])
        except ValueError as error:
            raise InputError(f"what is given for {name!r} is not an array: {error}") from None
        if found.ndim == 0:
            raise InputError(f"what is given for {name!r} has no rows; its first axis must be the index space")
        return found

    def _real(self, name: str, array: NDArray[np.generic]) -> Array:
        if array.dtype.kind not in "fiu":
            raise InputError(f"{name!r} must hold real numbers, not {array.dtype}")
        return array.astype(np.float64)

    def _integers(self, name: str) -> Rows:
        found = self._given(name)
        if found.ndim != 1 or (found.dtype.kind not in "iu" and found.size):
            raise InputError(f"{name!r} must be integers of shape (rows,), got {found.dtype} of shape {found.shape}")
        return found.astype(np.int64)

    def _note(self, space: str, count: int, name: str) -> None:
        if self._rows.setdefault(space, count) != count:
            raise InputError(f"{name!r} has {count} rows, but index space {space} has {self._rows[space]}")

    def _map(self, index_map: IndexMap) -> None:
        if index_map in self.maps:
            return
        derived = index_map.derived
        if derived is not None and index_map.name not in self._tensors:
            base, order, position = derived
            images = self._images(base)
            self._note(index_map.target, len(images), base)
            self.maps[index_map] = product_rows(images, order)[position]
        else:
            self.maps[index_map] = self._integers(index_map.name)
        self._note(index_map.source, len(self.maps[index_map]), index_map.name)

    def _images(self, name: str) -> Rows:
        """Return the array of a map by its name, computed from its base when it is of a product space."""
        derived = derived_from(name)
        if derived is None or name in self._tensors:
            return self._integers(name)
        base, order, position = derived
        return product_rows(self._images(base), order)[position]

    def _check_images(self, index_map: IndexMap, images: Rows) -> None:
        count = self.count(index_map.target) if images.size else 0
        bad = images[(images < 0) | (images >= count)]
        if bad.size:
            raise InputError(
                f"index map {index_map.name} points to row {bad[0]}, but index space {index_map.target} has rows 0 to "
                f"{count - 1}"
            )

    def _coefficients(self, name: str, shape: tuple[int, ...], given: Mapping[str, ArrayLike]) -> None:
        if name not in given:
            raise InputError(f"no coefficients are given for {name!r}; given: {', '.join(sorted(given)) or 'nothing'}")
        found = self._real(name, np.asarray(given[name]))
        if found.shape != shape:
            raise InputError(f"coefficients {name!r} have shape {found.shape}, expected {shape}")
        self.coefficients[name] = found
