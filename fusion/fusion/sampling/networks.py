"""Random fusion networks: trees, bubbles, bends and closed networks, with at most one open out-end."""

from __future__ import annotations

import math

import numpy as np

from fusion.dense import evaluate_network
from fusion.irreps import Irrep
from fusion.network import Network, Vertex
from fusion.rules import coupled
from fusion.sampling.draw import chance, choose, random_irrep

MAX_ENTRIES = 60_000
"""Largest product of the dimensions of all lines: the brute-force sum runs over this many terms."""
_L_MAX = 4


class _Builder:
    """A network in the making: its vertices, and the lines that wait for a vertex to end at."""

    def __init__(self, rng: np.random.Generator, parity: bool) -> None:
        self.rng = rng
        self.parity = parity
        self.vertices: list[Vertex] = []
        self.lines: dict[str, Irrep] = {}
        self.waiting: list[str] = []

    def line(self, irrep: Irrep, stem: str = "k") -> str:
        name = f"{stem}{len(self.lines)}"
        self.lines[name] = irrep
        return name

    def open(self, irrep: Irrep) -> None:
        self.waiting.append(self.line(irrep, "x"))

    def cup(self, irrep: Irrep) -> None:
        pair = (self.line(irrep), self.line(irrep))
        self.vertices.append(Vertex("cup", pair))
        self.waiting.extend(pair)

    def fuse(self, left: str, right: str, wanted: Irrep | None = None) -> None:
        options = [irrep for irrep in coupled(self.lines[left], self.lines[right]) if irrep.l <= _L_MAX]
        out = wanted if wanted in options else choose(self.rng, options)
        self.waiting.remove(left)
        self.waiting.remove(right)
        name = self.line(out)
        self.vertices.append(Vertex("fuse", (left, right, name)))
        self.waiting.append(name)

    def split(self, line: str) -> None:
        irrep = self.lines[line]
        left = random_irrep(self.rng, self.parity, 2)
        options = [item for item in coupled(irrep, left) if item.l <= _L_MAX]
        right = choose(self.rng, options)
        self.waiting.remove(line)
        pair = (self.line(left), self.line(right))
        self.vertices.append(Vertex("split", (line, *pair)))
        self.waiting.extend(pair)

    def cap(self, left: str, right: str) -> None:
        self.waiting.remove(left)
        self.waiting.remove(right)
        self.vertices.append(Vertex("cap", (left, right)))

    def pair(self) -> tuple[str, str]:
        first, second = (self.waiting[int(i)] for i in self.rng.permutation(len(self.waiting))[:2])
        return first, second

    def step(self) -> None:
        """Fuse two lines, split one, start a pair or join one."""
        alike = [
            (a, b)
            for i, a in enumerate(self.waiting)
            for b in self.waiting[i + 1 :]
            if self.lines[a] == self.lines[b] and not (a[0] == b[0] == "x")
        ]
        if alike and chance(self.rng, 0.35):
            self.cap(*choose(self.rng, alike))
        elif len(self.waiting) >= 2 and chance(self.rng, 0.6):
            self.fuse(*self.pair())
        elif self.waiting and chance(self.rng, 0.7):
            self.split(choose(self.rng, self.waiting))
        else:
            self.cup(random_irrep(self.rng, self.parity, 2))

    def network(self) -> Network:
        return Network(tuple(self.vertices), tuple(sorted(self.lines.items())))


def random_network(rng: np.random.Generator, ends: list[Irrep], parity: bool) -> Network | None:
    """Draw a network whose in-ends carry ``ends`` (none: a closed network), or ``None`` when the draw is too large."""
    builder = _Builder(rng, parity)
    for irrep in ends:
        builder.open(irrep)
    if not ends:
        builder.cup(random_irrep(rng, parity, 2))
        builder.split(builder.waiting[-1])
    for _ in range(int(rng.integers(0 if len(ends) > 1 else 1, 5))):
        builder.step()
    closed = not ends or chance(rng, 0.2)
    while len(builder.waiting) > 1 and len(builder.vertices) < 12:
        left, right = builder.waiting[:2]
        if builder.lines[left] == builder.lines[right] and chance(rng, 0.5):
            builder.cap(left, right)
        elif closed and len(builder.waiting) == 3:  # couple to the third line where the rules allow it, to cap the two
            builder.fuse(left, right, builder.lines[builder.waiting[2]])
        else:
            builder.fuse(left, right)
    size = math.prod(irrep.dim for irrep in builder.lines.values())
    if len(builder.waiting) > 1 or size > MAX_ENTRIES or len(builder.lines) > 16:
        return None
    network = builder.network()
    bare = set(network.ins) & set(network.outs)
    if bare or (not ends and network.outs):
        return None
    zero = not np.any(np.abs(evaluate_network(network)) > 1e-12)  # for instance a bubble between two degrees
    return None if zero and chance(rng, 0.9) else network


def tetrahedron(rng: np.random.Generator, parity: bool) -> Network:
    """A closed 6j network with random legal labels: four vertices, six lines."""
    while True:
        a, b, c = (random_irrep(rng, parity, 1) for _ in range(3))
        ab, bc = choose(rng, coupled(a, b)), choose(rng, coupled(b, c))
        tops = [irrep for irrep in coupled(ab, c) if irrep in coupled(a, bc)]
        if tops:
            break
    lines = {"a": a, "b": b, "c": c, "ab": ab, "bc": bc, "top": choose(rng, tops)}
    vertices = (
        Vertex("split", ("top", "a", "bc")),
        Vertex("split", ("bc", "b", "c")),
        Vertex("fuse", ("a", "b", "ab")),
        Vertex("fuse", ("ab", "c", "top")),
    )
    return Network(vertices, tuple(sorted(lines.items())))
