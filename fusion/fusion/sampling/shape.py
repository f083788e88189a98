"""Random nodes on index spaces and channel axes: pull, sum, split, merge, reorder, shuffle."""

from __future__ import annotations

from fusion.diagram import Wire
from fusion.sampling.draw import chance, choose
from fusion.sampling.growth import Growth
from fusion.sampling.world import maps_from, maps_to


def grow_pull(growth: Growth) -> Wire | None:
    """Gather a wire along a map."""
    targets = {item.target for item in growth.world.maps}
    wire = growth.recent(lambda item: item.space.on in targets)
    return None if wire is None else wire.pull(choose(growth.rng, maps_to(growth.world, wire.space.on)))


def grow_sum(growth: Growth) -> Wire | None:
    """Sum a wire along a map, now and then sorted by a label."""
    sources = {item.source for item in growth.world.maps}
    wire = growth.recent(lambda item: item.space.on in sources)
    if wire is None:
        return None
    by = growth.label(wire.space.on) if chance(growth.rng, 0.3) else None
    return wire.sum(choose(growth.rng, maps_from(growth.world, wire.space.on)), by)


def grow_split(growth: Growth) -> Wire | None:
    """Cut a channel axis."""
    rng = growth.rng
    wire = growth.recent(lambda item: any(size > 1 for size in item.space.sizes))
    if wire is None:
        return None
    sizes = wire.space.sizes
    axis = choose(rng, [place for place, size in enumerate(sizes) if size > 1])
    divisors = [parts for parts in range(1, sizes[axis] + 1) if sizes[axis] % parts == 0]
    inner = [parts for parts in divisors if 1 < parts < sizes[axis]]
    parts = choose(rng, inner) if inner and chance(rng, 0.8) else choose(rng, divisors)
    return wire.split(parts, axis - len(sizes) if chance(rng, 0.5) else axis)


def grow_merge(growth: Growth) -> Wire | None:
    """Join two neighbouring channel axes."""
    wire = growth.recent(lambda item: len(item.space.channels) > 1)
    if wire is None:
        return None
    axis = int(growth.rng.integers(1, len(wire.space.channels)))
    return wire.merge(axis - len(wire.space.channels) if chance(growth.rng, 0.5) else axis)


def grow_reorder(growth: Growth) -> Wire | None:
    """Permute channel axes."""
    wire = growth.recent(lambda item: len(item.space.channels) > 1)
    if wire is None:
        return None
    letters = "uvwx"[: len(wire.space.channels)]
    order = growth.rng.permutation(len(letters))
    return wire.reorder(f"{letters}->{''.join(letters[int(place)] for place in order)}")


def grow_shuffle(growth: Growth) -> Wire | None:
    """Permute the entries of a channel axis, cyclically or at random."""
    rng = growth.rng
    wire = growth.recent(lambda item: any(size > 1 for size in item.space.sizes))
    if wire is None:
        return None
    sizes = wire.space.sizes
    axis = choose(rng, [place for place, size in enumerate(sizes) if size > 1])
    named = axis - len(sizes) if chance(rng, 0.5) else axis
    if chance(rng, 0.4):
        return wire.roll(int(rng.integers(1, sizes[axis])), named)
    return wire.shuffle([int(place) for place in rng.permutation(sizes[axis])], named)
