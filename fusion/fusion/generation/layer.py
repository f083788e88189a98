"""``generate``: every way to couple given legs to wanted irreps, as one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from fusion.arguments import whole
from fusion.diagram import Leg, Power, Wire
from fusion.display import svg_of
from fusion.errors import LimitError, NotationError
from fusion.findings import SelectionRuleError
from fusion.generation.assembly import Built, assemble, by_shape, limits_of
from fusion.generation.classes import KINDS, numbered, shape_classes, shape_text
from fusion.generation.independence import independent_trees
from fusion.generation.listing import Caps, count_distinct, list_trees, reachable_irreps
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.limits import MAX_ORDER, MAX_PATHS
from fusion.rules import coupled
from fusion.symbols import clebsch_gordan
from fusion.trees.enumeration import count_trees
from fusion.trees.shapes import Shape, legs_of
from fusion.trees.tree import FusionTree
from fusion.validate import check
from fusion.violations import Violation

BASES = ("full", "distinct", "reduced")
"""Which trees a layer keeps; see :func:`generate`."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many trees couple to one irrep.

    Attributes:
        irrep: the irrep of the root.
        by_shape: trees of each shape, for ordered legs.
        distinct: trees of all shapes up to exchange, without those that are zero by exchange.
        independent: size of an independent set of them; the rank of what the legs couple to.
        kept: paths of the layer.
    """

    irrep: Irrep
    by_shape: tuple[int, ...]
    distinct: int
    independent: int
    kept: int

    @property
    def trees(self) -> int:
        """Trees of all shapes, for ordered legs."""
        return sum(self.by_shape)


@dataclass(frozen=True)
class Generated:
    """A generated layer; ``str`` is the table of its counts.

    Attributes:
        diagram: the layer.
        wires: the distinct wires on the legs.
        shapes: the classes of shapes; a leaf is the number of its wire.
        basis: which trees were kept.
        trees: the tree behind every path, those of one irrep after the other; a leaf has the number of its wire. With
            channels they are the paths that the final mix weights.
        counts: one entry per wanted irrep.
    """

    diagram: Wire
    wires: tuple[Wire, ...]
    shapes: tuple[Shape, ...]
    basis: str
    trees: tuple[FusionTree, ...] = field(repr=False)
    counts: tuple[Count, ...]

    @property
    def terms(self) -> int:
        """Predicted cost: products of two components, per row and channel, with each common subtree computed once.

        It counts the non-zero entries of the couplings. The compiler's plan has costs of its own, exact ones.
        """
        vertices = [tree for found in by_shape(self.trees).values() for tree in found]
        return sum(
            _coupling_terms(tree.left.irrep.l, tree.right.irrep.l, tree.irrep.l)
            for tree in vertices
            if tree.left is not None and tree.right is not None
        )

    def __str__(self) -> str:
        names = [wire.name if isinstance(wire, Leg) else f"w{number}" for number, wire in enumerate(self.wires)]
        lines = [f"leg {name}: {wire.space}" for name, wire in zip(names, self.wires, strict=True)]
        numbers = [(c.trees, c.distinct, c.independent, c.kept) for c in self.counts]
        sums = [sum(column) for column in zip(*numbers, strict=True)]
        rows = [["", "trees", "distinct", "independent", "kept"]]
        rows.extend([str(c.irrep), *map(str, row)] for c, row in zip(self.counts, numbers, strict=True))
        rows.append(["all", *map(str, sums)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines.extend("  ".join(item.rjust(width) for item, width in zip(row, widths, strict=True)) for row in rows)
        for place, shape in enumerate(self.shapes):
            each = ", ".join(f"{c.by_shape[place]} {c.irrep}" for c in self.counts)
            lines.append(f"shape {shape_text(shape, names)}: {each}")
        lines.append(f"terms: {self.terms} per row and channel")
        return "\n".join(lines)

    def _repr_svg_(self) -> str | None:
        return svg_of(self.diagram)


def generate(
    legs: Wire | Sequence[Wire],
    out: Irreps | Irrep | str,
    order: int | None = None,
    *,
    inner: Irreps | str | None = None,
    shape: str = "comb",
    basis: str = "distinct",
    channels: int | None = None,
) -> Generated:
    """Return the complete layer that couples legs to wanted irreps, channel by channel.

    Args:
        legs: one wire, taken ``order`` times, or a sequence with one wire per leg. Equal wires, and legs declared to
            be one tensor, are identical legs.
        out: the wanted irreps.
        order: number of legs; may be left out with a sequence.
        inner: irreps allowed on inner lines; all when ``None``.
        shape: ``"comb"``: the left comb in the order of the legs; ``"balanced"``: the shape of least depth; ``"all"``:
            every shape, side by side.
        basis: ``"full"``: every tree for ordered legs, as a chain of fuses has them; ``"distinct"``: every tree up to
            exchange of the branches of a vertex and of identical legs, without those that are zero by exchange;
            ``"reduced"``: an independent set of these, each tree that is not a combination of earlier ones.
        channels: channels of the result, to which a learned mix takes all trees and channels; without it, the trees
            stand side by side as paths.

    Raises:
        NotationError: an argument is not one of those above.
        SelectionRuleError: a wanted irrep cannot be reached, or no tree is left.
        DiagramError: the legs cannot be fused; see :func:`fusion.check`.
        LimitError: too many legs or trees, or a line above the largest degree; the message has the number.
    """
    wires, places = _legs(legs, order)
    wanted = Irreps.parse(out)
    kinds, caps = frozenset(wanted.kinds()), None if inner is None else frozenset(Irreps.parse(inner).kinds())
    if shape not in KINDS:
        raise NotationError(f"the shape of a layer is one of {', '.join(KINDS)}, not {shape!r}")
    if basis not in BASES:
        raise NotationError(f"the basis of a layer is one of {', '.join(BASES)}, not {basis!r}")
    if not kinds:
        raise NotationError("a layer needs at least one irrep to couple to")
    _check_legs(wires)
    classes = shape_classes(shape, places)
    irreps = tuple(wire.space.irreps for wire in wires)
    _check_reachable(classes, irreps, wanted, caps)
    ordered = [_count_ordered(part, irreps, kinds, caps) for part in classes]
    distinct = [count_distinct(part, irreps, kinds, caps) for part in classes]
    _check_size(ordered if basis == "full" else distinct)
    every = tuple(tree for part in classes for tree in list_trees(part, irreps, kinds, caps, True))
    reduced = tuple(every[place] for place in independent_trees(every))
    if basis == "full":
        kept = tuple(tree for part in classes for tree in list_trees(part, irreps, kinds, caps, False))
    else:
        kept = reduced if basis == "reduced" else every
    if not kept:
        _refuse(wanted.kinds(), "all trees are zero, because legs are one tensor", ())
    layer, trees = _layer(wires, kept, classes, basis, caps)
    if channels is not None:
        layer = _mixed(layer, channels)
    check(layer)
    counts = tuple(
        Count(
            irrep,
            tuple(found.get(irrep, 0) for found in ordered),
            sum(found.get(irrep, 0) for found in distinct),
            sum(tree.irrep == irrep for tree in reduced),
            sum(tree.irrep == irrep for tree in trees),
        )
        for irrep in wanted.kinds()
    )
    return Generated(layer, wires, classes, basis, trees, counts)


def _legs(legs: Wire | Sequence[Wire], order: int | None) -> tuple[tuple[Wire, ...], tuple[int, ...]]:
    """Return the distinct wires, and the number of the wire on each leg."""
    if isinstance(legs, Wire):
        if order is None:
            raise NotationError("one wire needs the number of times it is taken: order=3")
        count = whole(order, "the order of a layer")
        given = (legs,) * min(max(count, 0), MAX_ORDER + 1)
    else:
        given = tuple(legs)
        count = len(given) if order is None else whole(order, "the order of a layer")
        if count != len(given):
            raise NotationError(f"{len(given)} legs do not make a layer of order {count}; give one wire per leg")
    if count < 1:
        raise NotationError("a layer needs at least one leg")
    if count > MAX_ORDER:
        raise LimitError(f"a layer of {count} legs is above the limit of {MAX_ORDER}")
    wrong = [leg for leg in given if not isinstance(leg, Wire)]  # pyright: ignore[reportUnnecessaryIsInstance]
    if wrong:
        raise NotationError(f"a leg of a layer is a wire, not {type(wrong[0]).__name__} {wrong[0]!r:.40}")
    wires: dict[str, Wire] = {}
    for wire in given:
        wires.setdefault(wire.value_key, wire)
    keys = tuple(wires)
    return tuple(wires.values()), tuple(keys.index(wire.value_key) for wire in given)


def _check_legs(wires: Sequence[Wire]) -> None:
    """Raise what the laws say about legs that cannot meet: channels, index spaces, groups."""
    first = wires[0]
    check(first)
    for other in wires[1:]:
        node = first @ other
        a, b = first.space.irreps.kinds()[0], other.space.irreps.kinds()[0]
        check(node[coupled(a, b)[0]] if a.group == b.group else node)  # one irrep, so that no degree is too large


def _check_reachable(classes: Sequence[Shape], irreps: Sequence[Irreps], wanted: Irreps, caps: Caps) -> None:
    reached = irreps_of({irrep for part in classes for irrep in reachable_irreps(part, irreps, caps).kinds()})
    missing = tuple(irrep for irrep in wanted.kinds() if not reached.count(irrep))
    if missing:
        within = "" if caps is None else f" within inner lines {irreps_of(caps)}"
        names = ", ".join(map(str, missing))
        _refuse(missing, f"no tree over these legs couples to {names}{within}; reachable: {reached}", reached.kinds())


def _refuse(asked: tuple[Irrep, ...], headline: str, reached: tuple[Irrep, ...]) -> None:
    found = Violation("selection", headline, asked=asked, reachable=reached)
    raise SelectionRuleError((found,), headline)


def _count_ordered(part: Shape, irreps: Sequence[Irreps], kinds: frozenset[Irrep], caps: Caps) -> dict[Irrep, int]:
    """Return the numbers of trees of one shape for ordered legs."""
    legs = [irreps[wire] for wire in legs_of(part)]
    return count_trees(numbered(part), legs, irreps_of(kinds), None if caps is None else irreps_of(caps))


def _check_size(counts: Sequence[dict[Irrep, int]]) -> None:
    number = sum(sum(found.values()) for found in counts)
    if number > MAX_PATHS:
        raise LimitError(
            f"a layer of {number} trees is above the limit of {MAX_PATHS}; restrict the inner lines, or take one shape"
        )


def _layer(
    wires: tuple[Wire, ...], kept: tuple[FusionTree, ...], classes: tuple[Shape, ...], basis: str, caps: Caps
) -> Built:
    """Return the wire that holds the kept trees, and the trees in the order of its paths."""
    legs = len(kept[0].leaves)
    kinds = irreps_of({tree.irrep for tree in kept})
    if legs == 1:
        return wires[0][kinds], kept
    if len(wires) == 1 and len(classes) == 1 and basis != "distinct" and _is_comb(classes[0]):
        # one wire on every leg of one comb: what a power says in one word
        lines = None if caps is None or legs == 2 else irreps_of(caps)
        power = Power(wires[0], (legs,), basis, kinds, lines)
        if not limits_of(power):  # it decides on all trees at once what is decided here by equal leaves
            return power, kept
    return assemble(wires, kept)


@lru_cache(maxsize=4096)
def _coupling_terms(left: int, right: int, out: int) -> int:
    """Return the number of non-zero entries of one coupling in the real basis."""
    return int(np.count_nonzero(np.abs(clebsch_gordan(left, right, out)) > 1e-12))


def _is_comb(shape: Shape) -> bool:
    return isinstance(shape, int) or (isinstance(shape[1], int) and _is_comb(shape[0]))


def _mixed(layer: Wire, channels: int) -> Wire:
    """Return the layer followed by a mix of all its trees and channels."""
    axes = layer.space.channels
    if len(axes) > 1:
        names = ", ".join(name for name, _ in axes)
        raise NotationError(f"a layer with channel axes {names} needs its own mix; leave channels out and write it")
    if whole(channels, "the number of channels") < 1:
        raise NotationError(f"a layer needs at least one channel, got channels={channels}")
    return layer.mix("u->v" if axes else "->v", v=channels)
