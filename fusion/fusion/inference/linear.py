"""Spaces and laws of mix, scale, add, direct sum and select."""

from __future__ import annotations

from fusion.index import CONSTANT_SPACE
from fusion.inference.common import Inferred, Sides, bind, default_pattern, incoming, named, same_index_space
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_PATHS
from fusion.pattern import Pattern
from fusion.space import Space
from fusion.violations import Violation


def infer_mix(
    space: Space,
    pattern: Pattern,
    sizes: dict[str, int],
    paths: int | None,
    labels: tuple[tuple[str, str], ...],
    shared: bool = False,
) -> Inferred:
    """Space of a mix: per irrep a linear map on (channels, paths); ``labels`` are (name, index space) of its labels.

    A letter of the result that the input lacks takes the given size, or, when there is none, the size of the axis it
    replaces (the first letter of the input that the result drops). ``paths`` is ``None`` where every path is mapped by
    itself. A wire on the constant space comes to the index space of the labels.
    """
    wires = incoming(("input", space))
    bound, violations = bind("a mix", pattern, (("input", space),), sizes)
    dropped = [letter for letter in pattern.operands[0] if letter not in pattern.result]
    for letter in pattern.new_letters:
        if letter in bound:
            continue
        if dropped and dropped[0] in bound:
            bound[letter] = bound[dropped[0]]
        else:
            headline = f"a mix with pattern {pattern} needs a size for {letter}"
            violations = (*violations, Violation("channel", headline, wires=wires))
    where = labels[0][1] if labels and space.on == CONSTANT_SPACE else space.on
    for name, on in labels:
        if on != where:
            headline = f"a mix of a wire on {where} cannot take its coefficients per label {name} on {on}"
            hint = f"pull the label to {where} first"
            violations = (*violations, Violation("index", headline, (hint,), wires=wires))
    if shared and len({count for count, _ in space.irreps}) > 1:
        headline = f"shared coefficients need the same number of paths of every irrep; the wire has {space.irreps}"
        hint = "leave out shared, or first mix each irrep to as many paths"
        violations = (*violations, Violation("channel", headline, (hint,), wires=wires))
    if paths is not None and paths * len(space.irreps) > MAX_PATHS:
        violations = (*violations, Violation("limit", f"a mix to {paths} paths is above the limit of {MAX_PATHS}"))
        paths = 1
    irreps = space.irreps if paths is None else Irreps(tuple((paths, irrep) for _, irrep in space.irreps))
    channels = named(pattern.result, bound, (space,), pattern)
    return Inferred(space.replace(irreps=irreps, channels=channels, on=where), violations)


def bound_sizes(space: Space, pattern: Pattern, sizes: dict[str, int]) -> dict[str, int]:
    """Return the size of every letter of a valid mix (see :func:`infer_mix`)."""
    bound, _ = bind("a mix", pattern, (("input", space),), sizes)
    dropped = [letter for letter in pattern.operands[0] if letter not in pattern.result]
    for letter in pattern.new_letters:
        bound.setdefault(letter, bound[dropped[0]] if dropped else 1)
    return bound


def infer_scale(space: Space, by: Space, pattern: Pattern | None) -> Inferred:
    """Space of a scale: the wire's own. The scaling wire has one path in all, one per irrep, or one per path."""
    sides: Sides = (("wire", space), ("scale", by))
    wires = incoming(*sides)
    on, violations = same_index_space("a scale", sides)
    bad = tuple(irrep for _, irrep in by.irreps if not irrep.is_scalar)
    if bad:
        headline = f"only an invariant wire can scale another; this one holds {', '.join(map(str, bad))}"
        hint = "to couple two covariant wires, fuse them: a @ b"
        violations = (*violations, Violation("selection", headline, (hint,), wires=wires, asked=bad))
    if by.irreps.paths not in (1, len(space.irreps), space.irreps.paths):
        headline = (
            f"the scaling wire has {by.irreps.paths} paths; it needs 1, one per irrep ({len(space.irreps)}) "
            f"or one per path ({space.irreps.paths})"
        )
        violations = (*violations, Violation("channel", headline, wires=wires))
    chosen = pattern or default_pattern(space, by)
    if chosen is None:
        headline = "the wire and its scale have different channels; a scale needs a pattern such as gu,g->gu"
        violations = (*violations, Violation("channel", headline, wires=wires))
        return Inferred(space.replace(on=on), violations)
    bound, found = bind("a scale", chosen, sides)
    violations = (*violations, *found)
    summed = set(chosen.operands[1]) - set(chosen.result)
    if summed or chosen.new_letters or (chosen.operands[0] and chosen.operands[0] != chosen.result):
        headline = f"a scale keeps the channels of its wire and sums nothing; pattern {chosen} does not"
        return Inferred(space.replace(on=on), (*violations, Violation("channel", headline, wires=wires)))
    return Inferred(space.replace(on=on, channels=named(chosen.result, bound, (space, by), chosen)), violations)


