"""A number made of a block's outputs, its gradient by torch, and random directions to move its variables along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion_compiler.block import Block
from fusion_compiler.verify.subject import Drawn, Subject, call, numbers

Variables = dict[str, Tensor]
"""Legs by name and coefficients as ``$name``, or a direction with one entry for each of their entries."""


@dataclass(frozen=True)
class Scalar:
    """S, the sum of all numbers of the outputs of a block, each times a fixed random number."""

    block: Block
    drawn: Drawn
    factors: Mapping[str, Tensor]

    @cached_property
    def start(self) -> Variables:
        """The variables as drawn, in the block's type."""
        dtype = self.block.dtype
        legs = {name: self.drawn.tensors[name].to(dtype) for name, _ in self.block.program.inputs}
        coefficients = {f"${name}": value.detach().to(dtype) for name, value in self.block.coefficients.items()}
        return {name: value for name, value in {**legs, **coefficients}.items() if value.numel()}

    def terms(self, variables: Variables) -> Tensor:
        """Return the terms of S, flat."""
        dtype = self.block.dtype
        rest = {name: v.to(dtype) if v.is_floating_point() else v for name, v in self.drawn.tensors.items()}
        legs = {name: value.to(dtype) for name, value in variables.items() if name[0] != "$"}
        coefficients = {name[1:]: value.to(dtype) for name, value in variables.items() if name[0] == "$"}
        found = call(self.block, {**rest, **legs}, self.drawn.inputs.sizes, coefficients)
        return torch.cat([(value * self.factors[name].to(dtype)).flatten() for name, value in found.items()])

    def value(self, variables: Variables) -> float:
        """Return S."""
        with torch.no_grad():
            return float(self.terms(variables).sum())

    def gradient(self, variables: Variables) -> Variables:
        """Return the gradient of S."""
        moving = movable(variables)
        with torch.enable_grad():
            return derivatives(self.terms(moving).sum(), moving)

    def slope(self, moving: Variables, direction: Variables) -> tuple[Tensor, Variables]:
        """Return the derivative of S along a direction, which can be differentiated again, and the gradient of S."""
        with torch.enable_grad():
            found = derivatives(self.terms(moving).sum(), moving, graph=True)
            parts = [(value * direction[name].to(value.dtype)).sum() for name, value in found.items()]
            return torch.stack(parts).sum() if parts else torch.zeros(()), found


@dataclass(frozen=True)
class Problem:
    """Where derivatives are checked: S in the block's type and in float64, and directions with no entry beyond 1.

    Attributes:
        direction: for all variables together.
        groups: for the variables that are moved together: each leg, and all coefficients.
        rounding: one rounding error of the sum of the absolute values of all terms that make up S.
    """

    scalar: Scalar
    twin: Scalar
    direction: Variables
    groups: dict[str, Variables]
    rounding: float


def pose(subject: Subject, purpose: str, attempt: int) -> Problem:
    """Draw inputs, factors and directions."""
    drawn, rng = subject.draw(purpose, attempt=attempt), subject.random(f"{purpose} directions", attempt)

    def draw(like: Tensor | NDArray[Any]) -> Tensor:
        found = rng.normal(size=tuple(like.shape))
        return torch.from_numpy(found / np.max(np.abs(found), initial=1e-3)).to(subject.device)

    factors = {name: draw(item.value) for name, item in drawn.dense.items()}
    scalar, twin = (Scalar(block, drawn, factors) for block in (subject.block, subject.twin))
    direction = {name: draw(value) for name, value in scalar.start.items()}
    groups: dict[str, Variables] = {}
    for name, value in scalar.start.items():
        groups.setdefault("coefficients" if name[0] == "$" else f"leg {name}", {})[name] = draw(value)
    size = sum(float(np.sum(np.abs(numbers(factors[name])) * item.magnitude)) for name, item in drawn.dense.items())
    return Problem(scalar, twin, direction, groups, size * torch.finfo(subject.block.dtype).eps)


def movable(variables: Variables) -> Variables:
    """Return variables by which torch can differentiate."""
    return {name: value.detach().clone().requires_grad_() for name, value in variables.items()}


def derivatives(value: Tensor, variables: Variables, graph: bool = False) -> Variables:
    """Return the derivatives of a number; zeros where it does not depend on a variable."""
    if not value.requires_grad or not variables:
        return {name: torch.zeros_like(variable) for name, variable in variables.items()}
    found = torch.autograd.grad(
        value, list(variables.values()), create_graph=graph, allow_unused=True, materialize_grads=True
    )
    return dict(zip(variables, found, strict=True))


def along(gradient: Variables, direction: Variables) -> tuple[float, float]:
    """Return the derivative along a direction, and the sum of the absolute values of its terms."""
    terms = [(gradient[name].detach().double() * value).flatten() for name, value in direction.items()]
    flat = torch.cat(terms) if terms else torch.zeros(1)
    return float(flat.sum()), float(flat.abs().sum())
