"""canonical: fuses of the same two wires in both orders take one of them, with the signs of the exchange.

Exchanging the operands of a vertex gives (-1)^(a + b + c) (identity I1) and another order of paths. Only where a wire
pair occurs in both orders is there anything to gain, so the rewrite is kept where *share* then makes the program
cheaper. Trees below weights are put into normal order by *symmetrise*.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from fusion.couplings import fuse_paths, numbered
from fusion.diagram import Diagram, Fuse, Wire, walk_nodes
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.rebuild import rebuild
from fusion.symbols import exchange_sign
from fusion_compiler.expansion import chosen_pattern
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.share import share
from fusion_compiler.passes.worth import cheaper
from fusion_compiler.polynomial.nodes import Moved, Recombine
from fusion_compiler.polynomial.patterns import exchanged as turned
from fusion_compiler.polynomial.patterns import standard


def canonical(diagram: Diagram) -> Diagram:
    """Return the diagram with one order for the fuses of every pair of wires, where that costs less."""
    found = in_order(diagram)
    return found if found is not diagram and cheaper(share(found), share(diagram)) else diagram


def in_order(diagram: Diagram) -> Diagram:
    """Return the diagram with one order for the fuses of every pair of wires, whatever that costs."""
    written = write_out(diagram)
    first: set[tuple[Node, Node, Pattern]] = set()
    new: dict[Node, Node] = {}
    changed = False
    for node in walk_nodes(written):
        built = rebuild(node, new)
        if isinstance(built, Fuse) and not built.weighted and built.left != built.right:
            pattern = chosen_pattern(built)
            if (built.right, built.left, standard(turned(pattern))) in first:
                built, changed = exchanged(built), True
            else:
                first.add((built.left, built.right, standard(pattern)))
        new[node] = built
    if not changed:
        return diagram
    return Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in written.outputs))


def exchanged(node: Fuse) -> Recombine:
    """Return an unweighted fuse with its operands exchanged, and the signs and order of paths put right."""
    triples = None if node.triples is None else tuple((b, a, c) for a, b, c in node.triples)
    whole = replace(node, left=node.right, right=node.left, pattern=turned(chosen_pattern(node)), triples=triples)
    here = numbered(fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples))
    there = numbered(fuse_paths(node.right.space.irreps, node.left.space.irreps, node.coupled, triples))
    place = {(path.right, path.right_path, path.left, path.left_path, path.out): out for out, path in there.items()}
    terms = tuple(
        Moved(
            place[path.left, path.left_path, path.right, path.right_path, path.out],
            out,
            float(exchange_sign(path.left.l, path.right.l, path.out.l)),
        )
        for out, path in here.items()
    )
    return Recombine(whole, terms, node.space.irreps)
