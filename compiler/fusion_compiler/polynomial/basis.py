"""What the paths of a wire are: fusion trees over the wires below its vertices.

A vertex belongs to the trees when its channels are carried along (each letter of an operand stands in the result), so
that the channels of the whole tree are those of its legs, whatever the order in which the legs meet.
"""

from __future__ import annotations

from dataclasses import dataclass

from fusion.diagram import DirectSum, Fuse, Select, Wire
from fusion.node import Node
from fusion.trees import FusionTree
from fusion_compiler.expansion import chosen_pattern
from fusion_compiler.layout import Layout, Path
from fusion_compiler.polynomial.nodes import Couple, Coupled, Recombine, terms_of

MAX_TREES = 4000
"""Trees of one wire at most; what has more is taken for a leg."""
MAX_LEGS = 8
"""Legs of one tree at most."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A wire at which trees end, and the letters of its channels."""

    wire: Wire
    letters: str


Signed = tuple[FusionTree, float]
"""A tree and a factor."""


@dataclass(frozen=True)
class Basis:
    """The paths of a wire as trees, one for each, with a factor; legs that are one value with the same letters are one.

    Attributes:
        legs: what the trees end at, by number.
        letters: of the channels of the wire.
        trees: the tree of every path.
    """

    legs: tuple[Leg, ...]
    letters: str
    trees: dict[Path, Signed]


def basis_of(wire: Wire) -> Basis:
    """Return the paths of a wire as trees; a wire that is no product is a leg by itself."""
    letters = "abcdefghijklmnopqrstuvwxyz"[: len(wire.space.channels)]
    reader = _Reader()
    paths = Layout.full(wire.space).paths
    if len(paths) > MAX_TREES:
        trees = {path: reader.leg(wire, letters, path) for path in paths}
    else:
        trees = {path: reader.tree(wire, letters, path) for path in paths}
    return Basis(tuple(reader.legs), letters, trees)


class _Reader:
    """Reads trees off nodes, only those that are asked for, and numbers the legs."""

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self.found: dict[tuple[Node, str, Path], Signed] = {}
        self.couplings: dict[Node, dict[Path, Coupled]] = {}
        self.sizes: dict[Node, int] = {}

    def leg(self, wire: Wire, letters: str, path: Path) -> Signed:
        """Return a path of a wire at which trees end."""
        key = (wire.value_key, letters)
        if key not in self.numbers:
            self.numbers[key] = len(self.legs)
            self.legs.append(Leg(wire, letters))
        return FusionTree(path[0], self.numbers[key], path[1]), 1.0

    def tree(self, wire: Wire, letters: str, path: Path) -> Signed:
        """Return one path of a wire as a tree."""
        key = (wire, letters, path)
        if key not in self.found:
            self.found[key] = self._tree(wire, letters, path)
        return self.found[key]

    def _tree(self, wire: Wire, letters: str, path: Path) -> Signed:
        if isinstance(wire, Fuse | Couple) and self.size(wire) > 1:
            pattern = wire.pattern if isinstance(wire, Couple) else chosen_pattern(wire)
            rename = dict(zip(pattern.result, letters, strict=True))
            sides = ["".join(rename[c] for c in part) for part in pattern.operands]
            term = self._terms(wire)[path]
            left, f = self.tree(wire.left, sides[0], term.left)
            right, g = self.tree(wire.right, sides[1], term.right)
            return FusionTree(path[0], left=left, right=right), term.factor * f * g
        if isinstance(wire, Recombine) and _plain(wire):
            (term,) = (term for term in wire.terms if term.out == path)
            tree, factor = self.tree(wire.wire, letters, term.path)
            return tree, factor * term.factor
        if isinstance(wire, Select):
            numbers = dict(wire.keep)[path[0]]
            return self.tree(wire.wire, letters, path if numbers is None else (path[0], numbers[path[1]]))
        if isinstance(wire, DirectSum):
            irrep, number = path
            for part in wire.parts:
                count = part.space.irreps.count(irrep)
                if number < count:
                    return self.tree(part, letters, (irrep, number))
                number -= count
        return self.leg(wire, letters, path)

    def _terms(self, wire: Fuse | Couple) -> dict[Path, Coupled]:
        if wire not in self.couplings:
            self.couplings[wire] = {term.out: term for term in terms_of(wire)}
        return self.couplings[wire]

    def size(self, wire: Wire) -> int:
        """Return the number of legs of the largest tree of a wire; 1 for what is a leg."""
        if wire not in self.sizes:
            self.sizes[wire] = self._size(wire)
        return self.sizes[wire]

    def _size(self, wire: Wire) -> int:
        if isinstance(wire, Recombine):
            return self.size(wire.wire) if _plain(wire) else 1
        if isinstance(wire, Select):
            return self.size(wire.wire)
        if isinstance(wire, DirectSum):
            return max(self.size(part) for part in wire.parts)
        if not isinstance(wire, Fuse | Couple) or not _carried(wire):
            return 1
        total = self.size(wire.left) + self.size(wire.right)
        return total if total <= MAX_LEGS else 1


def _plain(wire: Recombine) -> bool:
    """Whether every path is one path of the wire, with a factor."""
    return len({term.out for term in wire.terms}) == len(wire.terms) == wire.irreps.paths


def _carried(wire: Fuse | Couple) -> bool:
    """Whether a vertex has one coupling for every path, and carries all channels along."""
    if isinstance(wire, Couple):
        pattern = wire.pattern
        single = len({term.out for term in wire.terms}) == len(wire.terms) == wire.irreps.paths
    else:
        pattern, single = chosen_pattern(wire), not wire.weighted
    return single and set("".join(pattern.operands)) == set(pattern.result)
