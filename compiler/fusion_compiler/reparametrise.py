"""reparametrise: the same functions with other weights, as an explicit operation on a diagram.

Passes never change the coefficients of a block; this does. It returns the new diagram together with the exact linear
map of weights, there and back. Nothing is normalised on the way: new weights multiply trees of vertices with
orthonormal rows, just as declared ones do, so that the image of independent normal weights is not normal. Weights that
the map forgets (the full basis has more of them than functions) come back as those of least norm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from fusion.coefficients import Learned
from fusion.diagram import Diagram, Mix, Power, Wire, walk_nodes
from fusion.node import Node
from fusion.parameters import letter_sizes, mix_axes, tensor_name
from fusion.rebuild import rebuild
from fusion.validate import check
from fusion_compiler.errors import CompileError
from fusion_compiler.layout import Path
from fusion_compiler.passes.expand import name_coefficients, write_out
from fusion_compiler.passes.recouple import recoupled_sum
from fusion_compiler.passes.roots import Rewrite, rewritten
from fusion_compiler.passes.symmetrise import symmetrised
from fusion_compiler.polynomial.basis import Signed, basis_of
from fusion_compiler.polynomial.independent import expressed
from fusion_compiler.polynomial.plain import Image, Plain, plain

FORMS = ("reduced", "full", "cheapest")
"""What a diagram can be brought to."""


def reparametrise(diagram: Wire | Diagram, to: str) -> Plain:
    """Return a diagram of the same functions with other weights, and the map between the weights.

    Args:
        diagram: a legal diagram; all coefficients of the result are named.
        to: ``"reduced"`` or ``"full"``: powers under learned mixes take this basis, and keep the names of their
            weights. ``"cheapest"``: every learned weighted sum of trees is taken over a cheap independent set, in its
            cheapest shape (the passes *symmetrise* and *recouple*), with weights of new names. A mix stays as it is
            where its weights are fitted or shared by several irreps, and where an irrep of its result would be lost
            because it is zero.

    Raises:
        DiagramError: the diagram breaks a law.
        CompileError: ``to`` is none of these.
    """
    declared = Diagram.of(diagram)
    check(declared)
    if to not in FORMS:
        raise CompileError(f"a diagram is brought to one of {', '.join(FORMS)}, not {to[:40]!r}")
    if to == "cheapest":
        reduced = rewritten(declared, _unshared(symmetrised), always=True)
        return plain(rewritten(reduced, _unshared(recoupled_sum), always=True))
    named = name_coefficients(declared)
    new: dict[Node, Node] = {}
    images: list[Image] = []
    for node in walk_nodes(named):
        built = rebuild(node, new)
        if isinstance(built, Mix) and isinstance(built.wire, Power) and _learned(built) and built.wire.basis != to:
            other = replace(built, wire=replace(built.wire, basis=to))
            if other.space == built.space:
                images.extend(_images(built, other))
                built = other
        new[node] = built
    return Plain(Diagram(tuple((name, cast("Wire", new[wire])) for name, wire in named.outputs)), tuple(images))


def _learned(node: Mix) -> bool:
    return isinstance(node.coefficients, Learned) and not node.each and not node.shared


def _unshared(rewrite: Rewrite) -> Rewrite:
    """Return a rewrite that leaves fitted weights, and weights shared by several irreps, as they are."""
    return lambda node: None if isinstance(node, Mix) and not _learned(node) else rewrite(node)


def _trees(power: Wire) -> dict[Path, Signed]:
    return basis_of(write_out(Diagram.of(power)).outputs[0][1]).trees


def _images(before: Mix, after: Mix) -> list[Image]:
    """Return the image of every tensor of a mix whose power has changed its basis."""
    old, new = _trees(before.wire), _trees(after.wire)
    sizes = letter_sizes(before)
    found: list[Image] = []
    for paths, irrep in before.wire.space.irreps:
        trees = [old[irrep, path] for path in range(paths)]
        basis = [new[irrep, path] for path in range(after.wire.space.irreps.count(irrep))]
        matrix = expressed([tree for tree, _ in trees], [tree for tree, _ in basis])
        # signs of the paths: old = sign * tree, and tree = sum of matrix * (new * sign)
        matrix = np.array([f for _, f in trees])[:, None] * matrix * np.array([f for _, f in basis])
        lead, counts = mix_axes(before, paths)
        shape = (*counts, *(sizes[letter] for letter in before.pattern.letters))
        name = tensor_name(before, before.name, irrep)
        found.append(Image(name, name, shape, len(lead) - 2, tuple(range(before.out_paths)), matrix.T))
    return found
