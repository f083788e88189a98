"""Whether the coefficients of a mix fit: shapes of constants, letters of tied tensors, names."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fusion.coefficients import Buffer, Constant, Tied
from fusion.diagram import Fuse, Mix
from fusion.node import Node
from fusion.sampling.oracle.couplings import Label, label_text
from fusion.sampling.oracle.values import Refused, Shape


def owned_names(node: Node, labels: Iterable[Label]) -> tuple[str, ...]:
    """Return the names of the tensors of a node that has a name for its coefficients, the common part first."""
    name = node.name if isinstance(node, Mix | Fuse) else ""
    if isinstance(node, Mix) and isinstance(node.coefficients, Buffer):
        name = node.coefficients.name
    unnamed = isinstance(node, Mix) and isinstance(node.coefficients, Constant)
    if not name or unnamed or (isinstance(node, Fuse) and not _new(node)):
        return ()
    shared = isinstance(node, Mix) and node.shared
    return (f"{name} of a node", *([name] if shared else (f"{name}_{label_text(label)}" for label in labels)))


def _new(node: Fuse) -> set[str]:
    return set() if node.pattern is None else set(node.pattern.result) - set("".join(node.pattern.operands))


def mix_sizes(node: Mix, shape: Shape) -> dict[str, int]:
    """Return the size of every letter of a mix; a new letter without one takes the place of the first that is dropped.

    Raises:
        Refused: a letter has two sizes, or none, or is not in the pattern.
    """
    (letters,), result = node.pattern.operands, node.pattern.result
    if len(letters) != len(shape.axes):
        raise Refused(f"{letters} for {len(shape.axes)} channel axes")
    sizes = dict(zip(letters, shape.axes, strict=True))
    for letter, size in node.sizes:
        if sizes.setdefault(letter, size) != size or letter not in letters + result:
            raise Refused(f"size {letter}={size}")
    dropped = [letter for letter in letters if letter not in result]
    for letter in result:
        if letter not in sizes:
            if not dropped:
                raise Refused(f"no size of {letter}")
            sizes[letter] = sizes[dropped[0]]
    return sizes


def fit(node: Mix, shape: Shape) -> None:
    """Refuse constant or tied coefficients that do not make a table for every irrep of the wire."""
    sizes = mix_sizes(node, shape)
    letters = dict.fromkeys(node.pattern.operands[0] + node.pattern.result)
    if isinstance(node.coefficients, Constant):
        given = {irrep: np.asarray(values) for irrep, values in node.coefficients.values}
        here = {(irrep.l, irrep.p) for irrep in given if irrep is not None}
        if None not in given and here != set(shape.labels):
            raise Refused("constants for other irreps than those of the wire")
        for irrep, table in given.items():
            for label, paths in shape.paths:
                if irrep is None or (irrep.l, irrep.p) == label:
                    lead = (paths,) if node.each else (node.out_paths, paths)
                    classes = (item.classes for item in node.per)
                    np.broadcast_to(table, (*classes, *lead, *(sizes[letter] for letter in letters)))
    elif isinstance(node.coefficients, Tied):
        tied = node.coefficients
        for letter, size in zip(tied.tensor_letters, np.shape(tied.values), strict=True):
            if sizes.setdefault(letter, size) != size:
                raise Refused(f"tied letter {letter} is {sizes[letter]} and {size}")
        held = tied.tensor_letters + tied.weight_letters
        if any(letter not in held for letter in letters) or any(c not in sizes for c in tied.weight_letters):
            raise Refused("a letter of tied coefficients has no size")
