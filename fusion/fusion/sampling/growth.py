"""A random diagram in the making: the wires made so far, fresh names, and the bounds that keep it quick to evaluate."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fusion.diagram import (
    Apply,
    Diagram,
    Fuse,
    Geometry,
    Label,
    Leg,
    Map,
    Mix,
    Power,
    Pull,
    Select,
    Wire,
    label,
    leg,
    walk_nodes,
)
from fusion.irreps import Irreps
from fusion.node import Node
from fusion.sampling.draw import L_MAX, chance, choose, random_irreps, weighted
from fusion.sampling.world import World, maps_from
from fusion.space import Channels, Space

MAX_DIM = 64
MAX_CHANNELS = 30
MAX_AXES = 3
MAX_PATHS = 14
MAX_DEGREE = 8
"""Largest degree of a wire as a polynomial of its legs: keeps values of order one."""
MAX_VALUES = 900
"""Largest number of values a row of a wire holds."""
_BOUNDED = frozenset({"sigmoid", "tanh", "sin", "cos", "softmax"})


def is_bounded(wire: Wire) -> bool:
    """Whether every value lies between -3 and 3, whatever the legs hold."""
    if isinstance(wire, Map):
        return wire.function in _BOUNDED
    if isinstance(wire, Geometry):
        return wire.function in ("length", "gaussian", "cutoff", "cosine_cutoff")
    return isinstance(wire, Pull | Select) and is_bounded(wire.wire)


def is_positive(wire: Wire) -> bool:
    """Whether every value stays well above zero, whatever the legs hold: safe below a fraction or a root."""
    if isinstance(wire, Map):
        if wire.function in ("exp", "softplus", "sigmoid"):
            return is_bounded(wire.wire)
        return wire.function in ("reciprocal", "sqrt", "rsqrt") and is_positive(wire.wire)
    if isinstance(wire, Geometry):
        return wire.function == "length"
    return isinstance(wire, Pull | Select) and is_positive(wire.wire)


def vertices_of(node: Node) -> int:
    """Number of trivalent vertices of one node: of a power, those of one comb of each order."""
    if isinstance(node, Fuse):
        return 1
    if isinstance(node, Power):
        return sum(order - 1 for order in node.orders)
    if isinstance(node, Apply):
        return sum(len(vertex.lines) == 3 for vertex in node.network.vertices)
    return 0


def count_vertices(value: Wire | Diagram) -> int:
    """Number of trivalent vertices of a diagram, shared ones counted once."""
    return sum(vertices_of(node) for node in walk_nodes(value))


class Growth:
    """Wires made so far. Operations draw their inputs from here and offer their results back.

    Attributes:
        rng: the source of all draws.
        world: index spaces and maps of this diagram.
        parity: ``True`` for O(3), ``False`` for SO(3).
        pool: every wire made so far, in order.
        palette: usual channel axes of new legs.
    """

    def __init__(self, rng: np.random.Generator, world: World, parity: bool) -> None:
        self.rng = rng
        self.world = world
        self.parity = parity
        self.pool: list[Wire] = []
        self.used: set[Wire] = set()
        self.labels: list[Label] = []
        self.palette: tuple[Channels, ...] = tuple(self._channels() for _ in range(2))
        self._degree: dict[Node, int] = {}
        self._counter: dict[str, int] = {}

    # draws

    def _channels(self) -> Channels:
        rng = self.rng
        sizes = [(0.12, 1), (0.22, 2), (0.26, 3), (0.16, 4), (0.12, 5), (0.12, 6)]
        kind = weighted(rng, [(0.22, "none"), (0.6, "one"), (0.1, "two"), (0.08, "named")])
        if kind == "none":
            return None
        if kind == "two":
            return int(rng.integers(1, 4)), int(rng.integers(1, 5))
        if kind == "named":
            return {choose(rng, ("n", "a", "c")): weighted(rng, sizes)}
        return weighted(rng, sizes)

    def channels(self) -> Channels:
        """Draw channel axes, mostly from the palette."""
        return choose(self.rng, self.palette) if chance(self.rng, 0.75) else self._channels()

    def name(self, stem: str) -> str:
        """Return ``stem`` with the next free number."""
        self._counter[stem] = self._counter.get(stem, 0) + 1
        return f"{stem}{self._counter[stem]}"

    def space(self) -> str:
        """Draw an index space."""
        return choose(self.rng, self.world.spaces)

    def recent(self, test: Callable[[Wire], bool] = lambda wire: True) -> Wire | None:
        """Draw a wire that passes ``test``, more likely a late or unused one."""
        items = [
            (math.exp(-0.35 * age) + (0.25 if wire not in self.used else 0.05), wire)
            for age, wire in enumerate(reversed(self.pool))
            if test(wire)
        ]
        return weighted(self.rng, items) if items else None

    # inputs

    def leg(self, space: Space) -> Leg:
        """Return a new leg of this space, now and then declared to be the tensor of an older one."""
        twins = [wire for wire in self.pool if isinstance(wire, Leg) and wire.space == space and not wire.tensor]
        same = choose(self.rng, twins).name if twins and chance(self.rng, 0.3) else ""
        return leg(self.name("x"), space.irreps, channels=dict(space.channels) or None, on=space.on, same=same)

    def new_leg(self, on: str, irreps: Irreps | None = None, channels: Channels = None, plain: bool = False) -> Leg:
        """Return a new leg on ``on``; ``plain`` keeps ``channels`` as they are."""
        twins = [wire for wire in self.pool if isinstance(wire, Leg) and wire.space.on == on]
        if irreps is None and not plain and twins and chance(self.rng, 0.15):
            return self.leg(choose(self.rng, twins).space)
        chosen = irreps or random_irreps(self.rng, self.parity)
        axes = channels if plain else self.channels()
        draft = leg("draft", chosen, channels=axes, on=on)
        return self.leg(draft.space)

    def displacement(self, on: str) -> Wire:
        """Return a displacement on ``on``: a new leg, an older one, or one pulled there."""
        vector = Irreps.parse("1o" if self.parity else "1")
        old = [w for w in self.pool if isinstance(w, Leg) and w.space.irreps == vector and not w.space.channels]
        reach = [(w, m) for w in old for m in maps_from(self.world, on) if m.target == w.space.on]
        here = [w for w in old if w.space.on == on]
        if here and chance(self.rng, 0.5):
            return choose(self.rng, here)
        if reach and chance(self.rng, 0.5):
            wire, index_map = choose(self.rng, reach)
            return wire.pull(index_map)
        made = leg(self.name("d"), vector, on=on)
        self.pool.append(made)
        return made

    def label(self, on: str) -> Label:
        """Return a label on ``on``: a new one, an older one, or one pulled there."""
        ready = [item for item in self.labels if item.space.on == on]
        steps = maps_from(self.world, on)
        pulled = [item.pull(step) for item in self.labels for step in steps if step.target == item.space.on]
        options = [*ready, *pulled, *pulled]
        if options and chance(self.rng, 0.8):
            return choose(self.rng, options)
        step = choose(self.rng, steps) if steps and chance(self.rng, 0.5) else None
        made = label(self.name("z"), int(self.rng.integers(1, 4)), on=on if step is None else step.target)
        self.labels.append(made)
        return made if step is None else made.pull(step)

    def onto(self, on: str, test: Callable[[Wire], bool] = lambda wire: True) -> Wire | None:
        """Draw a wire on ``on`` that passes ``test``, perhaps one that is pulled there."""
        if chance(self.rng, 0.45):
            steps = maps_from(self.world, on)
            targets = {step.target for step in steps}
            found = self.recent(lambda wire: wire.space.on in targets and test(wire))
            if found is not None:
                return found.pull(choose(self.rng, [step for step in steps if step.target == found.space.on]))
        return self.recent(lambda wire: wire.space.on == on and test(wire))

    # results

    def degree(self, wire: Wire) -> int:
        """Degree of a wire as a polynomial of its legs; bounded functions count as one."""
        for node in walk_nodes(wire) if wire not in self._degree else ():
            if node not in self._degree:
                below = [self._degree[item] for item in node.inputs]
                top = max(below, default=1)
                if isinstance(node, Fuse | Apply) or node.kind == "scale":
                    top = sum(below) or 1
                elif isinstance(node, Power):
                    top *= max(node.orders)
                elif isinstance(node, Label) or (isinstance(node, Wire) and is_bounded(node)):
                    top = 1
                elif isinstance(node, Mix):
                    top = self._degree[node.wire]
                self._degree[node] = top
        return self._degree[wire]

    def fits(self, wire: Wire) -> bool:
        """Whether a wire is legal and small enough."""
        space = wire.space
        channels = math.prod(space.sizes)
        if any(found.severity == "error" for found in wire.violations):
            return False
        small = space.dim <= MAX_DIM and channels <= MAX_CHANNELS and len(space.channels) <= MAX_AXES
        degrees = [irrep.l for _, irrep in space.irreps]
        return (
            small
            and 0 < space.irreps.paths <= MAX_PATHS
            and max(degrees) <= L_MAX
            and channels * space.dim <= MAX_VALUES
            and self.degree(wire) <= MAX_DEGREE
        )

    def offer(self, wire: Wire | None) -> bool:
        """Keep a wire when it fits and is new; say whether it was kept."""
        if wire is None or wire in self.pool or not self.fits(wire):
            return False
        for node in walk_nodes(wire):
            self.used.update(item for item in node.inputs if isinstance(item, Wire))
        self.pool.append(wire)
        return True
