"""The one-line notation of a diagram, with the place of every node in it.

Legs, labels and declared maps come first as statements, then nodes that are used more than once (``t1 = ...``), then
the expression. :mod:`fusion.notation` reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_INLINE_DEPTH = 24
"""Deeper expressions are cut into named parts, so that texts stay within the reader's nesting limit."""

SUM, FUSE, ATOM = 1, 2, 3
"""Binding strength: ``a + b`` < ``a @ b`` < everything else."""


@dataclass(frozen=True, slots=True)
class Child:
    """A place where the text of another node goes, in parentheses when it binds less strongly than ``strength``."""

    node: Printable
    strength: int = ATOM


@dataclass(frozen=True, slots=True)
class Focus:
    """The part of a node's text that stands for the node itself, where a caret points to."""

    text: str


Piece = str | Child | Focus


class Printable(Protocol):
    """What the printer needs to know of a node."""

    @property
    def inputs(self) -> tuple[Printable, ...]: ...
    @property
    def declaration(self) -> str | None:
        """The statement that declares a leg or label, else ``None``."""
        ...

    @property
    def strength(self) -> int: ...
    def pieces(self) -> Sequence[Piece]: ...


@dataclass(frozen=True, slots=True)
class Printed:
    """A diagram's text and, for every node, the (start, length) of its focus."""

    text: str
    places: dict[Printable, tuple[int, int]]


def walk(roots: Iterable[Printable]) -> list[Printable]:
    """Return every distinct node below ``roots``, inputs before users, without recursion."""
    found: dict[Printable, None] = {}
    stack: list[tuple[Printable, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if node in found:
            continue
        if ready:
            found[node] = None
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.inputs))
    return list(found)


def print_outputs(outputs: Sequence[tuple[str, Printable]]) -> Printed:
    """Return the notation of named outputs; a single output called ``out`` is written without its name."""
    order = walk(node for _, node in outputs)
    uses: dict[Printable, int] = {}
    for node in order:
        for child in node.inputs:
            uses[child] = uses.get(child, 0) + 1
    statements: list[str] = []
    reserved: set[str] = set()
    for node in order:
        if node.declaration is not None:
            statements.append(node.declaration)
            reserved.add(node.declaration.split()[1].rstrip(":"))
    names: dict[Printable, str] = {}
    depth: dict[Printable, int] = {}
    roots = {node for _, node in outputs}
    text = "".join(f"{statement}; " for statement in dict.fromkeys(statements))
    places: dict[Printable, tuple[int, int]] = {}
    counter = 0

    def emit(node: Printable, at: int, whole: bool) -> str:
        if not whole and node in names:
            return names[node]
        out = ""
        for piece in node.pieces():
            if isinstance(piece, str):
                out += piece
            elif isinstance(piece, Focus):
                places.setdefault(node, (at + len(out), len(piece.text)))
                out += piece.text
            else:
                child = piece.node
                wrap = child not in names and child.strength < piece.strength
                out += "(" if wrap else ""
                out += emit(child, at + len(out), False)
                out += ")" if wrap else ""
        return out

    for node in order:
        depth[node] = 1 + max((depth[child] for child in node.inputs if child not in names), default=0)
        leaf = node.declaration is not None
        shared = uses.get(node, 0) > 1 or (node in roots and uses.get(node, 0) > 0)
        if not leaf and (shared or depth[node] > MAX_INLINE_DEPTH):
            counter += 1
            while f"t{counter}" in reserved:
                counter += 1
            text += f"t{counter} = "
            text += emit(node, len(text), True) + "; "
            names[node] = f"t{counter}"
    single = len(outputs) == 1 and outputs[0][0] == "out"
    for position, (name, node) in enumerate(outputs):
        text += "" if single else f"out {name} = "
        text += emit(node, len(text), False)
        text += "; " if position + 1 < len(outputs) else ""
    return Printed(text, places)
