"""Arrays on a wire as the oracle sees them, and the strict products that it forms of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fusion.sampling.oracle.couplings import Array, Label, turned

Blocks = dict[Label, Array]
"""For each label an array (2, rows, *channel axes, paths, 2 l + 1): a value, and the same value transformed."""


class Refused(Exception):
    """What is asked cannot be computed, or its result does not transform as it should."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What can come along a wire: its number of rows, sizes of channel axes, and number of paths of each label."""

    rows: int
    axes: tuple[int, ...]
    paths: tuple[tuple[Label, int], ...]

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label once."""
        return tuple(label for label, _ in self.paths)

    def count(self, label: Label) -> int:
        """Return the number of paths of a label."""
        return dict(self.paths).get(label, 0)


def generic(rng: np.random.Generator, shape: Shape) -> Blocks:
    """Draw a value without any symmetry, beside its transform."""
    found: Blocks = {}
    for label, paths in shape.paths:
        value = rng.normal(size=(shape.rows, *shape.axes, paths, 2 * label[0] + 1)).astype(np.complex128)
        found[label] = np.stack([value, value @ turned(label).T])
    return found


def shape_of(blocks: Mapping[Label, Array]) -> Shape:
    """Return the shape of a value; refuse one that does not transform as its labels say, or that is nothing."""
    if not blocks:
        raise Refused("nothing is left")
    if len({label[1] == 0 for label in blocks}) > 1:
        raise Refused("labels of O(3) and SO(3)")
    for label, block in blocks.items():
        if not np.allclose(block[1], block[0] @ turned(label).T, rtol=1e-7, atol=1e-7):
            raise Refused("the result does not transform as its labels say")
    sizes = {block.shape[1:-2] for block in blocks.values()}
    if len(sizes) > 1:
        raise Refused("the labels have different channels")
    rows, *axes = sizes.pop()
    return Shape(rows, tuple(axes), tuple(sorted((label, block.shape[-2]) for label, block in blocks.items())))


def product(result: Sequence[object], *operands: tuple[Array, Sequence[object]]) -> Array:
    """Multiply arrays with named axes and sum over every name that ``result`` lacks; equal names need equal sizes."""
    sizes: dict[object, int] = {}
    for array, names in operands:
        if array.ndim != len(names):
            raise Refused(f"{len(names)} names for {array.ndim} axes")
        for name, size in zip(names, array.shape, strict=True):
            if sizes.setdefault(name, size) != size:
                raise Refused(f"axis {name} is {sizes[name]} and {size}")
    if missing := [name for name in result if name not in sizes]:
        raise Refused(f"axis {missing[0]} has no size")
    number = {name: place for place, name in enumerate(sizes)}
    flat: list[Any] = [part for array, names in operands for part in (array, [number[name] for name in names])]
    return np.asarray(np.einsum(*flat, [number[name] for name in result], optimize=len(operands) > 2))


def common_rows(*rows: int) -> int:
    """Return the number of rows of wires that meet; one row goes with any number."""
    several = {count for count in rows if count != 1}
    if len(several) > 1:
        raise Refused(f"rows {sorted(several)} meet")
    return several.pop() if several else 1


def spread(array: Array, rows: int) -> Array:
    """Repeat a single row."""
    return np.broadcast_to(array, (2, rows, *array.shape[2:]))
