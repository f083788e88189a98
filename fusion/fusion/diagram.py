"""The nodes of the language and the operators that build them.

A diagram is an immutable expression over typed wires. Every node of the design's table is a class here; users write
them through :func:`leg`, :func:`label`, :func:`weights`, :func:`add` and the operators and methods of :class:`Wire`:

    ``a @ b`` fuse, ``x["0e+1o"]`` select coupled irreps, ``a + b`` direct sum, ``0.5 * a`` constant factor.

What each node computes is defined in ``docs/conventions.md`` and, executably, in :mod:`fusion.dense`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, cast

from fusion.arguments import (
    Sizes,
    finite,
    identifier,
    letter_sizes_of,
    optional_identifier,
    positive,
    radial_count,
    whole,
    wholes,
)
from fusion.coefficients import LEARNED, Buffer, Coefficients, Constant, Learned, Tied
from fusion.couplings import Triple
from fusion.display import svg_of
from fusion.errors import LimitError, NotationError
from fusion.functions import ACROSS, ELEMENTWISE
from fusion.index import STANDARD_MAPS, IndexMap, check_name, resolve_map
from fusion.inference.channels import infer_merge, infer_reorder, infer_shuffle, infer_split
from fusion.inference.common import Inferred
from fusion.inference.coupling import infer_fuse, infer_power
from fusion.inference.index import index_space_of, infer_pull, infer_sum
from fusion.inference.invariant import infer_geometry, infer_map
from fusion.inference.linear import infer_add, infer_direct_sum, infer_mix, infer_scale, infer_select
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.limits import MAX_CLASSES, MAX_LABEL_MAPS, MAX_LABELS, MAX_PATHS
from fusion.network import Network, Vertex, infer_apply
from fusion.node import Node
from fusion.pattern import Pattern
from fusion.printing import ATOM, FUSE, SUM, Child, Focus, Piece, print_outputs, walk
from fusion.space import Channels, Space, channel_axes
from fusion.violations import Violation


def _size_text(sizes: Sizes) -> str:
    return "".join(f", {letter}={size}" for letter, size in sizes)


class Wire(Node):
    """A node whose value is covariant: everything but a label."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # every concrete node is a dataclass
            _check_parts(type(self).__name__.lower(), str(field.type), getattr(self, field.name))
        super().__post_init__()

    def __matmul__(self, other: Wire) -> Fuse:
        left, right = _meet(self, other)
        return Fuse(left, right)

    def __add__(self, other: Wire) -> DirectSum:
        return DirectSum((self, other))

    def __mul__(self, factor: float) -> Add:
        return Add(((finite(factor), self),))

    __rmul__ = __mul__

    def __neg__(self) -> Add:
        return Add(((-1.0, self),))

    def __getitem__(self, irreps: str | Irreps | Irrep | Wire) -> Wire:
        """Keep only these irreps; a fuse or power then couples to nothing else. A wire means its irreps."""
        wanted = irreps.space.irreps if isinstance(irreps, Wire) else Irreps.parse(irreps)
        kinds = irreps_of(wanted.kinds())
        if not kinds:
            raise NotationError("a selection needs at least one irrep")
        if isinstance(self, Fuse) and self.coupled is None and self.triples is None:
            return replace(self, coupled=kinds)
        if isinstance(self, Power) and self.coupled is None:
            return replace(self, coupled=kinds)
        return Select(self, tuple((irrep, None) for irrep in kinds.kinds()))

    def select(self, keep: Mapping[str, Sequence[int] | None]) -> Select:
        """Keep single paths, or all of an irrep: ``x.select({"0e": None, "1o": [0, 2]})``."""
        chosen = {
            Irrep.parse(irrep): None if paths is None else wholes(paths, "a path") for irrep, paths in keep.items()
        }
        return Select(self, tuple((irrep, chosen[irrep]) for irrep in sorted(chosen)))

    def power(
        self,
        *orders: int,
        basis: str = "full",
        inner: str | Irreps | None = None,
    ) -> Power:
        """Symmetric products of the wire with itself, channel by channel, orders side by side.

        Args:
            orders: numbers of factors, for instance ``1, 2, 3``.
            basis: ``"full"`` (every left comb of fuses) or ``"reduced"`` (an independent set of them).
            inner: the irreps allowed on inner lines; all of them when ``None``.
        """
        lines = None if inner is None else irreps_of(Irreps.parse(inner).kinds())
        return Power(self, wholes(orders, "the order of a power"), basis, None, lines)

    def mix(
        self,
        pattern: str,
        *,
        per: Label | Sequence[Label] = (),
        paths: int | str = 1,
        shared: bool = False,
        name: str = "",
        constant: object = None,
        buffer: str = "",
        tied: tuple[object, str, str] | None = None,
        **sizes: int,
    ) -> Mix:
        """Linear map per irrep on (channels, paths).

        Args:
            pattern: ``"u->u"`` diagonal, ``"u->v"`` full, ``"gu->gv"`` grouped; sizes of new letters as keywords.
            per: label legs; every class has its own coefficients. A wire on ``constant`` comes to the labels' space.
            paths: number of paths of each irrep of the result; all paths of the input are summed into each. With
                ``"each"`` every path is mapped by itself, and the paths stay as they are.
            shared: whether all irreps have the same coefficients, one tensor called as the node; each irrep then needs
                the same number of paths. Constants are shared unless they are given per irrep.
            name: name of the coefficients; equal names with equal shapes on different nodes are refused.
            constant: constant coefficients, a number, a nested sequence, or one per irrep ``{"0e": ..., "1o": ...}``.
            buffer: name of constant coefficients that are fitted and bound later, such as a PCA.
            tied: ``(tensor, tensor letters, weight letters)``: coefficients = constant tensor x learned tensor.
        """
        given = [constant is not None, bool(buffer), tied is not None]
        if sum(given) > 1:
            raise NotationError("give at most one of constant=, buffer= and tied=")
        coefficients: Coefficients = LEARNED
        if constant is not None:
            coefficients = Constant.of(constant)
        elif buffer:
            coefficients = Buffer(identifier(buffer))
        elif tied is not None:
            coefficients = Tied.of(*tied)
        labels = (per,) if isinstance(per, Label) else tuple(per)
        own = optional_identifier(name)
        if isinstance(paths, str) and paths != "each":
            raise NotationError(f"the paths of a mix are a number or 'each', not {paths[:40]!r}")
        each = isinstance(paths, str)
        count = 1 if isinstance(paths, str) else whole(paths, "the number of paths")
        form = Pattern.parse(pattern, 1)
        return Mix(self, form, letter_sizes_of(sizes), count, labels, coefficients, own, each, shared)

    def scale(self, by: Wire | Weights, pattern: str | None = None) -> Scale:
        """Multiply by an invariant wire, matched or broadcast on (irrep, path, channel).

        Args:
            by: an invariant wire with one path in all, one per irrep or one per path, or ``weights(...)``.
            pattern: channels of wire and scale, such as ``"gu,g->gu"``; equal or absent channels need none.
        """
        if isinstance(by, Weights):
            scalar = Irrep(0, 0 if any(irrep.p == 0 for _, irrep in self.space.irreps) else 1)
            paths = Irreps(((max(1, self.space.irreps.paths), scalar),))
            by = Leg(by.name, Space(paths, self.space.channels, by.on))
        left, right = _meet(self, by)
        return Scale(left, right, None if pattern is None else Pattern.parse(pattern, 2))

    def map(self, function: str) -> Map:
        """Apply a registered elementwise function to every component; the wire must be invariant."""
        if function not in ELEMENTWISE:
            known = ", ".join(sorted(ELEMENTWISE))
            hint = f"; write .{function}(...)" if function in ACROSS else ""
            raise NotationError(f"unknown elementwise function {function[:80]!r}{hint}; known: {known}")
        return Map(self, function)

    def layer_norm(self) -> Map:
        """Subtract the mean and divide by the deviation over all channels of each path; invariant wires only."""
        return Map(self, "layer_norm")

    def softmax(self, over: IndexMap | str) -> Map:
        """Softmax over the rows with the same image under a map, such as ``"receiver"``; invariant wires only."""
        return Map(self, "softmax", resolve_map(over))

    def harmonics(self, l_max: int, normalization: str = "component") -> Geometry:
        """Real spherical harmonics of the direction of a displacement, l = 0 .. l_max.

        ``normalization`` is ``component`` (square sum 2 l + 1), ``norm`` (1) or ``integral`` ((2 l + 1) / 4 pi). At
        zero displacement l = 0 is as elsewhere and l > 0 is zero.
        """
        return Geometry(self, "harmonics", whole(l_max, "l_max"), (), normalization)

    def solid_harmonics(self, l_max: int) -> Geometry:
        """Solid harmonics R_l of a displacement, l = 0 .. l_max, with norm r**l."""
        return Geometry(self, "solid_harmonics", whole(l_max, "l_max"))

    def length(self) -> Geometry:
        """Length of a displacement."""
        return Geometry(self, "length", 1)

    def bessel(self, count: int, cutoff: float) -> Geometry:
        """Bessel radial basis sqrt(2 / c) sin(n pi r / c) / r, n = 1 .. count, on a channel axis ``n``."""
        return Geometry(self, "bessel", radial_count(count), (positive(cutoff),))

    def gaussian(self, count: int, cutoff: float) -> Geometry:
        """Gaussians exp(-(r - mu_n)^2 / (2 d^2)), mu_n evenly from 0 to the cutoff, d their distance, on axis ``n``."""
        return Geometry(self, "gaussian", radial_count(count), (positive(cutoff),))

    def cutoff(self, cutoff: float, p: int = 6) -> Geometry:
        """Polynomial cutoff of order p: 1 at r = 0, 0 with two vanishing derivatives at the cutoff and beyond."""
        if not 2 <= whole(p, "the order of the polynomial cutoff") <= 64:
            raise NotationError(f"the order of the polynomial cutoff must be from 2 to 64, got {p!r}")
        return Geometry(self, "cutoff", 1, (positive(cutoff), float(p)))

    def cosine_cutoff(self, cutoff: float) -> Geometry:
        """Cosine cutoff (1 + cos(pi r / c)) / 2: 1 at r = 0, 0 with a vanishing derivative at the cutoff and beyond."""
        return Geometry(self, "cosine_cutoff", 1, (positive(cutoff),))

    def pull(self, index_map: IndexMap | str) -> Pull:
        """Gather along a map: row i of the result is row ``map[i]`` of the wire."""
        return Pull(self, resolve_map(index_map))

    def sum(self, index_map: IndexMap | str, by: Label | None = None) -> Sum:
        """Add all rows with the same image; ``by`` keeps the classes of a label apart on a new first channel axis."""
        return Sum(self, resolve_map(index_map), by)

    def split(self, parts: int, axis: int = -1) -> Split:
        """Cut a channel axis into ``parts`` groups: axis n becomes (parts, n / parts)."""
        return Split(self, whole(parts, "the number of parts"), whole(axis, "a channel axis"))

    def merge(self, axis: int = -1) -> Merge:
        """Join a channel axis with the one before it; the inverse of :meth:`split`."""
        return Merge(self, whole(axis, "a channel axis"))

    def reorder(self, pattern: str) -> Reorder:
        """Permute whole channel axes, as in ``"gu->ug"``."""
        return Reorder(self, Pattern.parse(pattern, 1))

    def shuffle(self, order: Sequence[int], axis: int = -1) -> Shuffle:
        """Permute the entries of a channel axis: entry i of the result is entry ``order[i]`` of the wire."""
        return Shuffle(self, wholes(order, "an entry of a shuffle"), whole(axis, "a channel axis"))

    def roll(self, shift: int, axis: int = -1) -> Shuffle:
        """Cyclic shuffle: entry i of the result is entry ``(i + shift) mod n`` (FreeCG's convention)."""
        axes = self.space.sizes
        place, start = whole(axis, "a channel axis"), whole(shift, "a shift")
        size = axes[place] if -len(axes) <= place < len(axes) else 1
        return Shuffle(self, tuple((i + start) % size for i in range(size)), place)

    def _repr_svg_(self) -> str | None:
        return svg_of(self)


