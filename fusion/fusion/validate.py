"""Find everything that is wrong with a diagram before anything is allocated, and say it in one exception."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from fusion.coefficients import Constant, Tied
from fusion.diagram import Diagram, Label, Leg, Map, Mix, Pull, Sum, Wire, walk_nodes
from fusion.findings import Finding, raise_errors
from fusion.index import IndexMap
from fusion.irreps import Irrep
from fusion.limits import MAX_NODES, MAX_PARAMETERS
from fusion.node import Node
from fusion.parameters import letter_sizes, mix_axes, node_names, parameters, tied_sizes
from fusion.printing import Place, Printed, print_outputs
from fusion.unused import unused
from fusion.violations import Violation

Broken = tuple[Node, Violation]


def findings(value: Wire | Diagram) -> tuple[Finding, ...]:
    """Return every violation of the diagram, errors and notices, each with its place in the diagram's text."""
    diagram = Diagram.of(value)
    nodes = walk_nodes(diagram)
    broken: list[Broken] = [(node, found) for node in nodes for found in node.violations]
    if len(nodes) > MAX_NODES:
        broken.append((nodes[-1], Violation("limit", f"{len(nodes)} nodes; the limit is {MAX_NODES}")))
    broken.extend(_legs(nodes))
    broken.extend(_run_time_names(nodes))
    if not any(found.severity == "error" for _, found in broken):  # what follows needs the true spaces
        broken.extend(_coefficients(diagram, nodes))
        broken.extend(unused(diagram))
    if not broken:
        return ()
    printed = print_outputs(diagram.outputs)
    return tuple(_finding(printed, nodes, node, found) for node, found in broken)


def check(value: Wire | Diagram) -> tuple[Finding, ...]:
    """Raise one exception that reports every violation; return the notices of a legal diagram.

    Raises:
        SelectionRuleError, ChannelError, IndexSpaceError, LegError: all violations are of this kind.
        DiagramError: violations of several kinds.
    """
    found = findings(value)
    raise_errors(found)
    return found


def _finding(printed: Printed, nodes: Sequence[Node], node: Node, violation: Violation) -> Finding:
    place = printed.places.get(node)
    if place is None:  # a label has no place of its own: show the node that uses it
        users = (printed.places.get(user) for user in nodes if node in user.inputs)
        place = next((found for found in users if found is not None), Place(0, 0, 1, 1))
    text = printed.statements[place.statement]
    inputs = tuple(printed.expression(child) for child in node.inputs)
    return Finding(violation, node, text, *_marked(text, place, violation.asked, violation.quote), inputs)


def _marked(text: str, place: Place, asked: tuple[Irrep, ...], quote: str) -> tuple[int, int]:
    """Return what to mark: the quoted part, the one irrep asked for in a final filter, or the node."""
    if quote and quote in text[place.start : place.end]:
        return text.index(quote, place.start), len(quote)
    opening = text.rfind("[", 0, place.end)
    if len(asked) == 1 and text[place.end - 1 : place.end] == "]" and opening >= place.start - 1:
        irreps = text[opening + 1 : place.end - 1].split("+")
        if str(asked[0]) in irreps:
            before = irreps[: irreps.index(str(asked[0]))]
            return opening + 1 + sum(len(item) + 1 for item in before), len(str(asked[0]))
    return place.start, place.length


def _legs(nodes: Sequence[Node]) -> Iterator[Broken]:
    """One name, one declaration; legs that are one tensor have one space."""
    seen: dict[str, Leg | Label] = {}
    tensors: dict[str, Leg] = {}
    for node in nodes:
        if not isinstance(node, Leg | Label):
            continue
        first = seen.setdefault(node.name, node)
        if first.declaration != node.declaration:
            headline = f"{node.name} is declared twice, differently"
            yield node, Violation("leg", headline, (first.declaration, node.declaration))
        if isinstance(node, Leg):
            twin = tensors.setdefault(node.source, node)
            if twin.space != node.space and twin.name != node.name:
                details = (f"{twin.name:<6} {twin.space}", f"{node.name:<6} {node.space}")
                headline = f"legs {twin.name} and {node.name} are one tensor but have different spaces"
                yield node, Violation("leg", headline, details)
    for node in seen.values():
        other = seen.get(node.tensor) if isinstance(node, Leg) and node.tensor else None
        if isinstance(node, Leg) and other is not None and (isinstance(other, Label) or other.source != node.source):
            what = "is a label" if isinstance(other, Label) else f"is itself declared the same as {other.tensor}"
            yield node, Violation("leg", f"leg {node.name} is declared the same tensor as {node.tensor}, which {what}")


