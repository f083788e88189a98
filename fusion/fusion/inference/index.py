"""Spaces and laws of pull and sum, the two operations on index spaces."""

from __future__ import annotations

from fusion.index import STANDARD_MAPS, IndexMap
from fusion.inference.common import Inferred, channel_limits, incoming
from fusion.space import Space, free_axis_name
from fusion.violations import Incoming, Violation


def index_space_of(
    what: str, on: str, index_map: IndexMap, end: str, wires: tuple[Incoming, ...] = ()
) -> tuple[Violation, ...]:
    """Return what is wrong when something on ``on`` meets the ``end`` (source or target) of a map."""
    needed = index_map.source if end == "source" else index_map.target
    if on == needed:
        return ()
    ends = {m: m.source if end == "source" else m.target for m in STANDARD_MAPS.values()}
    fitting = [str(m) for m, space in ends.items() if space == on]
    hint = f"maps that fit here: {', '.join(fitting)}" if fitting else f"no standard map has {on} as its {end}"
    where = f"{index_map.name} ({index_map.source} > {index_map.target})"
    return (Violation("index", f"{what} along {where} needs it on {needed}, it is on {on}", (hint,), wires=wires),)


def infer_pull(space: Space, index_map: IndexMap) -> Inferred:
    """Space of a gather: from the target of the map to its source."""
    violations = index_space_of("a pull of a wire", space.on, index_map, "target", incoming(("wire", space)))
    return Inferred(space.replace(on=index_map.source), violations)


def infer_sum(space: Space, index_map: IndexMap, by: tuple[str, int, str] | None) -> Inferred:
    """Space of a sum: from the source of the map to its target; ``by`` = (label, classes, index space) adds an axis."""
    wires = incoming(("wire", space))
    violations = index_space_of("a sum of a wire", space.on, index_map, "source", wires)
    channels = space.channels
    if by is not None:
        name, classes, on = by
        if on != index_map.source:
            headline = f"a sum by label {name} needs the label on {index_map.source}, it is on {on}"
            maps = [str(m) for m in STANDARD_MAPS.values() if (m.source, m.target) == (index_map.source, on)]
            hint = "pull the label first: " + " or ".join(f"by={name}.pull({m})" for m in maps or ("...",))
            violations = (*violations, Violation("index", headline, (hint,), wires=wires))
        channels = ((free_axis_name({n for n, _ in channels}, "a"), classes), *channels)
    found = space.replace(channels=channels, on=index_map.target)
    beyond = channel_limits("a sum by classes", found)
    return Inferred(space.replace(on=index_map.target) if beyond else found, (*violations, *beyond))
