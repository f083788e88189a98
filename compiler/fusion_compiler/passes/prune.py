"""prune: find terms that are zero by exchange symmetry, and the paths of every wire that anything needs."""

from __future__ import annotations

from dataclasses import replace

from fusion.diagram import Fuse, Label, Wire
from fusion.node import Node
from fusion.rules import exchange_odd
from fusion_compiler.expansion import Expansion, Group, Term, chosen_pattern
from fusion_compiler.layout import Layout, Path
from fusion_compiler.passes.demands import couplings_of, demands


def zero_paths(expansion: Expansion) -> dict[Node, set[Path]]:
    """Return, for every unweighted fuse, its paths that vanish: exchange-odd squares, and couplings with such paths."""
    zero: dict[Node, set[Path]] = {}
    for node in expansion.nodes:
        if not isinstance(node, Fuse) or node.weighted:
            continue
        sides = chosen_pattern(node).operands
        square = node.left.value_key == node.right.value_key and sides[0] == sides[1]
        zero[node] = {
            out
            for out, path in couplings_of(node).items()
            if (path.left, path.left_path) in zero.get(node.left, ())
            or (path.right, path.right_path) in zero.get(node.right, ())
            or (
                square
                and (path.left, path.left_path) == (path.right, path.right_path)
                and exchange_odd(path.left, path.right, path.out)
            )
        }
    return zero


def prune(expansion: Expansion) -> Expansion:
    """Mark zero terms, compute the needed paths of every wire, and drop terms that nothing needs."""
    zero = zero_paths(expansion)
    need: dict[Node, set[Path]] = {}

    for _, wire in expansion.diagram.outputs:
        need.setdefault(wire, set()).update(Layout.full(wire.space).paths)
    for node in reversed(expansion.nodes):
        if isinstance(node, Wire) and not isinstance(node, Label):
            for wire, paths in demands(node, need.get(node, set()), zero):
                need.setdefault(wire, set()).update(paths)
    live = {
        node: Layout.full(node.space).keep(need.get(node, set())).paths
        for node in expansion.nodes
        if isinstance(node, Wire)
    }
    groups: list[Group] = []
    dropped = 0
    for group in expansion.groups:
        terms = tuple(
            Term(term.out, term.tree, term.out in zero[group.root])
            for term in group.terms
            if term.out in need.get(group.root, ())
        )
        dropped += len(group.terms) - sum(not term.zero for term in terms)
        groups.append(replace(group, terms=terms))
    return replace(expansion, groups=tuple(groups), live=live, dropped=dropped)


def keep_all(expansion: Expansion) -> Expansion:
    """Return the expansion with every path of every wire needed: what stands in for pruning when it is off."""
    wires = (node for node in expansion.nodes if isinstance(node, Wire))
    return replace(expansion, live={wire: Layout.full(wire.space).paths for wire in wires})
