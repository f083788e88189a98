"""Dead branches: irreps of legs and of learned coefficients that no output depends on. Legal, but worth a notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fusion.couplings import meetings
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
        elif dead and _idle(node, len(dead)):
            headline = f"no output depends on the coefficients of this {node.kind} for {', '.join(dead)}"
            yield node, Violation("selection", headline, severity="notice")


def _idle(node: Wire, dead: int) -> bool:
    """Whether a node has coefficients that act on nothing but its ``dead`` irreps."""
    if isinstance(node, Mix):
        return not node.shared or dead == len(node.space.irreps)
    return isinstance(node, Fuse) and node.weighted


def _demands(node: Wire, wanted: set[Irrep]) -> Iterator[Demand]:
    """Yield, for every input of ``node``, the irreps that its ``wanted`` irreps are made from."""
    if isinstance(node, Fuse):
        left, right = node.left.space.irreps, node.right.space.irreps
        if node.triples is not None:
            used = [(a, b) for a, b, out in node.triples if out in wanted]
            yield node.left, {a for a, _ in used}
            yield node.right, {b for _, b in used}
        else:  # no more than the filter lets pass is wanted
            kinds = meetings(left, right)
            yield node.left, {a for out in wanted for a in kinds[out].left}
            yield node.right, {b for out in wanted for b in kinds[out].right}
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
