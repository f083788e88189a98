"""Index spaces (atoms, edges, systems, ...) and the index maps that join them.

An index space is a name; the number of its rows is known at run time only. An index map sends every row of its source
to one row of its target and is given at run time as an integer array with one entry per row of the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fusion.errors import LimitError, NotationError
from fusion.limits import MAX_NAME, MAX_ORDER

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[.^][A-Za-z0-9_]+)*", re.ASCII)
CONSTANT_SPACE = "constant"
"""The index space with a single row: numbers that belong to the diagram, not to any particle."""


def check_name(text: str, what: str) -> str:
    """Return ``text`` when it is an ASCII name of at most ``MAX_NAME`` characters, else raise."""
    if not NAME.fullmatch(text):
        raise NotationError(f"{what} must be an ASCII name such as 'edge' or 'pair.first'; got {text[:80]!r}")
    if len(text) > MAX_NAME:
        raise LimitError(f"{what} is longer than {MAX_NAME} characters: {text[:80]!r}...")
    return text


_TUPLE = re.compile(r"(.+)\^([2-9])\.([0-9])", re.ASCII)


def derived_from(name: str) -> tuple[str, int, int] | None:
    """Return ``(base map, order, position)`` when ``name`` is that of a map of a product space, else ``None``."""
    match = _TUPLE.fullmatch(name)
    return None if match is None else (match[1], int(match[2]), int(match[3]))


@dataclass(frozen=True, slots=True)
class IndexMap:
    """A map from the rows of ``source`` to the rows of ``target``."""

    name: str
    source: str
    target: str

    def __post_init__(self) -> None:
        check_name(self.name, "the name of an index map")
        check_name(self.source, "an index space")
        check_name(self.target, "an index space")

    @property
    def standard(self) -> bool:
        """Whether the name alone identifies the map."""
        return _by_name(self.name) == self

    @property
    def derived(self) -> tuple[str, int, int] | None:
        """``(base map, order, position)`` of a map of a product space (see :func:`tuples`), else ``None``.

        Such a map can be computed from the array of its base map and need not be given at run time.
        """
        found = derived_from(self.name)
        return found if found is not None and self.source == f"{found[0]}^{found[1]}" else None

    def __str__(self) -> str:
        return self.name if self.standard else f"{self.name}:{self.source}>{self.target}"


STANDARD_MAPS: dict[str, IndexMap] = {
    item.name: item
    for item in (
        IndexMap("sender", "edge", "atom"),
        IndexMap("receiver", "edge", "atom"),
        IndexMap("reverse", "edge", "edge"),
        IndexMap("system", "atom", "system"),
        IndexMap("triplet.first", "triplet", "edge"),
        IndexMap("triplet.second", "triplet", "edge"),
        IndexMap("pair.a", "pair", "node"),
        IndexMap("pair.b", "pair", "node"),
        IndexMap("pair.parent", "pair", "parent"),
        IndexMap("node.parent", "node", "parent"),
    )
}


def index_map(name: str, source: str, target: str) -> IndexMap:
    """Declare an index map, for instance ``index_map("child.parent", "child", "parent")``."""
    return IndexMap(name, source, target)


def tuples(base: IndexMap | str, order: int = 2) -> tuple[IndexMap, ...]:
    """Return the maps from the space of all ``order``-tuples of rows with one image under ``base`` to its source.

    ``tuples("receiver")`` is the space of all ordered pairs of edges with one receiver, coincident ones included (as
    in ACE). It is ragged: a receiver with n edges has ``n**order`` rows, ordered by receiver, then lexicographically
    by edge. The maps are computed from the array of ``base`` when they are not given.
    """
    found = resolve_map(base)
    if not 2 <= order <= MAX_ORDER:
        raise LimitError(f"tuples of order {order}: the order must be between 2 and {MAX_ORDER}")
    space = f"{found.name}^{order}"
    return tuple(IndexMap(f"{space}.{i}", space, found.source) for i in range(order))


def _by_name(name: str) -> IndexMap | None:
    if name in STANDARD_MAPS:
        return STANDARD_MAPS[name]
    base, order, position = derived_from(name) or ("", 0, 0)
    if position >= order or order > MAX_ORDER or len(name) > MAX_NAME or _by_name(base) is None:
        return None
    return tuples(base, order)[position]


def resolve_map(reference: IndexMap | str) -> IndexMap:
    """Return the map meant by a standard name, a derived ``"receiver^2.0"`` or a declared ``"name:source>target"``.

    Raises:
        NotationError: the name is unknown and declares no source and target.
    """
    if isinstance(reference, IndexMap):
        return reference
    found = _by_name(reference)
    if found is not None:
        return found
    name, colon, ends = reference.partition(":")
    source, arrow, target = ends.partition(">")
    if colon and arrow:
        return IndexMap(name, source, target)
    known = ", ".join(STANDARD_MAPS)
    raise NotationError(f"unknown index map {reference[:80]!r}; known: {known}; or declare it as name:source>target")
