"""What a diagram means: its value by brute force, every magnetic and particle index summed explicitly.

This is the definition that everything else is measured against, written for reading and not for speed (numpy only).
Beside each value it carries its *magnitude*: the sum of the absolute values of all terms that make it up. An error is
measured as ``|a - b| / magnitude``, which is fair to sums that cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.coefficients import Constant, Tied
from fusion.couplings import fuse_paths
from fusion.diagram import (
    Add,
    Apply,
    Diagram,
    DirectSum,
    Fuse,
    Geometry,
    Leg,
    Map,
    Merge,
    Mix,
    Power,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
    walk_nodes,
)
from fusion.errors import FusionError, InputError, LimitError
from fusion.functions import ELEMENTWISE, LAYER_NORM_EPSILON, derivative_value
from fusion.harmonics import Normalization, harmonics, solid_harmonics
from fusion.inference.common import default_pattern
from fusion.inputs import Inputs
from fusion.irreps import Irrep
from fusion.limits import MAX_NETWORK_TERMS
from fusion.network import Network
from fusion.node import Node
from fusion.parameters import letter_sizes, mix_axes, node_names, tensor_name
from fusion.pattern import Pattern
from fusion.powers import power_paths
from fusion.space import Space
from fusion.symbols import clebsch_gordan
from fusion.validate import check

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """A value of a wire, shape (rows, *channels, components), and the magnitude of each of its numbers."""

    value: Array
    magnitude: Array

    def error(self, other: ArrayLike, *, smallest: float = 1e-300) -> float:
        """Return the largest ``|other - value| / magnitude`` (0 for an empty value; a NaN in ``other`` is infinite).

        Magnitudes below ``smallest`` count as that: below its smallest normal number a floating type has no digits.
        """
        found = np.asarray(other, dtype=np.float64)
        if found.shape != self.value.shape:
            raise InputError(f"values of shapes {found.shape} and {self.value.shape} cannot be compared")
        if found.size == 0:
            return 0.0
        if not np.all(np.isfinite(found)):
            return float("inf")
        return float(np.max(np.abs(found - self.value) / np.maximum(self.magnitude, smallest)))


def evaluate(
    value: Wire | Diagram,
    tensors: Mapping[str, ArrayLike],
    parameters: Mapping[str, ArrayLike] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, Evaluation]:
    """Evaluate every output of a diagram.

    Args:
        value: a legal diagram.
        tensors: legs by name (rows, *channels, components), labels and index maps (integers) by name.
        parameters: coefficients by name (see :func:`fusion.parameters.parameters`).
        sizes: numbers of rows of index spaces on which no tensor is given.

    Raises:
        DiagramError: the diagram is not legal.
        InputError: a tensor is missing or does not fit.
    """
    check(value)
    diagram = Diagram.of(value)
    run = _Run(diagram, Inputs(diagram, tensors, parameters or {}, sizes or {}))
    for node in walk_nodes(diagram):
        if isinstance(node, Wire):
            run.values[node] = run.visit(node)
    return {name: run.values[wire] for name, wire in diagram.outputs}


def contract(result: Sequence[int], *operands: tuple[Array, Sequence[int]]) -> Array:
    """Multiply arrays whose axes are numbered, and sum over every number that ``result`` lacks."""
    flat: list[Any] = [part for array, axes in operands for part in (array, list(axes))]
    return np.asarray(np.einsum(*flat, list(result)), dtype=np.float64)


def evaluate_network(network: Network, magnitude: bool = False) -> Array:
    """Return the tensor of a network: one axis per open end, in-ends first, each in the order of the lines.

    With ``magnitude`` the sum of the absolute values of all terms, which does not vanish where the terms cancel.

    Raises:
        SelectionRuleError: a vertex breaks a selection rule.
        LimitError: a step has more than ``MAX_NETWORK_TERMS`` terms.
    """
    network.check()
    irreps = network.irreps
    bare = [name for name in network.ins if name in network.outs]
    ends = (*(f"{name} in" if name in bare else name for name in network.ins), *network.outs)
    dims = {name: irrep.dim for name, irrep in network.lines} | {f"{name} in": irreps[name].dim for name in bare}
    factors: list[tuple[Array, tuple[str, ...]]] = [(np.eye(dims[name]), (f"{name} in", name)) for name in bare]
    for vertex in network.vertices:
        labels = [irreps[line].l for line in vertex.table_lines]
        table = clebsch_gordan(*labels) if len(labels) == 3 else np.eye(2 * labels[0] + 1)
        factors.append((np.abs(table) if magnitude else table, vertex.table_lines))
    value, open_lines = np.ones(()), ()
    for position, (table, lines) in enumerate(factors):
        together = tuple(dict.fromkeys((*open_lines, *lines)))
        if math.prod(dims[line] for line in together) > MAX_NETWORK_TERMS:
            raise LimitError(f"contracting {str(network)[:80]} takes more than {MAX_NETWORK_TERMS} terms in one step")
        needed = {*ends, *(line for _, later in factors[position + 1 :] for line in later)}
        number = {line: axis for axis, line in enumerate(together)}
        kept = tuple(line for line in together if line in needed)
        before = (value, [number[line] for line in open_lines])
        value = contract([number[line] for line in kept], before, (table, [number[line] for line in lines]))
        open_lines = kept
    return value.transpose([open_lines.index(end) for end in ends])


@dataclass(frozen=True)
class _Side:
    """One of two passes over a rule: over values, or over magnitudes with the absolute values of all constants."""

    values: Mapping[Node, Evaluation]
    signed: bool

    def __call__(self, wire: Wire) -> Array:
        found = self.values[wire]
        return found.value if self.signed else found.magnitude

    def constant(self, table: Array) -> Array:
        return table if self.signed else np.abs(table)


class _Run:
    """One evaluation: what is given, and the values found so far."""

    def __init__(self, diagram: Diagram, inputs: Inputs) -> None:
        self.inputs = inputs
        self.names = node_names(diagram)
        self.values: dict[Node, Evaluation] = {}

    def count(self, node: Wire) -> int:
        return self.inputs.count(node.space.on)

    def shape(self, node: Wire) -> tuple[int, ...]:
        return (self.count(node), *node.space.sizes, node.space.dim)

    def visit(self, node: Wire) -> Evaluation:
        rule = _RULES.get(type(node))
        if rule is None:
            raise FusionError(f"no meaning is defined for {type(node).__name__}")
        return rule(self, node)

    def both(self, rule: Callable[[_Side], Array]) -> Evaluation:
        """Evaluate a rule that only adds and multiplies: once on values, once on magnitudes of everything."""
        return Evaluation(rule(_Side(self.values, True)), rule(_Side(self.values, False)))

    def parameter(self, node: Fuse | Mix, irrep: Irrep) -> Array:
        return self.inputs.coefficients[tensor_name(node, self.names[node], irrep)]


def blocks(space: Space, array: Array) -> dict[Irrep, Array]:
    """Cut the component axis into one (rows, *channels, paths, 2 l + 1) array per irrep."""
    return {
        part.irrep: array[..., part.offset : part.offset + part.size].reshape(
            *array.shape[:-1], part.paths, part.irrep.dim
        )
        for part in space.segments
    }


def join(space: Space, parts: Mapping[Irrep, Array], rows: int) -> Array:
    """Put blocks back on one component axis."""
    found = [parts[irrep] for _, irrep in space.irreps]
    flat = [block.reshape(*block.shape[:-2], block.shape[-2] * block.shape[-1]) for block in found]
    return np.concatenate(flat, axis=-1) if flat else np.zeros((rows, *space.sizes, 0))


def _leg(run: _Run, node: Leg) -> Evaluation:
    value = run.inputs.leg(node)
    return Evaluation(value, np.abs(value))


def _letters(pattern: Pattern) -> dict[str, int]:
    """Axis numbers: 0 is the row, letters from 10, components and paths in between."""
    return {letter: 10 + position for position, letter in enumerate(pattern.letters)}


def _chosen(pattern: Pattern | None, left: Space, right: Space) -> Pattern:
    found = pattern or default_pattern(left, right)
    if found is None:
        raise FusionError("a legal fuse or scale has a pattern")
    return found


def _fuse(run: _Run, node: Fuse) -> Evaluation:
    pattern = _chosen(node.pattern, node.left.space, node.right.space)
    axis = _letters(pattern)
    left_axes, right_axes = ([axis[c] for c in part] for part in pattern.operands)
    out_axes = [axis[c] for c in pattern.result]
    paths = fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)

    def rule(side: _Side) -> Array:
        left, right = blocks(node.left.space, side(node.left)), blocks(node.right.space, side(node.right))
        parts: dict[Irrep, list[Array]] = {}
        for path in paths:
            seen = parts.setdefault(path.out, [])
            operands: list[tuple[Array, Sequence[int]]] = [
                (left[path.left][..., path.left_path, :], [0, *left_axes, 1]),
                (right[path.right][..., path.right_path, :], [0, *right_axes, 2]),
                (side.constant(clebsch_gordan(path.left.l, path.right.l, path.out.l)), [1, 2, 3]),
            ]
            if node.weighted:
                weight = side.constant(run.parameter(node, path.out)[len(seen)])
                operands.append((weight, [axis[c] for c in pattern.letters]))
            seen.append(contract([0, *out_axes, 3], *operands))
        stacked = {irrep: np.stack(found, axis=-2) for irrep, found in parts.items()}
        if node.weighted:
            stacked = {irrep: found.sum(axis=-2, keepdims=True) for irrep, found in stacked.items()}
        return join(node.space, stacked, run.count(node))

    return run.both(rule)


def _power(run: _Run, node: Power) -> Evaluation:
    space = node.base.space
    parts = power_paths(space.irreps, node.orders, node.coupled, node.inner, node.basis)
    trees = [found[position] for _, found, kept in parts for position in kept]

    def rule(side: _Side) -> Array:
        base = blocks(space, side(node.base))
        factor = {
            (irrep, path): block[..., path, :] for irrep, block in base.items() for path in range(block.shape[-2])
        }
        found: dict[Irrep, list[Array]] = {}
        for tree in trees:
            lines = (tree.legs[0][0], *tree.inner, tree.out)
            value = factor[tree.legs[0]]
            for step, leg in enumerate(tree.legs[1:]):
                table = side.constant(clebsch_gordan(lines[step].l, leg[0].l, lines[step + 1].l))
                value = np.einsum("...a,...b,abm->...m", value, factor[leg], table)
            found.setdefault(tree.out, []).append(value)
        stacked = {irrep: np.stack(items, axis=-2) for irrep, items in found.items()}
        return join(node.space, stacked, run.count(node))

    return run.both(rule)


def _coefficients(run: _Run, node: Mix, irrep: Irrep, side: _Side) -> Array:
    """Return the coefficients of a mix for one irrep: (*classes, paths out, paths in, *letters of the pattern).

    There is one axis of paths only where every path is by itself.
    """
    letters = node.pattern.letters
    _, counts = mix_axes(node, node.wire.space.irreps.count(irrep))
    if isinstance(node.coefficients, Constant):
        sizes = letter_sizes(node)
        shape = (*counts, *(sizes[letter] for letter in letters))
        tensor = node.coefficients.tensor(irrep)
        return side.constant(np.broadcast_to(np.zeros(()) if tensor is None else tensor, shape))
    given = side.constant(run.parameter(node, irrep))
    if not isinstance(node.coefficients, Tied):
        return given
    tied = node.coefficients
    lead = list(range(len(counts)))
    every = dict.fromkeys(letters + tied.tensor_letters + tied.weight_letters)
    axis = {letter: len(lead) + position for position, letter in enumerate(every)}
    return contract(
        [*lead, *(axis[c] for c in letters)],
        (side.constant(tied.tensor), [axis[c] for c in tied.tensor_letters]),
        (given, [*lead, *(axis[c] for c in tied.weight_letters)]),
    )


def _mix(run: _Run, node: Mix) -> Evaluation:
    axis = _letters(node.pattern)
    in_axes, out_axes = [axis[c] for c in node.pattern.operands[0]], [axis[c] for c in node.pattern.result]
    letters = [axis[c] for c in node.pattern.letters]
    rows = tuple(run.inputs.label(label) for label in node.per)

    def rule(side: _Side) -> Array:
        parts: dict[Irrep, Array] = {}
        for irrep, block in blocks(node.wire.space, side(node.wire)).items():
            table = _coefficients(run, node, irrep, side)
            lead = [0] if rows else []
            wire = (block, [0, *in_axes, 1, 2])
            ends = [1] if node.each else [3, 1]  # the path out, the path in
            parts[irrep] = contract([0, *out_axes, ends[0], 2], wire, (table[rows], [*lead, *ends, *letters]))
        return join(node.space, parts, run.count(node))

    return run.both(rule)


def _scale(run: _Run, node: Scale) -> Evaluation:
    space, by = node.wire.space, node.by.space
    pattern = _chosen(node.pattern, space, by)
    axis = _letters(pattern)
    left_axes, right_axes = ([axis[c] for c in part] for part in pattern.operands)
    out_axes = [axis[c] for c in pattern.result]
    owner = _scaling_path(space, by)

    def rule(side: _Side) -> Array:
        factor = side(node.by)[..., owner]
        return contract([0, *out_axes, 1], (side(node.wire), [0, *left_axes, 1]), (factor, [0, *right_axes, 1]))

    return run.both(rule)


def _scaling_path(space: Space, by: Space) -> NDArray[np.int64]:
    """Return, for each component of ``space``, which path of the scaling wire multiplies it."""
    irrep_of = [place for place, (count, irrep) in enumerate(space.irreps) for _ in range(count * irrep.dim)]
    paths = [irrep for count, irrep in space.irreps for _ in range(count)]
    path_of = [place for place, irrep in enumerate(paths) for _ in range(irrep.dim)]
    if by.irreps.paths == len(paths):
        return np.array(path_of, dtype=np.int64)
    return np.array(irrep_of if by.irreps.paths > 1 else [0] * space.dim, dtype=np.int64)


def _add(run: _Run, node: Add) -> Evaluation:
    shape = run.shape(node)
    value, magnitude = np.zeros(shape), np.zeros(shape)
    for factor, wire in node.terms:
        value = value + factor * run.values[wire].value
        magnitude = magnitude + abs(factor) * run.values[wire].magnitude
    return Evaluation(value, magnitude)


def _map(run: _Run, node: Map) -> Evaluation:
    x, magnitude = run.values[node.wire].value, run.values[node.wire].magnitude
    if node.function in ELEMENTWISE:
        function = ELEMENTWISE[node.function]
        value = function.value(x)
        return Evaluation(value, np.abs(value) + np.abs(derivative_value(function, x)) * magnitude)
    if node.over is not None:
        return _softmax(run.inputs.one_hot(node.over), x, magnitude)
    axes = tuple(range(1, x.ndim - 1))
    centred = x - x.mean(axis=axes, keepdims=True)
    scale = 1.0 / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + LAYER_NORM_EPSILON)
    value = centred * scale
    spread = (magnitude + magnitude.mean(axis=axes, keepdims=True)) * scale
    return Evaluation(value, np.abs(value) * (1.0 + (np.abs(value) * spread).mean(axis=axes, keepdims=True)) + spread)


def _softmax(same: Array, x: Array, magnitude: Array) -> Evaluation:
    """Softmax over rows with one image; ``same`` is delta(map[i], j)."""
    groups = [x[column > 0] for column in same.T]
    top = np.array([group.max(axis=0) if len(group) else np.zeros(x.shape[1:]) for group in groups])
    top = top.reshape(same.shape[1], *x.shape[1:])
    raised = np.exp(x - np.tensordot(same, top, 1))  # subtracting the largest changes nothing but the range of exp
    total = np.tensordot(same.T, raised, 1)
    value = raised / np.tensordot(same, total, 1)
    spread = np.tensordot(same, np.tensordot(same.T, value * magnitude, 1), 1)
    return Evaluation(value, value * (1.0 + magnitude + spread))


def _geometry(run: _Run, node: Geometry) -> Evaluation:
    vector = run.values[node.wire].value
    r = np.linalg.norm(vector, axis=-1, keepdims=True)
    if node.function == "length":
        return Evaluation(r, np.maximum(r, 1e-30))
    if node.function == "cutoff":
        return _polynomial_cutoff(r / node.lengths[0], node.lengths[1])
    if node.function == "cosine_cutoff":
        x = r / node.lengths[0]
        wave, inside = np.cos(np.pi * x), x < 1.0
        return Evaluation(np.where(inside, (1.0 + wave) / 2, 0.0), np.where(inside, (1.0 + np.abs(wave)) / 2, 1.0))
    if node.function in ("bessel", "gaussian"):
        return _radial_basis(node, r)
    if node.function == "harmonics":
        value = harmonics(node.count, vector, cast("Normalization", node.normalization))
    else:
        # A polynomial: its terms are as large as those of the displacement make them, whatever they cancel to.
        value = solid_harmonics(node.count, vector)
        reach = np.linalg.norm(run.values[node.wire].magnitude, axis=-1, keepdims=True)
        size = np.concatenate([(reach**l).repeat(2 * l + 1, axis=-1) for l in range(node.count + 1)], axis=-1)
        return Evaluation(value, np.maximum(size, 1e-30))
    sizes = [np.linalg.norm(value[..., l * l : (l + 1) ** 2], axis=-1, keepdims=True) for l in range(node.count + 1)]
    magnitude = np.concatenate([size.repeat(2 * l + 1, axis=-1) for l, size in enumerate(sizes)], axis=-1)
    return Evaluation(value, np.maximum(magnitude, 1e-30))


def _polynomial_cutoff(x: Array, p: float) -> Evaluation:
    terms = [
        np.ones_like(x),
        -(p + 1) * (p + 2) / 2 * x**p,
        p * (p + 2) * x ** (p + 1),
        -p * (p + 1) / 2 * x ** (p + 2),
    ]
    inside = x < 1.0
    return Evaluation(np.where(inside, sum(terms), 0.0), np.where(inside, sum(map(np.abs, terms)), 1.0))


def _radial_basis(node: Geometry, r: Array) -> Evaluation:
    cutoff = node.lengths[0]
    orders = np.arange(1, node.count + 1)[:, None]
    distance = r[..., None, :]
    if node.function == "bessel":
        wave = orders * np.pi / cutoff
        value = np.sqrt(2.0 / cutoff) * wave * np.sinc(wave * distance / np.pi)
        return Evaluation(value, np.broadcast_to(np.sqrt(2.0 / cutoff) * wave * 2.0, value.shape))
    width = cutoff / max(1, node.count - 1)
    argument = ((distance - (orders - 1) * width) / width) ** 2 / 2
    return Evaluation(np.exp(-argument), np.exp(-argument) * (1.0 + argument))


def _pull(run: _Run, node: Pull) -> Evaluation:
    delta = run.inputs.one_hot(node.index_map)
    return run.both(lambda side: np.tensordot(delta, side(node.wire), 1))


def _sum(run: _Run, node: Sum) -> Evaluation:
    delta = run.inputs.one_hot(node.index_map)
    if node.by is None:
        return run.both(lambda side: np.tensordot(delta.T, side(node.wire), 1))
    kinds = (run.inputs.label(node.by)[:, None] == np.arange(node.by.classes)[None, :]).astype(np.float64)
    return run.both(lambda side: np.einsum("ei,ea,e...->ia...", delta, kinds, side(node.wire)))


def _direct_sum(run: _Run, node: DirectSum) -> Evaluation:
    count = run.count(node)

    def rule(side: _Side) -> Array:
        found: dict[Irrep, list[Array]] = {}
        for part in node.parts:
            for irrep, block in blocks(part.space, side(part)).items():
                found.setdefault(irrep, []).append(np.broadcast_to(block, (count, *block.shape[1:])))
        return join(node.space, {irrep: np.concatenate(items, axis=-2) for irrep, items in found.items()}, count)

    return run.both(rule)


def _select(run: _Run, node: Select) -> Evaluation:
    def rule(side: _Side) -> Array:
        cut = blocks(node.wire.space, side(node.wire))
        parts = {irrep: cut[irrep] if paths is None else cut[irrep][..., list(paths), :] for irrep, paths in node.keep}
        return join(node.space, parts, run.count(node))

    return run.both(rule)


def _split_or_merge(run: _Run, node: Split | Merge) -> Evaluation:
    shape = run.shape(node)
    return run.both(lambda side: side(node.wire).reshape(shape))


def _reorder(run: _Run, node: Reorder) -> Evaluation:
    axis = _letters(node.pattern)
    before, after = [axis[c] for c in node.pattern.operands[0]], [axis[c] for c in node.pattern.result]
    return run.both(lambda side: contract([0, *after, 1], (side(node.wire), [0, *before, 1])))


def _shuffle(run: _Run, node: Shuffle) -> Evaluation:
    axis = 1 + node.axis % len(node.space.channels)
    return run.both(lambda side: np.take(side(node.wire), list(node.order), axis=axis))


def _apply(run: _Run, node: Apply) -> Evaluation:
    network = node.network
    signed, unsigned = evaluate_network(network), evaluate_network(network, magnitude=True)
    shape = run.shape(node)
    wires = dict(node.wires)
    channels = range(4, 4 + len(node.space.channels))
    ends = range(10, 10 + len(network.ins))
    out = [3] if network.outs else []

    def rule(side: _Side) -> Array:
        tensor = signed if side.signed else unsigned
        given = [(side(wires[end]), [0, *(channels if wires[end].space.channels else ())]) for end in network.ins]
        operands = [(value, [*axes, end]) for end, (value, axes) in zip(ends, given, strict=True)]
        result = [*([0] if operands else []), *(channels if operands else ()), *out]
        return contract(result, (tensor, [*ends, *out]), *operands).reshape(shape)

    return run.both(rule)


_RULES: dict[type[Wire], Callable[[_Run, Any], Evaluation]] = {
    Leg: _leg,
    Fuse: _fuse,
    Power: _power,
    Mix: _mix,
    Scale: _scale,
    Add: _add,
    Map: _map,
    Geometry: _geometry,
    Pull: _pull,
    Sum: _sum,
    DirectSum: _direct_sum,
    Select: _select,
    Split: _split_or_merge,
    Merge: _split_or_merge,
    Reorder: _reorder,
    Shuffle: _shuffle,
    Apply: _apply,
}
