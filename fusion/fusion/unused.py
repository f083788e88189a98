"""Dead branches: irreps of legs and of learned coefficients that no output depends on. Legal, but worth a notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fusion.couplings import fuse_paths
from fusion.diagram import (
    Add,
    Diagram,
    DirectSum,
    Fuse,
    Leg,
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
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.powers import power_paths
from fusion.violations import Violation

Demand = tuple[Wire, Iterable[Irrep]]


def unused(diagram: Diagram) -> Iterator[tuple[Node, Violation]]:
    """Yield a notice for every leg and every node with coefficients of which some irreps reach no output."""
    wanted: dict[Wire, set[Irrep]] = {}
    for _, wire in diagram.outputs:
        wanted.setdefault(wire, set()).update(wire.space.irreps.kinds())
    nodes = walk_nodes(diagram)
    for node in reversed(nodes):
        if isinstance(node, Wire):
            for wire, kinds in _demands(node, wanted.get(node, set())):
                wanted.setdefault(wire, set()).update(kinds)
    for node in nodes:
        if not isinstance(node, Wire):
            continue
        dead = [str(irrep) for irrep in node.space.irreps.kinds() if irrep not in wanted.get(node, set())]
        if dead and isinstance(node, Leg):
            yield (
                node,
                Violation("selection", f"no output depends on {', '.join(dead)} of leg {node.name}", severity="notice"),
            )
        elif dead and (isinstance(node, Mix) or (isinstance(node, Fuse) and node.weighted)):
            headline = f"no output depends on the coefficients of this {node.kind} for {', '.join(dead)}"
            yield node, Violation("selection", headline, severity="notice")


def _demands(node: Wire, wanted: set[Irrep]) -> Iterator[Demand]:
    """Yield, for every input of ``node``, the irreps that its ``wanted`` irreps are made from."""
    if isinstance(node, Fuse):
        paths = fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)
        used = [path for path in paths if path.out in wanted]
        yield node.left, {path.left for path in used}
        yield node.right, {path.right for path in used}
    elif isinstance(node, Power):
        parts = power_paths(node.base.space.irreps, node.orders, node.coupled, node.inner, node.basis)
        kept = (trees[position] for _, trees, positions in parts for position in positions)
        yield node.base, {irrep for tree in kept if tree.out in wanted for irrep, _ in tree.legs}
    elif isinstance(node, Mix | Pull | Sum | Split | Merge | Reorder | Shuffle | Select):
        yield node.wire, wanted
    elif isinstance(node, Scale):
        yield node.wire, wanted
        yield node.by, node.by.space.irreps.kinds()
    elif isinstance(node, Add | DirectSum):
        parts = node.parts if isinstance(node, DirectSum) else tuple(wire for _, wire in node.terms)
        for wire in parts:
            yield wire, wanted.intersection(wire.space.irreps.kinds())
    else:
        for child in node.inputs:
            if isinstance(child, Wire):
                yield child, child.space.irreps.kinds()
