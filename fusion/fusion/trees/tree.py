"""A coupling tree with a definite irrep on every line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from fusion.errors import LimitError, NotationError
from fusion.findings import SelectionRuleError
from fusion.irreps import Irrep
from fusion.limits import MAX_NETWORK_TERMS
from fusion.rules import coupled, violation
from fusion.symbols import clebsch_gordan
from fusion.trees.shapes import Shape, legs_of
from fusion.violations import Violation

_NAMES = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class FusionTree:
    """A leg, or a vertex over two trees. Its value is covariant and transforms as ``irrep``.

    Attributes:
        irrep: the label of the line that leaves the tree.
        leaf: number of the leg; -1 at a vertex.
        path: which path of that leg.
        left: tree that enters the vertex on the left.
        right: tree that enters it on the right.
    """

    irrep: Irrep
    leaf: int = -1
    path: int = 0
    left: FusionTree | None = None
    right: FusionTree | None = None
    # Trees are keys of combinations; hashing both branches anew at every look-up would take most of a recoupling.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        left = 0 if self.left is None else self.left._hash
        right = 0 if self.right is None else self.right._hash
        object.__setattr__(self, "_hash", hash((self.irrep, self.leaf, self.path, left, right)))

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def leg(cls, number: int, irrep: Irrep | str, path: int = 0) -> FusionTree:
        """Return the tree that is a bare leg."""
        if type(number) is not int or type(path) is not int or number < 0 or path < 0:
            raise NotationError(f"legs and paths are numbered from 0; got leg {number!r}, path {path!r}")
        return cls(Irrep.parse(irrep) if isinstance(irrep, str) else irrep, number, path)

    @classmethod
    def vertex(cls, left: FusionTree, right: FusionTree, irrep: Irrep | str) -> FusionTree:
        """Return the tree in which ``left`` and ``right`` fuse to ``irrep``.

        Raises:
            SelectionRuleError: the three labels break the triangle or the parity rule.
        """
        for branch in (left, right):
            if not isinstance(branch, FusionTree):  # pyright: ignore[reportUnnecessaryIsInstance]  # what a user may give
                raise NotationError(f"a vertex joins two fusion trees, not {branch!r:.40}")
        out = Irrep.parse(irrep) if isinstance(irrep, str) else irrep
        why = violation(left.irrep, right.irrep, out)
        if why is not None:
            headline = f"{left} and {right} do not fuse to {out}: {why}"
            alike = left.irrep.group == right.irrep.group
            options = coupled(left.irrep, right.irrep) if alike else ()
            found = Violation("selection", headline, asked=(out,), reachable=options, reasons=(why,))
            raise SelectionRuleError((found,), headline)
        return cls(out, left=left, right=right)

    @property
    def branches(self) -> tuple[FusionTree, FusionTree] | None:
        """The two trees that meet at the root, or ``None`` for a leg."""
        return None if self.left is None or self.right is None else (self.left, self.right)

    @property
    def shape(self) -> Shape:
        """The tree without its labels."""
        return self.leaf if self.left is None or self.right is None else (self.left.shape, self.right.shape)

    @property
    def leaves(self) -> tuple[FusionTree, ...]:
        """The legs, from left to right."""
        if self.left is None or self.right is None:
            return (self,)
        return (*self.left.leaves, *self.right.leaves)

    @property
    def inner(self) -> tuple[Irrep, ...]:
        """Labels of the inner lines, those of the left branch first. Legs and the root are no inner lines."""
        found: list[Irrep] = []
        for branch in self.branches or ():
            if branch.left is not None:
                found.extend((*branch.inner, branch.irrep))
        return tuple(found)

    def renumbered(self, numbers: Mapping[int, int]) -> FusionTree:
        """Return the tree with other numbers on its legs: ``numbers[old]`` is the new one."""
        if self.left is None or self.right is None:
            return FusionTree(self.irrep, numbers[self.leaf], self.path)
        return FusionTree(self.irrep, left=self.left.renumbered(numbers), right=self.right.renumbered(numbers))

    def at(self, address: tuple[int, ...]) -> FusionTree:
        """Return the tree that is reached by going left (0) or right (1) from the root.

        Raises:
            NotationError: there is no such place.
        """
        if not isinstance(address, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]  # what a user may give
            raise NotationError(f"a place in a tree is a tuple of steps such as (0, 1), got {address!r:.40}")
        found = self
        for step in address:
            branches = found.branches
            if branches is None or step not in (0, 1):
                raise NotationError(f"{self} has no place {address}; 0 goes left, 1 goes right, legs are ends")
            found = branches[step]
        return found

    def tensor(self) -> NDArray[np.float64]:
        """Return the dense coupling: one axis per leg in the order of their numbers, then the line that leaves.

        Raises:
            NotationError: a leg enters the tree twice.
            LimitError: the coupling has more than ``MAX_NETWORK_TERMS`` entries.
        """
        leaves = self.leaves
        order = [leaf.leaf for leaf in leaves]
        if len(set(order)) != len(order):
            raise NotationError(f"a leg enters {self} twice; number its uses apart")
        size = prod(line.irrep.dim for line in (*leaves, self))
        if size > MAX_NETWORK_TERMS:
            raise LimitError(f"the coupling of {self} has {size} entries, above the limit of {MAX_NETWORK_TERMS}")
        value, numbers = self._coupling()
        places = [numbers.index(number) for number in sorted(order)]
        return value.transpose(*places, len(numbers))

    def _coupling(self) -> tuple[NDArray[np.float64], list[int]]:
        if self.left is None or self.right is None:
            return np.eye(self.irrep.dim), [self.leaf]
        left, first = self.left._coupling()
        right, second = self.right._coupling()
        table = clebsch_gordan(self.left.irrep.l, self.right.irrep.l, self.irrep.l)
        half = np.tensordot(left, table, axes=(-1, 0))  # (first..., right, out)
        whole = np.tensordot(half, right, axes=(-2, -1))  # (first..., out, second...)
        return np.moveaxis(whole, len(first), -1), [*first, *second]

    def __str__(self) -> str:
        if self.left is None or self.right is None:
            name = _NAMES[self.leaf] if self.leaf < len(_NAMES) else f"x{self.leaf}"
            return f"{name}:{self.irrep}" + (f".{self.path}" if self.path else "")
        return f"({self.left} {self.right}){self.irrep}"


Combination = Mapping[FusionTree, float]
"""A linear combination of trees over the same legs."""


def check_shape(tree: FusionTree, shape: Shape) -> None:
    """Raise :class:`NotationError` unless ``shape`` joins exactly the legs of ``tree``, each once."""
    have, asked = [leaf.leaf for leaf in tree.leaves], legs_of(shape)
    if len(set(have)) != len(have) or sorted(have) != sorted(asked):
        raise NotationError(
            f"a tree of legs {sorted(have)} cannot take the shape {shape}: it needs the same legs, once"
        )
