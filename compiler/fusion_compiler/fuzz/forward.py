"""Directional derivatives of the definition: the dense rules carried out on power series.

Rules that add and multiply are linear in every operand. The dense evaluation itself computes them, once for every way
in which the operands share the power of t. Only powers of wires, functions and geometry are written again here.
Nothing is taken from the compiler, nor from the derivative rules in the registry of functions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from fusion import dense
from fusion.diagram import Apply, Diagram, Fuse, Geometry, Leg, Map, Mix, Power, Scale, Wire, walk_nodes
from fusion.functions import LAYER_NORM_EPSILON
from fusion.harmonics import harmonics, solid_harmonics
from fusion.inputs import Inputs
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import parameters
from fusion.powers import power_paths
from fusion.sampling import Inputs as Draw
from fusion.symbols import clebsch_gordan
from fusion_compiler.fuzz import univariate
from fusion_compiler.fuzz.series import ORDER, Array, Series

KINK = 1e-6
"""How near to a point without derivatives, relative to the magnitude, an argument is taken to be on it."""


class NotSmooth(Exception):
    """A function is evaluated where it has no derivatives, or too near to tell."""


def taylor(diagram: Wire | Diagram, draw: Draw, direction: Draw) -> dict[str, Series]:
    """Return every output along ``x + t v``, for inputs and coefficients ``x`` and a direction ``v`` of both.

    Args:
        diagram: a legal diagram.
        draw: legs, labels, index maps and coefficients.
        direction: the direction in every leg and every tensor of coefficients; zero where one is missing.

    Raises:
        NotSmooth: a function has no derivatives there.
    """
    run = _Run(Diagram.of(diagram), draw, direction)
    for node in walk_nodes(diagram):
        if isinstance(node, Wire):
            run.values[node] = _RULES.get(type(node), _linear)(run, node)
    return {name: run.values[wire] for name, wire in Diagram.of(diagram).outputs}


class _Run:
    """One evaluation: the dense evaluation whose rules are used, the direction, and the series found so far."""

    def __init__(self, diagram: Diagram, draw: Draw, direction: Draw) -> None:
        self.dense = dense._Run(diagram, Inputs(diagram, draw.tensors, draw.parameters, draw.sizes))
        self.direction = direction
        self.slopes = {name: direction.parameters.get(name, np.zeros_like(value)) for name, value in self.given.items()}
        self.owners: set[Node] = {parameter.node for parameter in parameters(diagram)}
        self.values: dict[Node, Series] = {}

    @property
    def given(self) -> dict[str, Array]:
        return self.dense.inputs.coefficients

    def term(
        self, node: Wire, name: str, operands: Mapping[Wire, tuple[Series, int]], slope: bool = False
    ) -> dense.Evaluation:
        """Return the dense rule of ``node``, each operand replaced by one coefficient of its series."""
        own = copy.copy(self.dense)
        own.names = {**self.dense.names, node: name}
        own.values = {wire: dense.Evaluation(s.value[k], s.magnitude[k]) for wire, (s, k) in operands.items()}
        if slope:
            own.inputs = copy.copy(self.dense.inputs)
            own.inputs.coefficients = self.slopes
        return own.visit(node)


def _series(parts: list[list[dense.Evaluation]], zero: Array) -> Series:
    """Add the terms of every power of t."""
    value = np.stack([sum((term.value for term in terms), zero) for terms in parts])
    return Series(value, np.stack([sum((term.magnitude for term in terms), zero) for terms in parts]))


def _leg(run: _Run, node: Leg) -> Series:
    value = run.dense.inputs.leg(node)
    slope = run.direction.tensors.get(node.source)
    return Series.of(value, None if slope is None else slope.astype(np.float64))


def _linear(run: _Run, node: Wire) -> Series:
    """A rule that is linear in all its wires together."""
    wires = [wire for wire in node.inputs if isinstance(wire, Wire)]
    orders = range(ORDER + 1)
    parts = [[run.term(node, "", {wire: (run.values[wire], order) for wire in wires})] for order in orders]
    return _series(parts, np.zeros(run.dense.shape(node)))


def _multilinear(run: _Run, node: Fuse | Mix | Scale | Apply) -> Series:
    """A rule that is linear in each of its wires and in its coefficients."""
    wires = _wires(node)
    stand_ins = [Leg(f"operand_{place}", wire.space) for place, wire in enumerate(wires)]  # one wire may enter twice
    alone = _with_wires(node, stand_ins)
    name, learned = run.dense.names.get(node, ""), node in run.owners
    parts: list[list[dense.Evaluation]] = [[] for _ in range(ORDER + 1)]
    for orders in _shares(len(wires)):
        operands: dict[Wire, tuple[Series, int]] = {
            s: (run.values[w], k) for s, w, k in zip(stand_ins, wires, orders, strict=True)
        }
        parts[sum(orders)].append(run.term(alone, name, operands))
        if learned and sum(orders) < ORDER:
            parts[sum(orders) + 1].append(run.term(alone, name, operands, slope=True))
    return _series(parts, np.zeros(run.dense.shape(node)))


def _shares(count: int) -> Iterator[tuple[int, ...]]:
    """Return every way to give powers of t to ``count`` operands."""
    return (orders for orders in product(range(ORDER + 1), repeat=count) if sum(orders) <= ORDER)


def _wires(node: Fuse | Mix | Scale | Apply) -> list[Wire]:
    if isinstance(node, Fuse):
        return [node.left, node.right]
    if isinstance(node, Scale):
        return [node.wire, node.by]
    return [node.wire] if isinstance(node, Mix) else [wire for _, wire in node.wires]


def _with_wires(node: Fuse | Mix | Scale | Apply, wires: list[Leg]) -> Wire:
    if isinstance(node, Fuse):
        return replace(node, left=wires[0], right=wires[1])
    if isinstance(node, Scale):
        return replace(node, wire=wires[0], by=wires[1])
    if isinstance(node, Mix):
        return replace(node, wire=wires[0])
    return replace(node, wires=tuple((end, wire) for (end, _), wire in zip(node.wires, wires, strict=True)))


def _power(run: _Run, node: Power) -> Series:
    space, base = node.base.space, run.values[node.base]
    factor: dict[tuple[Irrep, int], Series] = {}
    for part in space.segments:
        for path in range(part.paths):
            start = part.offset + path * part.irrep.dim
            factor[part.irrep, path] = _cut(base, start, part.irrep.dim)
    found: dict[Irrep, list[Series]] = {}
    for _, trees, kept in power_paths(space.irreps, node.orders, node.coupled, node.inner, node.basis):
        for tree in (trees[position] for position in kept):
            lines = (tree.legs[0][0], *tree.inner, tree.out)
            value = factor[tree.legs[0]]
            for step, leg in enumerate(tree.legs[1:]):
                value = _coupled(value, factor[leg], clebsch_gordan(lines[step].l, leg[0].l, lines[step + 1].l))
            found.setdefault(tree.out, []).append(value)
    parts = [item for _, irrep in node.space.irreps for item in found[irrep]]
    shape = (ORDER + 1, *run.dense.shape(node))
    sides = ([item.value for item in parts], [item.magnitude for item in parts])
    value, magnitude = (np.concatenate(side, axis=-1).reshape(shape) if side else np.zeros(shape) for side in sides)
    return Series(value, magnitude)


def _cut(series: Series, start: int, size: int) -> Series:
    return Series(series.value[..., start : start + size], series.magnitude[..., start : start + size])


def _coupled(left: Series, right: Series, table: Array) -> Series:
    """Couple two series with one table."""

    def fused(a: Series, b: Series, t: Array) -> Series:
        return a.times(b, lambda x, y: np.einsum("...a,...b,abm->...m", x, y, t))

    return Series(fused(left, right, table).value, fused(left, right, np.abs(table)).magnitude)


def _map(run: _Run, node: Map) -> Series:
    x = run.values[node.wire]
    if node.function in univariate.ELEMENTWISE:
        if node.function in ("sqrt", "rsqrt", "reciprocal"):
            _refuse_zero(x.value[0], x.magnitude[0])
        return x.then(univariate.ELEMENTWISE[node.function](x.value[0]))
    return _layer_norm(x) if node.over is None else _softmax(run.dense.inputs.one_hot(node.over), x)


def _refuse_zero(x: Array, magnitude: Array) -> None:
    if bool(np.any((np.abs(x) <= KINK * magnitude) & (magnitude > 0))):
        raise NotSmooth


def _layer_norm(x: Series) -> Series:
    axes = tuple(range(1, x.value.ndim - 2))
    centred = x - x.each(lambda part: part.mean(axis=axes, keepdims=True))
    variance = centred.times(centred).each(lambda part: part.mean(axis=axes, keepdims=True))
    shifted = variance.value[0] + LAYER_NORM_EPSILON
    return centred.times(variance.then(univariate.inverse_root(shifted)))


def _softmax(same: Array, x: Series) -> Series:
    """Softmax over rows with one image; ``same`` is delta(map[i], j). A constant shift per image changes nothing."""
    groups = [x.value[0][column > 0] for column in same.T]
    tops = [group.max(axis=0) if len(group) else np.zeros(x.value.shape[2:]) for group in groups]
    top = np.array(tops).reshape(same.shape[1], *x.value.shape[2:])
    raised = x.then(univariate.ELEMENTWISE["exp"](x.value[0] - np.tensordot(same, top, 1)))
    total = raised.each(lambda part: np.tensordot(same, np.tensordot(same.T, part, 1), 1))
    return raised.times(total.then(univariate.ELEMENTWISE["reciprocal"](total.value[0])))


def _geometry(run: _Run, node: Geometry) -> Series:
    vector = run.values[node.wire]
    if node.function == "solid_harmonics":
        return _solid(vector, node.count, lambda xyz: solid_harmonics(node.count, xyz))
    square = vector.times(vector).each(lambda part: part.sum(axis=-1, keepdims=True))
    if bool(np.any(np.sqrt(square.value[0]) <= KINK * np.maximum(1.0, np.sqrt(square.magnitude[0])))):
        raise NotSmooth
    if node.function == "harmonics":
        unit = vector.times(square.then(univariate.inverse_root(square.value[0])))
        normalization: Any = node.normalization
        return _solid(unit, node.count, lambda xyz: harmonics(node.count, xyz, normalization))
    length = square.then(univariate.root(square.value[0]))
    if node.function == "length":
        return length
    r = length.value[0]
    if node.function == "cutoff":
        return length.then(univariate.polynomial_cutoff(r, node.lengths[0], int(node.lengths[1])))
    if node.function == "cosine_cutoff":
        return length.then(univariate.cosine_cutoff(r, node.lengths[0]))
    radial = univariate.bessel if node.function == "bessel" else univariate.gaussian
    spread = length.each(lambda part: np.broadcast_to(part[..., None, :], (*part.shape[:-1], node.count, 1)))
    return spread.then(radial(r[..., None, :], node.count, node.lengths[0]))


def _solid(vector: Series, l_max: int, definition: Callable[[Array], Array]) -> Series:
    """Harmonics as polynomials of a vector: each degree is the one before it coupled with the vector.

    The factor that this recurrence leaves open is read off the definition at one point on the unit sphere.
    """
    point = np.array([2.0, 3.0, 6.0]) / 7.0
    scale = definition(point)
    one = np.ones((*vector.value.shape[1:-1], 1))
    series, at_point = Series.of(one), np.ones(1)
    parts: list[Series] = []
    for degree in range(l_max + 1):
        if degree:
            table = clebsch_gordan(degree - 1, 1, degree)
            series, at_point = _coupled(series, vector, table), np.einsum("a,b,abm->m", at_point, point, table)
        wanted = scale[degree**2 : (degree + 1) ** 2]
        factor = float(wanted @ at_point / (at_point @ at_point))
        parts.append(Series(factor * series.value, abs(factor) * series.magnitude))
    return Series(
        np.concatenate([part.value for part in parts], axis=-1),
        np.concatenate([part.magnitude for part in parts], axis=-1),
    )


_RULES: dict[type[Wire], Callable[[_Run, Any], Series]] = {
    Leg: _leg,
    Fuse: _multilinear,
    Mix: _multilinear,
    Scale: _multilinear,
    Apply: _multilinear,
    Power: _power,
    Map: _map,
    Geometry: _geometry,
}
