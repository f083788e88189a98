"""Random nodes with vertices: fuse in all its forms, power, and networks used as nodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fusion.couplings import Triple, fuse_paths, reachable
from fusion.diagram import Fuse, Wire, apply
from fusion.inference.common import default_pattern
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.pattern import Pattern
from fusion.powers import power_paths
from fusion.rules import coupled
from fusion.sampling.draw import L_MAX, chance, choose, some, weighted
from fusion.sampling.growth import MAX_DEGREE, MAX_PATHS, Growth
from fusion.sampling.networks import random_network, tetrahedron
from fusion.space import Space

_MAX_COUPLINGS = 24
"""Most couplings of a weighted fuse, whose paths are summed."""
_MAX_COMBS = 60


def grow_fuse(growth: Growth) -> Wire | None:
    """Fuse two wires: filtered, with listed couplings, elementwise, with a channel pattern, or weighted."""
    rng = growth.rng
    left = growth.recent()
    if left is None:
        return None
    right = _partner(growth, left)
    if growth.degree(left) + growth.degree(right) > MAX_DEGREE:
        right = growth.new_leg(left.space.on)
    if chance(rng, 0.3):
        left, right = right, left
    fuse = left @ right
    space, other = fuse.left.space, fuse.right.space
    if chance(rng, 0.4) or default_pattern(space, other) is None:
        pattern, sizes = _pattern(rng, space, other)
        name = growth.name("w") if pattern.new_letters and chance(rng, 0.3) else ""
        fuse = replace(fuse, pattern=pattern, sizes=tuple(sorted(sizes.items())), name=name)
    return _couplings(rng, fuse)


def _partner(growth: Growth, left: Wire) -> Wire:
    rng, on = growth.rng, left.space.on
    how = weighted(rng, [(0.06, "itself"), (0.55, "pool"), (0.31, "leg"), (0.06, "harmonics"), (0.02, "constant")])
    found: Wire | None = None
    if how == "itself":
        found = left
    elif how == "pool":
        found = growth.onto(on, lambda wire: growth.degree(wire) + growth.degree(left) <= MAX_DEGREE)
    elif how == "harmonics":
        found = growth.displacement(on).harmonics(int(rng.integers(1, L_MAX + 1)))
    elif how == "constant":
        found = apply(tetrahedron(rng, growth.parity))
    return growth.new_leg(on) if found is None else found


def _pattern(rng: np.random.Generator, left: Space, right: Space) -> tuple[Pattern, dict[str, int]]:
    """Draw a channel pattern: axes matched or outer, kept or summed, and now and then a weighted new axis."""
    names, mine, theirs = iter("uvwxyzabcdefgh"), "", ""
    sizes: dict[str, int] = {}
    for size in left.sizes:
        mine += next(names)
        sizes[mine[-1]] = size
    for size in right.sizes:
        twins = [letter for letter in mine if sizes[letter] == size and letter not in theirs]
        theirs += choose(rng, twins) if twins and chance(rng, 0.6) else next(names)
        sizes[theirs[-1]] = size
    letters = list(dict.fromkeys(mine + theirs))
    kept = [letter for letter in letters if chance(rng, 0.75)]
    given: dict[str, int] = {}
    if chance(rng, 0.35):
        letter = next(names)
        given[letter] = int(rng.integers(1, 5))
        kept.append(letter)
    if chance(rng, 0.3):
        kept = [kept[int(place)] for place in rng.permutation(len(kept))]
    kept = kept[-3:]
    return Pattern((mine, theirs), "".join(kept)), {letter: size for letter, size in given.items() if letter in kept}


def _couplings(rng: np.random.Generator, fuse: Fuse) -> Fuse | None:
    """Choose which couplings stay, so that the result keeps few paths of degree up to ``L_MAX``."""
    left, right = fuse.left.space.irreps, fuse.right.space.irreps
    limit = _MAX_COUPLINGS if fuse.weighted else MAX_PATHS
    options = [irrep for irrep in reachable(left, right).kinds() if irrep.l <= L_MAX]
    if not options:
        return None
    if chance(rng, 0.2):
        triples = _triples(left, right)
        fuse = fuse.paths(*some(rng, triples, 5)) if triples else fuse
        return fuse if len(fuse_paths(left, right, None, fuse.triples)) <= limit else None
    whole = fuse_paths(left, right)
    if chance(rng, 0.3) and len(whole) <= limit and all(path.out.l <= L_MAX for path in whole):
        return fuse
    for _ in range(4):
        wanted = irreps_of(some(rng, options, 3))
        if len(fuse_paths(left, right, wanted)) <= limit:
            narrowed = fuse[wanted]
            return narrowed if isinstance(narrowed, Fuse) else None
    return None


def _triples(left: Irreps, right: Irreps) -> list[Triple]:
    return [(a, b, out) for a in left.kinds() for b in right.kinds() for out in coupled(a, b) if out.l <= L_MAX]


def grow_power(growth: Growth) -> Wire | None:
    """A power of order up to four, full or reduced, with or without caps on inner lines."""
    rng = growth.rng
    base = growth.recent(lambda wire: growth.degree(wire) <= MAX_DEGREE // 2 and wire.space.irreps.dim <= 16)
    if base is None or chance(rng, 0.25):
        base = growth.new_leg(growth.space())
    space = base.space
    if space.irreps.paths > 3:
        kinds = irreps_of(some(rng, space.irreps.kinds(), 2))
        base = (
            base[kinds]
            if chance(rng, 0.5) or not space.channels
            else base.mix("->".join(["uvw"[: len(space.channels)]] * 2))
        )
        space = base.space
    orders = weighted(rng, [(0.3, (2,)), (0.25, (1, 2)), (0.12, (3,)), (0.2, (1, 2, 3)), (0.08, (3, 2)), (0.1, (4,))])
    top = max(orders)
    if growth.degree(base) * top > MAX_DEGREE or space.irreps.paths > 3 or (top > 3 and space.irreps.dim > 4):
        return None
    level = Irreps(space.irreps.items)
    reach: set[Irrep] = set(level.kinds()) if 1 in orders else set()
    for order in range(2, top + 1):
        level = irreps_of(irrep for irrep in reachable(level, space.irreps).kinds() if irrep.l <= 6)
        reach |= set(level.kinds()) if order in orders else set()
    options = sorted(irrep for irrep in reach if irrep.l <= L_MAX)
    if not options:
        return None
    inner = (
        irreps_of(some(rng, reachable(space.irreps, space.irreps).kinds(), 4)) if top > 2 and chance(rng, 0.5) else None
    )
    basis = choose(rng, ("full", "reduced"))
    for _ in range(3):
        wanted = irreps_of(some(rng, options, 3))
        parts = power_paths(space.irreps, orders, wanted, inner, basis)
        kept = [trees[position].out for _, trees, places in parts for position in places]
        if (
            set(kept) == set(wanted.kinds())
            and len(kept) <= MAX_PATHS
            and sum(len(t) for _, t, _ in parts) <= _MAX_COMBS
        ):
            return base.power(*orders, basis=basis, inner=inner)[wanted]
    return None


def grow_network(growth: Growth) -> Wire | None:
    """A network as a node: open, closed over its wires, or a constant number."""
    rng = growth.rng
    if chance(rng, 0.08):
        constant = random_network(rng, [], growth.parity) if chance(rng, 0.5) else tetrahedron(rng, growth.parity)
        return None if constant is None else apply(constant)
    first = growth.recent(lambda wire: wire.space.irreps.kinds()[0].l <= 3)
    if first is None:
        return None
    wires = [_single(growth, first)]
    channels, sizes = dict(first.space.channels), first.space.sizes
    for _ in range(int(rng.integers(0, 3))):
        other = growth.onto(first.space.on, lambda item: item.space.sizes in ((), sizes) and growth.degree(item) <= 3)
        if other is None or chance(rng, 0.4):
            other = growth.new_leg(first.space.on, channels=None if chance(rng, 0.3) else channels, plain=True)
        wires.append(_single(growth, other))
    if sum(growth.degree(wire) for wire in wires) > MAX_DEGREE:
        return None
    network = random_network(rng, [wire.space.irreps.kinds()[0] for wire in wires], growth.parity)
    return None if network is None else apply(network, {f"x{place}": wire for place, wire in enumerate(wires)})


def _single(growth: Growth, wire: Wire) -> Wire:
    """Return one path of one irrep of a wire."""
    kinds = [irrep for irrep in wire.space.irreps.kinds() if irrep.l <= 3]
    irrep = choose(growth.rng, kinds or wire.space.irreps.kinds())
    if wire.space.irreps == Irreps(((1, irrep),)):
        return wire
    return wire.select({str(irrep): [int(growth.rng.integers(wire.space.irreps.count(irrep)))]})
