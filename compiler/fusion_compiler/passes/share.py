"""share: vertices of the same two wires become one, whatever outputs, orders and groups they belong to.

A vertex that several fuses share is formed once, but it can then no longer be contracted together with what uses it, so
each merge is kept only where the program gets cheaper. *unshare* looks at vertices that were one from the start.
"""

from __future__ import annotations

from fusion.diagram import Diagram, Fuse, walk_nodes
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.pattern import Pattern
from fusion_compiler.expansion import chosen_pattern
from fusion_compiler.layout import Path
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.roots import replaced
from fusion_compiler.passes.worth import cheaper
from fusion_compiler.polynomial.nodes import Couple, Coupled, Moved, Recombine, terms_of
from fusion_compiler.polynomial.patterns import standard
from fusion_compiler.polynomial.realise import counted

MAX_MERGES = 24
"""Merges that are judged one by one; of more, all are made or none."""

Key = tuple[Node, Node, Pattern]


def share(diagram: Diagram) -> Diagram:
    """Return the diagram with vertices of the same wires merged wherever that costs less."""
    written = write_out(diagram)
    groups = {key: nodes for key, nodes in _vertices(written).items() if len(nodes) > 1}
    if not groups:
        return diagram
    merges = [_merged(nodes) for nodes in groups.values()]
    if len(merges) > MAX_MERGES:
        whole = replaced(written, {old: new for merge in merges for old, new in merge.items()})
        return whole if cheaper(whole, written) else diagram
    current, chosen = written, dict[Node, Node]()
    for merge in merges:
        trial = replaced(written, {**chosen, **merge})
        if cheaper(trial, current):
            current, chosen = trial, {**chosen, **merge}
    return current if chosen else diagram


def _vertices(diagram: Diagram) -> dict[Key, list[Fuse | Couple]]:
    """Return the unweighted vertices of every pair of wires."""
    found: dict[Key, list[Fuse | Couple]] = {}
    for node in walk_nodes(diagram):
        if isinstance(node, Couple):
            found.setdefault((node.left, node.right, standard(node.pattern)), []).append(node)
        elif isinstance(node, Fuse) and not node.weighted:
            pattern = chosen_pattern(node)
            if set("".join(pattern.operands)) == set(pattern.result):
                found.setdefault((node.left, node.right, standard(pattern)), []).append(node)
    return found


def _merged(nodes: list[Fuse | Couple]) -> dict[Node, Node]:
    """Return what stands in for each vertex: paths of one vertex that has every coupling once."""
    numbers: dict[tuple[Path, Path, Irrep], Path] = {}
    counts: dict[Irrep, int] = {}
    for node in nodes:
        for term in terms_of(node):
            key = (term.left, term.right, term.out[0])
            if key not in numbers:
                number = counts.get(term.out[0], 0)
                counts[term.out[0]] = number + 1
                numbers[key] = (term.out[0], number)
    terms = tuple(Coupled(left, right, out) for (left, right, _), out in numbers.items())
    first = nodes[0]
    pattern = first.pattern if isinstance(first, Couple) else chosen_pattern(first)
    whole = Couple(first.left, first.right, pattern, terms, counted(numbers.values()))
    found: dict[Node, Node] = {}
    for node in nodes:
        moved = tuple(
            Moved(numbers[term.left, term.right, term.out[0]], term.out, term.factor) for term in terms_of(node)
        )
        found[node] = Recombine(whole, moved, node.space.irreps)
    return found
