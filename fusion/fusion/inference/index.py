"""Spaces and laws of pull and sum, the two operations on index spaces."""

from __future__ import annotations

from fusion.index import STANDARD_MAPS, IndexMap
from fusion.inference.common import Inferred, describe
from fusion.space import Space, free_axis_name
from fusion.violations import Violation


def _wrong_space(what: str, space: Space, index_map: IndexMap, needed: str, end: str) -> Violation:
    fitting = [str(m) for m in STANDARD_MAPS.values() if getattr(m, end) == space.on]
    hint = f"maps that fit here: {', '.join(fitting)}" if fitting else f"no standard map has {space.on} as its {end}"
    return Violation(
        "index",
        f"{what} along {index_map.name} ({index_map.source} > {index_map.target}) needs a wire on {needed}, this one is on {space.on}",
        (describe("wire", space), hint),
    )


def infer_pull(space: Space, index_map: IndexMap) -> Inferred:
    """Space of a gather: from the target of the map to its source."""
    violations = () if space.on == index_map.target else (_wrong_space("a pull", space, index_map, index_map.target, "target"),)
    return Inferred(space.replace(on=index_map.source), violations)


def infer_sum(space: Space, index_map: IndexMap, by: tuple[str, int, str] | None) -> Inferred:
    """Space of a sum: from the source of the map to its target; ``by`` = (label, classes, index space) adds an axis."""
    violations: tuple[Violation, ...] = ()
    if space.on != index_map.source:
        violations = (_wrong_space("a sum", space, index_map, index_map.source, "source"),)
    channels = space.channels
    if by is not None:
        name, classes, on = by
        if on != index_map.source:
            violations = (
                *violations,
                Violation(
                    "index",
                    f"a sum over {index_map.name} sorted by label {name} needs the label on {index_map.source}, it is on {on}",
                    (describe("wire", space), "pull the label first, for instance z.pull('sender')"),
                ),
            )
        channels = ((free_axis_name({n for n, _ in channels}, "a"), classes), *channels)
    return Inferred(space.replace(channels=channels, on=index_map.target), violations)
