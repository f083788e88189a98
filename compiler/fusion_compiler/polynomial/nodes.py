"""Nodes that only the compiler makes: vertices and linear maps that name every path they use.

A fuse couples all paths of two wires, and a mix has one weight for every path of an irrep. Rewrites need to say more:
which couplings, with which sign, into which path; and weights that are linear images of declared ones. Rewritten
diagrams print these nodes, but the notation does not read them back; :mod:`fusion_compiler.polynomial.plain` writes
them out in the language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.couplings import fuse_paths, numbered
from fusion.diagram import Fuse, Label, Wire
from fusion.inference.common import Inferred
from fusion.inference.coupling import infer_fuse
from fusion.inference.linear import infer_mix
from fusion.irreps import Irrep, Irreps
from fusion.pattern import Pattern
from fusion.printing import Child, Focus, Piece
from fusion_compiler.layout import Path


@dataclass(frozen=True, slots=True)
class Coupled:
    """One term of a :class:`Couple`: a path of each wire, the path of the result that it adds to, and a factor."""

    left: Path
    right: Path
    out: Path
    factor: float = 1.0

    def __str__(self) -> str:
        factor = "" if self.factor == 1.0 else f"{self.factor:.6g} "
        return f"{factor}{_text(self.left)}*{_text(self.right)}->{_text(self.out)}"


@dataclass(frozen=True, slots=True)
class Moved:
    """One term of a :class:`Recombine`: a path of the wire, the path of the result that it adds to, and a factor."""

    path: Path
    out: Path
    factor: float = 1.0

    def __str__(self) -> str:
        factor = "" if self.factor == 1.0 else f"{self.factor:.6g} "
        return f"{factor}{_text(self.path)}->{_text(self.out)}"


@dataclass(frozen=True, slots=True)
class Column:
    """Paths of the result of a :class:`Weigh` that take their weights from one declared tensor.

    Attributes:
        irrep: of the paths, of the wire and of the result.
        tensor: name of the declared coefficients.
        shape: their shape, (*classes, paths out, paths in, *letters).
        picks: the declared path out whose weights each path of the result takes, in the order of the result.
        rows: the paths of the wire that enter.
        paths: number of declared paths in.
        entries: ``(s, p, factor)``: the weight of the path ``rows[s]`` is the sum of ``factor * declared[p]``.
    """

    irrep: Irrep
    tensor: str
    shape: tuple[int, ...]
    picks: tuple[int, ...]
    rows: tuple[int, ...]
    paths: int
    entries: tuple[tuple[int, int, float], ...]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The entries as a matrix (rows, declared paths in)."""
        found = np.zeros((len(self.rows), self.paths))
        for row, path, factor in self.entries:
            found[row, path] = factor
        return found

    def __str__(self) -> str:
        source = f"{self.tensor}[{','.join(map(str, self.picks))}]"
        return f"{self.irrep}[{','.join(map(str, self.rows))}] by {source}"


@dataclass(frozen=True, eq=False, repr=False)
class Couple(Wire):
    """A vertex that lists its couplings: ``out[c] = sum of factor * K(left[a], right[b] -> c)`` over its terms."""

    left: Wire
    right: Wire
    pattern: Pattern
    terms: tuple[Coupled, ...]
    irreps: Irreps

    def infer(self) -> Inferred:
        triples = tuple(dict.fromkeys((term.left[0], term.right[0], term.out[0]) for term in self.terms))
        found = infer_fuse(self.left.space, self.right.space, self.pattern, {}, None, triples, same_wire=False)
        errors = tuple(item for item in found.violations if item.severity == "error")
        return Inferred(found.space.replace(irreps=self.irreps), errors)

    @property
    def square(self) -> bool:
        """Whether both operands are one value with the same letters, so that products commute within it."""
        return self.left.value_key == self.right.value_key and self.pattern.operands[0] == self.pattern.operands[1]

    def pieces(self) -> Sequence[Piece]:
        return (
            "couple(",
            Child(self.left),
            ", ",
            Child(self.right),
            Focus(f", {self.pattern}, {_listed(self.terms)}"),
            ")",
        )


@dataclass(frozen=True, eq=False, repr=False)
class Unshared(Fuse):
    """A fuse that one of its users forms for itself, so that it can be contracted together with it.

    Equal fuses are one node, formed once; ``user`` tells those apart that are not to be. The value is the same.
    """

    user: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value_key", self.shared.value_key)

    @property
    def shared(self) -> Fuse:
        """The fuse as all its users share it."""
        return Fuse(self.left, self.right, self.pattern, self.sizes, self.coupled, self.triples, self.name)


def terms_of(node: Fuse | Couple) -> tuple[Coupled, ...]:
    """Return the couplings of an unweighted vertex."""
    if isinstance(node, Couple):
        return node.terms
    paths = numbered(fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples))
    return tuple(Coupled((p.left, p.left_path), (p.right, p.right_path), out) for out, p in paths.items())


@dataclass(frozen=True, eq=False, repr=False)
class Recombine(Wire):
    """Paths of a wire linearly combined with constant factors; channels are untouched."""

    wire: Wire
    terms: tuple[Moved, ...]
    irreps: Irreps

    def infer(self) -> Inferred:
        return Inferred(self.wire.space.replace(irreps=self.irreps))

    def pieces(self) -> Sequence[Piece]:
        return (Child(self.wire), Focus(f".recombine({_listed(self.terms)})"))


@dataclass(frozen=True, eq=False, repr=False)
class Weigh(Wire):
    """A mix whose weights are linear images of declared ones (see :class:`Column`)."""

    wire: Wire
    pattern: Pattern
    sizes: tuple[tuple[str, int], ...]
    per: tuple[Label, ...]
    columns: tuple[Column, ...]

    def infer(self) -> Inferred:
        labels = tuple((label.name, label.space.on) for label in self.per)
        found = infer_mix(self.wire.space, self.pattern, dict(self.sizes), 1, labels)
        counts: dict[Irrep, int] = {}
        for column in self.columns:
            counts[column.irrep] = counts.get(column.irrep, 0) + len(column.picks)
        irreps = Irreps(tuple((count, irrep) for irrep, count in counts.items()))
        return Inferred(found.space.replace(irreps=irreps), found.violations)

    def pieces(self) -> Sequence[Piece]:
        per = ", per=" + " ".join(label.text for label in self.per) if self.per else ""
        return (Child(self.wire), Focus(f".weigh({self.pattern}{per}, {_listed(self.columns)})"))


def _text(path: Path) -> str:
    return f"{path[0]}.{path[1]}" if path[1] else str(path[0])


def _listed(items: Sequence[object]) -> str:
    return "; ".join(map(str, items))