@dataclass(frozen=True, eq=False, repr=False)
class Leg(Wire):
    """An external wire. Two legs with one ``tensor`` are declared to be the same tensor."""

    name: str
    declared: Space
    tensor: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tensor:
            object.__setattr__(self, "value_key", replace(self, name=self.tensor, tensor="").key)

    def infer(self) -> Inferred:
        return Inferred(self.declared)

    @property
    def source(self) -> str:
        """Name of the tensor that is given at run time."""
        return self.tensor or self.name

    @property
    def declaration(self) -> str:
        axes = "".join(f", {name}={size}" for name, size in self.space.channels)
        same = f", same {self.tensor}" if self.tensor else ""
        return f"leg {self.name}: {self.space.irreps}{axes}, on {self.space.on}{same}"

    def pieces(self) -> Sequence[Piece]:
        return (Focus(self.name),)


@dataclass(frozen=True, eq=False, repr=False)
class Label(Node):
    """A leg of integers 0 .. classes - 1 (element, bond type), possibly pulled along maps."""

    name: str
    classes: int
    on: str
    maps: tuple[IndexMap, ...] = ()

    def __post_init__(self) -> None:
        if len(self.maps) > MAX_LABEL_MAPS:
            raise LimitError(f"label {self.name!r} is pulled along more than {MAX_LABEL_MAPS} maps")
        super().__post_init__()

    def infer(self) -> Inferred:
        on = self.on
        violations: list[Violation] = []
        for step in self.maps:
            violations.extend(index_space_of(f"a pull of label {self.name}", on, step, "target"))
            on = step.source
        return Inferred(Space(Irreps(()), (), on), tuple(violations))

    def pull(self, index_map: IndexMap | str) -> Label:
        """Gather the label along a map."""
        return replace(self, maps=(*self.maps, resolve_map(index_map)))

    @property
    def declaration(self) -> str:
        return f"label {self.name}: {self.classes}, on {self.on}"

    def pieces(self) -> Sequence[Piece]:
        return (Focus(self.text),)

    def __repr__(self) -> str:
        pulls = "".join(f".pull({str(step)!r})" for step in self.maps)
        return f"label({self.name!r}, {self.classes}, on={self.on!r}){pulls}"

    @property
    def text(self) -> str:
        """The label with its pulls, as in ``z.pull(sender)``."""
        return self.name + "".join(f".pull({step})" for step in self.maps)


