"""What a diagram means: its value by brute force, every magnetic and particle index summed explicitly.

This is the definition that everything else is measured against, written for reading and not for speed (numpy only).
Beside each value it carries its *magnitude*: the sum of the absolute values of all terms that make it up. An error is
measured as ``|a - b| / magnitude``, which is fair to sums that cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
    Label,
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
from fusion.errors import FusionError, InputError
from fusion.functions import ELEMENTWISE, LAYER_NORM_EPSILON, derivative_value
from fusion.harmonics import harmonics, solid_harmonics
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.inference.common import default_pattern
from fusion.irreps import Irrep
from fusion.network import Network
from fusion.node import Node
from fusion.parameters import letter_sizes, node_names
from fusion.pattern import Pattern
from fusion.powers import power_paths
from fusion.rows import product_rows
from fusion.space import Space
from fusion.symbols import clebsch_gordan
from fusion.validate import check

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """A value of a wire, shape (rows, *channels, components), and the magnitude of each of its numbers."""

    value: Array
    magnitude: Array

    def error(self, other: ArrayLike) -> float:
        """Return the largest ``|other - value| / magnitude`` (0 for an empty value; a NaN in ``other`` is infinite)."""
        found = np.asarray(other, dtype=np.float64)
        if found.shape != self.value.shape:
            raise InputError(f"values of shapes {found.shape} and {self.value.shape} cannot be compared")
        if found.size == 0:
            return 0.0
        if not np.all(np.isfinite(found)):
            return float("inf")
        return float(np.max(np.abs(found - self.value) / np.maximum(self.magnitude, 1e-300)))


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
    run = _Run(diagram, tensors, parameters or {}, sizes or {})
    for node in walk_nodes(diagram):
        if isinstance(node, Wire):
            run.values[node] = run.visit(node)
    return {name: run.values[wire] for name, wire in diagram.outputs}


def evaluate_network(network: Network) -> Array:
    """Return the tensor of a network: one axis per open end, in-ends first, each in the order of the lines."""
    ends = (*network.ins, *network.outs)
    letters = {name: position for position, (name, _) in enumerate(network.lines)}
    operands: list[object] = []
    for vertex in network.vertices:
        labels = [network.irreps[line].l for line in vertex.table_lines]
        table = clebsch_gordan(*labels) if len(labels) == 3 else np.eye(2 * labels[0] + 1)
        operands.extend((table, [letters[line] for line in vertex.table_lines]))
    bare = [name for name in network.ins if name in network.outs]
    fresh = len(letters)
    axes: list[int] = []
    for position, name in enumerate(ends):
        if name in bare and position < len(network.ins):
            operands.extend((np.eye(network.irreps[name].dim), [fresh, letters[name]]))
            axes.append(fresh)
            fresh += 1
        else:
            axes.append(letters[name])
    if not operands:
        return np.ones(())
    return np.asarray(np.einsum(*operands, axes), dtype=np.float64)  # type: ignore[arg-type]


class _Run:
    """One evaluation: the given arrays, the number of rows of every index space, and the values found so far."""

    def __init__(
        self,
        diagram: Diagram,
        tensors: Mapping[str, ArrayLike],
        parameters: Mapping[str, ArrayLike],
        sizes: Mapping[str, int],
    ) -> None:
        self.tensors = tensors
        self.parameters = parameters
        self.names = node_names(diagram)
        self.values: dict[Node, Evaluation] = {}
        self.rows: dict[str, int] = {CONSTANT_SPACE: 1, **sizes}
        self.maps: dict[IndexMap, Rows] = {}
        for node in walk_nodes(diagram):
            if isinstance(node, Leg):
                self._note(node.space.on, len(self._given(node.source)), node.source)
            elif isinstance(node, Label):
                self._note(node.on, len(self._given(node.name)), node.name)
                for step in node.maps:
                    self._map(step)
            elif isinstance(node, Pull | Sum):
                self._map(node.index_map)
            elif isinstance(node, Map) and node.over is not None:
                self._map(node.over)

    def _given(self, name: str) -> NDArray[np.generic]:
        if name not in self.tensors:
            raise InputError(f"no tensor is given for {name!r}; given: {', '.join(sorted(self.tensors)) or 'nothing'}")
        return np.asarray(self.tensors[name])

    def _note(self, space: str, count: int, name: str) -> None:
        if self.rows.setdefault(space, count) != count:
            raise InputError(f"{name!r} has {count} rows, but index space {space} has {self.rows[space]}")

    def _map(self, index_map: IndexMap) -> None:
        if index_map in self.maps:
            return
        derived = index_map.derived
        if derived is not None and index_map.name not in self.tensors:
            base, order, position = derived
            self.maps[index_map] = product_rows(self._given(base).astype(np.int64), order)[position]
        else:
            self.maps[index_map] = self._given(index_map.name).astype(np.int64)
        self._note(index_map.source, len(self.maps[index_map]), index_map.name)

    def count(self, space: str) -> int:
        if space not in self.rows:
            raise InputError(f"the number of rows of index space {space} is unknown; give it in sizes={{'{space}': ...}}")
        return self.rows[space]

    def one_hot(self, index_map: IndexMap) -> Array:
        """Return delta(map[i], j) as a dense (source rows, target rows) matrix."""
        found = self.maps[index_map]
        count = self.count(index_map.target)
        if found.size and (found.min() < 0 or found.max() >= count):
            raise InputError(f"index map {index_map.name} points to row {found.max()} of {count}")
        return (found[:, None] == np.arange(count)[None, :]).astype(np.float64)

    def label(self, label: Label) -> Rows:
        rows = self._given(label.name).astype(np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= label.classes):
            raise InputError(f"label {label.name} has value {rows.max()}, classes run from 0 to {label.classes - 1}")
        for step in label.maps:
            rows = rows[self.maps[step]]
        return rows

    def visit(self, node: Wire) -> Evaluation:
        for kind, rule in _RULES.items():
            if isinstance(node, kind):
                return rule(self, node)
        raise FusionError(f"no meaning is defined for {type(node).__name__}")

    def both(self, node: Wire, linear: Callable[[Callable[[Wire], Array]], Array]) -> Evaluation:
        """Evaluate a rule that only adds and multiplies: once on values, once on magnitudes of everything."""
        return Evaluation(linear(lambda wire: self.values[wire].value), linear(lambda wire: self.values[wire].magnitude))


def blocks(space: Space, array: Array) -> dict[Irrep, Array]:
    """Cut the component axis into one (rows, *channels, paths, 2 l + 1) array per irrep."""
    return {
        part.irrep: array[..., part.offset : part.offset + part.size].reshape(*array.shape[:-1], part.paths, part.irrep.dim)
        for part in space.segments
    }


def join(space: Space, parts: Mapping[Irrep, Array], rows: int) -> Array:
    """Put blocks back on one component axis."""
    flat = [parts[irrep].reshape(*parts[irrep].shape[:-2], -1) for _, irrep in space.irreps]
    return np.concatenate(flat, axis=-1) if flat else np.zeros((rows, *space.sizes, 0))


def _leg(run: _Run, node: Leg) -> Evaluation:
    value = np.asarray(run.tensors[node.source], dtype=np.float64)
    expected = (run.count(node.space.on), *node.space.sizes, node.space.dim)
    if value.shape != expected:
        raise InputError(f"tensor {node.source!r} has shape {value.shape}; leg {node.name} needs {expected} ({node.space})")
    return Evaluation(value, np.abs(value))


def _letters(pattern: Pattern) -> dict[str, int]:
    """Einsum axes: 0 is the row, letters from 10, components and paths in between."""
    return {letter: 10 + position for position, letter in enumerate(pattern.letters)}


def _fuse(run: _Run, node: Fuse) -> Evaluation:
    pattern = node.pattern or default_pattern(node.left.space, node.right.space)
    if pattern is None:
        raise FusionError("a legal fuse has a pattern")
    axis = _letters(pattern)
    left_axes, right_axes = ([axis[c] for c in part] for part in pattern.operands)
    out_axes = [axis[c] for c in pattern.result]
    paths = fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)

    def rule(get: Callable[[Wire], Array]) -> Array:
        signed = get(node.left) is run.values[node.left].value
        left, right = blocks(node.left.space, get(node.left)), blocks(node.right.space, get(node.right))
        parts: dict[Irrep, list[Array]] = {}
        for path in paths:
            table = clebsch_gordan(path.left.l, path.right.l, path.out.l)
            operands: list[object] = [
                left[path.left][..., path.left_path, :],
                [0, *left_axes, 1],
                right[path.right][..., path.right_path, :],
                [0, *right_axes, 2],
                table if signed else np.abs(table),
                [1, 2, 3],
            ]
            if node.weighted:
                seen = parts.get(path.out, [])
                weight = _parameter(run, node, path.out)[len(seen)]
                operands.extend((weight if signed else np.abs(weight), [axis[c] for c in pattern.letters]))
            parts.setdefault(path.out, []).append(np.einsum(*operands, [0, *out_axes, 3]))  # type: ignore[arg-type]
        stacked = {irrep: np.stack(found, axis=-2) for irrep, found in parts.items()}
        if node.weighted:
            stacked = {irrep: found.sum(axis=-2, keepdims=True) for irrep, found in stacked.items()}
        return join(node.space, stacked, run.count(node.space.on))

    return run.both(node, rule)


def _power(run: _Run, node: Power) -> Evaluation:
    space = node.base.space
    parts = power_paths(space.irreps, node.orders, node.coupled, node.inner, node.basis)

    def rule(get: Callable[[Wire], Array]) -> Array:
        signed = get(node.base) is run.values[node.base].value
        base = blocks(space, get(node.base))
        found: dict[Irrep, list[Array]] = {}
        for _, trees, kept in parts:
            for position in kept:
                tree = trees[position]
                lines = (tree.legs[0][0], *tree.inner, tree.out)
                irrep, path = tree.legs[0]
                value = base[irrep][..., path, :]
                for step, (irrep, path) in enumerate(tree.legs[1:]):
                    table = clebsch_gordan(lines[step].l, irrep.l, lines[step + 1].l)
                    table = table if signed else np.abs(table)
                    value = np.einsum("...a,...b,abm->...m", value, base[irrep][..., path, :], table)
                found.setdefault(tree.out, []).append(value)
        return join(node.space, {irrep: np.stack(items, axis=-2) for irrep, items in found.items()}, run.count(space.on))

    return run.both(node, rule)


def _parameter(run: _Run, node: Node, irrep: Irrep) -> Array:
    name = f"{run.names[node]}_{irrep}"
    if name not in run.parameters:
        raise InputError(f"no coefficients are given for {name!r}; given: {', '.join(sorted(run.parameters)) or 'nothing'}")
    return np.asarray(run.parameters[name], dtype=np.float64)


def coefficients(run: _Run, node: Mix, irrep: Irrep) -> Array:
    """Return the coefficients of a mix for one irrep: (*classes, paths out, paths in, *letters of the pattern)."""
    sizes = letter_sizes(node)
    letters = node.pattern.letters
    classes = tuple(label.classes for label in node.per)
    shape = (*classes, node.out_paths, node.wire.space.irreps.count(irrep), *(sizes[letter] for letter in letters))
    if isinstance(node.coefficients, Constant):
        tensor = node.coefficients.tensor(irrep)
        return np.broadcast_to(np.zeros(()) if tensor is None else tensor, shape)
    given = _parameter(run, node, irrep)
    if isinstance(node.coefficients, Tied):
        tied = node.coefficients
        axis = {letter: 20 + i for i, letter in enumerate(dict.fromkeys(letters + tied.tensor_letters + tied.weight_letters))}
        lead = list(range(len(classes) + 2))
        given = np.einsum(
            tied.tensor,
            [axis[c] for c in tied.tensor_letters],
            given,
            [*lead, *(axis[c] for c in tied.weight_letters)],
            [*lead, *(axis[c] for c in letters)],
        )
    if given.shape != shape:
        raise InputError(f"coefficients {run.names[node]}_{irrep} have shape {given.shape}, expected {shape}")
    return given


def _mix(run: _Run, node: Mix) -> Evaluation:
    axis = _letters(node.pattern)
    in_axes, out_axes = [axis[c] for c in node.pattern.operands[0]], [axis[c] for c in node.pattern.result]
    letters = [axis[c] for c in node.pattern.letters]
    rows = [run.label(label) for label in node.per]
    count = run.count(node.space.on)

    def rule(get: Callable[[Wire], Array]) -> Array:
        signed = get(node.wire) is run.values[node.wire].value
        parts: dict[Irrep, Array] = {}
        for irrep, block in blocks(node.wire.space, get(node.wire)).items():
            table = coefficients(run, node, irrep)
            table = table if signed else np.abs(table)
            if rows:
                operands = [np.broadcast_to(block, (count, *block.shape[1:])), [0, *in_axes, 1, 2], table[tuple(rows)], [0, 3, 1, *letters]]
            else:
                operands = [block, [0, *in_axes, 1, 2], table, [3, 1, *letters]]
            parts[irrep] = np.einsum(*operands, [0, *out_axes, 3, 2])  # type: ignore[arg-type]
        return join(node.space, parts, count)

    return run.both(node, rule)


def _scale(run: _Run, node: Scale) -> Evaluation:
    space, by = node.wire.space, node.by.space
    pattern = node.pattern or default_pattern(space, by)
    if pattern is None:
        raise FusionError("a legal scale has a pattern")
    axis = _letters(pattern)
    left_axes, right_axes = ([axis[c] for c in part] for part in pattern.operands)
    out_axes = [axis[c] for c in pattern.result]
    owner = np.concatenate([np.arange(s.paths).repeat(s.irrep.dim) + p for s, p in zip(space.segments, _starts(space), strict=True)])
    if by.irreps.paths == 1:
        owner = np.zeros_like(owner)
    elif by.irreps.paths == len(space.irreps) and by.irreps.paths != space.irreps.paths:
        owner = np.concatenate([np.full(s.size, i) for i, s in enumerate(space.segments)])

    def rule(get: Callable[[Wire], Array]) -> Array:
        return np.einsum(get(node.wire), [0, *left_axes, 1], get(node.by)[..., owner], [0, *right_axes, 1], [0, *out_axes, 1])

    return run.both(node, rule)


def _starts(space: Space) -> list[int]:
    """Return, for each irrep, how many paths come before it."""
    starts = [0]
    for paths, _ in space.irreps:
        starts.append(starts[-1] + paths)
    return starts[:-1]


def _add(run: _Run, node: Add) -> Evaluation:
    shape = (run.count(node.space.on), *node.space.sizes, node.space.dim)
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
        same = run.one_hot(node.over)
        top = np.array([x[run.maps[node.over] == j].max(axis=0) if (run.maps[node.over] == j).any() else np.zeros(x.shape[1:]) for j in range(same.shape[1])])
        top = top.reshape(same.shape[1], *x.shape[1:])
        raised = np.exp(x - np.tensordot(same, top, 1))
        total = np.tensordot(same.T, raised, 1)
        value = raised / np.tensordot(same, total, 1)
        spread = np.tensordot(same, np.tensordot(same.T, value * magnitude, 1), 1)
        return Evaluation(value, value * (1.0 + magnitude + spread))
    axes = tuple(range(1, x.ndim - 1))
    centred = x - x.mean(axis=axes, keepdims=True)
    scale = 1.0 / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + LAYER_NORM_EPSILON)
    value = centred * scale
    spread = (magnitude + magnitude.mean(axis=axes, keepdims=True)) * scale
    return Evaluation(value, np.abs(value) * (1.0 + (np.abs(value) * spread).mean(axis=axes, keepdims=True)) + spread)


def _geometry(run: _Run, node: Geometry) -> Evaluation:
    vector = run.values[node.wire].value
    r = np.linalg.norm(vector, axis=-1, keepdims=True)
    if node.function in ("harmonics", "solid_harmonics"):
        if node.function == "harmonics":
            value = harmonics(node.count, vector, node.normalization)  # type: ignore[arg-type]  # checked at declaration
        else:
            value = solid_harmonics(node.count, vector)
        magnitude = np.concatenate(
            [
                np.broadcast_to(np.linalg.norm(value[..., l * l : (l + 1) ** 2], axis=-1, keepdims=True), (*r.shape[:-1], 2 * l + 1))
                for l in range(node.count + 1)  # noqa: E741
            ],
            axis=-1,
        )
        return Evaluation(value, np.maximum(magnitude, 1e-30))
    if node.function == "length":
        return Evaluation(r, np.maximum(r, 1e-30))
    cutoff = node.lengths[0]
    if node.function == "cutoff":
        p, x = node.lengths[1], r / cutoff
        terms = [
            np.ones_like(x),
            -(p + 1) * (p + 2) / 2 * x**p,
            p * (p + 2) * x ** (p + 1),
            -p * (p + 1) / 2 * x ** (p + 2),
        ]
        inside = x < 1.0
        return Evaluation(np.where(inside, sum(terms), 0.0), np.where(inside, sum(map(np.abs, terms)), 1.0))
    orders = np.arange(1, node.count + 1)[:, None]
    if node.function == "bessel":
        wave = orders * np.pi / cutoff
        distance = r[..., None, :]
        value = np.sqrt(2.0 / cutoff) * wave * np.sinc(wave * distance / np.pi)
        return Evaluation(value, np.broadcast_to(np.sqrt(2.0 / cutoff) * wave * 2.0, value.shape))
    width = cutoff / max(1, node.count - 1)
    argument = ((r[..., None, :] - (orders - 1) * width) / width) ** 2 / 2
    return Evaluation(np.exp(-argument), np.exp(-argument) * (1.0 + argument))


def _pull(run: _Run, node: Pull) -> Evaluation:
    delta = run.one_hot(node.index_map)
    return run.both(node, lambda get: np.tensordot(delta, get(node.wire), 1))


def _sum(run: _Run, node: Sum) -> Evaluation:
    delta = run.one_hot(node.index_map)
    if node.by is None:
        return run.both(node, lambda get: np.tensordot(delta.T, get(node.wire), 1))
    kinds = (run.label(node.by)[:, None] == np.arange(node.by.classes)[None, :]).astype(np.float64)
    return run.both(node, lambda get: np.einsum("ei,ea,e...->ia...", delta, kinds, get(node.wire)))


def _direct_sum(run: _Run, node: DirectSum) -> Evaluation:
    count = run.count(node.space.on)

    def rule(get: Callable[[Wire], Array]) -> Array:
        cut = [blocks(part.space, get(part)) for part in node.parts]
        parts = {
            irrep: np.concatenate([np.broadcast_to(c[irrep], (count, *c[irrep].shape[1:])) for c in cut if irrep in c], axis=-2)
            for _, irrep in node.space.irreps
        }
        return join(node.space, parts, count)

    return run.both(node, rule)


def _select(run: _Run, node: Select) -> Evaluation:
    def rule(get: Callable[[Wire], Array]) -> Array:
        cut = blocks(node.wire.space, get(node.wire))
        parts = {irrep: cut[irrep] if paths is None else cut[irrep][..., list(paths), :] for irrep, paths in node.keep}
        return join(node.space, parts, run.count(node.space.on))

    return run.both(node, rule)


def _split(run: _Run, node: Split) -> Evaluation:
    return run.both(node, lambda get: get(node.wire).reshape(-1, *node.space.sizes, node.space.dim))


def _merge(run: _Run, node: Merge) -> Evaluation:
    return run.both(node, lambda get: get(node.wire).reshape(-1, *node.space.sizes, node.space.dim))


def _reorder(run: _Run, node: Reorder) -> Evaluation:
    axis = _letters(node.pattern)
    before, after = [axis[c] for c in node.pattern.operands[0]], [axis[c] for c in node.pattern.result]
    return run.both(node, lambda get: np.einsum(get(node.wire), [0, *before, 1], [0, *after, 1]))


def _shuffle(run: _Run, node: Shuffle) -> Evaluation:
    axis = 1 + node.axis % len(node.space.channels)
    return run.both(node, lambda get: np.take(get(node.wire), list(node.order), axis=axis))


def _apply(run: _Run, node: Apply) -> Evaluation:
    network = node.network
    tensor = evaluate_network(network)
    ends = network.ins
    count = run.count(node.space.on)
    given = dict(node.wires)
    width = len(node.space.channels)

    def rule(get: Callable[[Wire], Array]) -> Array:
        signed = not given or get(given[ends[0]]) is run.values[given[ends[0]]].value
        operands: list[object] = [tensor if signed else np.abs(tensor), [*range(10, 10 + len(ends)), *([3] if network.outs else [])]]
        for position, end in enumerate(ends):
            value = get(given[end])
            channels = range(4, 4 + width) if given[end].space.channels else ()
            operands.extend((np.broadcast_to(value, (count, *value.shape[1:])), [0, *channels, 10 + position]))
        out = [*([0] if ends else []), *range(4, 4 + width), *([3] if network.outs else [])]
        return np.asarray(np.einsum(*operands, out)).reshape(count, *node.space.sizes, node.space.dim)  # type: ignore[arg-type]

    return run.both(node, rule)


_RULES: dict[type[Wire], Callable[[_Run, Wire], Evaluation]] = {  # pyright: ignore[reportAssignmentType]
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
    Split: _split,
    Merge: _merge,
    Reorder: _reorder,
    Shuffle: _shuffle,
    Apply: _apply,
}

