"""Spaces and laws of the coupling nodes: fuse and power."""

from __future__ import annotations

from fusion.couplings import Triple, fused_counts, reachable
from fusion.errors import LimitError
from fusion.inference.common import Inferred, Sides, bind, default_pattern, incoming, named, same_index_space
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.limits import MAX_L, MAX_ORDER, MAX_PATHS
from fusion.pattern import Pattern
from fusion.powers import combs, power_paths, vanishing
from fusion.rules import coupled as products
from fusion.rules import exchange_odd, violation
from fusion.space import Space
from fusion.violations import Violation

MAX_REASONS = 8
"""Pairs of incoming irreps whose failure is spelled out in one message."""


def mixes_groups(left: Irreps, right: Irreps) -> bool:
    """Whether one side carries O(3) labels and the other SO(3) labels."""
    return len({irrep.p == 0 for _, irrep in (*left, *right)}) > 1


def _listed(kinds: tuple[Irrep, ...]) -> str:
    return ", ".join(map(str, kinds)) or "nothing"


def _nearest(asked: Irrep, options: tuple[Irrep, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the repair, when it is unique, and the line that proposes it."""
    near = [option for option in options if option.l == asked.l]
    return (str(near[0]), (f"did you mean {near[0]}?",)) if len(near) == 1 else ("", ())


def _unreachable(asked: Irrep, left: Space, right: Space) -> Violation:
    """Explain why ``asked`` cannot be coupled from ``left`` and ``right``."""
    pairs = [(a, b) for _, a in left.irreps for _, b in right.irreps]
    reasons = tuple(f"{a} x {b} -> {asked}   {violation(a, b, asked)}" for a, b in pairs)
    options = () if mixes_groups(left.irreps, right.irreps) else reachable(left.irreps, right.irreps).kinds()
    suggestion, proposal = _nearest(asked, options)
    rest = len(reasons) - MAX_REASONS
    shown = (*reasons[:MAX_REASONS], f"... and {rest} more pairs") if rest > 1 else reasons
    return Violation(
        "selection",
        f"no path couples the two wires to {asked}",
        (*shown, f"reachable: {_listed(options)}", *proposal),
        wires=incoming(("left", left), ("right", right)),
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
    sides: Sides = (("left", left), ("right", right))
    on, violations = same_index_space("a fuse", sides)
    chosen = pattern or default_pattern(left, right)
    channels, found = _fused_channels(sides, chosen, sizes)
    violations = (*violations, *found)
    if mixes_groups(left.irreps, right.irreps):
        headline = "a fuse cannot mix irreps of O(3) and SO(3)"
        mixed = Violation("selection", headline, wires=incoming(*sides))
        return Inferred(Space(left.irreps, channels, on), (*violations, mixed))
    options = reachable(left.irreps, right.irreps)
    found = _fuse_limits(sides, complete=coupled is None and triples is None)
    if found:
        return Inferred(Space(irreps_of(options.kinds()), channels, on), (*violations, *found))
    legal, found = _explicit(sides, triples)
    violations = (*violations, *found)
    missing = [asked for asked in (coupled or Irreps(())).kinds() if options.count(asked) == 0]
    violations = (*violations, *(_unreachable(asked, left, right) for asked in missing))
    counts = fused_counts(left.irreps, right.irreps, coupled, legal)
    if not counts and not violations:
        violations = (Violation("selection", "no path survives in this fuse", wires=incoming(*sides)),)
    if same_wire and chosen is not None and _symmetric(chosen, left):
        violations = (*violations, *_odd_squares(left.irreps, coupled, legal))
    total = sum(counts.values())
    if total > MAX_PATHS:
        headline = f"this fuse has {total} paths, above the limit of {MAX_PATHS}"
        violations = (*violations, Violation("limit", headline, wires=incoming(*sides)))
        return Inferred(Space(irreps_of(options.kinds()), channels, on), violations)
    irreps = _hoped(Irreps(tuple((count, irrep) for irrep, count in counts.items())), missing)
    if chosen is not None and chosen.new_letters:
        irreps = irreps_of(irreps.kinds())
    return Inferred(Space(irreps, channels, on), violations)


def _hoped(irreps: Irreps, missing: list[Irrep]) -> Irreps:
    """Return ``irreps`` with those asked for in vain, so that what follows is judged by what was meant."""
    kinds = (*irreps.kinds(), *missing)
    extra = tuple((1, irrep) for irrep in missing if irrep.group == kinds[0].group)
    return Irreps((*irreps.items, *extra)).canonical()


def _fused_channels(
    sides: Sides, chosen: Pattern | None, sizes: dict[str, int]
) -> tuple[tuple[tuple[str, int], ...], tuple[Violation, ...]]:
    """Return the channel axes of a fuse and what is wrong with its pattern."""
    (_, left), (_, right) = sides
    if chosen is None:
        hint = 'write for instance .on("u,v->uv") for the outer product'
        headline = "the two wires have different channels; a fuse needs a pattern"
        return left.channels, (Violation("channel", headline, (hint,), wires=incoming(*sides)),)
    bound, violations = bind("a fuse", chosen, sides, sizes)
    missing = [letter for letter in chosen.new_letters if letter not in bound]
    if missing:
        headline = f"the weighted pattern {chosen} needs sizes for: {', '.join(missing)}"
        hint = f"write for instance .on({str(chosen)!r}, {missing[0]}=16)"
        violations = (*violations, Violation("channel", headline, (hint,), wires=incoming(*sides)))
    return named(chosen.result, bound, (left, right), chosen), violations


def _fuse_limits(sides: Sides, complete: bool) -> tuple[Violation, ...]:
    """Return the limits that a fuse exceeds; ``complete`` says that it keeps every coupled irrep."""
    (_, left), (_, right) = sides
    pairs = left.irreps.paths * right.irreps.paths
    if 2 * pairs > MAX_PATHS:
        headline = f"a fuse of {left.irreps.paths} with {right.irreps.paths} paths is above the limit of {MAX_PATHS}"
        return (Violation("limit", headline, wires=incoming(*sides)),)
    top = sum(max((irrep.l for _, irrep in space.irreps), default=0) for space in (left, right))
    if complete and top > MAX_L:
        headline = f"this fuse reaches l = {top}, above the limit of {MAX_L}"
        hint = "say which coupled irreps to keep, for instance (a @ b)['0e+1o']"
        return (Violation("limit", headline, (hint,), wires=incoming(*sides)),)
    return ()


def _explicit(
    sides: Sides, triples: tuple[Triple, ...] | None
) -> tuple[tuple[Triple, ...] | None, tuple[Violation, ...]]:
    """Return the allowed ones of an explicit list of couplings, and why the others are not."""
    if triples is None:
        return None, ()
    legal: list[Triple] = []
    violations: list[Violation] = []
    wires = incoming(*sides)
    for a, b, out in triples:
        why = violation(a, b, out)
        missing = [
            (irrep, side) for irrep, (side, space) in zip((a, b), sides, strict=True) if not space.irreps.count(irrep)
        ]
        if missing:
            headline = f"the path {a} x {b} -> {out} needs {missing[0][0]} on the {missing[0][1]} wire"
            violations.append(Violation("selection", headline, wires=wires, asked=(out,), quote=f"{a}*{b}->{out}"))
        elif why is not None:
            options = reachable(Irreps(((1, a),)), Irreps(((1, b),))).kinds()
            suggestion, proposal = _nearest(out, options)
            violations.append(
                Violation(
                    "selection",
                    f"the path {a} x {b} -> {out} is forbidden: {why}",
                    (f"reachable from {a} x {b}: {_listed(options)}", *proposal),
                    wires=wires,
                    asked=(out,),
                    reachable=options,
                    reasons=(why,),
                    suggestion=suggestion,
                    quote=f"{a}*{b}->{out}",
                )
            )
        else:
            legal.append((a, b, out))
    return tuple(legal), tuple(violations)


def _symmetric(pattern: Pattern, space: Space) -> bool:
    """Whether exchanging the factors of a product of a wire with itself does no more than rename summed letters.

    Axes of size 1 do not matter; the weights of a weighted pattern tell every letter from the others.
    """
    renamed: dict[str, str] = {}
    for one, other, size in zip(*pattern.operands, space.sizes, strict=False):
        if size > 1 and (renamed.setdefault(one, other) != other or renamed.setdefault(other, one) != one):
            return False
    seen = pattern.letters if pattern.new_letters else pattern.result
    return all(letter not in seen for letter, other in renamed.items() if letter != other)


def _odd_squares(irreps: Irreps, coupled: Irreps | None, triples: tuple[Triple, ...] | None) -> tuple[Violation, ...]:
    """Return a notice of the couplings of a wire with itself that are zero by exchange, on equal paths."""
    squares = triples
    if squares is None:
        wanted = None if coupled is None else set(coupled.kinds())
        every = ((a, a, out) for a in irreps.kinds() for out in products(a, a))
        squares = tuple(triple for triple in every if wanted is None or triple[2] in wanted)
    odd = dict.fromkeys(
        f"{a} x {b} -> {out}"
        for a, b, out in sorted(squares, key=lambda triple: triple[2])
        if a == b and irreps.count(a) and exchange_odd(a, b, out)
    )
    if not odd:
        return ()
    headline = "a product of a wire with itself is zero on exchange-odd paths: " + ", ".join(odd)
    return (Violation("selection", headline, severity="notice", reasons=tuple(odd)),)


def infer_power(
    space: Space, orders: tuple[int, ...], basis: str, coupled: Irreps | None, inner: Irreps | None
) -> Inferred:
    """Space of symmetric products of a wire with itself: the kept paths of every order side by side."""
    wires = incoming(("factor", space))
    bad = [order for order in orders if type(order) is not int or not 1 <= order <= MAX_ORDER]
    good = tuple(order for order in orders if order not in bad)
    violations = tuple(
        Violation("limit", f"a power of order {order!r}: orders are integers from 1 to {MAX_ORDER}", wires=wires)
        for order in bad
    )
    options = _power_reach(space.irreps, good, inner)
    missing = [asked for asked in (coupled or Irreps(())).kinds() if asked not in options]
    violations = (*violations, *(_unreachable_power(asked, space, orders, options) for asked in missing))
    try:
        parts = power_paths(space.irreps, good, coupled, inner, basis)
    except LimitError as error:
        return Inferred(
            space.replace(irreps=irreps_of(options)), (*violations, Violation("limit", str(error), wires=wires))
        )
    kept = [trees[position] for _, trees, positions in parts for position in positions]
    irreps = _hoped(Irreps(tuple((1, tree.out) for tree in kept)), missing)
    if not kept and not violations:
        wanted = f" to {coupled}" if coupled is not None else ""
        violations = (Violation("selection", f"no path of this power{wanted} survives the symmetry", wires=wires),)
    notices = (*_absent(irreps, coupled, options), *_zero_combs(space.irreps, good, coupled, inner, basis))
    return Inferred(space.replace(irreps=irreps), (*violations, *notices))


def _power_reach(irreps: Irreps, orders: tuple[int, ...], inner: Irreps | None) -> tuple[Irrep, ...]:
    """Return every irrep that powers of these orders contain, when inner lines are restricted to ``inner``."""
    reach: set[Irrep] = set()
    level = irreps_of(irreps.kinds())
    for order in range(1, max(orders, default=0) + 1):
        if order > 1:
            level = reachable(level, irreps)
        if order in orders:
            reach.update(level.kinds())
        if order > 1 and inner is not None:
            level = irreps_of(irrep for irrep in level.kinds() if inner.count(irrep))
    return tuple(sorted(reach))


def _unreachable_power(asked: Irrep, space: Space, orders: tuple[int, ...], options: tuple[Irrep, ...]) -> Violation:
    suggestion, proposal = _nearest(asked, options)
    return Violation(
        "selection",
        f"no path of the powers {', '.join(map(str, orders))} couples to {asked}",
        (f"reachable: {_listed(options)}", *proposal),
        wires=incoming(("factor", space)),
        asked=(asked,),
        reachable=options,
        suggestion=suggestion,
    )


def _absent(present: Irreps, coupled: Irreps | None, options: tuple[Irrep, ...]) -> tuple[Violation, ...]:
    """Return a notice of irreps that were asked of a power and only exchange leaves without a path."""
    asked = () if coupled is None else coupled.kinds()
    absent = tuple(irrep for irrep in asked if irrep in options and not present.count(irrep))
    if not absent or not present:
        return ()
    headline = f"symmetric products of one wire have no {_listed(absent)}; the reduced basis leaves it out"
    return (Violation("selection", headline, severity="notice", asked=absent),)


def _zero_combs(
    irreps: Irreps, orders: tuple[int, ...], coupled: Irreps | None, inner: Irreps | None, basis: str
) -> tuple[Violation, ...]:
    """Return a notice of the paths of a full basis that are zero, as those that begin with an exchange-odd square."""
    if basis == "reduced":
        return ()
    zero = sum(len(vanishing(irreps, order, coupled, inner)) for order in orders)
    if not zero:
        return ()
    every = sum(len(combs(irreps, order, coupled, inner)) for order in orders)
    headline = f"{zero} of the {every} paths of this power are zero, because its factors are one wire"
    return (Violation("selection", headline, ("basis='reduced' leaves them out",), severity="notice"),)
