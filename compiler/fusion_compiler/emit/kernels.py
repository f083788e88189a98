"""What single instructions do, in torch. The interpreter calls these; emitted source calls the same ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from fusion_compiler import geometry, radial


def scatter(x: Tensor, index: Tensor, count: int) -> Tensor:
    """Return the sum of the rows with one image."""
    return torch.zeros((count, *x.shape[1:]), dtype=x.dtype, device=x.device).index_add(0, index, x)


def scatter_by(x: Tensor, index: Tensor, count: int, label: Tensor, classes: int) -> Tensor:
    """Return the sum of the rows with one image, the classes of a label kept apart on a new first axis."""
    flat = torch.zeros((count * classes, *x.shape[1:]), dtype=x.dtype, device=x.device)
    return flat.index_add(0, index * classes + label, x).reshape(count, classes, *x.shape[1:])


def gather_by(x: Tensor, index: Tensor, label: Tensor) -> Tensor:
    """Return for every row the entry of its image and class, from ``x`` with an axis of classes after the rows."""
    return x.flatten(0, 1).index_select(0, index * x.shape[1] + label)


def take(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """Return entries of one axis, which counts from the end; for the last one, ``gather`` is several times faster."""
    return x.gather(-1, index.expand(*x.shape[:-1], -1)) if axis == -1 else x.index_select(axis, index)


def place(x: Tensor, index: Tensor, size: int, axis: int) -> Tensor:
    """Return zeros with the entries of ``x`` added at ``index`` along one axis, which counts from the end."""
    zeros = torch.zeros((*x.shape[:axis], size, *x.shape[x.ndim + axis + 1 :]), dtype=x.dtype, device=x.device)
    return zeros.index_add(axis, index, x)


def pad(x: Tensor, start: int, size: int, axis: int) -> Tensor:
    """Return zeros with ``x`` from ``start`` on along one axis, which counts from the end."""
    return torch.nn.functional.pad(x, (*(0, 0) * (-axis - 1), start, size - start - x.shape[axis]))


def lookup(x: Tensor, labels: Sequence[Tensor]) -> Tensor:
    """Return the coefficients of every row's classes; several labels index the leading axes of ``x``."""
    flat = labels[0]
    for size, label in zip(x.shape[1 : len(labels)], labels[1:], strict=True):
        flat = flat * size + label
    return (x.flatten(0, len(labels) - 1) if len(labels) > 1 else x).index_select(0, flat)


def collect(x: Tensor, labels: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """Return the sum of the rows of every class; several labels give the leading axes."""
    flat = labels[0]
    for size, label in zip(sizes[1:], labels[1:], strict=True):
        flat = flat * size + label
    zeros = torch.zeros((math.prod(sizes), *x.shape[1:]), dtype=x.dtype, device=x.device)
    return zeros.index_add(0, flat, x).reshape(*sizes, *x.shape[1:])


def pulled(label: Tensor, maps: Sequence[Tensor]) -> Tensor:
    """Return a label pulled along maps."""
    for index in maps:
        label = label.index_select(0, index)
    return label


def products(x: Tensor, y: Tensor, table: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return selected products of components contracted with a table."""
    return torch.matmul(take(x, left, -1) * take(y, right, -1), table)


def segment(x: Tensor, start: int, paths: int, dim: int) -> Tensor:
    """Return components from ``start`` on as (paths, dim)."""
    return x.narrow(-1, start, paths * dim).unflatten(-1, (paths, dim))


def join(values: Sequence[Tensor]) -> Tensor:
    """Flatten (paths, dim) of each value and put them side by side."""
    flat = [value.flatten(-2) for value in values]
    return flat[0] if len(flat) == 1 else torch.cat(flat, -1)


def combine(values: Sequence[Tensor], factors: Sequence[float]) -> Tensor:
    """Return a linear combination, added from left to right."""
    total = values[0] if factors[0] == 1.0 else values[0] * factors[0]
    for value, factor in zip(values[1:], factors[1:], strict=True):
        total = total + (value if factor == 1.0 else value * factor)
    return total


def geometry_value(
    x: Tensor, name: str, count: int, lengths: Sequence[float], normalization: str, order: int = 0
) -> Tensor:
    """Return a function of a displacement (..., 3): components last, radial functions as channels before them.

    A function of the length alone may be differentiated ``order`` times with respect to it.
    """
    if name == "harmonics":
        return geometry.harmonics(count, x, normalization)
    if name == "solid_harmonics":
        return geometry.solid_harmonics(count, x)
    if name == "direction":
        return geometry.direction(x)
    r = geometry.length(x)
    if name == "inverse_length":
        return radial.inverse(r)
    if order:
        return radial.derivative(name, order, count, lengths, r)
    if name == "length":
        return r
    if name == "cutoff":
        return geometry.polynomial_cutoff(lengths[0], int(lengths[1]), r)
    if name == "cosine_cutoff":
        return geometry.cosine_cutoff(lengths[0], r)
    basis = geometry.bessel if name == "bessel" else geometry.gaussian
    return basis(count, lengths[0], r).unsqueeze(-1)


def concatenate(values: Sequence[Tensor]) -> Tensor:
    """Put values side by side on the last axis."""
    return torch.cat(list(values), -1)


def einsum(equation: str, x: Tensor, y: Tensor) -> Tensor:
    """Return a pairwise einsum (torch plans nothing for two operands)."""
    return torch.einsum(equation, x, y)
