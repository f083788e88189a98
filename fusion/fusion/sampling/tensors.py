"""Random inputs of a diagram: row counts, legs, labels, index maps and coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.diagram import Diagram, Geometry, Label, Leg, Map, Pull, Sum, Wire, walk_nodes
from fusion.errors import FusionError
from fusion.index import CONSTANT_SPACE, IndexMap, derived_from, resolve_map
from fusion.node import Node
from fusion.parameters import parameters
from fusion.rows import product_rows
from fusion.wigner import representation

Values = NDArray[np.float64]
Integers = NDArray[np.int64]

NEAREST, FURTHEST = 0.3, 3.0
"""Lengths of displacements: well away from zero, where harmonics of degree above zero are not continuous."""
T = TypeVar("T")


@dataclass
class Inputs:
    """What a diagram needs at run time.

    Attributes:
        tensors: legs, labels and index maps by name.
        parameters: coefficients by name.
        sizes: numbers of rows, at least for the index spaces on which no tensor is given.
    """

    tensors: dict[str, NDArray[np.generic]] = field(default_factory=dict[str, NDArray[np.generic]])
    parameters: dict[str, Values] = field(default_factory=dict[str, Values])
    sizes: dict[str, int] = field(default_factory=dict[str, int])


def random_tensors(value: Wire | Diagram, rng: np.random.Generator, rows: tuple[int, ...] = ()) -> Inputs:
    """Draw inputs for a legal diagram: numbers of order one, 0 to 5 rows on every index space.

    A space is empty one time in twelve and has a single row one time in eight, and now and then all spaces are alike in
    this; a space that another one maps into is empty only with it. Displacements have a length between ``NEAREST``
    and ``FURTHEST``.

    Args:
        value: a legal diagram.
        rng: source of all numbers.
        rows: numbers of rows to draw from instead.
    """
    nodes = walk_nodes(value)
    maps = used_maps(value)
    counts = _row_counts(nodes, maps, rng, rows)
    found = Inputs()
    ready = [item for item in maps if item.derived is None and item.source in counts]
    late = [item for item in maps if item.derived is None and item.source not in counts]  # declared on a product space
    for item in ready:
        found.tensors[item.name] = rng.integers(0, max(1, counts[item.target]), size=counts[item.source])
    for item in maps:
        if item.derived is not None:
            counts[item.source] = len(_images(item.name, found.tensors))
    for item in late:
        found.tensors[item.name] = rng.integers(0, counts[item.target], size=counts[item.source])
    vectors = _displacements(value)
    for node in nodes:
        if isinstance(node, Label) and node.name not in found.tensors:
            found.tensors[node.name] = rng.integers(0, node.classes, size=counts[node.on])
        elif isinstance(node, Leg) and node.source not in found.tensors:
            shape = (counts[node.space.on], *node.space.sizes, node.space.dim)
            found.tensors[node.source] = _vectors(rng, shape) if node.source in vectors else rng.normal(size=shape)
    for parameter in parameters(value):
        scale = max(1.0, float(parameter.fan_in)) ** -0.5
        found.parameters[parameter.name] = rng.normal(scale=scale, size=parameter.shape)
    found.sizes = _sizes(nodes, maps, counts, rng)
    return found


def used_maps(value: Wire | Diagram) -> list[IndexMap]:
    """Return every index map of a diagram once, and the base map of every derived one."""
    found: list[IndexMap] = []
    for node in walk_nodes(value):
        if isinstance(node, Pull | Sum):
            found.append(node.index_map)
        elif isinstance(node, Map) and node.over is not None:
            found.append(node.over)
        elif isinstance(node, Label):
            found.extend(node.maps)
    for item in found:  # grows on the way: the base of a derived map may be derived itself
        if item.derived is not None and item.derived[0] not in {other.name for other in found}:
            found.append(_base(item))
    return _unique(found)


def transformed(value: Wire | Diagram, inputs: Inputs, matrix: ArrayLike) -> Inputs:
    """Return the inputs with every leg rotated or inverted by an orthogonal matrix, shape (3, 3)."""
    tensors = dict(inputs.tensors)
    for node in walk_nodes(value):
        if isinstance(node, Leg):
            action = representation(node.space.irreps, matrix)
            tensors[node.source] = inputs.tensors[node.source].astype(np.float64) @ action.T
    return Inputs(tensors, inputs.parameters, inputs.sizes)


def _unique(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))


def _base(item: IndexMap) -> IndexMap:
    """Return the map from which a derived one is computed; the target of a declared one is known to nobody else."""
    name = item.derived[0] if item.derived is not None else item.name
    try:
        return resolve_map(name)
    except FusionError:
        return IndexMap(name, item.target, f"target_of_{name}")


def _images(name: str, tensors: Mapping[str, NDArray[np.generic]]) -> Integers:
    """Return the array of a map, computed when it is derived."""
    derived = derived_from(name)
    if derived is None or name in tensors:
        return tensors[name].astype(np.int64)
    base, order, position = derived
    return product_rows(_images(base, tensors), order)[position]


def _row_counts(
    nodes: list[Node], maps: list[IndexMap], rng: np.random.Generator, rows: tuple[int, ...]
) -> dict[str, int]:
    """Draw a number of rows for every index space that is not derived."""
    plain = [item for item in maps if item.derived is None]
    derived = {item.source for item in maps if item.derived is not None}
    spaces = [node.space.on for node in nodes if isinstance(node, Wire | Label)]
    spaces += [node.on for node in nodes if isinstance(node, Label)]
    spaces += [space for item in plain for space in (item.source, item.target)]
    chances = (1 / 12, 1 / 8, 0.22, 0.22, 0.2, 1 - 1 / 12 - 1 / 8 - 0.64)
    alike = rows or ((0,), (1,))[int(rng.integers(2))] if float(rng.random()) < 0.08 else rows
    counts: dict[str, int] = {}
    for space in _unique(spaces):
        if space not in derived:
            counts[space] = int(rng.choice(alike)) if alike else int(rng.choice(6, p=chances))
    counts[CONSTANT_SPACE] = 1
    for _ in plain:  # a map from rows to no rows does not exist
        for item in plain:
            if counts.get(item.source, 1) and not counts[item.target]:
                counts[item.target] = 1
    return counts


def _displacements(value: Wire | Diagram) -> set[str]:
    """Names of tensors that enter a function of a displacement."""
    found: set[str] = set()
    for node in walk_nodes(value):
        if isinstance(node, Geometry):
            vector = node.wire.space.irreps
            legs = [leg for leg in walk_nodes(node.wire) if isinstance(leg, Leg)]
            found.update(leg.source for leg in legs if leg.space.irreps == vector and not leg.space.channels)
    return found


def _vectors(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    directions = rng.normal(size=shape)
    lengths = rng.uniform(NEAREST, FURTHEST, size=(*shape[:-1], 1))
    return directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-3) * lengths


def _sizes(nodes: list[Node], maps: list[IndexMap], counts: dict[str, int], rng: np.random.Generator) -> dict[str, int]:
    """Numbers of rows that no tensor tells, and now and then some that one does."""
    told = {item.source for item in maps}
    told |= {node.space.on for node in nodes if isinstance(node, Leg)}
    told |= {node.on for node in nodes if isinstance(node, Label)}
    return {
        space: count
        for space, count in counts.items()
        if space != CONSTANT_SPACE and (space not in told or float(rng.random()) < 0.3)
    }