class Weights(NamedTuple):
    """A leg of weights whose space is taken from the wire it scales; made by :func:`weights`."""

    name: str
    on: str


@dataclass(frozen=True, eq=False, repr=False)
class Fuse(Wire):
    """Trivalent vertex: the two wires coupled by K, with orthonormal rows, and nothing else."""

    left: Wire
    right: Wire
    pattern: Pattern | None = None
    sizes: Sizes = ()
    coupled: Irreps | None = None
    triples: tuple[Triple, ...] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.coupled is not None and self.triples is not None:
            raise NotationError("a fuse has a filter on the coupled irreps or an explicit list of paths, not both")
        super().__post_init__()

    def infer(self) -> Inferred:
        return infer_fuse(
            self.left.space,
            self.right.space,
            self.pattern,
            dict(self.sizes),
            self.coupled,
            self.triples,
            same_wire=self.left.value_key == self.right.value_key,
        )

    @property
    def weighted(self) -> bool:
        """Whether the pattern has new letters, so that the couplings carry learned weights."""
        return self.pattern is not None and bool(self.pattern.new_letters)

    def on(self, pattern: str, *, paths: Sequence[str | Triple] | None = None, name: str = "", **sizes: int) -> Fuse:
        """State the channel pattern and, with ``paths``, the ordered couplings such as ``"1o*1o->2e"``."""
        triples = self.triples if paths is None else tuple(_triple(item) for item in paths)
        own = optional_identifier(name)
        return replace(self, pattern=Pattern.parse(pattern, 2), sizes=letter_sizes_of(sizes), triples=triples, name=own)

    def paths(self, *paths: str | Triple) -> Fuse:
        """Keep exactly these couplings, in this order."""
        return replace(self, triples=tuple(_triple(item) for item in paths))

    @property
    def strength(self) -> int:
        plain = self.pattern is None and self.coupled is None and self.triples is None
        return FUSE if plain else super().strength

    def pieces(self) -> Sequence[Piece]:
        core: list[Piece] = [Child(self.left, FUSE), " ", Focus("@"), " ", Child(self.right)]
        if self.strength == FUSE:
            return core
        out: list[Piece] = ["(", Child(self.left, FUSE), " @ ", Child(self.right), ")"]
        if self.pattern is not None:
            name = f", name={self.name}" if self.name else ""
            out.append(Focus(f".on({self.pattern}{_size_text(self.sizes)}{name})"))
        if self.triples is not None:
            out.append(Focus(".paths(" + ", ".join(f"{a}*{b}->{c}" for a, b, c in self.triples) + ")"))
        if self.coupled is not None:
            out.extend(("[", Focus(str(self.coupled)), "]"))
        return out


