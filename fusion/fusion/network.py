"""Fusion networks: graphs of vertices over lines with definite irreps, with any number of open ends.

An expression is the case of one out-end. A network can also split (one line in, two out), bend a line back, and be
closed: bubbles, triangles, 6j and 9j networks are networks without open ends, and their value is a number.

All tensors are those of the real basis (``nbody_cormorant_fusion`` 1.3): a fuse vertex is K(a, b -> c) with
orthonormal rows, a split vertex its transpose, and bending a line is the identity, because K(l, l -> 0) is delta up
to its norm. So bends carry no signs and no factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fusion.display import svg_of
from fusion.errors import NotationError
from fusion.findings import LegError, SelectionRuleError
from fusion.index import CONSTANT_SPACE, check_name
from fusion.inference.common import Inferred, incoming, same_index_space
from fusion.irreps import Irrep, Irreps
from fusion.rules import coupled, violation
from fusion.space import Space
from fusion.violations import Incoming, Violation

KINDS = {"fuse": (2, 1), "split": (1, 2), "cap": (2, 0), "cup": (0, 2)}
"""Number of lines into and out of each kind of vertex. ``cap`` joins two lines, ``cup`` starts two; both are delta."""


@dataclass(frozen=True, slots=True)
class Vertex:
    """One vertex: its kind and the names of its lines, those that enter before those that leave."""

    kind: str
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise NotationError(f"a vertex is one of {', '.join(KINDS)}, not {self.kind[:40]!r}")
        if len(self.lines) != sum(KINDS[self.kind]):
            raise NotationError(f"a {self.kind} vertex has {sum(KINDS[self.kind])} lines, got {len(self.lines)}")

    @property
    def enters(self) -> tuple[str, ...]:
        """Lines that end here."""
        return self.lines[: KINDS[self.kind][0]]

    @property
    def leaves(self) -> tuple[str, ...]:
        """Lines that start here."""
        return self.lines[KINDS[self.kind][0] :]

    @property
    def table_lines(self) -> tuple[str, ...]:
        """Lines in the order of the axes of the vertex tensor: (left, right, coupled) for fuse and split."""
        return (self.lines[1], self.lines[2], self.lines[0]) if self.kind == "split" else self.lines

    def __str__(self) -> str:
        return f"{self.kind} {' '.join((*self.enters, '>', *self.leaves))}"


@dataclass(frozen=True, slots=True)
class Network:
    """Vertices and lines; a line that no vertex starts is an open in-end, one that no vertex ends an open out-end.

    A line that touches no vertex is open at both ends: an identity.

    Attributes:
        vertices: in any order; equality is structural.
        lines: (name, irrep) of every line, sorted by name.
    """

    vertices: tuple[Vertex, ...]
    lines: tuple[tuple[str, Irrep], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(sorted(self.lines)))
        names = [name for name, _ in self.lines]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) != len(names) else []
        if twice:
            raise NotationError(f"lines declared twice: {', '.join(twice)}")
        for name in names:
            check_name(name, "the name of a line")
        missing = sorted({line for vertex in self.vertices for line in vertex.lines} - set(names))
        if missing:
            raise NotationError(f"lines without an irrep: {', '.join(missing)}")
        starts = [line for vertex in self.vertices for line in vertex.leaves]
        ends = [line for vertex in self.vertices for line in vertex.enters]
        for what, lines in (("starts", starts), ("ends", ends)):
            seen: set[str] = set()
            for line in lines:
                if line in seen:
                    raise NotationError(f"line {line!r} {what} at two vertices; a line has two ends")
                seen.add(line)
        if len({irrep.p == 0 for _, irrep in self.lines}) > 1:
            raise NotationError("the lines of a network are of O(3) or of SO(3), not both")

    @property
    def irreps(self) -> dict[str, Irrep]:
        """Irrep of every line."""
        return dict(self.lines)

    @property
    def ins(self) -> tuple[str, ...]:
        """Open in-ends, in the order of the lines."""
        started = {line for vertex in self.vertices for line in vertex.leaves}
        return tuple(name for name, _ in self.lines if name not in started)

    @property
    def outs(self) -> tuple[str, ...]:
        """Open out-ends, in the order of the lines."""
        ended = {line for vertex in self.vertices for line in vertex.enters}
        return tuple(name for name, _ in self.lines if name not in ended)

    def violations(self) -> tuple[Violation, ...]:
        """Return the broken selection rules, one per vertex."""
        irrep = self.irreps
        found: list[Violation] = []
        for vertex in self.vertices:
            labels = [irrep[line] for line in vertex.table_lines]
            if len(labels) == 3:
                why = violation(labels[0], labels[1], labels[2])
                if why is not None:
                    headline = f"vertex '{vertex}' asks for {labels[0]} x {labels[1]} -> {labels[2]}: {why}"
                    options = coupled(labels[0], labels[1])
                    details = (f"reachable from {labels[0]} x {labels[1]}: {', '.join(map(str, options))}",)
                    found.append(
                        Violation("selection", headline, details, asked=(labels[2],), reachable=options, reasons=(why,))
                    )
            elif labels[0] != labels[1]:
                headline = f"vertex '{vertex}' bends a line of {labels[0]} into a line of {labels[1]}"
                found.append(Violation("selection", headline, ("a bend keeps the irrep",), asked=(labels[1],)))
        return tuple(found)

    def check(self) -> None:
        """Raise :class:`SelectionRuleError` with every broken selection rule; do nothing when there is none."""
        found = self.violations()
        if found:
            lines = [line for item in found for line in (item.headline, *(f"    {detail}" for detail in item.details))]
            raise SelectionRuleError(found, "\n".join((*lines, f"    in {self}")))

    def connect(self, other: Network) -> Network:
        """Join two networks: an out-end of one and an in-end of the other with one name become one line.

        Raises:
            LegError: the irreps of joined ends differ, or other lines share a name.
        """
        joined = (set(self.outs) & set(other.ins)) | (set(self.ins) & set(other.outs))
        mine, theirs = self.irreps, other.irreps
        for name in sorted(set(mine) & set(theirs)):
            if name not in joined:
                raise LegError((), f"both networks have a line {name!r} that cannot be joined; rename one")
            if mine[name] != theirs[name]:
                raise LegError((), f"ends {name!r} carry {mine[name]} and {theirs[name]} and cannot be joined")
        return Network((*self.vertices, *other.vertices), tuple(sorted({**mine, **theirs}.items())))

    def close(self, out_end: str, in_end: str) -> Network:
        """Join an open out-end with an open in-end of the same network: a trace.

        The joined line is called ``out_end``; or ``in_end``, when that is a bare line, whose other end stays open.

        Raises:
            LegError: one is not such an end, or their irreps differ.
        """
        self._need(out_end, self.outs, "out")
        self._need(in_end, self.ins, "in")
        irrep = self.irreps
        if irrep[out_end] != irrep[in_end]:
            raise LegError((), f"ends {out_end!r} ({irrep[out_end]}) and {in_end!r} ({irrep[in_end]}) cannot be joined")
        if out_end == in_end:
            twin = self._fresh(out_end)
            return Network(
                (*self.vertices, Vertex("cup", (out_end, twin)), Vertex("cap", (out_end, twin))),
                tuple(sorted((*self.lines, (twin, irrep[out_end])))),
            )
        kept, gone = (in_end, out_end) if in_end in self.outs else (out_end, in_end)
        vertices = tuple(
            replace(vertex, lines=tuple(kept if line == gone else line for line in vertex.lines))
            for vertex in self.vertices
        )
        return Network(vertices, tuple(item for item in self.lines if item[0] != gone))

    def bend(self, end: str, new: str) -> Network:
        """Turn an open end round: an in-end becomes an out-end called ``new``, or the reverse. The numbers stay."""
        if end not in (*self.ins, *self.outs):
            self._need(end, (*self.ins, *self.outs), "in or out")
        kind = "cup" if end in self.ins else "cap"
        return Network(
            (*self.vertices, Vertex(kind, (end, new))), tuple(sorted((*self.lines, (new, self.irreps[end]))))
        )

    def _need(self, end: str, ends: tuple[str, ...], what: str) -> None:
        if end not in ends:
            raise LegError(
                (), f"{end!r} is not an open {what}-end of {self}; open {what}-ends: {', '.join(ends) or 'none'}"
            )

    def _fresh(self, stem: str) -> str:
        number = 1
        while f"{stem}_{number}" in self.irreps:
            number += 1
        return f"{stem}_{number}"

    def __str__(self) -> str:
        vertices = ", ".join(map(str, self.vertices))
        lines = " ".join(f"{name}={irrep}" for name, irrep in self.lines)
        return f"network[{vertices}; {lines}]"

    def __repr__(self) -> str:
        return f"parse_network({str(self)!r})"

    def _repr_svg_(self) -> str | None:
        return svg_of(self)


def vertex(left: str, right: str, out: str) -> Network:
    """A fuse vertex as a network: ``vertex("a=1o", "b=1o", "c=0e")``."""
    lines = tuple(map(_line, (left, right, out)))
    return Network((Vertex("fuse", tuple(name for name, _ in lines)),), tuple(sorted(lines)))


def split_vertex(line: str, left: str, right: str) -> Network:
    """A split vertex, the transpose of a fuse vertex: ``split_vertex("c=0e", "a=1o", "b=1o")``."""
    lines = tuple(map(_line, (line, left, right)))
    return Network((Vertex("split", tuple(name for name, _ in lines)),), tuple(sorted(lines)))


def line(text: str) -> Network:
    """A bare line, the identity: ``line("a=1o")``."""
    return Network((), (_line(text),))


def _line(text: str) -> tuple[str, Irrep]:
    name, equals, irrep = text.partition("=")
    if not equals:
        raise NotationError("a line is written name=irrep, such as a=1o", text or " ", 0)
    return check_name(name.strip(), "the name of a line"), Irrep.parse(irrep.strip())


def infer_apply(network: Network, wires: tuple[tuple[str, Space], ...]) -> Inferred:
    """Space of a network used as a node: one path of its out-end, or of a scalar, channel by channel."""
    violations = list(network.violations())
    irrep = network.irreps
    given = dict(wires)
    for end in network.ins:
        if end not in given:
            violations.append(Violation("leg", f"the network's in-end {end} ({irrep[end]}) has no wire"))
    for place, (end, space) in enumerate(wires):
        if end not in network.ins:
            headline = f"the network has no in-end {end}; its in-ends are {', '.join(network.ins) or 'none'}"
            violations.append(Violation("leg", headline, wires=(Incoming(end, space, place),)))
        elif space.irreps != Irreps(((1, irrep[end]),)):
            headline = f"in-end {end} takes one path of {irrep[end]}"
            wrong = (Incoming(end, space, place),)
            violations.append(Violation("selection", headline, wires=wrong, asked=(irrep[end],)))
    on, found = same_index_space("a network", wires) if wires else (CONSTANT_SPACE, ())
    violations.extend(found)
    channelled = [space for _, space in wires if space.channels]
    if any(space.sizes != channelled[0].sizes for space in channelled):
        headline = "the wires of a network need equal channels, or none"
        violations.append(Violation("channel", headline, wires=incoming(*wires)))
    if len(network.outs) > 1:
        headline = f"an expression has one out-end, this network has {', '.join(network.outs)}"
        violations.append(Violation("leg", headline, ("bend or close the others",)))
    bare = any(item.p == 0 for _, item in network.lines)
    out = irrep[network.outs[0]] if network.outs else Irrep(0, 0 if bare else 1)
    channels = channelled[0].channels if channelled else ()
    return Inferred(Space(Irreps(((1, out),)), channels, on), tuple(violations))
