"""Spaces and laws of mix, scale, add, direct sum and select."""

from __future__ import annotations

from fusion.inference.common import Inferred, bind, default_pattern, describe, named, same_index_space
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.pattern import Pattern
from fusion.space import Space
from fusion.violations import Violation


def infer_mix(space: Space, pattern: Pattern, sizes: dict[str, int], paths: int, labels: tuple[tuple[str, str], ...]) -> Inferred:
    """Space of a mix: per irrep a linear map on (channels, paths); ``labels`` are (name, index space) of its label legs.

    A letter of the result that the input lacks takes the given size, or, when there is none, the size of the axis it
    replaces (the first letter of the input that the result drops).
    """
    bound, violations = bind("a mix", pattern, (("input", space),), sizes)
    dropped = [letter for letter in pattern.operands[0] if letter not in pattern.result]
    for letter in pattern.new_letters:
        if letter not in bound:
            if dropped and dropped[0] in bound:
                bound[letter] = bound[dropped[0]]
            else:
                violations = (*violations, Violation("channel", f"a mix with pattern {pattern} needs a size for {letter}"))
    for name, on in labels:
        if on != space.on:
            violations = (
                *violations,
                Violation(
                    "index",
                    f"a mix of a wire on {space.on} cannot take its weights per label {name} on {on}",
                    (describe("input", space), f"pull the label to {space.on} first"),
                ),
            )
    irreps = Irreps(tuple((paths, irrep) for _, irrep in space.irreps))
    return Inferred(space.replace(irreps=irreps, channels=named(pattern.result, bound, (space,), pattern)), violations)


def bound_sizes(space: Space, pattern: Pattern, sizes: dict[str, int]) -> dict[str, int]:
    """Return the size of every letter of a valid mix (see :func:`infer_mix`)."""
    bound, _ = bind("a mix", pattern, (("input", space),), sizes)
    dropped = [letter for letter in pattern.operands[0] if letter not in pattern.result]
    for letter in pattern.new_letters:
        bound.setdefault(letter, bound[dropped[0]] if dropped else 1)
    return bound


def infer_scale(space: Space, by: Space, pattern: Pattern | None) -> Inferred:
    """Space of a scale: the wire's own. The scaling wire has one path in all, one per irrep, or one per path."""
    violations: list[Violation] = []
    sides = (("wire", space), ("scale", by))
    on, found = same_index_space("a scale", sides)
    violations.extend(found)
    if not by.invariant:
        violations.append(
            Violation(
                "selection",
                "only an invariant wire can scale another; this one is not made of even scalars",
                (describe("wire", space), describe("scale", by)),
            )
        )
    counts = {1, len(space.irreps), space.irreps.paths}
    if by.irreps.paths not in counts:
        violations.append(
            Violation(
                "channel",
                f"the scaling wire has {by.irreps.paths} paths; it needs 1, one per irrep ({len(space.irreps)}) "
                f"or one per path ({space.irreps.paths})",
                (describe("wire", space), describe("scale", by)),
            )
        )
    chosen = pattern or default_pattern(space, by)
    if chosen is None:
        violations.append(
            Violation(
                "channel",
                "the wire and its scale have different channels; a scale needs a pattern such as gu,g->gu",
                (describe("wire", space), describe("scale", by)),
            )
        )
        return Inferred(space.replace(on=on), tuple(violations))
    bound, found = bind("a scale", chosen, sides)
    violations.extend(found)
    if chosen.new_letters or (chosen.operands[0] and chosen.operands[0] != chosen.result):
        violations.append(Violation("channel", f"a scale keeps the channels of its wire; pattern {chosen} changes them"))
        return Inferred(space.replace(on=on), tuple(violations))
    return Inferred(space.replace(on=on, channels=named(chosen.result, bound, (space, by), chosen)), tuple(violations))


def infer_add(spaces: tuple[Space, ...]) -> Inferred:
    """Space of a linear combination: that of every term."""
    first = spaces[0]
    on, violations = same_index_space("an add", tuple((f"term {i}", s) for i, s in enumerate(spaces, 1)))
    if any((s.irreps, s.sizes) != (first.irreps, first.sizes) for s in spaces):
        kind = "selection" if any(s.irreps != first.irreps for s in spaces) else "channel"
        details = tuple(describe(f"term {i}", s) for i, s in enumerate(spaces, 1))
        violations = (*violations, Violation(kind, "an add needs terms of one space; + is the direct sum", details))
    return Inferred(first.replace(on=on), violations)


def infer_direct_sum(spaces: tuple[Space, ...]) -> Inferred:
    """Space of a direct sum: the paths of all parts side by side."""
    first = spaces[0]
    on, violations = same_index_space("a direct sum", tuple((f"part {i}", s) for i, s in enumerate(spaces, 1)))
    if any(s.sizes != first.sizes for s in spaces):
        details = tuple(describe(f"part {i}", s) for i, s in enumerate(spaces, 1))
        violations = (*violations, Violation("channel", "a direct sum needs parts with equal channels", details))
    kinds = [irrep for s in spaces for _, irrep in s.irreps]
    if len({irrep.p == 0 for irrep in kinds}) > 1:
        details = tuple(describe(f"part {i}", s) for i, s in enumerate(spaces, 1))
        violations = (*violations, Violation("selection", "a direct sum cannot mix irreps of O(3) and SO(3)", details))
        return Inferred(first.replace(on=on), violations)
    total = Irreps(tuple(item for s in spaces for item in s.irreps.items)).canonical()
    return Inferred(Space(total, first.channels, on), violations)


def infer_select(space: Space, keep: tuple[tuple[Irrep, tuple[int, ...] | None], ...]) -> Inferred:
    """Space of a selection of irreps, or of single paths of them."""
    violations: list[Violation] = []
    items: list[tuple[int, Irrep]] = []
    for irrep, paths in keep:
        have = space.irreps.count(irrep)
        if have == 0:
            violations.append(
                Violation(
                    "selection",
                    f"the wire has no {irrep}",
                    (describe("wire", space), f"reachable: {', '.join(map(str, space.irreps.kinds())) or 'nothing'}"),
                    asked=(irrep,),
                    reachable=space.irreps.kinds(),
                )
            )
            continue
        bad = [path for path in paths or () if not 0 <= path < have]
        if bad:
            violations.append(
                Violation("selection", f"the wire has {have} paths of {irrep}; there is no path {bad[0]}", (describe("wire", space),))
            )
        items.append((have if paths is None else len(paths), irrep))
    if not items and not violations:
        violations.append(Violation("selection", "a selection keeps nothing", (describe("wire", space),)))
    irreps = Irreps(tuple(items)).canonical() if items else irreps_of(space.irreps.kinds())
    return Inferred(space.replace(irreps=irreps), tuple(violations))
