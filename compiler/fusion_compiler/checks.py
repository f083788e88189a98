"""Checks of what a block is called with: missing, unknown and misshapen tensors are refused before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fusion.errors import InputError
from fusion.index import CONSTANT_SPACE, IndexMap, derived_from
from fusion_compiler.program import Program, Shape

Rows = dict[str, tuple[str, int]]
"""Index space -> (what says so, number of rows)."""


def check_inputs(
    program: Program,
    declared: Mapping[str, str],
    tensors: Mapping[str, Tensor],
    sizes: Mapping[str, int],
    dtype: torch.dtype,
) -> None:
    """Raise :class:`InputError` for the first thing that does not fit.

    Args:
        program: what is to run.
        declared: every leg, label and map of the diagram with the index space of its rows; those that the program
            does not need may be given all the same.
        tensors: what was given.
        sizes: numbers of rows that were given.
        dtype: the floating type of the block.
    """
    for name, value in tensors.items():
        if not isinstance(value, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]  (users may pass anything)
            raise InputError(f"{name!r} must be a torch tensor, not {type(value).__name__}")
    rows: Rows = {CONSTANT_SPACE: ("the constant space", 1)}
    for space, count in sizes.items():
        if type(count) is not int or count < 0:
            raise InputError(f"sizes give {space!r} = {count!r}; a number of rows is an integer >= 0")
        _count(rows, space, "sizes", count)
    needed, bases = _needed(program, tensors)
    missing = [name for name in (*needed, *bases) if name not in tensors]
    unknown = [name for name in tensors if name not in needed and name not in bases and name not in declared]
    if missing or unknown:
        wrong = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("unknown", unknown)) if names]
        takes = ", ".join(dict.fromkeys((*needed, *bases)))
        raise InputError(f"{'; '.join(wrong)}; this block takes {takes or 'nothing'}")
    for name, (on, shape) in needed.items():
        _check_tensor(name, tensors[name], shape, dtype)
        _count(rows, on, name, tensors[name].shape[0])
    for name, on, classes in program.labels:
        _check_range(f"label {name!r} on {on} must lie in", tensors[name], classes)
    for name, _, target in program.maps:
        if name in tensors and target in rows:
            _check_range(f"map {name!r} must point to rows of {target}", tensors[name], rows[target][1])


def first_base(name: str) -> str:
    """Return the map from which a derived map can be computed in the end: ``receiver`` for ``receiver^2.0^2.1``."""
    derived = derived_from(name)
    return name if derived is None else first_base(derived[0])


def _needed(program: Program, tensors: Mapping[str, Tensor]) -> tuple[dict[str, tuple[str, Shape | None]], list[str]]:
    """Return what must be given, with its index space and shape (none for integers), and maps others derive from."""
    needed: dict[str, tuple[str, Shape | None]] = {name: (shape.on, shape) for name, shape in program.inputs}
    needed.update({name: (on, None) for name, on, _ in program.labels})
    bases: list[str] = []
    for name, source, target in program.maps:
        if IndexMap(name, source, target).derived is not None and name not in tensors:
            bases.append(first_base(name))
        else:
            needed[name] = (source, None)
    return needed, [name for name in dict.fromkeys(bases) if name not in needed]


def _check_tensor(name: str, tensor: Tensor, shape: Shape | None, dtype: torch.dtype) -> None:
    if shape is None:
        if tensor.dtype not in (torch.int64, torch.int32) or tensor.ndim != 1:
            found = f"{tuple(tensor.shape)} of {tensor.dtype}"
            raise InputError(f"{name!r} must be a one-dimensional integer tensor, got {found}")
        return
    if tensor.ndim != len(shape.axes) + 1 or tuple(tensor.shape[1:]) != shape.axes:
        expected = ", ".join(map(str, shape.axes))
        raise InputError(f"{name!r} has shape {tuple(tensor.shape)}, expected ({shape.on} rows, {expected})")
    if tensor.dtype != dtype:
        raise InputError(f"{name!r} has type {tensor.dtype}, the block computes in {dtype}; convert one of them")


def _check_range(what: str, index: Tensor, count: int) -> None:
    """Refuse integers outside 0 .. count - 1; on other devices than the CPU the look would cost a synchronisation."""
    if not index.numel() or index.device.type != "cpu":
        return
    low, high = int(index.min()), int(index.max())
    if not 0 <= low <= high < count:
        raise InputError(f"{what} 0..{count - 1}, got {low}..{high}")


def _count(rows: Rows, space: str, name: str, count: int) -> None:
    other, known = rows.setdefault(space, (name, count))
    if known != count:
        raise InputError(f"{name!r} has {count} rows and {other!r} has {known}, but both live on {space}")
