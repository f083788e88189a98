"""prune: find terms that are zero by exchange symmetry, and the paths of every wire that anything needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from fusion.couplings import FusePath, fuse_paths, numbered
from fusion.diagram import (
    Add,
    DirectSum,
    Fuse,
    Label,
    Merge,
    Mix,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
)
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.rules import exchange_odd
from fusion_compiler.expansion import Expansion, Group, Term, chosen_pattern
from fusion_compiler.layout import Layout, Path


def couplings_of(node: Fuse) -> dict[Path, FusePath]:
    """Return the coupling behind every path of an unweighted fuse."""
    return numbered(fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples))


def zero_paths(expansion: Expansion) -> dict[Node, set[Path]]:
    """Return, for every unweighted fuse, its paths that vanish: exchange-odd squares, and couplings with such paths."""
    zero: dict[Node, set[Path]] = {}
    for node in expansion.nodes:
        if not isinstance(node, Fuse) or node.weighted:
            continue
        sides = chosen_pattern(node).operands
        square = node.left == node.right and sides[0] == sides[1]
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

    def ask(wire: Node, paths: Iterable[Path]) -> None:
        need.setdefault(wire, set()).update(paths)

    for _, wire in expansion.diagram.outputs:
        ask(wire, Layout.full(wire.space).paths)
    for node in reversed(expansion.nodes):
        if isinstance(node, Label) or not isinstance(node, Wire):
            continue
        _demand(node, need.get(node, set()), zero, ask)
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


def _demand(
    node: Wire, wanted: set[Path], zero: dict[Node, set[Path]], request: Callable[[Node, Iterable[Path]], None]
) -> None:
    """Ask the inputs of ``node`` for the paths that its ``wanted`` paths are made from."""
    if isinstance(node, Fuse):
        couplings = couplings_of(node) if not node.weighted else None
        if couplings is None:
            request(node.left, Layout.full(node.left.space).paths)
            request(node.right, Layout.full(node.right.space).paths)
            return
        used = [couplings[path] for path in wanted if path not in zero[node]]
        used = used or [couplings[path] for path in sorted(wanted)[:1]]  # all zero: the rows are still needed
        request(node.left, {(path.left, path.left_path) for path in used})
        request(node.right, {(path.right, path.right_path) for path in used})
    elif isinstance(node, Mix) and not node.each:
        kinds = {irrep for irrep, _ in wanted}
        paths = Layout.full(node.wire.space).paths
        for kind in kinds:
            mine = {path for path in paths if path[0] == kind}
            request(node.wire, mine.difference(zero.get(node.wire, ())) or mine)
    elif isinstance(node, Scale):
        request(node.wire, wanted)
        request(node.by, Layout.full(node.by.space).paths)
    elif isinstance(node, Add):
        for _, wire in node.terms:
            request(wire, wanted)
    elif isinstance(node, DirectSum):
        start: dict[Irrep, int] = {}
        for part in node.parts:
            mine = {(irrep, path - start.get(irrep, 0)) for irrep, path in wanted}
            request(part, mine.intersection(Layout.full(part.space).paths))
            for count, irrep in part.space.irreps:
                start[irrep] = start.get(irrep, 0) + count
    elif isinstance(node, Select):
        request(
            node.wire,
            {
                (irrep, path if chosen is None else chosen[path])
                for irrep, chosen in node.keep
                for i, path in wanted
                if i == irrep
            },
        )
    elif isinstance(node, Mix | Pull | Sum | Split | Merge | Reorder | Shuffle):
        request(node.wire, wanted)
    else:
        for child in node.inputs:
            if isinstance(child, Wire):
                request(child, Layout.full(child.space).paths)
