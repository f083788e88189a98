"""How the declared fields of nodes stand in a graph: as texts of the notation, numbers, and lists of these.

Fields are known by their declared types, so a new kind of node needs nothing here unless it has a field of a new type.
Texts are read by what reads them elsewhere in the language, so each law on them has one home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any

from fusion.arguments import Sizes, letter_sizes_of, optional_identifier
from fusion.coefficients import LEARNED, Coefficients, Learned
from fusion.couplings import Triple
from fusion.diagram import Fuse, Label, Leg, Mix, Power, Wire, leg
from fusion.errors import NotationError
from fusion.graph.plain import integer, items, number, pair, shown, text
from fusion.index import check_name, resolve_map
from fusion.irreps import Irrep, Irreps
from fusion.node import Node
from fusion.notation import parse, parse_network
from fusion.pattern import Pattern
from fusion.space import Space

_ANY = leg("x", "0e", on="x")
"""A wire to hang a text of the notation on."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are written as plain data and read back; reading raises our errors only."""

    write: Callable[[Any], object]
    read: Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Slot:
    """A field that holds inputs: what it takes, whether several, and what stands beside each of them."""

    takes: type[Wire] | type[Label]
    several: bool = False
    beside: str = ""
    codec: Codec | None = None


def _lines(value: object) -> Irreps | None:
    return _ANY.power(1, inner=text(value)).inner


def _filter(value: object) -> Irreps | None:
    found = _ANY.power(1)[text(value)]  # which knows what a filter takes
    return found.coupled if isinstance(found, Power) else None


def _sizes(value: object) -> Sizes:
    found: dict[str, int] = {}
    for item in items(value):
        letter, size = pair(item)
        if text(letter) in found:
            raise NotationError(f"the size of {shown(letter)} is given twice")
        found[text(letter)] = integer(size)
    return letter_sizes_of(found)


def _triples(value: object) -> tuple[Triple, ...] | None:
    return Fuse(_ANY, _ANY).paths(*(text(item) for item in items(value))).triples


def _space(value: object) -> Space:
    found = None if ";" in text(value) else parse(f"leg x: {text(value)}; x")
    if not isinstance(found, Leg) or found.tensor:
        raise NotationError("a space is written as in '0e+1o, u=8, on atom'")
    return found.declared


def _coefficients(value: object) -> Coefficients:
    if value == str(LEARNED):
        return LEARNED
    found = parse(f"{_ANY.declaration}; x.mix(->, {text(value)})")
    if isinstance(found, Mix) and not isinstance(found.coefficients, Learned):
        alone = Mix(_ANY, Pattern.parse("->", 1), coefficients=found.coefficients)
        if found == alone:  # nothing but coefficients stood in the text
            return found.coefficients
    raise NotationError("coefficients are learned, constant=..., buffer=name or tied=..., as in the notation")


def _write_keep(keep: tuple[tuple[Irrep, tuple[int, ...] | None], ...]) -> object:
    return [[str(irrep), "all" if paths is None else list(paths)] for irrep, paths in keep]


def _keep(value: object) -> tuple[tuple[Irrep, tuple[int, ...] | None], ...]:
    found: list[tuple[Irrep, tuple[int, ...] | None]] = []
    for item in items(value):
        irrep, paths = pair(item)
        kept = None if paths == "all" else tuple(map(integer, items(paths)))
        found.append((Irrep.parse(text(irrep)), kept))
    return tuple(sorted(found, key=lambda item: item[0]))


def _pattern(operands: int) -> Codec:
    return Codec(str, lambda value: Pattern.parse(text(value), operands))


def _each(write: Callable[[Any], object], read: Callable[[object], object]) -> Codec:
    return Codec(
        lambda value: [write(item) for item in value], lambda value: tuple(read(item) for item in items(value))
    )


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise NotationError(f"expected True or False, got {shown(value)}")
    return value


def _same(value: object) -> object:
    return value


