"""Random sums over tuples of neighbours: products of wires that depend on random positions of the tuple."""

from __future__ import annotations

import numpy as np

from fusion import Wire, add, label, leg, tuples
from fusion.index import IndexMap, resolve_map

BASE = resolve_map("receiver")
Z = label("z", 2)


class Neighbours:
    """One draw: a sum over ``order``-tuples of edges with one receiver of a random product."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.order = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.3, 0.3, 0.2]))
        self.maps: tuple[IndexMap, ...] = tuples(BASE, self.order) if self.order > 1 else ()
        self.made = 0

    def name(self, what: str) -> str:
        self.made += 1
        return f"{what}{self.made}"

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def position(self) -> int:
        return int(self.rng.integers(self.order))

    def on_tuples(self, wire: Wire, position: int) -> Wire:
        return wire.pull(self.maps[position]) if self.maps else wire

    def new_leg(self, on: str) -> Wire:
        irreps = str(self.rng.choice(["0e+1o", "1o", "0e"]))
        return leg(self.name("x"), irreps, channels=2, on=on)

    def factor(self) -> Wire:
        """A wire on the tuples that depends on no position, one, two, or all."""
        kind = self.rng.choice(["edge", "centre", "sender", "two", "all", "mixed"], p=[0.4, 0.13, 0.12, 0.2, 0.05, 0.1])
        position = self.position()
        if kind == "edge":
            return self.on_tuples(self.new_leg("edge"), position)
        if kind == "centre":
            return self.on_tuples(self.new_leg("atom").pull(BASE), position)
        if kind == "sender":
            return self.on_tuples(self.new_leg("atom").pull("sender"), position)
        if kind == "two":  # a leg of two neighbours: a function of both
            one, other = leg("r", "1o", on="edge"), self.position()
            between = add(self.on_tuples(one, position), -0.5 * self.on_tuples(one, other))
            if self.chance(0.5):  # falls into factors of one neighbour each
                weight = leg(self.name("x"), "0e", channels=2, on="edge")
                solid = between.solid_harmonics(2)[str(self.rng.choice(["0e+1o", "1o+2e"]))]
                return solid.scale(self.on_tuples(weight, other))
            return between.harmonics(1)[str(self.rng.choice(["0e+1o", "1o"]))].mix("->u", u=2, name=self.name("w"))
        if kind == "mixed":
            seen = self.on_tuples(self.new_leg("edge"), position)
            pulled = Z.pull("sender").pull(self.maps[self.position()]) if self.maps else Z.pull("sender")
            return seen.mix("u->v", per=pulled, name=self.name("w"))
        return self.new_leg(f"receiver^{self.order}" if self.order > 1 else "edge")

    def grown(self) -> Wire:
        """A product of two to five factors, with linear nodes, scales, additions and shared subtrees on the way."""
        pool = [self.factor() for _ in range(int(self.rng.integers(2, 5)))]
        while len(pool) > 1:
            left = pool.pop(int(self.rng.integers(len(pool))))
            place = int(self.rng.integers(len(pool)))
            right = pool[place] if self.chance(0.1) else pool.pop(place)  # now and then a factor is used twice
            pool.append(self.joined(left, right))
        return pool[0]

    def joined(self, left: Wire, right: Wire) -> Wire:
        form = self.rng.choice(["fuse", "scale", "bare", "weighted", "add", "sum"], p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
        scalars = right.space.irreps.count(right.space.irreps.kinds()[0]) and str(right.space.irreps.kinds()[0]) == "0e"
        if form == "scale" and scalars:
            return left.scale(right.select({"0e": [0]}))
        if form == "bare" and scalars:
            return left.scale(right.select({"0e": [0]}).mix("u->", name=self.name("w")))
        if form == "add" and left.space == right.space:
            return add(left, (0.7, right))
        if form == "sum" and left.space.irreps.paths + right.space.irreps.paths < 6:
            return left + right
        if form == "weighted":
            return (left @ right).on("u,v->w", w=2, name=self.name("w"))
        kinds = {str(irrep) for irrep in (left @ right).space.irreps.kinds()}
        found = (left @ right)["+".join(sorted(kinds & {"0e", "1o", "1e"})) or sorted(kinds)[0]]
        if found.space.irreps.paths > 6:
            found = found.mix("u->u", name=self.name("w"))
        if self.chance(0.2):
            found = found.mix("u->v", name=self.name("w"))
        return found if self.chance(0.9) else found.split(2).merge().shuffle([1, 0])

    def summed(self) -> Wire:
        """The product, summed onto one edge of the tuple, and mostly from there onto the atom."""
        wire = self.grown()
        by = Z.pull("sender") if self.chance(0.1) else None
        if not self.maps:
            return wire.sum(BASE, by=by)
        if by is not None:
            classes = by.pull(self.maps[self.position()])
            return wire.sum(self.maps[self.position()], by=classes).sum(BASE, by=by if self.chance(0.3) else None)
        on_edges = wire.sum(self.maps[self.position()])
        if self.chance(0.2):
            on_edges = on_edges.mix("u->v", name=self.name("w"))
        if self.chance(0.2):
            on_edges = on_edges @ leg("y", "0e+1o", channels=2, on="edge")
        if self.chance(0.15):
            return on_edges @ leg("c", "0e", channels=2, on="atom").pull(BASE)  # stays on edges
        return on_edges.sum(BASE)
