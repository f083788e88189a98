"""Random linear nodes: mix with every kind of coefficients, scale, add, direct sum, select."""

from __future__ import annotations

import math

import numpy as np

from fusion.coefficients import LEARNED, Buffer, Coefficients, Constant, Learned, Tied
from fusion.diagram import Mix, Wire, add, one, weights
from fusion.index import CONSTANT_SPACE
from fusion.irreps import Irrep, Irreps
from fusion.pattern import Pattern
from fusion.sampling.draw import chance, choose, rounded, some, weighted
from fusion.sampling.growth import MAX_DEGREE, Growth
from fusion.space import Space

_MAX_WEIGHTS = 4_000
_MAX_CONSTANT = 60


def grow_mix(growth: Growth) -> Wire | None:
    """A mix with a random pattern and learned, constant, buffered or tied coefficients, perhaps per label or shared."""
    wire = growth.recent()
    return None if wire is None else mix_of(growth, wire)


def mix_of(growth: Growth, wire: Wire) -> Wire | None:
    """A random mix of one wire."""
    rng = growth.rng
    pattern, given, sizes = _mix_pattern(rng, wire.space)
    paths = weighted(rng, [(0.65, 1), (0.17, 2), (0.04, 3), (0.14, 0)])
    each = not paths
    on = growth.space() if wire.space.on == CONSTANT_SPACE and chance(rng, 0.5) else wire.space.on
    per = [growth.label(on) for _ in range(weighted(rng, [(0.7, 0), (0.24, 1), (0.06, 2)]))]
    per = list(dict.fromkeys(per))
    letters = pattern.letters
    lead = tuple(item.classes for item in per) + (() if each else (paths,))
    most = max(count for count, _ in wire.space.irreps)
    alike = most == min(count for count, _ in wire.space.irreps)
    if math.prod(lead) * most * math.prod(sizes[x] for x in letters) > _MAX_WEIGHTS:
        return None
    kind = weighted(rng, [(0.55, "learned"), (0.2, "constant"), (0.1, "buffer"), (0.15, "tied")])
    coefficients: Coefficients = LEARNED
    if kind == "constant":
        coefficients = Constant.of(_constant(rng, wire.space, lead, [sizes[x] for x in letters]))
    elif kind == "buffer":
        coefficients = Buffer(growth.name("pca"))
    elif kind == "tied" and letters:
        coefficients = Tied.of(*_tied(rng, letters, sizes))
    learned = isinstance(coefficients, Learned | Tied)
    name = growth.name("w") if learned and chance(rng, 0.3) else ""
    shared = alike and kind != "constant" and chance(rng, 0.3)
    sizes_given = tuple(sorted(given.items()))
    return Mix(wire, pattern, sizes_given, paths or 1, tuple(per), coefficients, name, each, shared)


def _mix_pattern(rng: np.random.Generator, space: Space) -> tuple[Pattern, dict[str, int], dict[str, int]]:
    """Return a pattern, the sizes to state for it, and the sizes of all its letters."""
    names = iter("xyzpqr")
    mine = "uvwg"[: len(space.channels)]
    sizes = dict(zip(mine, space.sizes, strict=True))
    given: dict[str, int] = {}
    out: list[str] = []
    for letter in mine:
        fate = weighted(rng, [(0.5, "keep"), (0.35, "replace"), (0.15, "drop")])
        if fate == "keep":
            out.append(letter)
        elif fate == "replace":
            fresh = next(names)
            out.append(fresh)
            given[fresh] = sizes[letter] if chance(rng, 0.4) else int(rng.integers(1, 5))
    if chance(rng, 0.1 if mine else 0.4) and len(out) < 3:
        fresh = next(names)
        out.append(fresh)
        given[fresh] = int(rng.integers(1, 5))
    if chance(rng, 0.25):
        out = [out[int(place)] for place in rng.permutation(len(out))]
    sizes.update(given)
    dropped = [letter for letter in mine if letter not in out]
    if dropped and chance(rng, 0.5):  # leave out what the pattern implies
        given = {letter: size for letter, size in given.items() if size != sizes[dropped[0]]}
    return Pattern((mine,), "".join(out)), given, sizes


def _constant(rng: np.random.Generator, space: Space, lead: tuple[int, ...], tail: list[int]) -> object:
    """Constant coefficients: a number, a tensor that broadcasts, or one for each irrep."""

    def one(paths: int) -> object:
        shape = (*lead, paths, *tail)
        if chance(rng, 0.25) or math.prod(shape) > _MAX_CONSTANT:
            return rounded(rng, ())
        begin = int(rng.integers(0, len(shape))) if chance(rng, 0.3) else 0
        return rounded(rng, [1 if chance(rng, 0.15) else size for size in shape[begin:]])

    if chance(rng, 0.5):
        return {str(irrep): one(paths) for paths, irrep in space.irreps}
    counts = {paths for paths, _ in space.irreps}
    return one(counts.pop() if len(counts) == 1 else 1)


