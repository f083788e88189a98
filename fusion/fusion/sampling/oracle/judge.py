"""Judge a whole diagram by what its nodes mean: which nodes cannot be computed, and which terms are zero.

Nothing here asks :mod:`fusion.rules` or :mod:`fusion.inference`. Every node is computed by brute force from generic
values on the wires that enter it, beside the same values transformed by a fixed element of the group: it is legal when
the arrays fit and the result transforms as its labels say. Index spaces have different numbers of rows, so that wires
on different spaces do not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import cast

import numpy as np

from fusion.diagram import Diagram, Label, Leg, Map, Mix, Pull, Sum, Wire, walk_nodes
from fusion.index import CONSTANT_SPACE, IndexMap
from fusion.limits import MAX_CHANNEL_AXES
from fusion.node import Node
from fusion.sampling.oracle.coefficients import fit, owned_names
from fusion.sampling.oracle.given import Given, Zeros
from fusion.sampling.oracle.meaning import MEANINGS
from fusion.sampling.oracle.values import Array, Blocks, Refused, Shape, generic, shape_of


@dataclass
class Verdict:
    """What is wrong with a diagram, and what is zero.

    Attributes:
        refused: nodes that cannot be computed, with the reason; nodes that such a node enters are not judged.
        unjudged: nodes behind a refused one.
        coefficients: nodes whose coefficients do not fit, when nothing else is wrong.
        zeros: terms that vanish for all values.
    """

    refused: dict[Node, str] = field(default_factory=dict[Node, str])
    unjudged: set[Node] = field(default_factory=set[Node])
    coefficients: dict[Node, str] = field(default_factory=dict[Node, str])
    zeros: Zeros = field(default_factory=Zeros)

    @property
    def legal(self) -> bool:
        """Whether nothing is wrong."""
        return not self.refused and not self.coefficients


def judge(value: Wire | Diagram) -> Verdict:
    """Compute every node of a diagram by itself and report what cannot be, or what is zero."""
    return _Judge(Diagram.of(value)).verdict


class _Judge:
    """One diagram in court: numbers of rows, names given at run time, and the shape of every wire so far."""

    def __init__(self, diagram: Diagram) -> None:
        self.verdict = Verdict()
        self.rng = np.random.default_rng(0)
        self.rows: dict[str, int] = {CONSTANT_SPACE: 1}
        self.shapes: dict[Node, Shape] = {}
        self.identity: dict[Node, int] = {}
        self._known: dict[tuple[object, ...], int] = {}
        nodes = walk_nodes(diagram)
        self.names = _Names(nodes)
        for node in nodes:
            self._visit(node)
        if not self.verdict.refused:
            self._coefficients(diagram, nodes)

    def count(self, space: str) -> int:
        """Return the number of rows of an index space: another one for each."""
        return self.rows.setdefault(space, len(self.rows) + 1)

    def delta(self, index_map: IndexMap) -> Array:
        """Return the matrix delta(map[i], j) of a random index map."""
        source, target = self.count(index_map.source), self.count(index_map.target)
        return np.eye(target, dtype=np.complex128)[self.rng.integers(0, target, size=source)]

    def _visit(self, node: Node) -> None:
        self._identify(node)
        behind = any(item in self.verdict.refused or item in self.verdict.unjudged for item in node.inputs)
        if behind:
            self.verdict.unjudged.add(node)
        try:
            self.names.check(node)  # names are taken also by what cannot be computed
            if behind:
                return
            self.shapes[node] = self._label(node) if isinstance(node, Label) else self._wire(cast("Wire", node))
        except (Refused, ValueError, IndexError) as error:  # numpy refuses with the last two
            if not behind:
                self.verdict.refused[node] = str(error)

    def _label(self, node: Label) -> Shape:
        value = np.zeros((2, self.count(node.on), node.classes), dtype=np.complex128)
        for step in node.maps:
            value = pulled(self.delta(step), value)
        return Shape(value.shape[1], (node.classes,), ())

    def _wire(self, node: Wire) -> Shape:
        if isinstance(node, Leg):
            paths = tuple(sorted(((irrep.l, irrep.p), count) for count, irrep in node.declared.irreps))
            return Shape(self.count(node.declared.on), node.declared.sizes, paths)
        entering: dict[int, Blocks] = {}
        for item in node.inputs:
            if isinstance(item, Wire) and self.identity[item] not in entering:
                entering[self.identity[item]] = generic(self.rng, self.shapes[item])
        values: dict[Node, Blocks] = {
            item: entering[self.identity[item]] for item in node.inputs if isinstance(item, Wire)
        }
        given = Given(self.rng, values, self.shapes, self.delta, self.verdict.zeros)
        shape = shape_of(MEANINGS[type(node)](given, node))
        if len(shape.axes) > MAX_CHANNEL_AXES:
            raise Refused("too many channel axes")
        return shape

    def _identify(self, node: Node) -> None:
        """Give a node a number, the same to nodes of the same value: legs of one tensor, and equal nodes of them."""
        parts: list[object] = [type(node).__name__]
        if isinstance(node, Leg):
            parts += [node.source, str(node.declared)]
        else:
            for item in fields(node):  # type: ignore[arg-type]  # every concrete node is a dataclass
                parts.append(self._frozen(getattr(node, item.name)))
        self.identity[node] = self._known.setdefault(tuple(parts), len(self._known))

    def _frozen(self, value: object) -> object:
        if isinstance(value, Node):
            return ("node", self.identity[value])
        if isinstance(value, tuple):
            return tuple(self._frozen(item) for item in cast("tuple[object, ...]", value))
        return repr(value)

    def _coefficients(self, diagram: Diagram, nodes: list[Node]) -> None:
        owners: dict[str, Node] = {}
        for node in nodes:
            for name in owned_names(node, self.shapes[node].labels):
                if owners.setdefault(name, node) != node:
                    self.verdict.coefficients[node] = f"the coefficients {name} belong to another node"
        for node in nodes:
            if isinstance(node, Mix):
                try:
                    fit(node, self.shapes[node.wire])
                except (Refused, ValueError) as error:
                    self.verdict.coefficients[node] = str(error)


class _Names:
    """What is given at run time is looked up by name: one name, one thing."""

    def __init__(self, nodes: list[Node]) -> None:
        self.declared: dict[str, str] = {}
        self.spaces: dict[str, tuple[str, str]] = {}
        self.maps: dict[str, IndexMap] = {}
        self.first: dict[str, Leg | Label] = {}
        for node in nodes:
            if isinstance(node, Leg | Label):
                self.first.setdefault(node.name, node)
        self.taken = {node.source for node in nodes if isinstance(node, Leg)}
        self.taken |= {node.name for node in nodes if isinstance(node, Label)}

    def check(self, node: Node) -> None:
        if isinstance(node, Leg):
            self.spaces.setdefault(node.source, (node.name, str(node.declared)))
        if isinstance(node, Leg | Label):
            text = node.declaration or ""
            if self.declared.setdefault(node.name, text) != text:
                raise Refused(f"{node.name} is declared twice")
        if isinstance(node, Leg):
            self._tensor(node)
        for index_map in _maps_of(node):
            if self.maps.setdefault(index_map.name, index_map) != index_map:
                raise Refused(f"index map {index_map.name} is declared twice")
            if index_map.name in self.taken:
                self.taken.discard(index_map.name)  # said once
                raise Refused(f"{index_map.name} is a map and a tensor")

    def _tensor(self, node: Leg) -> None:
        name, space = self.spaces[node.source]
        if str(node.declared) != space and node.name != name:
            raise Refused(f"one tensor {node.source} of two shapes")
        other = self.first.get(node.tensor) if node.tensor and self.first[node.name] is node else None
        if isinstance(other, Label) or (other is not None and other.source != node.source):
            raise Refused(f"the tensor {node.tensor} of {node.name} is not one that is given")


def _maps_of(node: Node) -> tuple[IndexMap, ...]:
    if isinstance(node, Label):
        return node.maps
    if isinstance(node, Pull | Sum):
        return (node.index_map,)
    return (node.over,) if isinstance(node, Map) and node.over is not None else ()


def pulled(delta: Array, value: Array) -> Array:
    """Return the rows of a value that the rows of a map point to."""
    return np.moveaxis(np.tensordot(delta, value, axes=(1, 1)), 1, 0)
