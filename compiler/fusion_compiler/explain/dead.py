"""Dead parameters: learned numbers on which no output depends, whatever the inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fusion.index import IndexMap
from fusion.parameters import Parameter, parameters
from fusion.sampling import Inputs, random_tensors
from fusion_compiler.api import compile
from fusion_compiler.block import Block

_SCALES = (1.0, 0.1, 0.01)
"""Inputs of several sizes: what lies beyond a cutoff, or where a function is flat, is not dead."""
_ROWS = (4, 9)
_AGREE = 0.1
"""Relative difference of a gradient in single and in double precision up to which it is one, not rounding."""
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Dead:
    """Dead numbers of one tensor of coefficients.

    Attributes:
        name: of the tensor.
        count: dead numbers.
        size: all numbers.
        where: entries of one axis that are dead as a whole, such as ``p=1``; empty when the whole tensor is, or none.
    """

    name: str
    count: int
    size: int
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        part = f"{self.count} of {self.size} numbers" if self.count < self.size else f"all {self.size} numbers"
        where = f" ({', '.join(self.where)})" if self.where else ""
        return f"{self.name}: {part}{where}"


def dead_parameters(block: Block) -> tuple[Dead, ...]:
    """Return the learned coefficients that receive no gradient, in the order of the diagram's nodes.

    Gradients of a random sum of the outputs are taken at three random inputs, always the same, in single and in double
    precision: where terms cancel, only rounding is left, and the two have nothing in common. Classes of labels are not
    told apart: what is alive for one class is alive.
    """
    learned = [parameter for parameter in parameters(block.diagram) if parameter.learned]
    if not learned:
        return ()
    off = [ran.name for ran in block.passes if not ran.on]
    types = (torch.float32, torch.float64)
    probes = [compile(block.diagram, emitter="interpret", dtype=dtype, without=off) for dtype in types]
    rng = np.random.default_rng(0)
    alive = {parameter.name: torch.zeros(parameter.shape, dtype=torch.bool) for parameter in learned}
    rows = _rows(block)
    for draw, scale in enumerate(_SCALES):
        inputs = _every_class(block, random_tensors(block.diagram, rng, rows))
        single, double = (_gradients(probe, inputs, scale, np.random.default_rng(draw)) for probe in probes)
        for name, exact in double.items():
            alive[name] |= (exact != 0) & ((single[name] - exact).abs() <= _AGREE * exact.abs())
    found = [_dead(parameter, alive[parameter.name]) for parameter in learned]
    return tuple(item for item in found if item.count)


def _rows(block: Block) -> tuple[int, ...]:
    """Return numbers of rows that are enough for all classes; few where tuples of rows are formed."""
    tuples = any(IndexMap(*item).derived is not None for item in block.program.maps)
    classes = max((classes for _, _, classes in block.program.labels), default=0)
    return _ROWS if tuples else (*_ROWS[:-1], max(_ROWS[-1], 3 * classes)) if classes <= _ROWS[0] else (3 * classes,)


def _every_class(block: Block, inputs: Inputs) -> Inputs:
    """Return inputs whose labels run through all their classes."""
    tensors = dict(inputs.tensors)
    for name, _, classes in block.program.labels:
        tensors[name] = np.arange(len(tensors[name])) % classes
    return replace(inputs, tensors=tensors)


def _gradients(probe: Block, inputs: Inputs, scale: float, rng: np.random.Generator) -> dict[str, Tensor]:
    """Return the gradient of a random sum of all outputs, legs scaled, with respect to all coefficients.

    All numbers are those of single precision, whatever the type of the block.
    """
    probe.load_coefficients({name: value.astype(np.float32) for name, value in inputs.parameters.items()})
    tensors = {name: torch.as_tensor(np.array(value)) for name, value in inputs.tensors.items()}
    for name, value in tensors.items():
        if value.is_floating_point():
            tensors[name] = (scale * value).to(torch.float32).to(probe.dtype)
    found = probe(tensors, sizes=inputs.sizes)
    total = torch.zeros((), dtype=probe.dtype)
    for value in found.values() if isinstance(found, dict) else [found]:
        total = total + (value * torch.as_tensor(rng.normal(size=value.shape), dtype=probe.dtype)).sum()
    names = list(probe.coefficients)
    values = [probe.coefficients[name] for name in names]
    if not total.requires_grad:
        return {name: torch.zeros_like(value) for name, value in zip(names, values, strict=True)}
    gradients = torch.autograd.grad(total, values, materialize_grads=True, allow_unused=True)
    return dict(zip(names, (gradient.double() for gradient in gradients), strict=True))


def _dead(parameter: Parameter, alive: Tensor) -> Dead:
    for axis, letter in enumerate(parameter.letters):
        if letter == "per":
            alive = alive.any(axis, keepdim=True)
    alive = alive.expand(parameter.shape)
    count = int((~alive).sum())
    where: list[str] = []
    for axis, letter in enumerate(parameter.letters):
        others = tuple(other for other in range(alive.ndim) if other != axis)
        whole = torch.nonzero(~(alive.any(others) if others else alive)).flatten().tolist()
        if whole and count < alive.numel():
            where.append(f"{letter}={','.join(map(str, whole[:_LISTED]))}{',...' if len(whole) > _LISTED else ''}")
    return Dead(parameter.name, count, alive.numel(), tuple(where))
