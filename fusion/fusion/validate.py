"""Find everything that is wrong with a diagram before anything is allocated, and say it in one exception."""

from __future__ import annotations

import math

from fusion.coefficients import Constant, Tied
from fusion.diagram import Diagram, Label, Leg, Mix, Wire, walk_nodes
from fusion.limits import MAX_NODES, MAX_PARAMETERS
from fusion.node import Node
from fusion.parameters import letter_sizes, node_names, parameters, tied_sizes
from fusion.printing import print_outputs
from fusion.violations import Finding, Violation, raise_errors


def findings(value: Wire | Diagram) -> tuple[Finding, ...]:
    """Return every violation of the diagram, errors and notices, each with its place in the diagram's text."""
    diagram = Diagram.of(value)
    nodes = walk_nodes(diagram)
    broken: list[tuple[Node, Violation]] = [(node, found) for node in nodes for found in node.violations]
    if len(nodes) > MAX_NODES:
        broken.append((nodes[-1], Violation("limit", f"{len(nodes)} nodes; the limit is {MAX_NODES}")))
    broken.extend(_legs(nodes))
    if not any(found.severity == "error" for _, found in broken):
        broken.extend(_coefficients(diagram, nodes))
    printed = print_outputs(diagram.outputs)
    return tuple(
        Finding(found, node, printed.text, *printed.places.get(node, (0, 1))) for node, found in broken
    )


def check(value: Wire | Diagram) -> tuple[Finding, ...]:
    """Raise one exception that reports every violation; return the notices of a legal diagram.

    Raises:
        SelectionRuleError, ChannelError, IndexSpaceError, LegError: all violations are of this kind.
        DiagramError: violations of several kinds.
    """
    found = findings(value)
    raise_errors(found)
    return found


def _legs(nodes: list[Node]) -> list[tuple[Node, Violation]]:
    """One name, one declaration; legs that are one tensor have one space."""
    broken: list[tuple[Node, Violation]] = []
    seen: dict[str, Leg | Label] = {}
    tensors: dict[str, Leg] = {}
    for node in nodes:
        if not isinstance(node, Leg | Label):
            continue
        first = seen.setdefault(node.name, node)
        if first.declaration != node.declaration:
            broken.append(
                (node, Violation("leg", f"{node.name} is declared twice, differently", (first.declaration, node.declaration)))
            )
        if isinstance(node, Leg):
            twin = tensors.setdefault(node.source, node)
            if twin.space != node.space:
                details = (f"{twin.name:<6} {twin.space}", f"{node.name:<6} {node.space}")
                broken.append((node, Violation("leg", f"legs {twin.name} and {node.name} are one tensor but have different spaces", details)))
    return broken


def _coefficients(diagram: Diagram, nodes: list[Node]) -> list[tuple[Node, Violation]]:
    """Names of weights are unique, constants have the right shape, nothing is too large."""
    broken: list[tuple[Node, Violation]] = []
    owners: dict[str, Node] = {}
    for node, name in node_names(diagram).items():
        if owners.setdefault(name, node) != node:
            broken.append((node, Violation("leg", f"two nodes call their coefficients {name}; names must differ")))
    for parameter in parameters(diagram):
        if math.prod(parameter.shape) > MAX_PARAMETERS:
            shape = " x ".join(map(str, parameter.shape))
            broken.append((parameter.node, Violation("limit", f"{parameter.name} has {shape} numbers, above {MAX_PARAMETERS}")))
    for node in nodes:
        if not isinstance(node, Mix):
            continue
        sizes = letter_sizes(node)
        if isinstance(node.coefficients, Constant):
            for paths, irrep in node.wire.space.irreps:
                shape = (*(label.classes for label in node.per), node.out_paths, paths, *(sizes[x] for x in node.pattern.letters))
                tensor = node.coefficients.tensor(irrep)
                if tensor is None:
                    broken.append((node, Violation("channel", f"the constant coefficients of this mix lack {irrep}")))
                elif not _broadcasts(tensor.shape, shape):
                    broken.append(
                        (node, Violation("channel", f"constant coefficients of shape {tensor.shape} do not fit {shape} for {irrep}"))
                    )
        elif isinstance(node.coefficients, Tied):
            broken.extend((node, found) for found in _tied(node, node.coefficients, sizes))
    return broken


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return len(shape) <= len(target) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(target), strict=False))


def _tied(node: Mix, tied: Tied, sizes: dict[str, int]) -> list[Violation]:
    found: list[Violation] = []
    for letter, size in zip(tied.tensor_letters, tied.tensor.shape, strict=True):
        if sizes.get(letter, size) != size:
            found.append(Violation("channel", f"the tied tensor has {letter}={size}, the wire {letter}={sizes[letter]}"))
    known = {**sizes, **tied_sizes(tied, sizes)}
    for letter in node.pattern.letters:
        if letter not in tied.tensor_letters + tied.weight_letters:
            found.append(Violation("channel", f"letter {letter} of pattern {node.pattern} is on neither tied tensor"))
    for letter in tied.weight_letters:
        if letter not in known:
            found.append(Violation("channel", f"letter {letter} of the learned tensor has no size"))
    return found