@dataclass(frozen=True, eq=False, repr=False)
class Power(Wire):
    """Symmetric products of one wire with itself (see :meth:`Wire.power`)."""

    base: Wire
    orders: tuple[int, ...]
    basis: str = "full"
    coupled: Irreps | None = None
    inner: Irreps | None = None

    def __post_init__(self) -> None:
        if self.basis not in ("full", "reduced"):
            raise NotationError(f"the basis of a power is full or reduced, not {self.basis!r}")
        if not self.orders or len(set(self.orders)) != len(self.orders):
            raise NotationError(f"a power needs distinct orders, got {self.orders}")
        super().__post_init__()

    def infer(self) -> Inferred:
        return infer_power(self.base.space, self.orders, self.basis, self.coupled, self.inner)

    def pieces(self) -> Sequence[Piece]:
        inner = f", inner={self.inner}" if self.inner is not None else ""
        text = f".power({', '.join(map(str, self.orders))}, basis={self.basis}{inner})"
        out: list[Piece] = [Child(self.base), Focus(text)]
        if self.coupled is not None:
            out.append(f"[{self.coupled}]")
        return out


@dataclass(frozen=True, eq=False, repr=False)
class Mix(Wire):
    """Linear map per irrep on (channels, paths) (see :meth:`Wire.mix`)."""

    wire: Wire
    pattern: Pattern
    sizes: Sizes = ()
    out_paths: int = 1
    per: tuple[Label, ...] = ()
    coefficients: Coefficients = LEARNED
    name: str = ""
    each: bool = False
    shared: bool = False

    def __post_init__(self) -> None:
        if self.each and self.out_paths != 1:
            raise NotationError("a mix of each path by itself gives one path for each, and takes no number of paths")
        if self.shared and isinstance(self.coefficients, Constant):
            raise NotationError("a constant is the same for all irreps unless it is given per irrep; leave out shared")
        if not 1 <= self.out_paths <= MAX_PATHS:
            raise NotationError(f"a mix gives 1 to {MAX_PATHS} paths of each irrep, not {self.out_paths}")
        if len(self.per) > MAX_LABELS:
            raise LimitError(f"a mix takes its coefficients by at most {MAX_LABELS} labels, got {len(self.per)}")
        super().__post_init__()

    def infer(self) -> Inferred:
        labels = tuple((label.name, label.space.on) for label in self.per)
        paths = None if self.each else self.out_paths
        return infer_mix(self.wire.space, self.pattern, dict(self.sizes), paths, labels, self.shared)

    def pieces(self) -> Sequence[Piece]:
        text = str(self.pattern) + _size_text(self.sizes)
        if self.out_paths != 1:
            text += f", paths={self.out_paths}"
        text += ", paths=each" if self.each else ""
        if self.per:
            text += ", per=" + " ".join(label.text for label in self.per)
        if not isinstance(self.coefficients, Learned):
            text += f", {self.coefficients}"
        text += ", shared=True" if self.shared else ""
        if self.name:
            text += f", name={self.name}"
        return (Child(self.wire), Focus(f".mix({text})"))


