"""From trees to nodes: one vertex for all trees that join the same legs in the same way, each subtree once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fusion.couplings import fuse_paths, numbered
from fusion.diagram import DirectSum, Fuse, Wire
from fusion.irreps import Irrep, Irreps
from fusion.pattern import Pattern
from fusion.trees import FusionTree, Shape
from fusion_compiler.layout import Path
from fusion_compiler.polynomial.basis import Leg
from fusion_compiler.polynomial.nodes import Couple, Coupled


class Realised:
    """Nodes for a set of trees: every shape that occurs in them is one wire.

    With ``fuses``, vertices are fuses where the language allows that many paths. These are contracted together, but
    form every path of the couplings that some tree has; of vertices that list their couplings each is formed by itself.
    """

    def __init__(self, trees: Iterable[FusionTree], legs: Sequence[Leg], letters: str, *, fuses: bool = False) -> None:
        self.legs, self.letters, self.fuses = legs, letters, fuses
        self.members: dict[Shape, dict[FusionTree, Path]] = {}
        self._counts: dict[tuple[Shape, Irrep], int] = {}
        self._wires: dict[Shape, Wire] = {}
        for tree in trees:
            self._collect(tree)

    def sum(self, trees: Iterable[FusionTree]) -> tuple[Wire, dict[FusionTree, Path]]:
        """Return a wire that holds these trees, and the path of each."""
        asked = list(dict.fromkeys(trees))
        parts = {shape: self.shape(shape) for shape in dict.fromkeys(tree.shape for tree in asked)}
        start: dict[Irrep, int] = {}
        offsets: dict[tuple[Shape, Irrep], int] = {}
        for shape, part in parts.items():
            for count, irrep in part.space.irreps:
                offsets[shape, irrep] = start.get(irrep, 0)
                start[irrep] = start.get(irrep, 0) + count
        wires = tuple(parts.values())
        places = {tree: (tree.irrep, offsets[tree.shape, tree.irrep] + self.path(tree)[1]) for tree in asked}
        return wires[0] if len(wires) == 1 else DirectSum(wires), places

    def _collect(self, tree: FusionTree) -> None:
        """Number a tree and its subtrees among those of their shape and irrep."""
        if tree.branches is None:
            return
        mine = self.members.setdefault(tree.shape, {})
        if tree in mine:
            return
        for branch in tree.branches:
            self._collect(branch)
        number = self._counts.get((tree.shape, tree.irrep), 0)
        self._counts[tree.shape, tree.irrep] = number + 1
        mine[tree] = (tree.irrep, number)

    def path(self, tree: FusionTree) -> Path:
        """Return the path of a tree on the wire of its shape."""
        return (tree.irrep, tree.path) if tree.branches is None else self.members[tree.shape][tree]

    def operand_letters(self, shape: Shape) -> str:
        """Return the letters of the channels of a shape's wire: those of its legs in the order of the whole."""
        if isinstance(shape, int):
            return self.legs[shape].letters  # a leg keeps its own order
        mine = set(self._leg_letters(shape))
        return "".join(letter for letter in self.letters if letter in mine)

    def _leg_letters(self, shape: Shape) -> str:
        if isinstance(shape, int):
            return self.legs[shape].letters
        return self._leg_letters(shape[0]) + self._leg_letters(shape[1])

    def shape(self, shape: Shape) -> Wire:
        """Return the wire that holds every tree of one shape."""
        if isinstance(shape, int):
            return self.legs[shape].wire
        if shape not in self._wires:
            wires = self.shape(shape[0]), self.shape(shape[1])
            left, right = (self.operand_letters(side) for side in shape)
            pattern = Pattern((left, right), self.operand_letters(shape))
            found = self._fuse(shape, *wires, pattern) if self.fuses else None
            self._wires[shape] = found or Couple(*wires, pattern, self._terms(shape), counted(self._mine(shape)))
        return self._wires[shape]

    def _mine(self, shape: Shape) -> list[Path]:
        return list(self.members[shape].values())

    def _terms(self, shape: Shape) -> tuple[Coupled, ...]:
        """Return the couplings of the last vertex of every tree of one shape."""
        return tuple(
            Coupled(self.path(tree.branches[0]), self.path(tree.branches[1]), out)
            for tree, out in self.members[shape].items()
            if tree.branches is not None
        )

    def _fuse(self, shape: Shape, left: Wire, right: Wire, pattern: Pattern) -> Fuse | None:
        """Return a fuse that has every tree of one shape, and number these as it does; ``None`` if it is illegal."""
        terms = self._terms(shape)
        triples = tuple(dict.fromkeys((term.left[0], term.right[0], term.out[0]) for term in terms))
        found = Fuse(left, right, pattern, triples=triples)
        if any(violation.severity == "error" for violation in found.violations):
            return None
        every = numbered(fuse_paths(left.space.irreps, right.space.irreps, None, triples)).items()
        place = {((path.left, path.left_path), (path.right, path.right_path), path.out): out for out, path in every}
        for tree, term in zip(self.members[shape], terms, strict=True):
            self.members[shape][tree] = place[term.left, term.right, term.out[0]]
        return found


def counted(paths: Iterable[Path]) -> Irreps:
    """Return the irreps of a wire with these paths, numbered from 0."""
    counts: dict[Irrep, int] = {}
    for irrep, path in paths:
        counts[irrep] = max(counts.get(irrep, 0), path + 1)
    return Irreps(tuple((counts[irrep], irrep) for irrep in sorted(counts)))
