"""What the tests of published blocks share: formulas by numpy and e3nn only, and random inputs of a diagram.

Nothing here uses the couplings, harmonics or operators of the language, so that its values can be judged by it.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from fusion import Diagram, Evaluation, Wire, evaluate
from fusion.sampling import random_tensors

Array = NDArray[np.float64]
TOLERANCE = 1e-12
"""Allowed error of float64 values, relative to the sum of the absolute values of all terms."""


@dataclass(frozen=True)
class Drawn:
    """A diagram's random inputs and its value: ``drawn["h"]`` is the tensor, label, index map or coefficient ``h``."""

    given: Mapping[str, NDArray[Any]]
    found: Mapping[str, Evaluation]
    sizes: Mapping[str, int]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.given[name]

    def error(self, expected: ArrayLike, output: str = "out") -> float:
        """Return the largest error of the diagram's value, relative to its magnitude; the value must not be zero."""
        assert np.abs(self.found[output].value).max() > 0
        return self.found[output].error(expected)


def draw(
    diagram: Wire | Diagram,
    *,
    seed: int = 1,
    rows: tuple[int, ...] = (3, 4, 5),
    coefficients: Mapping[str, ArrayLike] | None = None,
    **given: ArrayLike,
) -> Drawn:
    """Draw random inputs, replace those that are ``given`` (``sender=...``, ``node_parent=...``), and evaluate.

    Args:
        diagram: a legal diagram.
        seed: seed of the inputs.
        rows: numbers of rows of index spaces to draw from.
        coefficients: coefficients by name.
        given: tensors, labels and index maps by name, with ``_`` for the dot of a map's name.
    """
    inputs = random_tensors(diagram, np.random.default_rng(seed), rows)
    names = {name.replace(".", "_"): name for name in (*inputs.tensors, *inputs.parameters)}
    own = {names[name]: np.asarray(value) for name, value in {**given, **(coefficients or {})}.items()}
    tensors = {name: own.get(name, value) for name, value in inputs.tensors.items()}
    parameters = {name: own.get(name, value) for name, value in inputs.parameters.items()}
    sizes = {space: count for space, count in inputs.sizes.items() if "^" not in space}  # tuples follow from the maps
    return Drawn({**tensors, **parameters}, evaluate(diagram, tensors, parameters, sizes), sizes)


@functools.cache
def cg(l1: int, l2: int, l3: int) -> Array:
    """Real coupling with orthonormal rows, sqrt(2 l3 + 1) times e3nn's 3j, shape (2 l1 + 1, 2 l2 + 1, 2 l3 + 1)."""
    import torch

    table = _e3nn_o3().wigner_3j(l1, l2, l3, dtype=torch.float64)
    return math.sqrt(2 * l3 + 1) * table.numpy()


def couple(left: Array, right: Array, l3: int) -> Array:
    """Couple arrays (..., 2 l1 + 1) and (..., 2 l2 + 1) to degree ``l3``; the leading axes are elementwise."""
    l1, l2 = left.shape[-1] // 2, right.shape[-1] // 2
    return np.einsum("...a,...b,abm->...m", left, right, cg(l1, l2, l3))


def harmonics(l: int, vectors: Array, normalization: str = "component") -> Array:
    """e3nn's real spherical harmonics of degree ``l`` of the directions of (..., 3) vectors; ``solid``: norm r**l."""
    import torch

    solid = normalization == "solid"
    points = torch.from_numpy(np.array(vectors, dtype=np.float64))
    named = "norm" if solid else normalization
    return _e3nn_o3().spherical_harmonics(l, points, normalize=not solid, normalization=named).numpy()


def cut(value: Array, *degrees: int) -> list[Array]:
    """Cut the last axis into parts of these degrees, in order; every path is named by its own degree."""
    sizes = [2 * l + 1 for l in degrees]
    assert sum(sizes) == value.shape[-1]
    return np.split(value, np.cumsum(sizes)[:-1].tolist(), axis=-1)


def join(*parts: Array) -> Array:
    """Put parts side by side on the last axis."""
    return np.concatenate(parts, axis=-1)


def scatter_sum(values: Array, rows: NDArray[Any], count: int) -> Array:
    """Add row i of ``values`` into row ``rows[i]`` of ``count`` rows, one after another."""
    total = np.zeros((count, *values.shape[1:]), values.dtype)
    for value, row in zip(values, rows.tolist(), strict=True):
        total[row] += value
    return total


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def silu(x: Array) -> Array:
    """x / (1 + exp(-x))."""
    return x / (1 + np.exp(-x))


def bessel(r: Array, count: int, cutoff: float) -> Array:
    """sqrt(2 / c) sin(n pi r / c) / r for n = 1 .. count on a new last axis; r > 0."""
    n = np.arange(1, count + 1)
    return math.sqrt(2 / cutoff) * np.sin(n * math.pi * r[..., None] / cutoff) / r[..., None]


def envelope(r: Array, cutoff: float, p: int = 6) -> Array:
    """The polynomial cutoff of order p (Gasteiger et al. 2020): 1 at r = 0, zero from the cutoff on."""
    x = r / cutoff
    inside = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
    return np.where(x < 1, inside, 0.0)


@functools.cache
def _e3nn_o3() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its own deprecated functions when e3nn is imported
        return pytest.importorskip("e3nn.o3")
