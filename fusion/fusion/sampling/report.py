"""What a set of diagrams covers: node kinds, vertices, degrees, index spaces."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from fusion.coefficients import Learned
from fusion.diagram import (
    Apply,
    Diagram,
    Fuse,
    Geometry,
    Label,
    Leg,
    Map,
    Mix,
    Power,
    Scale,
    Select,
    Sum,
    Wire,
    walk_nodes,
)
from fusion.index import CONSTANT_SPACE
from fusion.node import Node
from fusion.sampling.growth import count_vertices

NODE_KINDS = (
    "leg", "label", "fuse", "power", "mix", "scale", "add", "map", "geometry", "pull", "sum",
    "directsum", "select", "split", "merge", "reorder", "shuffle", "apply",
)  # fmt: skip
"""Every node kind of the language, by the name of its class."""


def digest(value: Wire | Diagram) -> str:
    """Digest of a diagram as declared: equal exactly for equal diagrams."""
    return hashlib.sha256(str(value).encode()).hexdigest()


def features(value: Wire | Diagram) -> set[str]:
    """Return the node kinds of a diagram and the variants of them, such as ``mix tied`` or ``map softmax``."""
    found: set[str] = set()
    for node in walk_nodes(value):
        found.add(node.kind)
        found.update(f"{node.kind} {variant}" for variant in _variants(node))
    if isinstance(value, Diagram) and len(value.outputs) > 1:
        found.add("several outputs")
    if any(irrep.p == 0 for node in walk_nodes(value) for _, irrep in node.space.irreps):
        found.add("SO(3)")
    return found


def _variants(node: Node) -> list[str]:
    if isinstance(node, Mix):
        per = ["per label"] if len(node.per) == 1 else ["per labels"] if node.per else []
        kind = "learned" if isinstance(node.coefficients, Learned) else type(node.coefficients).__name__.lower()
        forms = {"paths": node.out_paths > 1, "each path": node.each, "shared": node.shared}
        return [kind, *per, *(form for form, present in forms.items() if present)]
    if isinstance(node, Fuse):
        kinds = {
            "weighted": node.weighted,
            "pattern": node.pattern is not None and not node.weighted,
            "listed": node.triples is not None,
            "filtered": node.coupled is not None,
            "of itself": node.left == node.right,
        }
        return [name for name, present in kinds.items() if present]
    if isinstance(node, Power):
        return [node.basis, *(["capped"] if node.inner is not None else []), f"order {max(node.orders)}"]
    if isinstance(node, Apply):
        kinds = {vertex.kind for vertex in node.network.vertices} & {"cup", "cap", "split"}
        ends = "one" if node.is_one else "constant" if not node.wires else "open" if node.network.outs else "closed"
        return [*sorted(kinds), ends]
    if isinstance(node, Map | Geometry):
        return [node.function]
    if isinstance(node, Scale):
        single = node.by.space.irreps.paths == 1
        return ["broadcast" if single else "matched", *(["pattern"] if node.pattern is not None else [])]
    if isinstance(node, Sum):
        return ["by label"] if node.by is not None else []
    if isinstance(node, Leg):
        return ["same tensor"] if node.tensor else []
    if isinstance(node, Label):
        return ["pulled"] if node.maps else []
    if isinstance(node, Select):
        return ["single paths"] if any(paths is not None for _, paths in node.keep) else []
    return []


def index_spaces(value: Wire | Diagram) -> set[str]:
    """Return the index spaces of a diagram, the constant one left out."""
    nodes = walk_nodes(value)
    labels = {node.on for node in nodes if isinstance(node, Label)}
    return ({node.space.on for node in nodes} | labels) - {CONSTANT_SPACE}


def largest_degree(value: Wire | Diagram) -> int:
    """Return the largest l on any wire of a diagram."""
    return max((irrep.l for node in walk_nodes(value) for _, irrep in node.space.irreps), default=0)


@dataclass
class Distribution:
    """Counts over a set of diagrams; add to it with :meth:`count`.

    Attributes:
        diagrams: number of diagrams.
        digests: digests of the distinct ones.
        features: number of diagrams with each node kind or variant.
        vertices: trivalent vertices of each diagram.
        nodes: nodes of each diagram.
        degrees: largest l of each diagram.
        spaces: number of index spaces of each diagram.
    """

    diagrams: int = 0
    digests: set[str] = field(default_factory=set[str])
    features: Counter[str] = field(default_factory=Counter[str])
    vertices: list[int] = field(default_factory=list[int])
    nodes: list[int] = field(default_factory=list[int])
    degrees: Counter[int] = field(default_factory=Counter[int])
    spaces: Counter[int] = field(default_factory=Counter[int])

    def count(self, value: Wire | Diagram) -> None:
        """Take one more diagram into account."""
        self.diagrams += 1
        self.digests.add(digest(value))
        self.features.update(features(value))
        self.vertices.append(count_vertices(value))
        self.nodes.append(len(walk_nodes(value)))
        self.degrees[largest_degree(value)] += 1
        self.spaces[len(index_spaces(value))] += 1

    def share(self, feature: str) -> float:
        """Fraction of diagrams with a node kind or variant."""
        return self.features[feature] / self.diagrams if self.diagrams else 0.0

    @property
    def median_vertices(self) -> float:
        """Median number of trivalent vertices."""
        return float(np.median(self.vertices)) if self.vertices else 0.0

    @property
    def several_spaces(self) -> float:
        """Fraction of diagrams with two or more index spaces."""
        return sum(n for spaces, n in self.spaces.items() if spaces > 1) / self.diagrams if self.diagrams else 0.0

    def shortfalls(self) -> list[str]:
        """Return what a set that claims to test the whole language lacks; empty when nothing."""
        lacks = [f"{kind} in {self.share(kind):.1%}" for kind in NODE_KINDS if self.share(kind) < 0.05]
        if len(self.digests) < self.diagrams:
            lacks.append(f"only {len(self.digests)} of {self.diagrams} diagrams are distinct")
        if self.median_vertices < 6:
            lacks.append(f"median of {self.median_vertices:g} vertices")
        if max(self.degrees, default=0) < 4:
            lacks.append(f"l only to {max(self.degrees, default=0)}")
        if self.several_spaces < 0.3:
            lacks.append(f"two or more index spaces in {self.several_spaces:.1%}")
        return lacks

    def __str__(self) -> str:
        quartiles = [float(x) for x in np.percentile(self.vertices or [0], (0, 25, 50, 75, 100))]
        nodes = [float(x) for x in np.percentile(self.nodes or [0], (0, 25, 50, 75, 100))]
        lines = [
            f"{self.diagrams} diagrams, {len(self.digests)} distinct",
            "vertices       min {:g}, quartiles {:g} {:g} {:g}, max {:g}".format(*quartiles),
            "nodes          min {:g}, quartiles {:g} {:g} {:g}, max {:g}".format(*nodes),
            "largest l      " + ", ".join(f"{l}: {n / self.diagrams:.0%}" for l, n in sorted(self.degrees.items())),
            "index spaces   " + ", ".join(f"{s}: {n / self.diagrams:.0%}" for s, n in sorted(self.spaces.items())),
            "node kinds     " + ", ".join(f"{kind} {self.share(kind):.0%}" for kind in NODE_KINDS),
        ]
        rest = sorted(set(self.features) - set(NODE_KINDS))
        lines.append("variants       " + ", ".join(f"{name} {self.share(name):.0%}" for name in rest))
        return "\n".join(lines)