@dataclass(frozen=True, eq=False, repr=False)
class Scale(Wire):
    """Multiply a wire by an invariant one (see :meth:`Wire.scale`)."""

    wire: Wire
    by: Wire
    pattern: Pattern | None = None

    def infer(self) -> Inferred:
        return infer_scale(self.wire.space, self.by.space, self.pattern)

    def pieces(self) -> Sequence[Piece]:
        tail = f", {self.pattern})" if self.pattern is not None else ")"
        return (Child(self.wire), Focus(".scale"), "(", Child(self.by, SUM), tail)


@dataclass(frozen=True, eq=False, repr=False)
class Add(Wire):
    """Linear combination of wires of one space with constant coefficients."""

    terms: tuple[tuple[float, Wire], ...]

    def infer(self) -> Inferred:
        return infer_add(tuple(wire.space for _, wire in self.terms))

    def pieces(self) -> Sequence[Piece]:
        out: list[Piece] = [Focus("add"), "("]
        for position, (factor, wire) in enumerate(self.terms):
            out.append(", " if position else "")
            if factor != 1.0:
                out.append(f"{factor!r} * ")
            out.append(Child(wire, SUM if factor == 1.0 else ATOM))
        return (*out, ")")


@dataclass(frozen=True, eq=False, repr=False)
class Map(Wire):
    """Registered smooth function of invariants; ``over`` is the map of a softmax."""

    wire: Wire
    function: str
    over: IndexMap | None = None

    def infer(self) -> Inferred:
        return infer_map(self.wire.space, self.function, self.over)

    def pieces(self) -> Sequence[Piece]:
        text = f".map({self.function})" if self.function in ELEMENTWISE else f".{self.function}({self.over or ''})"
        return (Child(self.wire), Focus(text))