def infer_add(spaces: tuple[Space, ...]) -> Inferred:
    """Space of a linear combination: that of every term."""
    first = spaces[0]
    sides = tuple((f"term {i}", space) for i, space in enumerate(spaces, 1))
    on, violations = same_index_space("an add", sides)
    if any((space.irreps, space.sizes) != (first.irreps, first.sizes) for space in spaces):
        kind = "selection" if any(space.irreps != first.irreps for space in spaces) else "channel"
        headline = "an add needs terms of one space; + is the direct sum"
        violations = (*violations, Violation(kind, headline, wires=incoming(*sides)))
    return Inferred(first.replace(on=on), violations)


def infer_direct_sum(spaces: tuple[Space, ...]) -> Inferred:
    """Space of a direct sum: the paths of all parts side by side."""
    first = spaces[0]
    sides = tuple((f"part {i}", space) for i, space in enumerate(spaces, 1))
    on, violations = same_index_space("a direct sum", sides)
    if any(space.sizes != first.sizes for space in spaces):
        headline = "a direct sum needs parts with equal channels"
        violations = (*violations, Violation("channel", headline, wires=incoming(*sides)))
    items = tuple(item for space in spaces for item in space.irreps.items)
    if len({irrep.p == 0 for _, irrep in items}) > 1:
        headline = "a direct sum cannot mix irreps of O(3) and SO(3)"
        violations = (*violations, Violation("selection", headline, wires=incoming(*sides)))
        return Inferred(first.replace(on=on), violations)
    if sum(count for count, _ in items) > MAX_PATHS:
        violations = (*violations, Violation("limit", f"a direct sum has more than {MAX_PATHS} paths"))
        return Inferred(first.replace(on=on), violations)
    return Inferred(Space(Irreps(items).canonical(), first.channels, on), violations)


def infer_select(space: Space, keep: tuple[tuple[Irrep, tuple[int, ...] | None], ...]) -> Inferred:
    """Space of a selection of irreps, or of single paths of them."""
    violations: list[Violation] = []
    wires = incoming(("wire", space))
    items: dict[Irrep, int] = {}
    for irrep, paths in keep:
        have = space.irreps.count(irrep)
        bad = [path for path in paths or () if not 0 <= path < have]
        if have == 0:
            options = space.irreps.kinds()
            details = (f"it has: {', '.join(map(str, options)) or 'nothing'}",)
            headline = f"the wire has no {irrep}"
            violations.append(Violation("selection", headline, details, wires=wires, asked=(irrep,), reachable=options))
            if all(irrep.group == option.group for option in options):
                items[irrep] = 1  # so that what follows is judged by what was meant
            continue
        if irrep in items:
            violations.append(Violation("selection", f"{irrep} is selected twice", wires=wires, asked=(irrep,)))
        if bad:
            paths_of = "1 path" if have == 1 else f"{have} paths"
            headline = f"the wire has {paths_of} of {irrep}, numbered from 0; there is no path {bad[0]}"
            violations.append(Violation("selection", headline, wires=wires, asked=(irrep,)))
        items[irrep] = have if paths is None else len(paths)
    irreps = Irreps(tuple((count, irrep) for irrep, count in sorted(items.items()) if count))
    if not irreps:
        irreps = space.irreps
        if not violations:
            violations.append(Violation("selection", "a selection keeps nothing", wires=wires))
    return Inferred(space.replace(irreps=irreps), tuple(violations))