def _maps(node: Node) -> tuple[IndexMap, ...]:
    if isinstance(node, Label):
        return node.maps
    if isinstance(node, Pull | Sum):
        return (node.index_map,)
    return (node.over,) if isinstance(node, Map) and node.over is not None else ()


def _run_time_names(nodes: Sequence[Node]) -> Iterator[Broken]:
    """What is given at run time is given by name: one name, one tensor, label or index map."""
    tensors = {node.source: "a tensor" for node in nodes if isinstance(node, Leg)}
    tensors.update({node.name: "a label" for node in nodes if isinstance(node, Label)})
    seen: dict[str, IndexMap] = {}
    for node in nodes:
        for index_map in _maps(node):
            first = seen.setdefault(index_map.name, index_map)
            if first != index_map:
                details = tuple(f"{item.name}: {item.source} > {item.target}" for item in (first, index_map))
                yield node, Violation("index", f"index map {index_map.name} is declared twice, differently", details)
            elif index_map.name in tensors:
                what = tensors.pop(index_map.name)
                yield node, Violation("leg", f"{index_map.name} is the name of {what} and of an index map")


def _coefficients(diagram: Diagram, nodes: Sequence[Node]) -> Iterator[Broken]:
    """Names of weights are unique, constants have the right shape, nothing is too large."""
    owners: dict[str, Node] = {}
    names = node_names(diagram)
    for node, name in names.items():
        if owners.setdefault(name, node) != node:
            yield node, Violation("leg", f"two nodes call their coefficients {name}; names must differ")
    found: list[Broken] = []
    for node in nodes:
        if isinstance(node, Mix) and isinstance(node.coefficients, Constant):
            found.extend((node, wrong) for wrong in _constant(node, node.coefficients))
        elif isinstance(node, Mix) and isinstance(node.coefficients, Tied):
            found.extend((node, wrong) for wrong in _tied(node, node.coefficients))
    yield from found
    tensors: dict[str, Node] = {}
    for parameter in () if found else parameters(diagram):  # without a size for every letter there is no shape
        first = tensors.setdefault(parameter.name, parameter.node)
        if first != parameter.node and names[first] != names[parameter.node]:
            yield parameter.node, Violation("leg", f"two nodes have coefficients {parameter.name}; names must differ")
        if math.prod(parameter.shape) > MAX_PARAMETERS:
            shape = " x ".join(map(str, parameter.shape))
            yield parameter.node, Violation("limit", f"{parameter.name} has {shape} numbers, above {MAX_PARAMETERS}")


def _constant(node: Mix, constant: Constant) -> Iterator[Violation]:
    sizes = letter_sizes(node)
    channels = tuple(sizes[letter] for letter in node.pattern.letters)
    paths_axes = ("path",) if node.each else ("path out", "path in")
    axes = ", ".join((*("class" for _ in node.per), *paths_axes, *node.pattern.letters))
    for paths, irrep in node.wire.space.irreps:
        shape = (*mix_axes(node, paths)[1], *channels)
        tensor = constant.tensor(irrep)
        if tensor is None:
            yield Violation("channel", f"the constant coefficients of this mix lack {irrep}")
        elif not _broadcasts(tensor.shape, shape):
            headline = f"constant coefficients of shape {tensor.shape} do not fit {shape} for {irrep}"
            yield Violation("channel", headline, (f"axes: ({axes}); leading ones may be left out",))
    absent = [irrep for irrep, _ in constant.values if irrep is not None and not node.wire.space.irreps.count(irrep)]
    for irrep in absent:
        yield Violation("channel", f"constant coefficients are given for {irrep}, which the wire does not have")


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(size in (1, wanted) for size, wanted in pairs)


def _tied(node: Mix, tied: Tied) -> Iterator[Violation]:
    sizes = letter_sizes(node)
    for letter, size in zip(tied.tensor_letters, tied.tensor.shape, strict=True):
        if sizes.get(letter, size) != size:
            yield Violation("channel", f"the tied tensor has {letter}={size}, the wire {letter}={sizes[letter]}")
    known = {**sizes, **tied_sizes(tied, sizes)}
    for letter in node.pattern.letters:
        if letter not in tied.tensor_letters + tied.weight_letters:
            yield Violation("channel", f"letter {letter} of pattern {node.pattern} is on neither tied tensor")
    for letter in tied.weight_letters:
        if letter not in known:
            yield Violation("channel", f"letter {letter} of the learned tensor has no size")
