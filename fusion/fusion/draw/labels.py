"""The words of the drawings: what is written in, beside and below every node."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.coefficients import Buffer, Coefficients, Constant, Learned, Tied
from fusion.couplings import Triple
from fusion.diagram import (
    Add,
    Apply,
    DirectSum,
    Fuse,
    Geometry,
    Label,
    Leg,
    Map,
    Merge,
    Mix,
    Power,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
)
from fusion.draw.style import FONT_SIZE, clean, shorten, text_width, wrap
from fusion.index import IndexMap
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.space import Space

IRREPS_WIDTH = 26
"""Characters of a wire's irreps on one line."""
_IRREPS_LINES = 3
_ONE_LINE = 30
"""Characters of irreps and channels that still go on one line together."""
_TRIPLES = 4


@dataclass(frozen=True, slots=True)
class Words:
    """What is written at a node.

    Attributes:
        shape: ``terminal``, ``label``, ``vertex``, ``box``, ``scale``, ``pull``, ``sum``, ``map``, ``bar``, ``panel``.
        inside: lines inside the shape, the first one its title.
        beside: lines beside a shape that has no room inside.
        learned: whether the node has learned weights.
        ports: text at every in-port, empty where there is nothing to say.
    """

    shape: str
    inside: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    learned: bool = False
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a named style; ``tail`` follows on the same line in the style ``type``."""

    style: str
    text: str
    tail: str = ""

    def tail_at(self, size: float = FONT_SIZE) -> float:
        """Return where the tail starts, in pixels from the start of the line."""
        return text_width(self.text, size) + 7.0

    def width(self, size: float = FONT_SIZE) -> float:
        """Return the width in pixels."""
        return self.tail_at(size) + text_width(self.tail, size) if self.tail else text_width(self.text, size)


def arrow(pattern: Pattern | str) -> str:
    """Return a pattern with a proper arrow, ``gu,gv→gw``."""
    return str(pattern).replace("->", "→")


def number(value: float) -> str:
    """Return a constant factor as short text, ``0.7071``."""
    return f"{value:.4g}"


def triple(item: Triple) -> str:
    """Return one coupling, ``1o·2e→1o``."""
    return f"{item[0]}·{item[1]}→{item[2]}"


def map_ends(index_map: IndexMap) -> str:
    """Return the spaces that a map joins, ``edge→atom``."""
    return f"{index_map.source}→{index_map.target}"


def words(node: Node) -> Words:
    """Return the texts of a node."""
    match node:
        case Leg():
            same = (f"same as {node.tensor}",) if node.tensor else ()
            return Words("terminal", (shorten(node.name, 40), *same))
        case Label():
            pulls = tuple(f"pull {shorten(step.name, 30)}" for step in node.maps)
            return Words("label", (f"{shorten(node.name, 30)}: {node.classes} classes", *pulls))
        case Fuse():
            return Words("vertex", beside=_fuse_words(node), learned=node.weighted)
        case Power():
            return Words("box", _power_words(node))
        case Mix():
            return _mix_words(node)
        case Scale():
            return Words("scale", ("scale",) if node.pattern is None else ("scale", arrow(node.pattern)))
        case Add():
            return _add_words(node)
        case DirectSum():
            return Words("bar", ("⊕",), ports=("",) * len(node.parts))
        case Map():
            over = () if node.over is None else (f"over {shorten(node.over.name, 30)}",)
            return Words("map", (node.function, *over))
        case Geometry():
            return Words("map", _geometry_words(node))
        case Apply():
            if node.is_one:
                return Words("terminal", ("1",))  # nothing multiplied
            return Words("panel", ("network",))
        case _:
            return _index_and_channel_words(node)


def _index_and_channel_words(node: Node) -> Words:
    """Return the texts of the nodes that only move rows, paths or channels."""
    match node:
        case Pull():
            ends = IndexMap(node.index_map.name, node.index_map.target, node.index_map.source)
            return Words("pull", (f"pull {shorten(node.index_map.name, 30)}", map_ends(ends)))
        case Sum():
            by = () if node.by is None else (f"by {shorten(node.by.text, 30)}",)
            return Words("sum", (f"Σ {shorten(node.index_map.name, 30)}", map_ends(node.index_map), *by))
        case Select():
            return Words("box", _select_words(node))
        case Split():
            return Words("box", (f"split {node.groups}{_axis(node.axis)}",))
        case Merge():
            return Words("box", (f"merge{_axis(node.axis)}",))
        case Reorder():
            return Words("box", (f"reorder {arrow(node.pattern)}",))
        case Shuffle():
            return Words("box", (_shuffle_words(node),))
        case _:
            return Words("box", wrap(node.kind, 30, 1))


def _fuse_words(node: Fuse) -> tuple[str, ...]:
    found: list[str] = []
    if node.pattern is not None:
        found.append(arrow(node.pattern))
    if node.name:
        found.append(f"weights {shorten(node.name, 24)}")
    if node.triples is not None:
        found.extend(triple(item) for item in node.triples[:_TRIPLES])
        if len(node.triples) > _TRIPLES:
            found.append(f"+{len(node.triples) - _TRIPLES} more paths")
    return tuple(found)


def _power_words(node: Power) -> tuple[str, ...]:
    orders = ",".join(map(str, node.orders))
    inner = () if node.inner is None else wrap(f"inner {node.inner}", IRREPS_WIDTH, 2, "+ ")
    return (f"power ν={orders}", f"{node.basis} basis", *inner)


def _mix_words(node: Mix) -> Words:
    lines = [f"mix {arrow(node.pattern)}"]
    if node.name:
        lines.append(f"weights {shorten(node.name, 24)}")
    if node.out_paths != 1:
        lines.append(f"paths {node.out_paths}")
    lines.extend(text for text, true in (("each path", node.each), ("same for all irreps", node.shared)) if true)
    if node.per:
        lines.extend(wrap("per " + ", ".join(shorten(label.text, 26) for label in node.per), 32, 4))
    lines.extend(coefficient_words(node.coefficients))
    return Words("box", tuple(lines), learned=isinstance(node.coefficients, Learned | Tied))


def coefficient_words(coefficients: Coefficients) -> tuple[str, ...]:
    """Return a line that tells fixed coefficients; none for learned ones."""
    match coefficients:
        case Constant():
            if len(coefficients.values) == 1 and isinstance(coefficients.values[0][1], float):
                return (f"constant {number(coefficients.values[0][1])}",)
            tensor = coefficients.tensor(coefficients.values[0][0]) if coefficients.values[0][0] else None
            if tensor is None:
                return (f"constant {_extent(coefficients)}",)
            return (f"constant, {len(coefficients.values)} irreps",)
        case Buffer():
            return (f"buffer {shorten(coefficients.name, 24)}",)
        case Tied():
            return (f"tied {shorten(coefficients.tensor_letters, 8)}·{shorten(coefficients.weight_letters, 8)}",)
        case _:
            return ()


def _extent(coefficients: Constant) -> str:
    value = coefficients.values[0][1]
    sizes: list[str] = []
    while isinstance(value, tuple):
        sizes.append(str(len(value)))
        value = value[0] if value else 0.0
    return "×".join(sizes)


def _add_words(node: Add) -> Words:
    factors = [factor for factor, _ in node.terms]
    if all(factor == 1.0 for factor in factors):
        return Words("bar", ("+",), ports=("",) * len(factors))
    title = "+" if len(factors) > 1 else ""
    return Words("bar", (title,) if title else (), ports=tuple(f"×{number(factor)}" for factor in factors))


def _geometry_words(node: Geometry) -> tuple[str, ...]:
    lengths = ", ".join(f"{length:g}" for length in node.lengths[:1])
    match node.function:
        case "harmonics":
            return (f"harmonics l ≤ {node.count}", node.normalization)
        case "solid_harmonics":
            return (f"solid harmonics l ≤ {node.count}",)
        case "bessel" | "gaussian":
            return (f"{node.function} n ≤ {node.count}", f"r < {lengths}")
        case "cutoff" | "cosine_cutoff":
            return (node.function.replace("_", " "), f"r < {lengths}")
        case _:
            return (shorten(node.function, 30),)


def _select_words(node: Select) -> tuple[str, ...]:
    items = ", ".join(
        str(irrep) if paths is None else f"{irrep}: {' '.join(map(str, paths))}" for irrep, paths in node.keep[:40]
    )
    return wrap(f"keep {items}", 28, 3, ", ")


def _shuffle_words(node: Shuffle) -> str:
    size = len(node.order)
    shift = node.order[0] if node.order else 0
    if node.order == tuple((i + shift) % size for i in range(size)):
        return f"roll {shift}{_axis(node.axis)}"
    return shorten(f"shuffle {' '.join(map(str, node.order[:16]))}", 28) + _axis(node.axis)


def _axis(axis: int) -> str:
    return "" if axis == -1 else f", axis {axis}"


def irreps_lines(space: Space) -> tuple[str, ...]:
    """Return the irreps of a wire, wrapped."""
    return wrap(str(space.irreps) if space.dim else "nothing", IRREPS_WIDTH, _IRREPS_LINES, "+")


def channel_text(space: Space) -> str:
    """Return the channel axes of a wire, ``u=64``; empty without channels."""
    return " ".join(f"{clean(shorten(name, 16))}={size}" for name, size in space.channels)


def index_text(node: Node) -> str:
    """Return ``on edge`` where a reader needs it: at legs and where the index space changes."""
    wires = [wire for wire in node.inputs if not isinstance(wire, Label)]
    if isinstance(node, Label) or (wires and all(wire.space.on == node.space.on for wire in wires)):
        return ""
    return f"on {clean(shorten(node.space.on, 24))}"


def wire_lines(node: Node) -> tuple[Line, ...]:
    """Return what is written at the wire that leaves a node: irreps, then channels and index space."""
    if isinstance(node, Label):
        return ()
    tail = "  ".join(filter(None, (channel_text(node.space), index_text(node))))
    irreps = irreps_lines(node.space)
    if tail and len(irreps) == 1 and len(irreps[0]) + len(tail) <= _ONE_LINE:
        return (Line("wire", irreps[0], tail),)
    lines = tuple(Line("wire", line) for line in irreps)
    return (*lines, Line("type", tail)) if tail else lines


def is_side_input(node: Node, position: int) -> bool:
    """Whether an input enters from the side: labels, and the factor of a scale."""
    return isinstance(node.inputs[position], Label) or (isinstance(node, Scale) and position == 1)
