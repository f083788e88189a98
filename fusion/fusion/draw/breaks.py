"""Where a picture that is wider than a page is broken."""

from __future__ import annotations

from collections.abc import Sequence, Set

from fusion.diagram import Leg
from fusion.draw.limits import PAGE_WIDTH
from fusion.draw.packing import joined
from fusion.draw.picture import Picture
from fusion.node import Node

_MANY_WIRES = 150
"""Above this number of wires all shared ones are broken at once, because every further picture takes time."""


def breaks(picture: Picture, broken: Set[Node]) -> list[Node]:
    """Return nodes whose wires should be broken next, besides those that are; none where nothing is left to break."""
    shared = _shared(picture, broken)
    inputs = [node for node in shared if not node.inputs]
    if inputs:
        return inputs
    if shared:
        return shared if len(picture.links) > _MANY_WIRES else shared[: max(1, len(shared) // 4)]
    return _middles(picture, broken)


def _shared(picture: Picture, broken: Set[Node]) -> list[Node]:
    """Return the nodes whose wires have several users and are whole, those that reach furthest across first."""
    reach: dict[Node, list[float]] = {}
    users: dict[Node, set[int]] = {}
    for link in picture.links:
        node = picture.figures[link.source].node
        if node is None or node in broken:
            continue
        if picture.figures[link.target].node is None and not isinstance(node, Leg):
            continue  # an output stays where its wire comes from
        reach.setdefault(node, [picture.layout.x[link.source]]).append(picture.layout.x[link.target])
        users.setdefault(node, set()).add(link.target)
    several = [node for node in reach if len(users[node]) > 1]
    return sorted(several, key=lambda node: min(reach[node]) - max(reach[node]))


def _middles(picture: Picture, broken: Set[Node]) -> list[Node]:
    """Return, for every part that is too wide, the node at whose wire it falls into halves most nearly."""
    found: list[Node] = []
    for members in joined(len(picture.items), picture.links):
        left = min(picture.layout.x[item] - picture.items[item].left for item in members)
        right = max(picture.layout.x[item] + picture.items[item].right for item in members)
        if right - left <= PAGE_WIDTH - 28:
            continue
        above = _widths_above(picture, members)
        whole = sum(picture.items[item].left + picture.items[item].right for item in members)
        candidates: list[tuple[float, int]] = []
        for item in members:
            node = picture.figures[item].node
            users = [link.target for link in picture.links if link.source == item]
            if node is None or node in broken or not node.inputs or not users:
                continue
            if all(picture.figures[user].node is not None for user in users):
                candidates.append((abs(above[item] - whole / 2), item))
        if candidates:
            node = picture.figures[min(candidates)[1]].node
            if node is not None:
                found.append(node)
    return found


def _widths_above(picture: Picture, members: Sequence[int]) -> dict[int, float]:
    """Return the width of every item with everything that it is made of, side by side."""
    sources: dict[int, set[int]] = {}
    for link in picture.links:
        sources.setdefault(link.target, set()).add(link.source)
    total: dict[int, float] = {}
    for item in members:  # sources come first
        own = picture.items[item].left + picture.items[item].right
        total[item] = own + sum(total[source] for source in sources.get(item, ()))
    return total
