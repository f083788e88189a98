"""Weighted sums of trees: what a mix, or mapped weights, makes of the trees that enter it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.coefficients import Buffer, Learned
from fusion.diagram import Label, Mix
from fusion.irreps import Irrep
from fusion.parameters import letter_sizes, mix_axes, tensor_name
from fusion.pattern import Pattern
from fusion.trees import FusionTree
from fusion_compiler.polynomial.basis import Basis, Leg, Signed, basis_of
from fusion_compiler.polynomial.independent import independent
from fusion_compiler.polynomial.nodes import Column, Weigh
from fusion_compiler.polynomial.realise import Realised
from fusion_compiler.polynomial.sharing import Sharing

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """Paths of the result that take their weights from one tensor.

    Attributes:
        irrep: of the paths and of the trees.
        tensor: name of the declared coefficients.
        shape: their shape.
        picks: the declared path out that each path of the result takes its weights from.
        trees: what is summed.
        matrix: (trees, declared paths in): the weight of a tree in terms of the declared ones.
    """

    irrep: Irrep
    tensor: str
    shape: tuple[int, ...]
    picks: tuple[int, ...]
    trees: tuple[FusionTree, ...]
    matrix: Array

    def over(self, pool: Iterable[FusionTree], sharing: Sharing) -> Target:
        """Return the same sums over an independent set of these trees and of ``pool``."""
        found = independent(self.trees, pool, sharing)
        return replace(self, trees=found.kept, matrix=found.matrix.T @ self.matrix)


@dataclass(frozen=True)
class Weighted:
    """A linear map with weights over trees; its channel pattern, labels and letter sizes are those of the mix."""

    pattern: Pattern
    sizes: tuple[tuple[str, int], ...]
    per: tuple[Label, ...]
    legs: tuple[Leg, ...]
    letters: str
    targets: tuple[Target, ...]

    @property
    def diagonal(self) -> bool:
        """Whether channels are weighted one by one."""
        return self.pattern.operands[0] == self.pattern.result

    @property
    def order(self) -> int:
        """Legs of the largest tree."""
        return max(len(tree.leaves) for target in self.targets for tree in target.trees)

    def over(self, pool: Callable[[Target], Iterable[FusionTree]] = lambda target: ()) -> Weighted | None:
        """Return the same map over independent trees, or ``None`` where an irrep is identically zero.

        Args:
            pool: more trees to choose from, for each target.
        """
        sharing = Sharing(weights_first=self.diagonal)
        targets = tuple(target.over(pool(target), sharing) for target in self.targets)
        return replace(self, targets=targets) if all(target.trees for target in targets) else None

    @property
    def instructions(self) -> int:
        """What the trees cost together, for one channel (see :mod:`fusion_compiler.polynomial.sharing`)."""
        sharing = Sharing(weights_first=self.diagonal)
        return sum(len(target.picks) * sharing.total(target.trees) for target in self.targets)

    def node(self, *, fuses: bool = False) -> Weigh:
        """Return the nodes of the map and of its trees, whose vertices are fuses if asked for and legal."""
        trees = [tree for target in self.targets for tree in target.trees]
        return self.weigh(Realised(trees, self.legs, self.letters, fuses=fuses), self.targets)

    def weigh(self, realised: Realised, targets: Sequence[Target]) -> Weigh:
        """Return the map of some targets over realised trees."""
        wire, places = realised.sum(tree for target in targets for tree in target.trees)
        columns = tuple(
            Column(
                target.irrep,
                target.tensor,
                target.shape,
                target.picks,
                tuple(places[tree][1] for tree in target.trees),
                target.matrix.shape[1],
                tuple((int(s), int(p), float(target.matrix[s, p])) for s, p in np.argwhere(target.matrix)),
            )
            for target in targets
        )
        return Weigh(wire, self.pattern, self.sizes, self.per, columns)


def weighted_of(node: Mix | Weigh) -> Weighted | None:
    """Return the weighted sum of trees that a node is, or ``None`` where weights are no images of learned ones.

    Coefficients must have names (see :func:`fusion_compiler.passes.expand.write_out`).
    """
    if isinstance(node, Mix) and (node.each or not isinstance(node.coefficients, Learned | Buffer)):
        return None
    basis = basis_of(node.wire)
    targets = _declared(node, basis) if isinstance(node, Mix) else _mapped(node, basis)
    sizes = tuple(letter_sizes(node).items()) if isinstance(node, Mix) else node.sizes
    return Weighted(node.pattern, sizes, node.per, basis.legs, basis.letters, tuple(targets))


def _declared(node: Mix, basis: Basis) -> list[Target]:
    name = node.coefficients.name if isinstance(node.coefficients, Buffer) else node.name
    sizes = letter_sizes(node)
    found: list[Target] = []
    for paths, irrep in node.wire.space.irreps:
        _, counts = mix_axes(node, paths)
        shape = (*counts, *(sizes[letter] for letter in node.pattern.letters))
        trees, matrix = _merged([basis.trees[irrep, path] for path in range(paths)], np.eye(paths))
        picks = tuple(range(node.out_paths))
        found.append(Target(irrep, tensor_name(node, name, irrep), shape, picks, trees, matrix))
    return found


def _mapped(node: Weigh, basis: Basis) -> list[Target]:
    found: list[Target] = []
    for column in node.columns:
        trees, matrix = _merged([basis.trees[column.irrep, row] for row in column.rows], column.matrix)
        found.append(Target(column.irrep, column.tensor, column.shape, column.picks, trees, matrix))
    return found


def _merged(signed: Sequence[Signed], matrix: Array) -> tuple[tuple[FusionTree, ...], Array]:
    """Return every tree once, with the sum of its weights: several paths may be one tree."""
    place = {tree: number for number, tree in enumerate(dict.fromkeys(tree for tree, _ in signed))}
    total = np.zeros((len(place), matrix.shape[1]))
    for (tree, factor), row in zip(signed, matrix, strict=True):
        total[place[tree]] += factor * row
    return tuple(place), total
