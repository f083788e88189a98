"""Build nodes anew from changed inputs: what every rewrite of a diagram needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

from fusion.node import Node


def rebuild(node: Node, new: Mapping[Node, Node]) -> Node:
    """Return the node with every input replaced by what ``new`` says; the node itself when nothing changes."""
    if not node.inputs or all(new[child] == child for child in node.inputs):
        return node
    changed = {item.name: swapped(getattr(node, item.name), new) for item in fields(cast("Any", node))}
    return cast("Node", replace(cast("Any", node), **changed))


def swapped(value: object, new: Mapping[Node, Node]) -> object:
    """Return a field of a node with the nodes in it replaced; the value itself when nothing changes."""
    if isinstance(value, Node):
        return new[value]
    if type(value) is tuple:
        old = cast("tuple[object, ...]", value)
        items = tuple(swapped(item, new) for item in old)
        return items if any(a is not b for a, b in zip(items, old, strict=True)) else old
    return value
