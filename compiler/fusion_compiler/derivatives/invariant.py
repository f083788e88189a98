"""The rules of registered functions and of functions of a displacement."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fusion.functions import ELEMENTWISE, GUARD, LAYER_NORM_EPSILON
from fusion_compiler import program as ops
from fusion_compiler.derivatives.calculus import LETTERS, Calculus
from fusion_compiler.derivatives.tables import harmonics_gradient
from fusion_compiler.program import Shape

STEP = "step"
"""The function that is one for x >= 0 and zero below; its derivative is zero."""


def function_cotangent(c: Calculus, i: ops.Function, g: str) -> Iterator[tuple[float, str]]:
    """Yield (factor, value): the parts of the cotangent of a function's argument."""
    if i.name == "layer_norm":
        yield from _layer_norm(c, i, g)
    elif i.name == "softmax":  # y (g - sum of y g over the rows with the same image)
        shape = c.shapes[g]
        weighted = c.multiply(i.out, g)
        target = Shape(c.maps[i.index_map][1], shape.axes)
        sums = c.add(ops.Scatter("", weighted, i.index_map), target)
        yield 1.0, weighted
        yield -1.0, c.multiply(i.out, c.add(ops.Gather("", sums, i.index_map), shape))
    elif i.name != STEP:
        slope = _derivative(c, i)
        yield 1.0, c.multiply(g, slope)


def _derivative(c: Calculus, i: ops.Function) -> str:
    """Return the derivative of an elementwise function, a polynomial in registered functions of the argument."""
    function = ELEMENTWISE[i.name]
    terms: list[tuple[float, str]] = []
    for factor, names in function.derivative:
        values = [i.x if name == "x" else c.function(name, i.x) for name in names]
        value = values[0] if values else c.filled(1.0, c.shapes[i.x])
        for other in values[1:]:
            value = c.multiply(value, other)
        terms.append((factor, value))
    found = c.combine(terms)
    return c.multiply(found, c.function(STEP, i.x)) if function.positive else found


def _layer_norm(c: Calculus, i: ops.Function, g: str) -> Iterator[tuple[float, str]]:
    """Yield the parts of r (g - mean(g) - y mean(y g)), y the result and r = 1 / sqrt(variance + epsilon)."""
    axes = c.shapes[g].axes
    before, over = len(axes) - 1 - i.channels, axes[-1 - i.channels : -1]
    letters = LETTERS[: len(axes)]
    inner = letters[before:-1]
    whole, kept = f"N{letters}", f"N{letters[:before]}{letters[-1]}"
    mean = c.constant(np.full(over, 1.0 / math.prod(over)))
    ones = c.constant(np.ones(over))

    def averaged(x: str) -> str:
        return c.contract(x, mean, f"{whole},{inner}->{kept}")

    def spread(x: str) -> str:
        return c.contract(x, ones, f"{kept},{inner}->{whole}")

    centred = c.combine([(1.0, i.x), (-1.0, spread(averaged(i.x)))])
    variance = averaged(c.multiply(centred, centred))
    offset = c.filled(LAYER_NORM_EPSILON - GUARD, c.shapes[variance])  # the root adds the guard
    scale = spread(c.function("rsqrt", c.combine([(1.0, variance), (1.0, offset)])))
    yield 1.0, c.multiply(scale, g)
    yield -1.0, c.multiply(scale, spread(averaged(g)))
    yield -1.0, c.multiply(scale, c.multiply(i.out, spread(averaged(c.multiply(i.out, g)))))


def geometry_cotangent(c: Calculus, i: ops.Geometry, g: str) -> str | None:
    """Return the cotangent of a displacement d = r u; the zero vector has direction, 1/r and all derivatives zero.

    For direction it is (g - u (u g)) / r; for harmonics Y(u) the same of the gradient of solid harmonics at u, which
    are tables applied to solid harmonics of one degree less; for f(r), u f'(r) g.
    """
    if i.name == "solid_harmonics":
        return _solid(c, g, i.count, _geometry(c, i.x, "solid_harmonics", i.count - 1)) if i.count else None
    if i.name == "harmonics":
        if not i.count:
            return None
        lower = _geometry(c, i.x, "harmonics", i.count - 1, "norm")
        return _tangent(c, i.x, _solid(c, g, i.count, lower, i.normalization))
    if i.name == "direction":
        return _tangent(c, i.x, g)
    unit = _geometry(c, i.x, "direction", 0)
    if i.name == "inverse_length":
        inverse = _geometry(c, i.x, "inverse_length", 0)
        return c.multiply(unit, c.combine([(-1.0, c.multiply(g, c.multiply(inverse, inverse)))]))
    if i.name == "length":
        return c.multiply(unit, g) if i.order == 0 else None
    slope = c.add(replace(i, out="", order=i.order + 1), c.shapes[i.out])
    if len(c.shapes[g].axes) == len(c.shapes[i.x].axes):
        return c.multiply(unit, c.multiply(g, slope))
    letters = LETTERS[: len(c.shapes[g].axes)]
    summed = c.contract(g, slope, f"N{letters},N{letters}->N{letters[:-2]}{letters[-1]}")
    return c.multiply(unit, summed)


def _geometry(c: Calculus, x: str, name: str, count: int, normalization: str = "") -> str:
    """Return another function of the same displacement."""
    sizes = {"direction": 3, "inverse_length": 1}
    shape = c.shapes[x]
    axes = (*shape.axes[:-1], sizes.get(name, (count + 1) ** 2))
    return c.add(ops.Geometry("", x, name, count, (), normalization), Shape(shape.on, axes))


def _solid(c: Calculus, g: str, l_max: int, lower: str, normalization: str = "norm") -> str:
    """Return the cotangent of the vector of solid harmonics, given those of one degree less."""
    table = harmonics_gradient(l_max, normalization)
    pairs = np.argwhere(np.any(table != 0.0, axis=-1))
    above, below = (tuple(column.tolist()) for column in pairs.T)
    return c.products(g, lower, table[pairs[:, 0], pairs[:, 1]], above, below)


def _tangent(c: Calculus, x: str, g: str) -> str:
    """Return (g - u (u g)) / r."""
    unit, inverse = _geometry(c, x, "direction", 0), _geometry(c, x, "inverse_length", 0)
    letters = LETTERS[: len(c.shapes[g].axes)]
    along = c.contract(unit, g, f"N{letters},N{letters}->N{letters[:-1]}")
    radial = c.contract(along, unit, f"N{letters[:-1]},N{letters}->N{letters}")
    return c.multiply(c.combine([(1.0, g), (-1.0, radial)]), inverse)
