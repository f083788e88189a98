"""The coefficients that a diagram declares: their names, shapes and fan-in. Passes never change them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fusion.coefficients import Buffer, Constant, Learned, Tied
from fusion.couplings import fused_counts
from fusion.diagram import Diagram, Fuse, Mix, Wire, walk_nodes
from fusion.inference.common import bind, default_pattern
from fusion.inference.linear import bound_sizes
from fusion.irreps import Irrep
from fusion.node import Node


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tensor of coefficients.

    Attributes:
        name: see :func:`tensor_name`, for instance ``mix1_1o``.
        node: the node that uses it.
        irrep: the irrep it acts on (coupled irrep of a weighted fuse); ``None`` when all irreps share it.
        shape: see ``letters``.
        letters: meaning of the axes: ``per`` label classes, ``q`` paths out, ``p`` paths in, then channel letters;
            without ``q`` where every path is by itself.
        fan_in: number of terms summed into each component; initial weights have variance 1 / fan_in.
        learned: ``False`` for a fitted buffer.
    """

    name: str
    node: Node
    irrep: Irrep | None
    shape: tuple[int, ...]
    letters: tuple[str, ...]
    fan_in: int
    learned: bool


def letter_sizes(node: Fuse | Mix) -> dict[str, int]:
    """Return the size of every channel letter of a valid node."""
    if isinstance(node, Mix):
        return bound_sizes(node.wire.space, node.pattern, dict(node.sizes))
    pattern = node.pattern or default_pattern(node.left.space, node.right.space)
    if pattern is None:
        return {}
    return bind("a fuse", pattern, (("left", node.left.space), ("right", node.right.space)), dict(node.sizes))[0]


def tensor_name(node: Fuse | Mix, name: str, irrep: Irrep) -> str:
    """Return the name of the coefficients of a node called ``name`` for one irrep: ``name_irrep``, or ``name`` alone
    when all irreps share them.
    """
    return name if isinstance(node, Mix) and node.shared else f"{name}_{irrep}"


def mix_axes(node: Mix, paths: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the axes of a mix's coefficients before its letters, with their sizes, for an irrep with ``paths`` paths.

    (``per`` for each label, ``q`` paths out, ``p`` paths in); without ``q`` where every path is by itself.
    """
    classes = tuple(label.classes for label in node.per)
    per = tuple("per" for _ in classes)
    if node.each:
        return (*per, "p"), (*classes, paths)
    return (*per, "q", "p"), (*classes, node.out_paths, paths)


def node_names(value: Wire | Diagram) -> dict[Node, str]:
    """Return the name of the coefficients of every node that has some: its own, else ``mix1``, ``fuse1``, ..."""
    names: dict[Node, str] = {}
    nodes = walk_nodes(value)
    used = {node.name for node in nodes if isinstance(node, Mix | Fuse) and node.name}
    used |= {
        node.coefficients.name for node in nodes if isinstance(node, Mix) and isinstance(node.coefficients, Buffer)
    }
    counters = {"mix": 0, "fuse": 0}
    for node in nodes:
        weighted = isinstance(node, Fuse) and node.weighted
        mixed = isinstance(node, Mix) and not isinstance(node.coefficients, Constant)
        if not weighted and not mixed:
            continue
        if isinstance(node, Mix) and isinstance(node.coefficients, Buffer):
            names[node] = node.coefficients.name
            continue
        own = node.name if isinstance(node, Mix | Fuse) else ""
        while not own:
            counters[node.kind] += 1
            candidate = f"{node.kind}{counters[node.kind]}"
            own = "" if candidate in used else candidate
        names[node] = own
    return names


def parameters(value: Wire | Diagram) -> tuple[Parameter, ...]:
    """Return every tensor of coefficients of a valid diagram, in the order of its nodes."""
    found: list[Parameter] = []
    for node, name in node_names(value).items():
        if isinstance(node, Mix):
            found.extend(_mix_parameters(node, name))
        elif isinstance(node, Fuse):
            found.extend(_fuse_parameters(node, name))
    return tuple(found)


def _mix_parameters(node: Mix, name: str) -> list[Parameter]:
    sizes = letter_sizes(node)
    contracted = math.prod(sizes[letter] for letter in node.pattern.operands[0] if letter not in node.pattern.result)
    letters = tuple(node.pattern.letters)
    if isinstance(node.coefficients, Tied):
        letters = tuple(node.coefficients.weight_letters)
        sizes = {**sizes, **tied_sizes(node.coefficients, sizes)}
    learned = isinstance(node.coefficients, Learned | Tied)
    found: list[Parameter] = []
    for paths, irrep in node.wire.space.irreps.items[: 1 if node.shared else None]:
        lead, counts = mix_axes(node, paths)
        shape = (*counts, *(sizes[letter] for letter in letters))
        fan_in = contracted if node.each else paths * contracted
        own = tensor_name(node, name, irrep)
        found.append(Parameter(own, node, None if node.shared else irrep, shape, (*lead, *letters), fan_in, learned))
    return found


def tied_sizes(tied: Tied, sizes: dict[str, int]) -> dict[str, int]:
    """Return the sizes of the letters of the constant tensor (they win over nothing: equal where both are known)."""
    return {
        letter: size for letter, size in zip(tied.tensor_letters, tied.tensor.shape, strict=True) if letter not in sizes
    }


def _fuse_parameters(node: Fuse, name: str) -> list[Parameter]:
    sizes = letter_sizes(node)
    pattern = node.pattern
    if pattern is None:
        return []
    contracted = math.prod(
        sizes[letter] for letter in "".join(dict.fromkeys("".join(pattern.operands))) if letter not in pattern.result
    )
    counts = fused_counts(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)
    letters = tuple(pattern.letters)
    return [
        Parameter(
            tensor_name(node, name, irrep),
            node,
            irrep,
            (count, *(sizes[x] for x in letters)),
            ("p", *letters),
            count * contracted,
            True,
        )
        for irrep, count in counts.items()
    ]
