"""The base of all nodes: immutable values with structural equality, a space, and their own violations."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, cast

from fusion.inference.common import Inferred
from fusion.printing import ATOM, Piece, print_outputs
from fusion.space import Space
from fusion.violations import Violation


class Node:
    """One node of a diagram.

    Nodes are immutable dataclasses; two nodes are equal exactly when they were declared alike, inputs included, and
    equal nodes are one node: learned weights of equal nodes are the same weights (give ``name=`` to keep them apart).
    """

    if TYPE_CHECKING:  # set once in __post_init__; not fields, so that they are not part of the declaration
        inputs: tuple[Node, ...]
        """The nodes this one is made from, labels included."""
        space: Space
        """The type of its wire (a best guess when ``violations`` holds errors)."""
        violations: tuple[Violation, ...]
        """The laws broken at this very node."""
        key: str
        """Digest of the declaration; equality and hash come from it."""
        _hash: int
        value_key: str
        """The same with legs that are declared to be one tensor taken for one leg: equal where the values are."""

    def __post_init__(self) -> None:
        inputs: list[Node] = []
        parts = [type(self).__name__]
        for field in fields(self):  # type: ignore[arg-type]  # every concrete node is a dataclass
            parts.append(_encode(getattr(self, field.name), inputs))
        object.__setattr__(self, "inputs", tuple(inputs))
        key = value_key = _digest(parts)
        if any(item.value_key != item.key for item in inputs):
            every = [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]
            value_key = _digest([parts[0], *(_encode(value, [], by_value=True) for value in every)])
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "_hash", int(key[:15], 16))
        object.__setattr__(self, "value_key", value_key)
        inferred = self.infer()
        object.__setattr__(self, "space", inferred.space)
        object.__setattr__(self, "violations", inferred.violations)

    def infer(self) -> Inferred:
        """Return the space of this node and the laws it breaks."""
        raise NotImplementedError

    def pieces(self) -> Sequence[Piece]:
        """Return the node's text, with its inputs as :class:`fusion.printing.Child`."""
        raise NotImplementedError

    @property
    def declaration(self) -> str | None:
        """The statement that declares the node, for legs and labels."""
        return None

    @property
    def strength(self) -> int:
        """How strongly the node's text binds."""
        return ATOM

    @property
    def kind(self) -> str:
        """The node's name in the table of nodes, such as ``fuse`` or ``mix``."""
        return type(self).__name__.lower()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.key == other.key

    def __hash__(self) -> int:
        return self._hash

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Node:
        return self  # immutable, and a copy would recurse as deep as the diagram

    def __str__(self) -> str:
        return print_outputs((("out", self),)).text

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _encode(value: object, inputs: list[Node], by_value: bool = False) -> str:
    """Return text that determines ``value``; nodes met on the way are appended to ``inputs``."""
    if isinstance(value, Node):
        inputs.append(value)
        return value.value_key if by_value else value.key
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return "(" + ",".join(_encode(item, inputs, by_value) for item in items) + ")"
    return repr(value)
