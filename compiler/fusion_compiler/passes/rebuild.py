"""Rebuild nodes from changed inputs: what every rewrite of a diagram needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from fusion.node import Node


def rebuild(node: Node, new: Mapping[Node, Node]) -> Node:
    """Return the node with every input replaced by what ``new`` says; the node itself when nothing changes."""
    if not node.inputs or all(new[child] == child for child in node.inputs):
        return node
    if not is_dataclass(node):
        return node
    return cast("Node", replace(node, **{f.name: _swap(getattr(node, f.name), new) for f in fields(node)}))


def _swap(value: Any, new: Mapping[Node, Node]) -> Any:
    if isinstance(value, Node):
        return new[value]
    if type(value) is tuple:
        return tuple(_swap(item, new) for item in cast("tuple[Any, ...]", value))
    return value
