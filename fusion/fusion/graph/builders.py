"""How nodes are made from their fields where the function or method that makes them, not their class, checks these."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fusion.diagram import DirectSum, Fuse, Geometry, Label, Leg, Map, Wire, label, leg
from fusion.errors import NotationError
from fusion.graph.plain import shown
from fusion.index import IndexMap
from fusion.node import Node
from fusion.space import Space


def _leg(name: str, declared: Space, tensor: str = "") -> Leg:
    return leg(name, declared.irreps, channels=dict(declared.channels), on=declared.on, same=tensor)


def _label(name: str, classes: int, on: str, maps: Sequence[IndexMap] = ()) -> Label:
    found = label(name, classes, on=on)
    for index_map in maps:
        found = found.pull(index_map)
    return found


def _fuse(**given: object) -> Fuse:
    if given.get("pattern") is None and (given.get("sizes") or given.get("name")):
        raise NotationError("a fuse has sizes and a name together with a pattern only")
    return Fuse(**given)  # type: ignore[arg-type]  # read by the codecs of these fields


def _direct_sum(parts: tuple[Wire, ...]) -> DirectSum:
    if len(parts) < 2:
        raise NotationError("a direct sum has at least two parts; connect what uses it to its one part instead")
    return DirectSum(parts)


def _map(wire: Wire, function: str, over: IndexMap | None = None) -> Map:
    if (function == "softmax") != (over is not None):
        raise NotationError("a softmax, and nothing else, has 'over', the map whose rows it runs over")
    if over is not None:
        return wire.softmax(over)
    return wire.layer_norm() if function == "layer_norm" else wire.map(function)


def _geometry(
    wire: Wire, function: str, count: int, lengths: tuple[float, ...] = (), normalization: str = ""
) -> Geometry:
    known = {"harmonics": 0, "solid_harmonics": 0, "length": 0}
    known |= {"bessel": 1, "gaussian": 1, "cutoff": 2, "cosine_cutoff": 1}
    if function not in known:
        raise NotationError(f"unknown function {shown(function)} of a displacement; known: {', '.join(known)}")
    if len(lengths) != known[function]:
        raise NotationError(f"{function} has {known[function]} lengths, got {len(lengths)}")
    makers: dict[str, Callable[[], Geometry]] = {
        "harmonics": lambda: wire.harmonics(count, normalization),
        "solid_harmonics": lambda: wire.solid_harmonics(count),
        "length": wire.length,
        "bessel": lambda: wire.bessel(count, *lengths),
        "gaussian": lambda: wire.gaussian(count, *lengths),
        "cutoff": lambda: wire.cutoff(lengths[0], int(lengths[1])),
        "cosine_cutoff": lambda: wire.cosine_cutoff(*lengths),
    }
    found = makers[function]()
    for name, value in (("count", count), ("lengths", lengths), ("normalization", normalization)):
        if getattr(found, name) != value:
            raise NotationError(f"{function} has {name} {getattr(found, name)!r}, got {value!r}")
    return found


BUILDERS: dict[type[Node], Callable[..., Node]] = {
    Leg: _leg,
    Label: _label,
    Fuse: _fuse,
    DirectSum: _direct_sum,
    Map: _map,
    Geometry: _geometry,
}
"""By kind of node; the others are made by their class."""