@dataclass(frozen=True, eq=False, repr=False)
class Geometry(Wire):
    """Function of one displacement: harmonics, length, radial basis or cutoff."""

    wire: Wire
    function: str
    count: int
    lengths: tuple[float, ...] = ()
    normalization: str = ""

    def __post_init__(self) -> None:
        if self.function == "harmonics" and self.normalization not in ("component", "norm", "integral"):
            raise NotationError(f"harmonics are normalised as component, norm or integral, not {self.normalization!r}")
        super().__post_init__()

    def infer(self) -> Inferred:
        return infer_geometry(self.wire.space, self.function, self.count)

    def pieces(self) -> Sequence[Piece]:
        arguments = {
            "harmonics": f"{self.count}, {self.normalization}",
            "solid_harmonics": f"{self.count}",
            "length": "",
            "bessel": f"{self.count}, {self.lengths[0] if self.lengths else 0!r}",
            "gaussian": f"{self.count}, {self.lengths[0] if self.lengths else 0!r}",
            "cutoff": f"{self.lengths[0]!r}, {int(self.lengths[1])}" if len(self.lengths) > 1 else "",
            "cosine_cutoff": f"{self.lengths[0] if self.lengths else 0!r}",
        }[self.function]
        return (Child(self.wire), Focus(f".{self.function}({arguments})"))


@dataclass(frozen=True, eq=False, repr=False)
class Pull(Wire):
    """Gather along an index map."""

    wire: Wire
    index_map: IndexMap

    def infer(self) -> Inferred:
        return infer_pull(self.wire.space, self.index_map)

    def pieces(self) -> Sequence[Piece]:
        return (Child(self.wire), Focus(f".pull({self.index_map})"))


@dataclass(frozen=True, eq=False, repr=False)
class Sum(Wire):
    """Add the rows with one image under an index map, keeping the classes of ``by`` apart."""

    wire: Wire
    index_map: IndexMap
    by: Label | None = None

    def infer(self) -> Inferred:
        by = None if self.by is None else (self.by.name, self.by.classes, self.by.space.on)
        return infer_sum(self.wire.space, self.index_map, by)

    def pieces(self) -> Sequence[Piece]:
        by = f", by={self.by.text}" if self.by is not None else ""
        return (Child(self.wire), Focus(f".sum({self.index_map}{by})"))


@dataclass(frozen=True, eq=False, repr=False)
class DirectSum(Wire):
    """Paths of all parts side by side, in the order of the parts."""

    parts: tuple[Wire, ...]

    def __post_init__(self) -> None:
        if isinstance(self.parts[0], DirectSum):  # (a + b) + c is a + b + c, as the text reads
            object.__setattr__(self, "parts", (*self.parts[0].parts, *self.parts[1:]))
        super().__post_init__()

    def infer(self) -> Inferred:
        return infer_direct_sum(tuple(part.space for part in self.parts))

    @property
    def strength(self) -> int:
        return SUM

    def pieces(self) -> Sequence[Piece]:
        out: list[Piece] = [Child(self.parts[0], FUSE)]
        for part in self.parts[1:]:
            out.extend((" ", Focus("+"), " ", Child(part, FUSE)))
        return out


@dataclass(frozen=True, eq=False, repr=False)
class Select(Wire):
    """Keep some irreps, or single paths of them."""

    wire: Wire
    keep: tuple[tuple[Irrep, tuple[int, ...] | None], ...]

    def infer(self) -> Inferred:
        return infer_select(self.wire.space, self.keep)

    def pieces(self) -> Sequence[Piece]:
        kinds = [irrep for irrep, paths in self.keep if paths is None]
        if len(kinds) == len(self.keep) and len({irrep.group for irrep in kinds}) == 1:
            # a selection right behind a fuse or power without its own filter would be read as that filter
            bare = isinstance(self.wire, Power) and self.wire.coupled is None
            bare = bare or (isinstance(self.wire, Fuse) and self.wire.coupled is None and self.wire.triples is None)
            if not bare:
                return (Child(self.wire), "[", Focus(str(irreps_of(kinds))), "]")
        items = ", ".join(
            f"{irrep}: {'all' if paths is None else ' '.join(map(str, paths))}" for irrep, paths in self.keep
        )
        return (Child(self.wire), Focus(f".select({items})"))


@dataclass(frozen=True, eq=False, repr=False)
class Split(Wire):
    """Cut a channel axis into groups."""

    wire: Wire
    groups: int
    axis: int = -1

    def infer(self) -> Inferred:
        return infer_split(self.wire.space, self.groups, self.axis)

    def pieces(self) -> Sequence[Piece]:
        return (Child(self.wire), Focus(f".split({self.groups}{_axis_text(self.axis)})"))


@dataclass(frozen=True, eq=False, repr=False)
class Merge(Wire):
    """Join a channel axis with the one before it."""

    wire: Wire
    axis: int = -1

    def infer(self) -> Inferred:
        return infer_merge(self.wire.space, self.axis)

    def pieces(self) -> Sequence[Piece]:
        return (Child(self.wire), Focus(f".merge({_axis_text(self.axis).removeprefix(', ')})"))