def _tied(rng: np.random.Generator, letters: str, sizes: dict[str, int]) -> tuple[object, str, str]:
    """A constant tensor and the letters of a learned one that together make coefficients with ``letters``."""
    extra = "k" if chance(rng, 0.8) else ""
    constant, learned = extra, extra
    for letter in letters:
        where = weighted(rng, [(0.45, "constant"), (0.45, "learned"), (0.1, "both")])
        constant += letter if where in ("constant", "both") else ""
        learned += letter if where in ("learned", "both") else ""
    constant = constant or letters[0]
    learned = learned or letters[-1]
    bound = {"k": int(rng.integers(1, 4)), **sizes}
    if chance(rng, 0.3):
        constant = constant[::-1]
    return rounded(rng, [bound[letter] for letter in constant]), constant, learned


def grow_scale(growth: Growth) -> Wire | None:
    """Scale a wire by a computed invariant, by weights, or by a leg with a channel pattern."""
    rng = growth.rng
    wire = growth.recent()
    if wire is None:
        return None
    space = wire.space
    counts = {1, len(space.irreps), space.irreps.paths}

    def fitting(other: Wire) -> bool:
        gate = other.space
        alike = not gate.channels or not space.channels or gate.sizes == space.sizes
        room = growth.degree(other) + growth.degree(wire) <= MAX_DEGREE
        return gate.invariant and gate.irreps.paths in counts and alike and room

    gate = growth.onto(space.on, fitting)
    if gate is not None and chance(rng, 0.5):
        return wire.scale(gate)
    if chance(rng, 0.3):
        return wire.scale(weights(growth.name("R"), on=space.on))
    scalar = Irrep(0, 1 if growth.parity else 0)
    paths = Irreps(((choose(rng, sorted(counts)), scalar),))
    mine = "uvw"[: len(space.channels)]
    sizes = dict(zip(mine, space.sizes, strict=True))
    letters = [letter for letter in mine if chance(rng, 0.6)]
    if not mine and chance(rng, 0.7):
        letters.append("n")
        sizes["n"] = int(rng.integers(1, 4))
    if chance(rng, 0.3):
        letters.reverse()
    result = mine or "".join(letters)
    leg = growth.new_leg(space.on, paths, {letter: sizes[letter] for letter in letters}, plain=True)
    return wire.scale(leg, f"{mine},{''.join(letters)}->{result}")


def grow_add(growth: Growth) -> Wire | None:
    """A linear combination of wires of one space: older ones, mixes that fit, new legs."""
    rng = growth.rng
    wire = growth.recent()
    if wire is None:
        return None
    space = wire.space
    factors = [float(value) for value in np.round(rng.uniform(-1.5, 1.5, size=3), 3)]
    if space.invariant and space.irreps and chance(rng, 0.2):
        return add(wire, _bias(space))
    if chance(rng, 0.15):
        return factors[0] * wire
    terms: list[Wire] = [wire]
    for _ in range(int(rng.integers(1, 3))):
        other = growth.onto(space.on, lambda item: (item.space.irreps, item.space.sizes) == (space.irreps, space.sizes))
        if other is None or other == wire or chance(rng, 0.3):
            other = growth.leg(space)
        terms.append(other)
    if chance(rng, 0.4):
        return add(*terms)
    return add(*zip(factors, terms, strict=False))


def _bias(space: Space) -> Wire:
    """A learned constant of an invariant space."""
    sizes = dict(zip("uvw", space.sizes, strict=False))
    ((paths, scalar),) = space.irreps.items
    return Mix(one(scalar), Pattern(("",), "".join(sizes)), tuple(sizes.items()), paths)


def grow_direct_sum(growth: Growth) -> Wire | None:
    """Paths of two or three wires side by side."""
    rng = growth.rng
    wire = growth.recent()
    if wire is None:
        return None
    total, sizes = wire, wire.space.sizes
    for _ in range(weighted(rng, [(0.75, 1), (0.25, 2)])):
        other = growth.onto(wire.space.on, lambda item: item.space.sizes == sizes)
        if other is None or chance(rng, 0.2):
            other = growth.new_leg(wire.space.on, channels=dict(wire.space.channels), plain=True)
        total = total + other
    return total


def grow_select(growth: Growth) -> Wire | None:
    """Keep some irreps, or single paths, repeated or reordered ones included."""
    rng = growth.rng
    wire = growth.recent(lambda item: item.space.irreps.paths > 1)
    if wire is None:
        return None
    irreps = wire.space.irreps
    if chance(rng, 0.4):
        return wire["+".join(map(str, some(rng, irreps.kinds(), 2)))]
    keep: dict[str, list[int]] = {}
    for irrep in some(rng, irreps.kinds(), 3):
        count = irreps.count(irrep)
        keep[str(irrep)] = some(rng, range(count), 3) if chance(rng, 0.85) else [0, 0]
    return wire.select(keep)
