"""Rewritten diagrams in the language again, with the coefficients that they then have.

Vertices that list their couplings become fuses with constant mixes, and mapped weights become learned mixes with
weights of their own; the map from the declared weights to those is part of the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.coefficients import LEARNED, Constant
from fusion.couplings import fuse_paths, numbered
from fusion.diagram import Diagram, DirectSum, Fuse, Mix, Select, Wire, walk_nodes
from fusion.errors import InputError
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import node_names, parameters
from fusion.pattern import Pattern
from fusion.rebuild import rebuild
from fusion_compiler.layout import Path
from fusion_compiler.polynomial.nodes import Couple, Recombine, Unshared, Weigh

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Image:
    """New weights as a linear image of declared ones: ``new[..., q, s] = sum_p matrix[s, p] declared[..., pick_q, p]``.

    Attributes:
        name: of the new tensor.
        source: name of the declared tensor.
        shape: of the declared tensor, (*classes, paths out, paths in, *letters).
        lead: number of axes of classes.
        picks: declared paths out, one for each new one.
        matrix: (new paths in, declared paths in).
    """

    name: str
    source: str
    shape: tuple[int, ...]
    lead: int
    picks: tuple[int, ...]
    matrix: Array

    def __call__(self, declared: ArrayLike) -> Array:
        """Return the new weights.

        Raises:
            InputError: the declared ones have another shape.
        """
        values = np.asarray(declared, dtype=np.float64)
        if values.shape != self.shape:
            raise InputError(f"coefficients {self.source!r} need shape {self.shape}, got {values.shape}")
        picked = np.take(values, self.picks, axis=self.lead)
        return np.moveaxis(np.tensordot(picked, self.matrix, axes=(self.lead + 1, 1)), -1, self.lead + 1)

    def back(self, weights: ArrayLike, into: Array) -> None:
        """Put declared weights of least norm that have these weights as their image into the declared tensor."""
        values = np.asarray(weights, dtype=np.float64)
        solved = np.tensordot(values, np.linalg.pinv(self.matrix), axes=(self.lead + 1, 1))
        where = [slice(None)] * into.ndim
        for number, pick in enumerate(self.picks):
            where[self.lead] = slice(pick, pick + 1)
            into[tuple(where)] = np.moveaxis(np.take(solved, [number], axis=self.lead), -1, self.lead + 1)


@dataclass(frozen=True)
class Plain:
    """A diagram in the language, and its coefficients as images of those of the diagram that was rewritten."""

    diagram: Diagram
    images: tuple[Image, ...]

    def coefficients(self, declared: Mapping[str, ArrayLike]) -> dict[str, Array]:
        """Return the coefficients of the diagram; those that are not images stay as they are.

        Raises:
            InputError: a tensor is missing or has another shape.
        """
        missing = sorted({image.source for image in self.images} - set(declared))
        if missing:
            raise InputError(f"coefficients are missing: {', '.join(missing)}")
        found = {name: np.asarray(value, dtype=np.float64) for name, value in declared.items()}
        images = {image.name: image(found[image.source]) for image in self.images}
        for image in self.images:
            found.pop(image.source, None)
        return {**found, **images}

    def declared(self, coefficients: Mapping[str, ArrayLike]) -> dict[str, Array]:
        """Return declared coefficients that have these as their image: of all that do, those of least norm.

        Raises:
            InputError: a tensor is missing.
        """
        missing = sorted({image.name for image in self.images} - set(coefficients))
        if missing:
            raise InputError(f"coefficients are missing: {', '.join(missing)}")
        names = {image.name for image in self.images}
        found = {name: np.asarray(v, dtype=np.float64) for name, v in coefficients.items() if name not in names}
        for image in self.images:
            target = found.setdefault(image.source, np.zeros(image.shape))
            image.back(coefficients[image.name], target)
        return found


def plain(diagram: Diagram) -> Plain:
    """Write a rewritten diagram out in the language."""
    new: dict[Node, Node] = {}
    images: list[Image] = []
    taken = {parameter.name for parameter in parameters(diagram)} | set(node_names(diagram).values())
    for node in walk_nodes(diagram):
        built = rebuild(node, new)
        if isinstance(built, Couple):
            built = _couple(built)
        elif isinstance(built, Recombine):
            matrices = _matrices(built.irreps, [(term.path, term.out, term.factor) for term in built.terms])
            built = _recombined(built.wire, matrices)
        elif isinstance(built, Weigh):
            built = _weigh(built, images, taken)
        elif isinstance(built, Unshared):
            built = built.shared
        new[node] = built
    return Plain(Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in diagram.outputs)), tuple(images))


Matrices = dict[Irrep, tuple[int, dict[int, dict[int, float]]]]
"""For each irrep the number of paths out, and for each path in its factors by path out."""


def _matrices(irreps: object, terms: list[tuple[Path, Path, float]]) -> Matrices:
    found: Matrices = {irrep: (paths, {}) for paths, irrep in cast("list[tuple[int, Irrep]]", irreps)}
    for (irrep, source), (_, out), factor in terms:
        row = found[irrep][1].setdefault(source, {})
        row[out] = row.get(out, 0.0) + factor
    return found


def _couple(node: Couple) -> Wire:
    triples = tuple(dict.fromkeys((term.left[0], term.right[0], term.out[0]) for term in node.terms))
    fuse = Fuse(node.left, node.right, node.pattern, triples=triples)
    paths = numbered(fuse_paths(node.left.space.irreps, node.right.space.irreps, None, triples))
    place = {((p.left, p.left_path), (p.right, p.right_path), p.out): out for out, p in paths.items()}
    terms = [(place[term.left, term.right, term.out[0]], term.out, term.factor) for term in node.terms]
    return _recombined(fuse, _matrices(node.irreps, terms))


def _recombined(wire: Wire, matrices: Matrices) -> Wire:
    """Return constant combinations of the paths of a wire."""
    letters = "uvwxyz"[: len(wire.space.channels)]
    parts: list[Wire] = []
    for irrep, (paths, rows) in matrices.items():
        sources = tuple(sorted(rows)) or (0,)
        matrix = np.zeros((paths, len(sources)))
        for source, factors in rows.items():
            for out, factor in factors.items():
                matrix[out, sources.index(source)] += factor
        chosen = Select(wire, ((irrep, sources),))
        shaped = matrix.reshape(*matrix.shape, *(1 for _ in letters))
        # the diagonal of channels, written as a table of the learned shape
        constant = Constant.of({str(irrep): (shaped * np.ones(wire.space.sizes)).tolist()})
        parts.append(Mix(chosen, Pattern((letters,), letters), out_paths=paths, coefficients=constant))
    return parts[0] if len(parts) == 1 else DirectSum(tuple(parts))


def _weigh(node: Weigh, images: list[Image], taken: set[str]) -> Wire:
    """Return learned mixes, one for each column, with names that are not taken."""
    parts: list[Wire] = []
    for column in node.columns:
        fresh = (f"{column.tensor}_{number}" for number in count(len(images)))
        name = next(name for name in fresh if not {name, f"{name}_{column.irrep}"} & taken)
        taken.update((name, f"{name}_{column.irrep}"))
        chosen = Select(node.wire, ((column.irrep, column.rows),))
        parts.append(Mix(chosen, node.pattern, node.sizes, len(column.picks), node.per, LEARNED, name))
        lead = len(node.per)
        image = Image(f"{name}_{column.irrep}", column.tensor, column.shape, lead, column.picks, column.matrix)
        images.append(image)
    return parts[0] if len(parts) == 1 else DirectSum(tuple(parts))