@dataclass(frozen=True, eq=False, repr=False)
class Reorder(Wire):
    """Permute whole channel axes."""

    wire: Wire
    pattern: Pattern

    def infer(self) -> Inferred:
        return infer_reorder(self.wire.space, self.pattern)

    def pieces(self) -> Sequence[Piece]:
        return (Child(self.wire), Focus(f".reorder({self.pattern})"))


@dataclass(frozen=True, eq=False, repr=False)
class Shuffle(Wire):
    """Permute the entries of one channel axis."""

    wire: Wire
    order: tuple[int, ...]
    axis: int = -1

    def infer(self) -> Inferred:
        return infer_shuffle(self.wire.space, self.order, self.axis)

    def pieces(self) -> Sequence[Piece]:
        size = len(self.order)
        shift = self.order[0] if self.order else 0
        rolled = not self.violations and self.order == tuple((i + shift) % size for i in range(size))
        text = f"roll({shift}" if rolled else f"shuffle({' '.join(map(str, self.order))}"
        return (Child(self.wire), Focus(f".{text}{_axis_text(self.axis)})"))


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Wire):
    """A closed or open fusion network as a node: wires enter its in-ends, its one out-end is the result.

    A network without out-ends gives a number per row; without any open end, one constant number.
    """

    network: Network
    wires: tuple[tuple[str, Wire], ...] = ()

    def infer(self) -> Inferred:
        return infer_apply(self.network, tuple((end, wire.space) for end, wire in self.wires))

    @property
    def is_one(self) -> bool:
        """Whether this is the number one as :func:`one` writes it."""
        return not self.wires and self.network in _ONE.values()

    def pieces(self) -> Sequence[Piece]:
        if self.is_one:
            return (Focus("one(0)" if self.network.lines else "one()"),)
        out: list[Piece] = [Focus(str(self.network)), "("]
        for position, (end, wire) in enumerate(self.wires):
            out.extend((f"{', ' if position else ''}{end}=", Child(wire, SUM)))
        return (*out, ")")


def leg(name: str, irreps: str | Irreps, *, channels: Channels = None, on: str = "atom", same: str = "") -> Leg:
    """Declare an external wire.

    Args:
        name: its name; also the name of its tensor at run time.
        irreps: e3nn text; multiplicities count paths. The order is made canonical (see :class:`fusion.space.Space`).
        channels: a size, several sizes, or named sizes ``{"n": 8, "a": 3}``; none when left out.
        on: index space.
        same: name of another leg of which this one is declared to be the same tensor.
    """
    space = Space(Irreps.parse(irreps).canonical(), channel_axes(channels), check_name(on, "an index space"))
    if not space.irreps:
        raise NotationError(f"leg {name!r} needs at least one irrep")
    return Leg(identifier(name), space, identifier(same) if same else "")


def label(name: str, classes: int, *, on: str = "atom") -> Label:
    """Declare a leg of integers 0 .. classes - 1."""
    if type(classes) is not int or classes < 1:
        raise NotationError(f"label {name!r} needs a positive number of classes, got {classes!r}")
    if classes > MAX_CLASSES:
        raise LimitError(f"label {name!r} has {classes} classes, above the limit of {MAX_CLASSES}")
    return Label(identifier(name), classes, check_name(on, "an index space"))


def weights(name: str, *, on: str = "edge") -> Weights:
    """Declare weights, one per path and channel of whatever wire they scale."""
    return Weights(identifier(name), check_name(on, "an index space"))


def add(*terms: Wire | tuple[float, Wire]) -> Add:
    """Linear combination of wires of one space: ``add(a, b)`` or ``add((0.5, a), (2.0, b))``."""
    if not terms:
        raise NotationError("add needs at least one wire")
    flat: list[tuple[float, Wire]] = []
    for term in terms:
        if isinstance(term, tuple):
            flat.append((finite(term[0]), term[1]))
        elif isinstance(term, Add) and len(term.terms) == 1:
            flat.append(term.terms[0])  # add(0.5 * a, b) reads as it is written
        else:
            flat.append((1.0, term))
    return Add(tuple(flat))


def apply(network: Network, wires: Mapping[str, Wire] | None = None) -> Apply:
    """Use a fusion network as a node; ``wires`` names a wire for every in-end."""
    return Apply(network, tuple(sorted((wires or {}).items())))


