"""Random functions: of invariants (map, layer norm, softmax) and of displacements (geometry)."""

from __future__ import annotations

import math

from fusion.diagram import Leg, Mix, Wire
from fusion.irreps import Irrep
from fusion.sampling.draw import L_MAX, chance, choose, weighted
from fusion.sampling.growth import Growth, is_bounded, is_positive
from fusion.sampling.world import maps_from

_GENTLE = ("silu", "tanh", "sigmoid", "softplus", "sin", "cos")
"""Functions that take any argument."""
_TAME = 4
"""Largest degree of an argument, so that functions are not probed at huge values only."""
_STEEP = ("reciprocal", "sqrt", "rsqrt")
"""Functions for positive arguments only."""


def grow_map(growth: Growth) -> Wire | None:
    """One to three functions of an invariant, fractions and roots only where the argument is safely positive."""
    rng = growth.rng
    scalar = Irrep(0, 1 if growth.parity else 0)
    wire = growth.recent(lambda item: item.space.irreps.count(scalar) > 0 and growth.degree(item) <= _TAME)
    if wire is None:
        return None
    if not wire.space.invariant:
        wire = wire[scalar]
    kind = weighted(rng, [(0.62, "each"), (0.2, "softmax"), (0.18, "norm")])
    several = math.prod(wire.space.sizes) > 1 or chance(rng, 0.05)  # over one channel it is zero
    if kind == "norm" and wire.space.channels and several:
        return wire.layer_norm()
    steps = maps_from(growth.world, wire.space.on)
    if kind == "softmax" and steps:
        tame = is_bounded(wire) or isinstance(wire, Leg) or (isinstance(wire, Mix) and isinstance(wire.wire, Leg))
        return (wire if tame else wire.map(choose(rng, ("tanh", "sin", "sigmoid")))).softmax(choose(rng, steps))
    if chance(rng, 0.2):
        bounded = wire if is_bounded(wire) else wire.map(choose(rng, ("tanh", "sin", "cos", "sigmoid")))
        positive = bounded if is_positive(bounded) else bounded.map(choose(rng, ("exp", "softplus")))
        return positive.map(choose(rng, _STEEP))
    for _ in range(weighted(rng, [(0.6, 1), (0.25, 2), (0.15, 3)])):
        options = list(_GENTLE)
        options += ["exp"] * 3 if is_bounded(wire) else []
        options += list(_STEEP) * 2 if is_positive(wire) else []
        wire = wire.map(choose(rng, options))
    return wire


def grow_geometry(growth: Growth) -> Wire | None:
    """Harmonics, length, radial basis or cutoff of a displacement."""
    rng = growth.rng
    pairs = [space for space in growth.world.spaces if space in ("edge", "bond", "pair", "bead")]
    on = choose(rng, pairs) if pairs and chance(rng, 0.7) else growth.space()
    vector = growth.displacement(on)
    kind = weighted(
        rng,
        [
            *((0.4, "harmonics"), (0.15, "solid"), (0.12, "length"), (0.12, "bessel"), (0.1, "gaussian")),
            *((0.07, "cutoff"), (0.04, "cosine")),
        ],
    )
    reach = float(choose(rng, (2.0, 2.5, 4.0)))
    if kind == "harmonics":
        return vector.harmonics(int(rng.integers(0, L_MAX + 1)), choose(rng, ("component", "norm", "integral")))
    if kind == "solid":
        return vector.solid_harmonics(int(rng.integers(0, L_MAX + 1)))
    if kind == "length":
        return vector.length()
    if kind == "bessel":
        return vector.bessel(int(rng.integers(1, 6)), reach)
    if kind == "gaussian":
        return vector.gaussian(int(rng.integers(1, 6)), reach)
    return vector.cosine_cutoff(reach) if kind == "cosine" else vector.cutoff(reach, int(rng.integers(2, 9)))
