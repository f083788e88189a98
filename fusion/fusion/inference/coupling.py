"""Spaces and laws of the coupling nodes: fuse and power."""

from __future__ import annotations

from fusion.couplings import Triple, fuse_paths, fused_irreps, reachable
from fusion.inference.common import Inferred, bind, default_pattern, describe, named, same_index_space
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.limits import MAX_ORDER, MAX_PATHS
from fusion.pattern import Pattern
from fusion.rules import exchange_odd, violation
from fusion.space import Space
from fusion.violations import Violation


def mixes_groups(left: Irreps, right: Irreps) -> bool:
    """Whether one side carries O(3) labels and the other SO(3) labels."""
    return len({irrep.p == 0 for _, irrep in (*left, *right)}) > 1


def _unreachable(asked: Irrep, left: Space, right: Space) -> Violation:
    """Explain why ``asked`` cannot be coupled from ``left`` and ``right``."""
    reasons = tuple(
        f"{a} x {b} -> {asked}   {violation(a, b, asked)}" for _, a in left.irreps for _, b in right.irreps
    )
    options = reachable(left.irreps, right.irreps).kinds()
    near = [option for option in options if option.l == asked.l]
    suggestion = str(near[0]) if len(near) == 1 else ""
    shown = reasons if len(reasons) <= 8 else (*reasons[:8], f"... and {len(reasons) - 8} more pairs")
    details = (
        describe("left", left),
        describe("right", right),
        *shown,
        f"reachable: {', '.join(map(str, options)) or 'nothing'}",
        *((f"did you mean {suggestion}?",) if suggestion else ()),
    )
    return Violation(
        "selection",
        f"no path couples the two wires to {asked}",
        details,
        asked=(asked,),
        reachable=options,
        reasons=reasons,
        suggestion=suggestion,
    )


def infer_fuse(
    left: Space,
    right: Space,
    pattern: Pattern | None,
    sizes: dict[str, int],
    coupled: Irreps | None,
    triples: tuple[Triple, ...] | None,
    same_wire: bool,
) -> Inferred:
    """Space of a fuse. A pattern with new letters is weighted and sums its paths: one path per coupled irrep."""
    violations: list[Violation] = []
    sides = (("left", left), ("right", right))
    on, found = same_index_space("a fuse", sides)
    violations.extend(found)
    chosen = pattern or default_pattern(left, right)
    if chosen is None:
        violations.append(
            Violation(
                "channel",
                "the two wires have different channels; a fuse needs a pattern",
                (
                    describe("left", left),
                    describe("right", right),
                    'write for instance .on("u,v->uv") for the outer product',
                ),
            )
        )
        channels = left.channels
    else:
        bound, found = bind("a fuse", chosen, sides, sizes)
        violations.extend(found)
        missing = [letter for letter in chosen.new_letters if letter not in bound]
        if missing:
            violations.append(
                Violation("channel", f"the weighted pattern {chosen} needs sizes for: {', '.join(missing)}")
            )
        channels = named(chosen.result, bound, (left, right), chosen)
    if mixes_groups(left.irreps, right.irreps):
        violations.append(
            Violation("selection", "a fuse cannot mix irreps of O(3) and SO(3)", (describe("left", left), describe("right", right)))
        )
        return Inferred(Space(left.irreps, channels, on), tuple(violations))
    legal: list[Triple] = []
    for triple in triples or ():
        a, b, out = triple
        why = violation(a, b, out)
        if left.irreps.count(a) == 0 or right.irreps.count(b) == 0:
            side, missing_irrep, space = ("left", a, left) if left.irreps.count(a) == 0 else ("right", b, right)
            violations.append(
                Violation(
                    "selection",
                    f"the path {a} x {b} -> {out} needs {missing_irrep} on the {side} wire",
                    (describe("left", left), describe("right", right)),
                    asked=(out,),
                )
            )
        elif why is not None:
            violations.append(
                Violation(
                    "selection",
                    f"the path {a} x {b} -> {out} is forbidden: {why}",
                    (
                        describe("left", left),
                        describe("right", right),
                        f"reachable from {a} x {b}: "
                        + ", ".join(map(str, reachable(Irreps(((1, a),)), Irreps(((1, b),))).kinds())),
                    ),
                    asked=(out,),
                    reasons=(why,),
                )
            )
        else:
            legal.append(triple)
    options = reachable(left.irreps, right.irreps)
    if coupled is not None:
        violations.extend(
            _unreachable(asked, left, right) for asked in coupled.kinds() if options.count(asked) == 0
        )
    if left.irreps.paths * right.irreps.paths * 2 > MAX_PATHS:
        violations.append(
            Violation("limit", f"a fuse of {left.irreps.paths} with {right.irreps.paths} paths is above the limit of {MAX_PATHS}")
        )
        return Inferred(Space(irreps_of(options.kinds()), channels, on), tuple(violations))
    paths = fuse_paths(left.irreps, right.irreps, coupled, None if triples is None else tuple(legal))
    irreps = fused_irreps(paths)
    if not paths and not violations:
        violations.append(
            Violation("selection", "no path survives in this fuse", (describe("left", left), describe("right", right)))
        )
    if same_wire and chosen is not None and not chosen.new_letters and _elementwise(chosen):
        odd = [
            path
            for path in paths
            if path.left == path.right and path.left_path == path.right_path and exchange_odd(path.left, path.right, path.out)
        ]
        if odd:
            labels = dict.fromkeys(f"{path.left} x {path.right} -> {path.out}" for path in odd)
            violations.append(
                Violation(
                    "selection",
                    "a product of a wire with itself is zero on exchange-odd paths: " + ", ".join(labels),
                    severity="notice",
                )
            )
    if chosen is not None and chosen.new_letters:
        irreps = irreps_of(irreps.kinds())
    return Inferred(Space(irreps, channels, on), tuple(violations))


def _elementwise(pattern: Pattern) -> bool:
    return pattern.operands[0] == pattern.operands[1]


def infer_power(space: Space, orders: tuple[int, ...], found: Irreps, reachable_kinds: tuple[Irrep, ...], coupled: Irreps | None) -> Inferred:
    """Space of a power whose paths (``found``) the caller has enumerated; ``reachable_kinds`` are all couplings."""
    violations: list[Violation] = []
    for order in orders:
        if not 1 <= order <= MAX_ORDER:
            violations.append(Violation("limit", f"a power of order {order}: orders run from 1 to {MAX_ORDER}"))
    if coupled is not None:
        for asked in coupled.kinds():
            if asked not in reachable_kinds:
                near = [option for option in reachable_kinds if option.l == asked.l]
                suggestion = str(near[0]) if len(near) == 1 else ""
                violations.append(
                    Violation(
                        "selection",
                        f"no path of the powers {', '.join(map(str, orders))} couples to {asked}",
                        (
                            describe("factor", space),
                            f"reachable: {', '.join(map(str, reachable_kinds)) or 'nothing'}",
                            *((f"did you mean {suggestion}?",) if suggestion else ()),
                        ),
                        asked=(asked,),
                        reachable=reachable_kinds,
                        suggestion=suggestion,
                    )
                )
    return Inferred(space.replace(irreps=found), tuple(violations))
