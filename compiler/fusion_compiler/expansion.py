"""The first level below the diagram: fusion trees with definite labels on every line, grouped by where they meet.

A *group* is a maximal tree of unweighted fuses whose inner wires are used nowhere else; its leaves are other wires. It
expands into one fusion tree per path of its root. All other nodes are kept as they are, with powers written out as
fuses and every set of coefficients named, so that no later rewrite can change what a name means.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fusion.diagram import Diagram, Fuse, Wire, walk_nodes
from fusion.inference.common import default_pattern
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.trees import FusionTree
from fusion_compiler.errors import InternalError
from fusion_compiler.layout import Path


@dataclass(frozen=True, slots=True)
class Term:
    """One path of a group's root: its tree, and whether it is zero by exchange symmetry."""

    out: Path
    tree: FusionTree
    zero: bool = False


@dataclass(frozen=True)
class Group:
    """A tree of fuses contracted together."""

    root: Fuse
    members: tuple[Fuse, ...]
    leaves: tuple[Wire, ...]
    terms: tuple[Term, ...] = ()


def chosen_pattern(node: Fuse) -> Pattern:
    """Return the channel pattern of a legal fuse."""
    pattern = node.pattern or default_pattern(node.left.space, node.right.space)
    if pattern is None:
        raise InternalError("a fuse without a pattern reached the compiler", str(node))
    return pattern


@dataclass(frozen=True)
class Expansion:
    """The written-out diagram, its groups, and the paths of every wire that are needed (``live``)."""

    diagram: Diagram
    groups: tuple[Group, ...]
    live: dict[Node, tuple[Path, ...]] = field(default_factory=dict)
    dropped: int = 0

    @property
    def nodes(self) -> list[Node]:
        """Every node, inputs before users."""
        return walk_nodes(self.diagram)

    def verify(self) -> None:
        """Check that groups partition the unweighted fuses and that every term is a path of its root."""
        seen: set[Node] = set()
        for group in self.groups:
            for member in group.members:
                if member in seen:
                    raise InternalError("a fuse belongs to two groups", str(self))
                seen.add(member)
            paths = {(irrep, path) for count, irrep in group.root.space.irreps for path in range(count)}
            if any(term.out not in paths for term in group.terms):
                raise InternalError("a term is not a path of its root", str(self))
        for node in self.nodes:
            if isinstance(node, Fuse) and not node.weighted and node not in seen:
                raise InternalError("a fuse belongs to no group", str(self))

    def __str__(self) -> str:
        lines = [
            f"expansion: {len(self.groups)} groups, {sum(len(g.terms) for g in self.groups)} trees, "
            f"{self.dropped} dropped"
        ]
        for number, group in enumerate(self.groups):
            lines.append(f"group {number}: {len(group.leaves)} leaves, {len(group.terms)} trees -> {group.root.space}")
            for term in group.terms:
                mark = "  zero by exchange" if term.zero else ""
                lines.append(f"  {term.out[0]}[{term.out[1]}] = {term.tree}{mark}")
        return "\n".join(lines)
