"""From trees to nodes: the smallest chain of fuses that holds given trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fusion.couplings import fuse_paths, reachable
from fusion.diagram import DirectSum, Select, Wire
from fusion.errors import LimitError
from fusion.irreps import Irrep, irreps_of
from fusion.trees.shapes import Shape
from fusion.trees.tree import FusionTree

Built = tuple[Wire, tuple[FusionTree, ...]]
"""A wire and the tree behind each of its paths, those of one irrep after the other."""


def assemble(wires: Sequence[Wire], trees: Iterable[FusionTree]) -> Built:
    """Return a wire with one path per tree, and the trees in the order of its paths.

    Every class of shapes becomes one fuse, used wherever it occurs; it keeps the paths that some tree needs. Classes at
    the root stand side by side, in the order in which they first appear.

    Args:
        wires: what stands on the leaves, by their number.
        trees: at least one, over spelled shapes (see :mod:`fusion.generation.classes`).

    Raises:
        LimitError: a fuse would have too many paths.
    """
    roots = tuple(trees)
    needed = by_shape(roots)
    built: dict[Shape, Built] = {}
    parts = [_build(shape, wires, needed, built) for shape in dict.fromkeys(tree.shape for tree in roots)]
    if len(parts) == 1:
        return parts[0]
    order = [tree for _, found in parts for tree in found]
    return DirectSum(tuple(wire for wire, _ in parts)), tuple(sorted(order, key=lambda tree: tree.irrep))  # stable


def by_shape(trees: Iterable[FusionTree]) -> dict[Shape, set[FusionTree]]:
    """Return the trees with all their subtrees, each once, under their shapes."""
    found: dict[Shape, set[FusionTree]] = {}
    for tree in trees:
        _collect(tree, tree.shape, found)
    return found


def _collect(tree: FusionTree, shape: Shape, needed: dict[Shape, set[FusionTree]]) -> None:
    """Note a tree and its branches under their shapes."""
    found = needed.setdefault(shape, set())
    if tree in found:
        return
    found.add(tree)
    if tree.left is not None and tree.right is not None and not isinstance(shape, int):
        _collect(tree.left, shape[0], needed)
        _collect(tree.right, shape[1], needed)


def _build(
    shape: Shape, wires: Sequence[Wire], needed: dict[Shape, set[FusionTree]], built: dict[Shape, Built]
) -> Built:
    if shape not in built:
        if isinstance(shape, int):
            built[shape] = _leaf(shape, wires[shape])
        else:
            left, right = (_build(part, wires, needed, built) for part in shape)
            built[shape] = _vertex(left, right, needed[shape])
    return built[shape]


def _leaf(number: int, wire: Wire) -> Built:
    """Return a leg with all its paths, also those that no tree needs."""
    irreps = wire.space.irreps
    return wire, tuple(FusionTree(irrep, number, path) for count, irrep in irreps for path in range(count))


def _vertex(left: Built, right: Built, needed: set[FusionTree]) -> Built:
    """Return the fuse of two wires with exactly the needed trees."""
    a, b = left[0].space.irreps, right[0].space.irreps
    wanted = irreps_of({tree.irrep for tree in needed})
    node: Wire = left[0] @ right[0]
    if wanted != reachable(a, b) or limits_of(node):
        node = node[wanted]
    for headline in limits_of(node):
        raise LimitError(f"{headline}; restrict the inner lines, or take fewer paths or one shape")
    branches = [_by_irrep(trees) for _, trees in (left, right)]
    kept: list[FusionTree] = []
    positions: dict[Irrep, list[int]] = {}
    counts: dict[Irrep, int] = {}
    for path in fuse_paths(a, b, wanted):
        tree = FusionTree(
            path.out,
            left=branches[0][path.left][path.left_path],
            right=branches[1][path.right][path.right_path],
        )
        place = counts.get(path.out, 0)
        counts[path.out] = place + 1
        if tree in needed:
            kept.append(tree)
            positions.setdefault(path.out, []).append(place)
    if len(kept) < sum(counts.values()):
        keep = ((irrep, None if len(found) == counts[irrep] else tuple(found)) for irrep, found in positions.items())
        node = Select(node, tuple(keep))
    return node, tuple(kept)


def limits_of(node: Wire) -> list[str]:
    """Return the limits that a node exceeds, in words."""
    return [found.headline for found in node.violations if found.kind == "limit" and found.severity == "error"]


def _by_irrep(trees: Sequence[FusionTree]) -> dict[Irrep, list[FusionTree]]:
    found: dict[Irrep, list[FusionTree]] = {}
    for tree in trees:
        found.setdefault(tree.irrep, []).append(tree)
    return found
