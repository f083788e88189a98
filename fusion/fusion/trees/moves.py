"""The moves between fusion trees: R exchanges the branches of a vertex, F moves a branch across one.

Every move returns the same covariant map, written as a combination of other trees. F is exact only when all inner
labels that it needs may be used; a move that would lose one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fusion.errors import FusionError, LimitError, NotationError
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_L
from fusion.symbols import exchange_sign, f_matrix
from fusion.trees.tree import Combination, FusionTree

Rewrite = Callable[[FusionTree], Combination]


class RecouplingError(FusionError):
    """A tree cannot be recoupled within the caps on its inner lines.

    Attributes:
        missing: the labels that the other trees need and the caps do not allow.
    """

    def __init__(self, message: str, missing: tuple[Irrep, ...]) -> None:
        self.missing = missing
        super().__init__(message)


def r_move(tree: FusionTree, at: tuple[int, ...] = ()) -> Combination:
    """Exchange the two branches of the vertex at an address: ``(A B)_c = (-1)^(a + b + c) (B A)_c`` (identity I1).

    Raises:
        NotationError: there is no vertex at that place.
    """
    return _rewritten(tree, at, _exchange)


def f_move(tree: FusionTree, at: tuple[int, ...] = (), inner: Irreps | str | None = None) -> Combination:
    """Rewrite ``((A B)_a C)_L`` at an address as a combination of ``(A (B C)_b)_L`` over ``b`` (identity I2).

    Args:
        tree: the tree.
        at: steps from the root, 0 left and 1 right, to the vertex where ``(A B)_a`` and ``C`` meet.
        inner: irreps allowed on inner lines; all when ``None``.

    Raises:
        NotationError: there is no vertex at that place, or its left branch is a leg.
        RecouplingError: a label that is needed is not among ``inner``.
        LimitError: a label above ``MAX_L`` is needed.
    """
    found = _rewritten(tree, at, _forward)
    refuse_loss(tree, found, inner)
    return found


def inverse_f_move(tree: FusionTree, at: tuple[int, ...] = (), inner: Irreps | str | None = None) -> Combination:
    """Rewrite ``(A (B C)_b)_L`` at an address as a combination of ``((A B)_a C)_L`` over ``a``; see :func:`f_move`."""
    found = _rewritten(tree, at, _backward)
    refuse_loss(tree, found, inner)
    return found


def refuse_loss(source: FusionTree, trees: Iterable[FusionTree], inner: Irreps | str | None) -> None:
    """Raise :class:`RecouplingError` when a tree has an inner label outside ``inner``."""
    if inner is None:
        return
    caps = Irreps.parse(inner)
    allowed = set(caps.kinds())
    missing = tuple(sorted({irrep for tree in trees for irrep in tree.inner if irrep not in allowed}))
    if missing:
        names = ", ".join(map(str, missing))
        raise RecouplingError(
            f"{source} cannot be recoupled within inner lines {caps}: {names} would be lost; "
            f"allow {names}, or keep the tree as it is",
            missing,
        )


def exchanged(tree: FusionTree) -> tuple[int, FusionTree]:
    """Return the sign and the tree with the branches of its root exchanged."""
    branches = tree.branches
    if branches is None:
        raise NotationError(f"{tree} is a leg; only a vertex can be exchanged")
    left, right = branches
    sign = exchange_sign(left.irrep.l, right.irrep.l, tree.irrep.l)
    return sign, FusionTree(tree.irrep, left=right, right=left)


def _exchange(tree: FusionTree) -> Combination:
    sign, other = exchanged(tree)
    return {other: float(sign)}


def _forward(tree: FusionTree) -> Combination:
    branches = tree.branches
    inner = branches[0].branches if branches is not None else None
    if branches is None or inner is None:
        raise NotationError(f"an F-move needs ((A B) C); the left branch of {tree} is a leg")
    (a, b), c = inner, branches[1]
    rows, columns, matrix = f_matrix(a.irrep.l, b.irrep.l, c.irrep.l, tree.irrep.l)
    found: dict[FusionTree, float] = {}
    for column, coefficient in zip(columns, matrix[rows.index(branches[0].irrep.l)].tolist(), strict=True):
        if coefficient:
            pair = FusionTree(_inner_label(column, b, c), left=b, right=c)
            found[FusionTree(tree.irrep, left=a, right=pair)] = coefficient
    return found


def _backward(tree: FusionTree) -> Combination:
    branches = tree.branches
    inner = branches[1].branches if branches is not None else None
    if branches is None or inner is None:
        raise NotationError(f"an inverse F-move needs (A (B C)); the right branch of {tree} is a leg")
    a, (b, c) = branches[0], inner
    rows, columns, matrix = f_matrix(a.irrep.l, b.irrep.l, c.irrep.l, tree.irrep.l)
    found: dict[FusionTree, float] = {}
    for row, coefficient in zip(rows, matrix[:, columns.index(branches[1].irrep.l)].tolist(), strict=True):
        if coefficient:
            pair = FusionTree(_inner_label(row, a, b), left=a, right=b)
            found[FusionTree(tree.irrep, left=pair, right=c)] = coefficient
    return found


def _inner_label(degree: int, left: FusionTree, right: FusionTree) -> Irrep:
    if degree > MAX_L:
        raise LimitError(f"a move needs ({left} {right}) with l = {degree}, above {MAX_L}, and cannot leave it out")
    return Irrep(degree, left.irrep.p * right.irrep.p)


def _rewritten(tree: FusionTree, at: tuple[int, ...], rewrite: Rewrite) -> Combination:
    """Apply a rewrite to the tree at an address and put what it gives back into the whole."""
    part = tree.at(at)
    if not at:
        return rewrite(part)
    branches = tree.branches
    if branches is None:  # tree.at has refused such an address
        return {tree: 1.0}
    step = at[0]
    return {
        FusionTree(tree.irrep, left=branches[0] if step else new, right=new if step else branches[1]): coefficient
        for new, coefficient in _rewritten(branches[step], at[1:], rewrite).items()
    }
