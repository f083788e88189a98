"""expand: write powers out as fuses, name all coefficients, and list the fusion trees of every group of fuses."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import cast

from fusion.coefficients import Buffer, Constant
from fusion.couplings import fuse_paths, numbered
from fusion.diagram import Diagram, DirectSum, Fuse, Mix, Power, Select, Wire, walk_nodes
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.limits import MAX_L
from fusion.node import Node
from fusion.parameters import node_names
from fusion.pattern import Pattern
from fusion.powers import power_paths
from fusion.rebuild import rebuild
from fusion.rules import coupled
from fusion.trees import FusionTree
from fusion_compiler.expansion import Expansion, Group, Term, chosen_pattern
from fusion_compiler.layout import Path

MAX_GROUP = 10
MAX_LETTERS = 26
"""Fuses, and channel letters of their patterns, contracted together at most. A larger tree is cut."""


def expand(diagram: Diagram) -> Expansion:
    """Return the expansion of a legal diagram."""
    written = write_out(diagram)
    uses: dict[Node, list[Node]] = {}
    nodes = walk_nodes(written)
    for node in nodes:
        for child in node.inputs:
            uses.setdefault(child, []).append(node)
    outputs = {wire for _, wire in written.outputs}
    groups: list[Group] = []
    inner: set[Node] = set()
    for node in reversed(nodes):  # roots first
        if isinstance(node, Fuse) and not node.weighted and node not in inner:
            group = _group(node, uses, outputs)
            inner.update(group.members)
            groups.append(group)
    return Expansion(written, tuple(reversed(groups)))


@lru_cache(maxsize=32)
def write_out(diagram: Diagram) -> Diagram:
    """Return the diagram with powers as chains of fuses and with every set of coefficients named explicitly."""
    named = name_coefficients(diagram)
    new: dict[Node, Node] = {}
    for node in walk_nodes(named):
        built = rebuild(node, new)
        new[node] = _power(built) if isinstance(built, Power) else built
    return Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in named.outputs))


def name_coefficients(diagram: Diagram) -> Diagram:
    """Return the diagram with every set of coefficients named explicitly."""
    names = node_names(diagram)
    new: dict[Node, Node] = {}
    for node in walk_nodes(diagram):
        built = rebuild(node, new)
        if node in names and isinstance(built, Mix | Fuse):
            keeps = isinstance(built, Mix) and isinstance(built.coefficients, Constant | Buffer)
            built = built if keeps else replace(built, name=names[node])
        new[node] = built
    return Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in diagram.outputs))


def _power(node: Power) -> Wire:
    """A power as a direct sum over its orders of chains of fuses; chains of several orders share their beginning."""
    space = node.base.space
    letters = "uvwxyz"[: len(space.channels)]
    pattern = Pattern((letters, letters), letters)
    parts: list[Wire] = []
    for order, trees, kept in power_paths(space.irreps, node.orders, node.coupled, node.inner, node.basis):
        if not kept:
            continue
        chain: Wire = node.base
        for step in range(2, order + 1):
            lines = irreps_of({tree.out for tree in trees}) if step == order else node.inner
            complete = step == order and _top(chain) + _top(node.base) <= MAX_L
            chain = Fuse(chain, node.base, pattern, coupled=None if complete else _among(lines, chain, node.base))
        counts: dict[Irrep, int] = {}
        keep: dict[Irrep, list[int]] = {}
        wanted = set(kept)
        for position, tree in enumerate(trees):
            number = counts.get(tree.out, 0)
            counts[tree.out] = number + 1
            if position in wanted:
                keep.setdefault(tree.out, []).append(number)
        whole = all(tuple(numbers) == tuple(range(chain.space.irreps.count(irrep))) for irrep, numbers in keep.items())
        if not (whole and len(keep) == len(chain.space.irreps)):
            chain = Select(chain, tuple((irrep, tuple(numbers)) for irrep, numbers in sorted(keep.items())))
        parts.append(chain)
    return parts[0] if len(parts) == 1 else DirectSum(tuple(parts))


def _top(wire: Wire) -> int:
    return max(irrep.l for irrep in wire.space.irreps.kinds())


def _among(lines: Irreps | None, left: Wire, right: Wire) -> Irreps | None:
    """Return the irreps among ``lines`` that two wires couple to; a power may name more than occur on a line."""
    if lines is None:
        return None
    pairs = product(left.space.irreps.kinds(), right.space.irreps.kinds())
    reached = {out for a, b in pairs for out in coupled(a, b)}
    return irreps_of(reached.intersection(lines.kinds()))


def _group(root: Fuse, uses: dict[Node, list[Node]], outputs: set[Wire]) -> Group:
    members: list[Fuse] = []
    leaves: list[Wire] = []
    entered = letters = 0  # fuses taken into the group, and the channel letters of their patterns

    def collect(node: Wire, top: bool) -> None:
        nonlocal entered, letters
        single = len(uses.get(node, [])) == 1 and node not in outputs
        if isinstance(node, Fuse) and not node.weighted and (top or single):
            more = letters + len(chosen_pattern(node).letters)
            if not top and (entered == MAX_GROUP or more > MAX_LETTERS):
                leaves.append(node)  # used once, so it is no leaf yet; it becomes a group of its own
                return
            entered, letters = entered + 1, more
            collect(node.left, False)
            collect(node.right, False)
            members.append(node)
        elif node not in leaves:
            leaves.append(node)

    collect(root, True)
    found: dict[Wire, dict[Path, FusionTree]] = {}

    def trees(node: Wire) -> dict[Path, FusionTree]:
        if node not in found:
            if node in members and isinstance(node, Fuse):
                found[node] = _fused_trees(node, trees(node.left), trees(node.right))
            else:
                number = leaves.index(node)
                found[node] = {
                    (irrep, path): FusionTree(irrep, number, path)
                    for count, irrep in node.space.irreps
                    for path in range(count)
                }
        return found[node]

    return Group(root, tuple(members), tuple(leaves), tuple(Term(out, tree) for out, tree in trees(root).items()))


def _fused_trees(node: Fuse, left: dict[Path, FusionTree], right: dict[Path, FusionTree]) -> dict[Path, FusionTree]:
    paths = fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)
    return {
        out: FusionTree(path.out, left=left[path.left, path.left_path], right=right[path.right, path.right_path])
        for out, path in numbered(paths).items()
    }
