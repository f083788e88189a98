"""Where random diagrams live: sets of index spaces with the maps between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fusion.index import IndexMap, index_map, resolve_map, tuples
from fusion.sampling.draw import weighted


@dataclass(frozen=True, slots=True)
class World:
    """Index spaces, most usual first, and the maps that join them."""

    name: str
    spaces: tuple[str, ...]
    maps: tuple[IndexMap, ...]


def _world(name: str, *maps: IndexMap | str) -> World:
    found = tuple(resolve_map(item) for item in maps)
    spaces = dict.fromkeys(space for item in found for space in (item.source, item.target))
    return World(name, tuple(spaces) or ("atom",), found)


_BOND = index_map("bond.end", "bond", "atom")
_WORLDS: tuple[tuple[float, World], ...] = (
    (0.14, _world("atoms")),
    (0.22, _world("graph", "sender", "receiver")),
    (0.12, _world("graph and systems", "sender", "receiver", "reverse", "system")),
    (0.12, _world("pairs of edges", "sender", "receiver", *tuples("receiver"))),
    (0.04, _world("triples of edges", "receiver", *tuples("receiver", 3))),
    (0.10, _world("triplets", "sender", "receiver", "triplet.first", "triplet.second")),
    (0.10, _world("tree", "node.parent", "pair.a", "pair.b", "pair.parent")),
    (0.05, _world("systems", "system")),
    (0.07, _world("declared maps", index_map("bead", "atom", "residue"), index_map("chain.of", "residue", "chain"))),
    (0.04, _world("pairs of declared bonds", _BOND, *tuples(_BOND))),
)


def random_world(rng: np.random.Generator) -> World:
    """Draw index spaces: from atoms alone to trees, triplets, tuples of edges and declared maps."""
    return weighted(rng, _WORLDS)


def maps_from(world: World, space: str) -> Sequence[IndexMap]:
    """Return the maps along which a wire on ``space`` can be summed."""
    return [item for item in world.maps if item.source == space]


def maps_to(world: World, space: str) -> Sequence[IndexMap]:
    """Return the maps along which a wire on ``space`` can be pulled."""
    return [item for item in world.maps if item.target == space]