_ONE = {
    Irrep(0, 1): Network((), ()),
    Irrep(0, 0): Network(
        (Vertex("cup", ("a", "b")), Vertex("cap", ("a", "b"))), (("a", Irrep(0, 0)), ("b", Irrep(0, 0)))
    ),
}
"""Networks whose value is one: without any line, which is of O(3), and the loop of the scalar of SO(3)."""


def one(irrep: str | Irrep = "0e") -> Apply:
    """The constant number 1 on the index space ``constant``: ``one()`` of O(3), ``one("0")`` of SO(3).

    A mix of it is a learned constant, such as a bias: ``add(x.mix("u->v", v=8), one().mix("->v", v=8))``.
    """
    scalar = irrep if isinstance(irrep, Irrep) else Irrep.parse(irrep)
    if scalar not in _ONE:
        raise NotationError(f"the number one is a 0e, or a 0 of SO(3), not a {scalar}")
    return Apply(_ONE[scalar])


@dataclass(frozen=True)
class Diagram:
    """Several named outputs over shared nodes. A single wire is the diagram with one output called ``out``."""

    outputs: tuple[tuple[str, Wire], ...]

    def __post_init__(self) -> None:
        for _, wire in self.outputs:
            _check_parts("an output", "Wire", wire)
        if not self.outputs:
            raise NotationError("a diagram needs at least one output")
        if len({name for name, _ in self.outputs}) != len(self.outputs):
            raise NotationError(f"two outputs share a name: {', '.join(name for name, _ in self.outputs)}")

    @classmethod
    def of(cls, value: Wire | Diagram) -> Diagram:
        """Return ``value`` as a diagram; raise :class:`NotationError` when it is neither."""
        if isinstance(value, Diagram):
            return value
        _check_parts("a diagram", "Wire", value)
        return cls((("out", value),))

    def __str__(self) -> str:
        return print_outputs(self.outputs).text

    def __repr__(self) -> str:
        text = f"parse({str(self)!r})"
        return f"Diagram.of({text})" if [name for name, _ in self.outputs] == ["out"] else text

    def _repr_svg_(self) -> str | None:
        return svg_of(self)


def outputs(**wires: Wire) -> Diagram:
    """Return a diagram with several named outputs."""
    return Diagram(tuple((identifier(name), wire) for name, wire in wires.items()))


def walk_nodes(value: Wire | Diagram) -> list[Node]:
    """Return every distinct node, labels included, inputs before users."""
    return [node for node in walk(wire for _, wire in Diagram.of(value).outputs) if isinstance(node, Node)]


def _check_parts(what: str, kind: str, value: object) -> None:
    """Refuse anything but wires and labels where a node takes them; ``kind`` is the declared type of the field."""
    wanted = Wire if "Wire" in kind else Label if "Label" in kind else None
    if wanted is None or (value is None and "None" in kind):
        return
    items = cast("tuple[object, ...]", value) if kind.startswith("tuple") and isinstance(value, tuple) else (value,)
    for item in items:
        part = cast("tuple[object, object]", item)[1] if kind.startswith("tuple[tuple") else item
        if not isinstance(part, wanted):
            raise NotationError(
                f"{what} takes a {wanted.__name__.lower()} here, not {type(part).__name__} {part!r:.40}"
            )


def _meet(left: Wire, right: Wire) -> tuple[Wire, Wire]:
    """Pull one wire implicitly where exactly one standard map joins their index spaces."""
    _check_parts("a node", "tuple[Wire, ...]", (left, right))
    for wire in (left, right):
        if isinstance(wire, Label):
            raise NotationError(f"{wire.text} is a label; it can stand after per= or by= only")
    a, b = left.space.on, right.space.on
    if a == b:
        return left, right
    to_left = [m for m in STANDARD_MAPS.values() if (m.source, m.target) == (a, b)]
    to_right = [m for m in STANDARD_MAPS.values() if (m.source, m.target) == (b, a)]
    if len(to_left) + len(to_right) != 1:
        return left, right  # the law says no, with the candidates named
    return (left, Pull(right, to_left[0])) if to_left else (Pull(left, to_right[0]), right)


def _triple(item: str | Triple) -> Triple:
    if not isinstance(item, str):
        return item
    left, star, rest = item.partition("*")
    right, arrow, out = rest.partition("->")
    if not star or not arrow:
        raise NotationError("a coupling is written left*right->coupled, such as 1o*1o->2e", item, 0)
    return Irrep.parse(left), Irrep.parse(right), Irrep.parse(out)


def _axis_text(axis: int) -> str:
    return "" if axis == -1 else f", axis={axis}"
