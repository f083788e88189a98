"""Random groups of fuses: what the tests of contraction planning run over."""

from __future__ import annotations

import random

from fusion import Wire, leg

IRREPS = ("0e", "1o", "0e+1o", "1o+2e", "0e+1o+2e", "0o+1e", "2e", "0e+1o+1e", "3o")
CHANNELS = (1, 4, 32)


def random_group(rng: random.Random, legs: int) -> Wire:
    """Return a random tree of fuses over legs with random labels, with and without channels, some of them equal."""
    channels = rng.choice(CHANNELS)
    wires: list[Wire] = []
    for number in range(legs):
        irreps, bare = rng.choice(IRREPS), rng.random() < 0.3
        new = leg(f"x{number}", irreps) if bare else leg(f"x{number}", irreps, channels=channels)
        wires.append(rng.choice(wires) if wires and rng.random() < 0.25 else new)
    while len(wires) > 1:
        place = rng.randrange(len(wires) - 1)
        made = wires.pop(place) @ wires.pop(place)
        if rng.random() < 0.4 or not wires:
            kinds = sorted(made.space.irreps.kinds())
            made = made["+".join(str(kind) for kind in sorted(rng.sample(kinds, rng.randint(1, min(2, len(kinds))))))]
        wires.insert(place, made)
    return wires[0]
