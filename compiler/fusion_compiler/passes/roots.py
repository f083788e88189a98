"""Rewrites of weighted sums, one after the other, each kept where the whole program gets cheaper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from fusion.diagram import Diagram, Mix, Wire, walk_nodes
from fusion.node import Node
from fusion.rebuild import rebuild
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.worth import cheaper
from fusion_compiler.polynomial.nodes import Weigh

Rewrite = Callable[[Mix | Weigh], Wire | None]
"""Returns an equal wire, or ``None`` where there is nothing to rewrite."""
Known = dict[tuple[int, Node], Wire | None]
"""What later rewrites, by number, make of weighted sums."""
MAX_ROOTS = 24
"""Weighted sums that are judged one by one; of more, all are rewritten or none."""


def rewritten(diagram: Diagram, rewrite: Rewrite, *, then: Sequence[Rewrite] = (), always: bool = False) -> Diagram:
    """Return the diagram with weighted sums rewritten wherever the cost of the program falls.

    Args:
        diagram: any legal diagram.
        rewrite: what is done to one weighted sum.
        then: later rewrites; when a cost is judged, the best of them is taken into account.
        always: keep every rewrite, whatever it costs.
    """
    current = written = write_out(diagram)
    roots = [node for node in walk_nodes(written) if isinstance(node, Mix | Weigh)]
    found: dict[Node, Node] = {node: new for node in roots if (new := rewrite(node)) is not None}
    if not found:
        return diagram
    if always or len(found) > MAX_ROOTS:
        whole = replaced(written, found)
        return whole if always or cheaper(_best(whole, then, {}), _best(written, then, {})) else diagram
    chosen: dict[Node, Node] = {}
    later: Known = {}
    best = _best(current, then, later)
    for node in found:
        # inputs come before users, so a root is rewritten again on top of what its inputs have become
        trial = replaced(written, {**chosen, node: found[node]})
        end = _best(trial, then, later)
        if cheaper(end, best):
            chosen[node] = found[node]
            current, best = trial, end
    return current if chosen else diagram


def _best(diagram: Diagram, then: Sequence[Rewrite], known: Known) -> Diagram:
    """Return the diagram, or what one of the later rewrites makes of all weighted sums, whatever is cheapest."""
    best = diagram
    for number, rewrite in enumerate(then):
        found: dict[Node, Node] = {}
        for node in walk_nodes(diagram):
            if isinstance(node, Mix | Weigh):
                if (number, node) not in known:
                    known[number, node] = rewrite(node)
                new = known[number, node]
                if new is not None:
                    found[node] = new
        whole = replaced(diagram, found) if found else diagram
        if found and cheaper(whole, best):
            best = whole
    return best


def replaced(diagram: Diagram, new: dict[Node, Node]) -> Diagram:
    """Return the diagram with nodes replaced, inside the replacements as well."""
    done: dict[Node, Node] = {}
    for node in walk_nodes(diagram):
        if node in new:
            for inner in walk_nodes(cast("Wire", new[node])):
                if inner not in done:
                    done[inner] = rebuild(inner, done)
            done[node] = done[new[node]]
        else:
            done[node] = rebuild(node, done)
    return Diagram(tuple((name, cast("Wire", done[wire])) for name, wire in diagram.outputs))
