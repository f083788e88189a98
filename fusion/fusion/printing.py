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

SHORT = 8
"""Texts of up to this length, without inputs, are written out wherever they are used."""

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
class Place:
    """Where a node stands: the number of a statement, and the characters that stand for the node in it.

    ``end`` is where the node's whole text ends, its filter ``[...]`` included.
    """

    statement: int
    start: int
    length: int
    end: int


@dataclass(frozen=True, slots=True)
class Printed:
    """A diagram's text, statement by statement, with the place of every node and the names of shared ones."""

    statements: tuple[str, ...]
    places: dict[Printable, Place]
    names: dict[Printable, str]

    @property
    def text(self) -> str:
        """The whole text on one line."""
        return "; ".join(self.statements)

    def expression(self, node: Printable, limit: int = 40) -> str:
        """Return the expression of ``node`` alone, its shared parts by name, cut to ``limit`` characters."""
        text = _Writer(self.names, {}).write(node, 0, 0)
        name = f"{self.names[node]} = " if node in self.names else ""
        return name + (text if len(text) <= limit else text[: limit - 3] + "...")


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


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes expressions; notes where each node's focus lies. Named nodes are written as their names."""

    names: dict[Printable, str]
    places: dict[Printable, Place]

    def write(self, node: Printable, statement: int, at: int) -> str:
        """Return the text of ``node``, which begins at character ``at`` of its statement."""
        out = ""
        focus: tuple[int, int] | None = None
        for piece in node.pieces():
            if isinstance(piece, str):
                out += piece
            elif isinstance(piece, Focus):
                focus = focus or (at + len(out), len(piece.text))
                out += piece.text
            else:
                out += self.child(piece, statement, at + len(out))
        if focus is not None:
            self.places.setdefault(node, Place(statement, *focus, end=at + len(out)))
        return out

    def child(self, piece: Child, statement: int, at: int) -> str:
        """Return the text of an input: its name when it has one, in parentheses where they are needed."""
        node = piece.node
        if node in self.names:
            return self.names[node]
        if node.strength >= piece.strength:
            return self.write(node, statement, at)
        return f"({self.write(node, statement, at + 1)})"


def _shared(order: Sequence[Printable], roots: set[Printable]) -> dict[Printable, str]:
    """Return the names of the nodes that get a statement of their own, inputs before users."""
    uses: dict[Printable, int] = {}
    for node in order:
        for child in node.inputs:
            uses[child] = uses.get(child, 0) + 1
    names: dict[Printable, str] = {}
    depth: dict[Printable, int] = {}
    for node in order:
        depth[node] = 1 + max((depth[child] for child in node.inputs if child not in names), default=0)
        shared = uses.get(node, 0) > 1 or (node in roots and node in uses)
        if node.declaration is None and (shared or depth[node] > MAX_INLINE_DEPTH) and not _is_short(node):
            names[node] = f"t{len(names) + 1}"
    return names


def _is_short(node: Printable) -> bool:
    """Whether a name would say less than the node's own text, such as ``one()``."""
    pieces = node.pieces()
    return len(pieces) == 1 and isinstance(pieces[0], Focus) and len(pieces[0].text) <= SHORT


def _declared_places(order: Sequence[Printable], statements: Sequence[str]) -> dict[Printable, Place]:
    """Return the place of every leg and label (but not of a pulled label): its name in its declaration."""
    places: dict[Printable, Place] = {}
    for node in order:
        if node.declaration is None:
            continue
        keyword, name = node.declaration.split(":", 1)[0].split()
        if _Writer({}, {}).write(node, 0, 0) == name:
            start = len(keyword) + 1
            places[node] = Place(statements.index(node.declaration), start, len(name), start + len(name))
    return places


def print_outputs(outputs: Sequence[tuple[str, Printable]]) -> Printed:
    """Return the notation of named outputs; a single output called ``out`` is written without its name."""
    order = walk(node for _, node in outputs)
    declared = dict.fromkeys(node.declaration for node in order if node.declaration is not None)
    statements: list[str] = list(declared)
    names = _shared(order, {node for _, node in outputs})
    writer = _Writer(names, _declared_places(order, statements))
    for node, name in names.items():
        head = f"{name} = "
        statements.append(head + writer.write(node, len(statements), len(head)))
    single = len(outputs) == 1 and outputs[0][0] == "out"
    for name, node in outputs:
        head = "" if single else f"out {name} = "
        statements.append(head + writer.child(Child(node, 0), len(statements), len(head)))
    return Printed(tuple(statements), writer.places, names)
