"""Slips of the pen: one change to one node, which may or may not break a law. Nothing here knows the laws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from fusion.coefficients import Buffer, Constant, Tied
from fusion.diagram import (
    Add,
    Apply,
    Diagram,
    DirectSum,
    Fuse,
    Geometry,
    Label,
    Leg,
    Map,
    Merge,
    Mix,
    Power,
    Pull,
    Reorder,
    Scale,
    Select,
    Shuffle,
    Split,
    Sum,
    Wire,
    leg,
    walk_nodes,
)
from fusion.errors import FusionError
from fusion.index import STANDARD_MAPS, IndexMap
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.network import Network, Vertex
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.sampling.draw import chance, choose, some
from fusion.sampling.substitute import substitute
from fusion.sampling.tensors import used_maps

_LETTERS = "uvwxyz"
_TRIES = 30


@dataclass(frozen=True)
class Scene:
    """What a slip may confuse: the nodes of the diagram, in an order in which inputs come first, and its maps."""

    rng: np.random.Generator
    nodes: list[Node]
    maps: list[IndexMap]

    def wire(self, before: Node) -> Wire:
        """Draw a wire that does not depend on a node."""
        earlier = self.nodes[: self.nodes.index(before)]
        return choose(self.rng, [item for item in earlier if isinstance(item, Wire)] or [leg("x99", "1o")])

    def index_map(self) -> IndexMap:
        """Draw an index map, mostly one of the diagram."""
        standard = list(STANDARD_MAPS.values())[:6]
        return choose(self.rng, self.maps if self.maps and chance(self.rng, 0.7) else standard)

    def names(self) -> list[str]:
        """Return every name in the diagram."""
        legs = [node.name for node in self.nodes if isinstance(node, Leg | Label)]
        return [*legs, *(item.name for item in self.maps if "." not in item.name and "^" not in item.name), "x99"]

    def irrep(self, like: Irrep) -> Irrep:
        """Draw another irrep, often with the other parity or the next degree."""
        rng = self.rng
        if chance(rng, 0.04):
            return Irrep(like.l, 1 if like.p == 0 else 0)
        if like.p and chance(rng, 0.4):
            return Irrep(like.l, -like.p)
        degree = abs(like.l + int(rng.integers(-2, 3))) if chance(rng, 0.7) else int(rng.integers(0, 10))
        return Irrep(degree, like.p and choose(rng, (like.p, -like.p)))

    def irreps(self, like: Irreps) -> Irreps:
        """Return irreps with one of them replaced, left out, or one more."""
        kinds = list(like.kinds())
        place = int(self.rng.integers(len(kinds)))
        other = self.irrep(kinds[place])
        if other.group != like.kinds()[0].group:
            return Irreps(tuple((count, Irrep(irrep.l, other.p)) for count, irrep in like)).canonical()
        how = int(self.rng.integers(3))
        if how == 0 and len(kinds) > 1:
            return irreps_of(kinds[:place] + kinds[place + 1 :])
        return irreps_of({*kinds, other} if how == 1 else {*kinds[:place], other, *kinds[place + 1 :]})

    def letters(self, text: str) -> str:
        """Return letters of channel axes with one swapped, dropped, doubled from elsewhere, or new."""
        rng = self.rng
        how = int(rng.integers(3))
        if how == 0 and text:
            place = int(rng.integers(len(text)))
            return text[:place] + text[place + 1 :]
        if how == 1 and text:
            place = int(rng.integers(len(text)))
            return text[:place] + choose(rng, _LETTERS) + text[place + 1 :]
        return text + choose(rng, _LETTERS) if len(text) < 4 else text[::-1]


def _irreps(scene: Scene, node: Node) -> Node | None:
    """Ask for other irreps."""
    if isinstance(node, Fuse | Power) and not (isinstance(node, Fuse) and node.triples is not None):
        like = node.coupled or irreps_of(some(scene.rng, node.space.irreps.kinds(), 3))
        return replace(node, coupled=scene.irreps(like))
    if isinstance(node, Select):
        place = int(scene.rng.integers(len(node.keep)))
        irrep, paths = node.keep[place]
        return replace(node, keep=(*node.keep[:place], (scene.irrep(irrep), paths), *node.keep[place + 1 :]))
    return None


def _listed(scene: Scene, node: Node) -> Node | None:
    """List couplings by hand."""
    if not isinstance(node, Fuse):
        return None
    left, right = node.left.space.irreps.kinds(), node.right.space.irreps.kinds()
    kinds = [irrep for wire in (node.left, node.right, node) for irrep in wire.space.irreps.kinds()]
    found = list(node.triples or ())
    for _ in range(int(scene.rng.integers(1, 3))):
        triple = (choose(scene.rng, left), choose(scene.rng, right), scene.irrep(choose(scene.rng, kinds)))
        found.append(triple if chance(scene.rng, 0.7) else (choose(scene.rng, kinds), *triple[1:]))
    return replace(node, triples=tuple(found[-4:]), coupled=None)


def _path(scene: Scene, node: Node) -> Node | None:
    """Number paths wrongly, or take an irrep twice."""
    if not isinstance(node, Select):
        return None
    place = int(scene.rng.integers(len(node.keep)))
    irrep, _ = node.keep[place]
    have = node.wire.space.irreps.count(irrep)
    wrong = (irrep, choose(scene.rng, ((have,), (-1,), (0, have), (have - 1,), ())))
    if chance(scene.rng, 0.2):
        return replace(node, keep=(*node.keep, (irrep, None)))
    return replace(node, keep=(*node.keep[:place], wrong, *node.keep[place + 1 :]))


def _leg(scene: Scene, node: Node) -> Node | None:
    """Declare a leg with other irreps, other channels or on another index space."""
    rng = scene.rng
    if isinstance(node, Label):
        spaces = [space for item in scene.maps for space in (item.source, item.target)]
        return replace(node, on=choose(rng, [*spaces, "atom", "edge"]))
    if not isinstance(node, Leg):
        return None
    space = node.declared
    how = int(rng.integers(4))
    if how == 0:
        return replace(node, declared=space.replace(irreps=scene.irreps(space.irreps)))
    if how == 1:
        spaces = [item for found in scene.maps for item in (found.source, found.target)]
        return replace(node, declared=space.replace(on=choose(rng, [*spaces, "atom", "edge", "constant"])))
    axes = list(space.channels)
    if how == 2 and axes:
        place = int(rng.integers(len(axes)))
        name, size = axes[place]
        axes[place] = (name, max(1, size + int(rng.integers(-1, 2)))) if chance(rng, 0.8) else (name, 1)
    elif axes and chance(rng, 0.5):
        axes.pop(int(rng.integers(len(axes))))
    elif len(axes) < 3:
        axes.append((f"c{len(axes)}", int(rng.integers(1, 4))))
    return replace(node, declared=space.replace(channels=tuple(axes)))


def _pattern(scene: Scene, node: Node) -> Node | None:
    """Write other letters in a pattern."""
    if not isinstance(node, Fuse | Mix | Scale | Reorder):
        return None
    wires = [item for item in node.inputs if isinstance(item, Wire)]
    pattern = node.pattern or Pattern(tuple(_LETTERS[: len(wire.space.channels)] for wire in wires), "u")
    parts = [*pattern.operands, pattern.result]
    place = int(scene.rng.integers(len(parts)))
    parts[place] = scene.letters(parts[place])
    *operands, result = parts
    return replace(node, pattern=Pattern.parse(f"{','.join(operands)}->{result}", len(operands)))


def _sizes(scene: Scene, node: Node) -> Node | None:
    """Give a letter another size, or none."""
    if not isinstance(node, Fuse | Mix) or node.pattern is None:
        return None
    sizes = dict(node.sizes)
    letter = choose(scene.rng, [*node.pattern.letters, "z"])
    if letter in sizes and chance(scene.rng, 0.5):
        del sizes[letter]
    else:
        sizes[letter] = int(scene.rng.integers(1, 5))
    return replace(node, sizes=tuple(sorted(sizes.items())))


def _map(scene: Scene, node: Node) -> Node | None:
    """Go along another map."""
    if isinstance(node, Pull | Sum):
        return replace(node, index_map=scene.index_map())
    if isinstance(node, Map) and node.over is not None:
        return replace(node, over=scene.index_map())
    if isinstance(node, Label):
        return node.pull(scene.index_map()) if chance(scene.rng, 0.5) else replace(node, maps=node.maps[:-1])
    return None


def _labels(scene: Scene, node: Node) -> Node | None:
    """Take the classes of another label."""
    labels = [item for item in scene.nodes if isinstance(item, Label)]
    label = choose(scene.rng, labels) if labels else Label("z9", 2, "atom")
    if isinstance(node, Mix):
        return replace(node, per=(*node.per[:1], label) if chance(scene.rng, 0.4) else (label,))
    return replace(node, by=label) if isinstance(node, Sum) else None


def _rewire(scene: Scene, node: Node) -> Node | None:
    """Let another wire enter."""
    old = [item for item in node.inputs if isinstance(item, Wire)]
    if not old or isinstance(node, Label):
        return None
    place = choose(scene.rng, old)
    if isinstance(node, Power) and max(node.orders) > 2:
        return None  # the number of terms could explode
    found = substitute(Diagram.of(cast("Wire", node)), {place: scene.wire(node)})
    return found if isinstance(found, Wire) else None


def _function(scene: Scene, node: Node) -> Node | None:
    """Let another wire enter what takes invariants or a displacement."""
    return _rewire(scene, node) if isinstance(node, Map | Scale | Geometry) else None


def _wrap(scene: Scene, node: Node) -> Node | None:
    """Put one more operation behind a wire."""
    if not isinstance(node, Wire):
        return None
    rng, kinds = scene.rng, node.space.irreps.kinds()
    wraps: tuple[Callable[[], Wire], ...] = (
        lambda: node.map(choose(rng, ("silu", "tanh", "exp"))),
        node.layer_norm,
        lambda: node.softmax(scene.index_map()),
        lambda: node.harmonics(int(rng.integers(0, 4))),
        node.length,
        lambda: node.pull(scene.index_map()),
        lambda: node.sum(scene.index_map()),
        lambda: node.split(int(rng.integers(0, 4)), int(rng.integers(-2, 2))),
        lambda: node.merge(int(rng.integers(-2, 2))),
        lambda: node.roll(1, int(rng.integers(-2, 2))),
        lambda: node[str(scene.irrep(choose(rng, kinds)))],
        lambda: node.scale(scene.wire(node)) if scene.nodes.index(node) else node,
    )
    return choose(rng, wraps)()


def _network(scene: Scene, node: Node) -> Node | None:
    """Other lines in a network, or other wires at its ends."""
    if not isinstance(node, Apply) or not node.network.lines:
        return None
    rng, network = scene.rng, node.network
    how = int(rng.integers(4))
    if how == 0 and node.wires:
        return replace(node, wires=node.wires[1:])
    if how == 1 and scene.nodes.index(node):
        end = choose(rng, [name for name, _ in network.lines])
        wires = {**dict(node.wires), end: scene.wire(node)}
        return replace(node, wires=tuple(sorted(wires.items())))
    if how == 2 and network.vertices:
        place = int(rng.integers(len(network.vertices)))
        vertex = network.vertices[place]
        turned = Vertex(vertex.kind, vertex.lines[::-1])
        vertices = (*network.vertices[:place], turned, *network.vertices[place + 1 :])
        return replace(node, network=Network(vertices, network.lines))
    place = int(rng.integers(len(network.lines)))
    name, irrep = network.lines[place]
    lines = (*network.lines[:place], (name, scene.irrep(irrep)), *network.lines[place + 1 :])
    return replace(node, network=Network(network.vertices, lines))


def _power(scene: Scene, node: Node) -> Node | None:
    """Other orders, caps or basis of a power."""
    if not isinstance(node, Power):
        return None
    how = int(scene.rng.integers(3))
    if how == 0:
        return replace(node, orders=choose(scene.rng, ((1,), (2,), (1, 2), (2, 3))))
    if how == 1:
        return replace(node, inner=scene.irreps(node.inner or node.base.space.irreps))
    return replace(node, basis="reduced" if node.basis == "full" else "full")


def _axis(scene: Scene, node: Node) -> Node | None:
    """Cut, join or permute otherwise."""
    rng = scene.rng
    if isinstance(node, Split):
        return replace(node, groups=int(rng.integers(0, 6)), axis=int(rng.integers(-2, 2)))
    if isinstance(node, Merge):
        return replace(node, axis=int(rng.integers(-3, 3)))
    if isinstance(node, Shuffle):
        order = list(node.order)
        if order and chance(rng, 0.6):
            order[int(rng.integers(len(order)))] = int(rng.integers(0, len(order) + 1))
            return replace(node, order=tuple(order))
        return replace(node, axis=int(rng.integers(-3, 3)))
    return None


def _names(scene: Scene, node: Node) -> Node | None:
    """Use a name that is taken."""
    rng, names = scene.rng, scene.names()
    if isinstance(node, Leg):
        how = int(rng.integers(2))
        return replace(node, name=choose(rng, names)) if how else replace(node, tensor=choose(rng, names))
    if isinstance(node, Label):
        return replace(node, name=choose(rng, names))
    if isinstance(node, Mix):
        others = [item for item in scene.nodes if isinstance(item, Mix | Fuse) and item.name and item != node]
        name = choose(rng, others).name if others else "w"
        return replace(node, coefficients=Buffer(name)) if chance(rng, 0.3) else replace(node, name=name)
    if isinstance(node, Pull | Sum):
        index_map = replace(node.index_map, name=choose(rng, names))
        return replace(node, index_map=index_map)
    return None


def _coefficients(scene: Scene, node: Node) -> Node | None:
    """Constant coefficients of another shape, or for other irreps; other letters of tied ones."""
    rng = scene.rng
    if not isinstance(node, Mix):
        return None
    if isinstance(node.coefficients, Tied) and chance(rng, 0.7):
        tied = node.coefficients
        return replace(node, coefficients=Tied.of(tied.values, tied.tensor_letters, scene.letters(tied.weight_letters)))
    kinds = node.wire.space.irreps.kinds()
    sizes = tuple(int(size) for size in rng.integers(1, 4, size=int(rng.integers(0, 3))))
    table = rng.integers(-2, 3, size=sizes).astype(np.float64).tolist()
    if chance(rng, 0.5):
        return replace(node, coefficients=Constant.of(table), name="")
    chosen = some(rng, kinds, 4) if chance(rng, 0.6) else [scene.irrep(kinds[0]), *kinds]
    return replace(node, coefficients=Constant.of({str(irrep): table for irrep in chosen}), name="")


def _table(scene: Scene, node: Node) -> Node | None:
    """Map each path by itself, or give all irreps one table."""
    if not isinstance(node, Mix):
        return None
    if chance(scene.rng, 0.5):
        return replace(node, each=not node.each, out_paths=1)
    return replace(node, shared=not node.shared)


def _term(scene: Scene, node: Node) -> Node | None:
    """One more term or part."""
    if not isinstance(node, Add | DirectSum):
        return None
    wire = scene.wire(node)
    if isinstance(node, Add):
        return replace(node, terms=(*node.terms, (1.0, wire)))
    return replace(node, parts=(*node.parts, wire))


SLIPS: Mapping[str, Callable[[Scene, Node], Node | None]] = {
    "irreps": _irreps,
    "listed": _listed,
    "path": _path,
    "leg": _leg,
    "pattern": _pattern,
    "sizes": _sizes,
    "map": _map,
    "labels": _labels,
    "rewire": _rewire,
    "function": _function,
    "wrap": _wrap,
    "network": _network,
    "power": _power,
    "axis": _axis,
    "names": _names,
    "coefficients": _coefficients,
    "table": _table,
    "term": _term,
}
"""Every slip, by what it changes."""


def slip(value: Wire | Diagram, rng: np.random.Generator, kinds: Sequence[str] = tuple(SLIPS)) -> Wire | Diagram:
    """Return the diagram with one node changed by a random slip; itself when none of some tries gives another one."""
    diagram = Diagram.of(value)
    nodes = walk_nodes(diagram)
    scene = Scene(rng, nodes, used_maps(diagram))
    for _ in range(_TRIES):
        change, node = SLIPS[choose(rng, kinds)], choose(rng, nodes)
        if any(isinstance(wire, Wire) and not wire.space.irreps for wire in (node, *node.inputs)):
            continue  # an earlier slip left nothing there to choose from
        try:
            other = change(scene, node)
        except FusionError:  # not even the notation allows it
            continue
        if other is None or other == node:
            continue
        found = substitute(diagram, {node: other})
        if found is not None:
            return found
    return value