_MAP = Codec(str, lambda value: resolve_map(text(value)))

_CODECS: dict[str, Codec] = {
    "bool": Codec(_same, _truth),
    "str": Codec(_same, text),
    "int": Codec(_same, integer),
    "tuple[int, ...]": _each(_same, integer),
    "tuple[float, ...]": _each(_same, number),
    "Sizes": Codec(lambda value: [list(item) for item in value], _sizes),
    "Irreps": Codec(str, _lines),
    "tuple[Triple, ...]": Codec(lambda value: [f"{a}*{b}->{c}" for a, b, c in value], _triples),
    "tuple[tuple[Irrep, tuple[int, ...] | None], ...]": Codec(_write_keep, _keep),
    "IndexMap": _MAP,
    "tuple[IndexMap, ...]": _each(_MAP.write, _MAP.read),
    "Space": Codec(lambda value: Leg("x", value).declaration.removeprefix("leg x: "), _space),
    "Coefficients": Codec(str, _coefficients),
    "Network": Codec(str, lambda value: parse_network(text(value))),
}
_SPECIAL: dict[str, Codec] = {
    "name": Codec(_same, lambda value: optional_identifier(text(value))),
    "coupled": Codec(str, _filter),
}
"""Fields of which more is asked than their type says, by their names."""
_FACTOR = Codec(_same, number)
_END = Codec(_same, lambda value: check_name(text(value), "the name of an in-end"))
_SLOTS: dict[str, Slot] = {
    "Wire": Slot(Wire),
    "Label": Slot(Label),
    "tuple[Wire, ...]": Slot(Wire, several=True),
    "tuple[Label, ...]": Slot(Label, several=True),
    "tuple[tuple[float, Wire], ...]": Slot(Wire, several=True, beside="factor", codec=_FACTOR),
    "tuple[tuple[str, Wire], ...]": Slot(Wire, several=True, beside="end", codec=_END),
}


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of one kind of node, in the order of their declaration, inputs and others apart."""

    node: type[Node]
    slots: dict[str, Slot]
    values: dict[str, Codec]
    defaults: dict[str, object]


@cache
def schema(node: type[Node]) -> Schema:
    """Return the schema of a kind of node, read off its declaration."""
    declared: list[tuple[Field[Any], str]] = [
        (field, str(field.type).removesuffix(" | None"))
        for field in fields(node)  # type: ignore[arg-type]  # every concrete node is a dataclass
    ]
    slots = {field.name: _SLOTS[kind] for field, kind in declared if kind in _SLOTS}
    operands = sum(kind == "Wire" for _, kind in declared)

    def codec(name: str, kind: str) -> Codec:
        return _pattern(operands) if kind == "Pattern" else _SPECIAL.get(name) or _CODECS[kind]

    values = {field.name: codec(field.name, kind) for field, kind in declared if field.name not in slots}
    defaults = {field.name: field.default for field, _ in declared if field.default is not MISSING}
    return Schema(node, slots, values, defaults)


def write_values(node: Node) -> Iterator[tuple[str, object]]:
    """Return the fields of a node that hold no inputs, as plain data; those with their default are left out."""
    found = schema(type(node))
    for name, codec in found.values.items():
        value = getattr(node, name)
        if name not in found.defaults or value != found.defaults[name]:
            yield name, codec.write(value)


def write_inputs(node: Node) -> Iterator[tuple[Node, dict[str, object]]]:
    """Return the inputs of a node with the attributes of their edges: role, place among several, what is beside."""
    for role, slot in schema(type(node)).slots.items():
        value = getattr(node, role)
        if not slot.several:
            if value is not None:
                yield value, {"role": role}
            continue
        for place, item in enumerate(value):
            attributes: dict[str, object] = {"role": role, "place": place}
            if slot.codec is not None:
                beside, item = item
                attributes[slot.beside] = slot.codec.write(beside)
            yield item, attributes
