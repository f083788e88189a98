"""Every wire of a diagram as a list of paths, and every path as a combination of terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.coefficients import Constant, Tied
from fusion.couplings import fuse_paths
from fusion.dense import evaluate_network
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
    walk_nodes,
)
from fusion.equality.couple import couple, renamed
from fusion.equality.terms import FIXED, NEGLIGIBLE, Combination, Terms, accumulate, digest
from fusion.errors import FusionError
from fusion.inference.common import default_pattern
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import Parameter, letter_sizes, mix_axes
from fusion.pattern import Pattern
from fusion.powers import power_paths
from fusion.space import Space
from fusion.trees import enumerate_trees, left_comb

Value = dict[Irrep, list[Combination]]
"""The paths of a wire, by irrep."""

_ODD = ("tanh", "sin", "reciprocal", "layer_norm")
"""Functions with f(-x) = -f(x)."""


@dataclass(frozen=True)
class Definition:
    """A learned linear map of one irrep: what it is, and the paths that it takes in.

    Attributes:
        facts: everything but the paths.
        rows: the paths, each a combination of terms (of all irreps together, where they share coefficients).
        letters: for a weighted fuse, the order of the channel letters of its weights that belongs to its normal form.
    """

    facts: tuple[object, ...]
    rows: tuple[Combination, ...]
    letters: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Coefficients of one learned linear map: a whole tensor, or what it holds for one path by itself."""

    parameter: Parameter
    path: int | None = None


def pieces_of(parameters: Sequence[Parameter]) -> tuple[Piece, ...]:
    """Return the learned linear maps of a diagram."""
    found: list[Piece] = []
    for item in parameters:
        each = isinstance(item.node, Mix) and item.node.each
        count = item.shape[item.letters.index("p")]
        found.extend(Piece(item, path) for path in range(count)) if each else found.append(Piece(item))
    return tuple(found)


class Paths:
    """The values of all wires of a legal diagram, with the definitions of its learned maps."""

    def __init__(self, diagram: Diagram, pieces: Sequence[Piece], terms: Terms) -> None:
        self.terms = terms
        self.values: dict[Node, Value] = {}
        self.definitions: dict[int, Definition] = {}
        self.numbers = {
            (piece.parameter.node, piece.parameter.irrep, piece.path): number for number, piece in enumerate(pieces)
        }
        for node in walk_nodes(diagram):
            if isinstance(node, Wire):
                self.values[node] = _RULES[type(node)](self, node)

    def linear(self, node: Wire, source: Wire, *facts: object) -> Value:
        """Apply an operation that is linear and acts on every path alike."""
        axes = len(node.space.channels)

        def act(value: Combination) -> Combination:
            found: Combination = {}
            for term, coefficient in value.items():
                kind = self.terms[term].irrep
                accumulate(found, {self.terms.make(node.kind, facts, kind, axes, (term,)): coefficient})
            return found

        return {irrep: [act(path) for path in paths] for irrep, paths in self.values[source].items()}

    def function(
        self, facts: tuple[object, ...], irrep: Irrep, axes: int, argument: Combination, parity: int
    ) -> Combination:
        """Apply a function of one path that is odd (-1), even (1) or neither (0) in it."""
        found = self.terms.sum(argument)
        if found is None:
            return {self.terms.make("function", (*facts, "of zero"), irrep, axes): 1.0}
        coefficient, child = found
        inside = abs(coefficient) if parity else coefficient
        sign = None if parity < 0 else FIXED
        term = self.terms.make("function", (*facts, parity), irrep, axes, (child,), (inside,), sign)
        return {term: -1.0 if parity < 0 and coefficient < 0 else 1.0}


def _flat(value: Value) -> list[tuple[Irrep, Combination]]:
    return [(irrep, path) for irrep in sorted(value) for path in value[irrep]]


def _label(label: Label) -> str:
    return f"{label.text} of {label.classes}"


def _leg(run: Paths, node: Leg) -> Value:
    space, found = node.space, dict[Irrep, list[Combination]]()
    for count, irrep in space.irreps:
        facts = [(node.source, str(space.irreps), str(space.sizes), space.on, path) for path in range(count)]
        found[irrep] = [{run.terms.make("leg", fact, irrep, len(space.channels)): 1.0} for fact in facts]
    return found


def _pattern(pattern: Pattern | None, left: Space, right: Space) -> Pattern:
    chosen = pattern or default_pattern(left, right)
    if chosen is None:
        raise FusionError("a legal fuse or scale has a pattern")
    return chosen


def _fuse(run: Paths, node: Fuse) -> Value:
    left, right = run.values[node.left], run.values[node.right]
    pattern = _pattern(node.pattern, node.left.space, node.right.space)
    paths = fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)
    if not node.weighted:
        found: Value = {}
        for path in paths:
            a, b = left[path.left][path.left_path], right[path.right][path.right_path]
            found.setdefault(path.out, []).append(couple(run.terms, pattern, path.out, a, b))
        return found
    # Weighted: every coupling as an outer product over all letters, then a learned map over couplings and letters. Of
    # the two orders of the wires, that with the smaller facts and keys is the normal one.
    sizes, (mine, theirs) = letter_sizes(node), pattern.operands
    best: dict[Irrep, tuple[tuple[str, list[str]], Definition]] = {}
    for first, second in ((mine, theirs), (theirs, mine)):
        letters = "".join(dict.fromkeys(first + second))
        outer = Pattern(pattern.operands, letters)
        rows: dict[Irrep, list[Combination]] = {}
        for path in paths:
            a, b = left[path.left][path.left_path], right[path.right][path.right_path]
            rows.setdefault(path.out, []).append(couple(run.terms, outer, path.out, a, b))
        everything = letters + pattern.new_letters
        facts = (renamed((first, second, pattern.result)), tuple(sizes[letter] for letter in everything))
        places = tuple(pattern.letters.index(letter) for letter in everything)
        for irrep, own in rows.items():
            keys = sorted(run.terms[term].key for row in own for term in row)
            rank = (str(facts), keys)
            if irrep not in best or rank < best[irrep][0]:
                definition = Definition(("fuse", *facts, str(irrep), len(own)), tuple(own), places)
                best[irrep] = (rank, definition)
    found = {}
    for irrep, (_, definition) in best.items():
        number = run.numbers[node, irrep, None]
        run.definitions[number] = definition
        found[irrep] = [{run.terms.slot(number, 0, irrep, len(node.space.channels)): 1.0}]
    return found


def _power(run: Paths, node: Power) -> Value:
    base, axes = run.values[node.base], "uvwxyz"[: len(node.space.channels)]
    pattern = Pattern((axes, axes), axes)
    known: dict[tuple[object, ...], Combination] = {}
    found: Value = {}
    parts = power_paths(node.base.space.irreps, node.orders, node.coupled, node.inner, node.basis)
    for tree in (trees[place] for _, trees, kept in parts for place in kept):
        irrep, path = tree.legs[0]
        value = base[irrep][path]
        lines = (*tree.inner, tree.out)
        for step, (irrep, path) in enumerate(tree.legs[1:]):
            begun = (tree.legs[: step + 2], lines[: step + 1])
            if begun not in known:
                known[begun] = couple(run.terms, pattern, lines[step], value, base[irrep][path])
            value = known[begun]
        found.setdefault(tree.out, []).append(value)
    return found


def _mix(run: Paths, node: Mix) -> Value:
    if isinstance(node.coefficients, Constant):
        return _constant(run, node, node.coefficients)
    sizes = letter_sizes(node)
    pattern, source = node.pattern, run.values[node.wire]
    labels = tuple(_label(label) for label in node.per)
    extra: tuple[object, ...] = ()
    if isinstance(node.coefficients, Tied):
        tied = node.coefficients
        text = renamed((*pattern.operands, pattern.result, tied.weight_letters, tied.tensor_letters))
        extra = (text, str(tied.tensor.shape), [f"{value:.12g}" for value in tied.tensor.ravel().tolist()])
    facts = (
        "mix",
        type(node.coefficients).__name__,
        renamed((*pattern.operands, pattern.result)),
        tuple(sizes[letter] for letter in pattern.letters),
        1 if node.each else node.out_paths,
        labels,
        extra,
        node.space.on,
    )
    found: Value = {irrep: [] for irrep in source}
    alike = [tuple(sorted(source))] if node.shared else [(irrep,) for irrep in sorted(source)]
    for irreps in alike:
        key = None if node.shared else irreps[0]
        rows = [_together(source[irrep][path] for irrep in irreps) for path in range(len(source[irreps[0]]))]
        maps = [(path, [row]) for path, row in enumerate(rows)] if node.each else [(None, rows)]
        for place, own in maps:
            number = run.numbers[node, key, place]
            run.definitions[number] = Definition((*facts, "+".join(map(str, irreps)), len(own)), tuple(own))
            for irrep in irreps:
                outs = range(1 if node.each else node.out_paths)
                slots = (run.terms.slot(number, out, irrep, len(node.space.channels)) for out in outs)
                found[irrep].extend({slot: 1.0} for slot in slots)
    return found


def _together(paths: Iterable[Combination]) -> Combination:
    """Return paths of different irreps as one combination: their terms differ."""
    return {term: coefficient for path in paths for term, coefficient in path.items()}


def _constant(run: Paths, node: Mix, coefficients: Constant) -> Value:
    sizes, letters = letter_sizes(node), node.pattern.letters
    classes = tuple(label.classes for label in node.per)
    plain = not classes and node.pattern.operands[0] == node.pattern.result
    found: Value = {}
    for irrep, rows in run.values[node.wire].items():
        tensor = coefficients.tensor(irrep)
        _, counts = mix_axes(node, len(rows))
        shape = (*counts, *(sizes[letter] for letter in letters))
        table = np.broadcast_to(np.zeros(()) if tensor is None else tensor, shape)
        if node.each:
            table = np.moveaxis(table, len(classes), 0)  # (path, *classes, *letters)
            kept = [(table[path : path + 1], [row]) for path, row in enumerate(rows)]
        else:
            table = np.moveaxis(table, (len(classes), len(classes) + 1), (0, 1))  # (out, in, *classes, *letters)
            kept = [(part, rows) for part in table]
        found[irrep] = [_contracted(run, node, irrep, part, own, plain) for part, own in kept]
    return found


def _contracted(
    run: Paths, node: Mix, irrep: Irrep, table: NDArray[np.float64], rows: Sequence[Combination], plain: bool
) -> Combination:
    """Return one path of a constant map: a number times each term where it does not touch channels."""
    tables: dict[int, NDArray[np.float64]] = {}
    sizes: dict[int, float] = {}
    for part, row in zip(table, rows, strict=True):
        for term, coefficient in row.items():
            more = coefficient * part
            tables[term] = tables[term] + more if term in tables else more
            sizes[term] = max(sizes.get(term, 0.0), float(np.max(np.abs(more), initial=0.0)))
    found: Combination = {}
    for term, part in tables.items():
        entries = part.ravel()
        largest = float(entries[int(np.argmax(np.abs(entries)))]) if entries.size else 0.0
        if abs(largest) <= NEGLIGIBLE * sizes[term]:
            continue
        if plain and np.all(np.abs(entries - largest) <= 1e-12 * abs(largest)):
            accumulate(found, {term: largest})
            continue
        # The first entry of (nearly) full size sets sign and size, whatever rounding made the largest.
        first = float(entries[int(np.argmax(np.abs(entries) >= (1 - 1e-9) * abs(largest)))])
        facts = (
            renamed((*node.pattern.operands, node.pattern.result)),
            str(part.shape),
            tuple(_label(label) for label in node.per),
            digest([f"{value + 0.0:.9g}" for value in np.round(entries / first, 12).tolist()]),
        )
        new = run.terms.make("constant", facts, irrep, len(node.space.channels), (term,))
        accumulate(found, {new: first})
    return found


def _scale(run: Paths, node: Scale) -> Value:
    # Scaling is coupling with a scalar: K(l, 0 -> l) is the identity.
    pattern = _pattern(node.pattern, node.wire.space, node.by.space)
    factors = [path for _, path in _flat(run.values[node.by])]
    source, paths = run.values[node.wire], _flat(run.values[node.wire])
    place = dict(zip(sorted(source), range(len(source)), strict=True))
    found: Value = {}
    for number, (irrep, path) in enumerate(paths):
        owner = number if len(factors) == len(paths) else place[irrep] if len(factors) > 1 else 0
        found.setdefault(irrep, []).append(couple(run.terms, pattern, irrep, path, factors[owner]))
    return found


def _add(run: Paths, node: Add) -> Value:
    found: Value = {}
    for factor, wire in node.terms:
        for irrep, paths in run.values[wire].items():
            have = found.setdefault(irrep, [{} for _ in paths])
            for mine, path in zip(have, paths, strict=True):
                accumulate(mine, path, factor)
    return found


def _direct_sum(run: Paths, node: DirectSum) -> Value:
    found: Value = {}
    for part in node.parts:
        for irrep, paths in run.values[part].items():
            found.setdefault(irrep, []).extend(paths)
    return found


def _select(run: Paths, node: Select) -> Value:
    source = run.values[node.wire]
    return {
        irrep: source[irrep] if paths is None else [source[irrep][path] for path in paths] for irrep, paths in node.keep
    }


def _map(run: Paths, node: Map) -> Value:
    facts = (node.function, str(node.over or ""))
    parity = -1 if node.function in _ODD else 1 if node.function == "cos" else 0
    axes = len(node.space.channels)
    return {
        irrep: [run.function(facts, irrep, axes, path, parity) for path in paths]
        for irrep, paths in run.values[node.wire].items()
    }


def _geometry(run: Paths, node: Geometry) -> Value:
    ((_, argument),) = _flat(run.values[node.wire])
    facts = (node.function, node.count, tuple(f"{value:.15g}" for value in node.lengths), node.normalization)
    found: Value = {}
    for irrep in node.space.irreps.kinds():
        odd = irrep.l % 2 == 1
        path = run.function((*facts, irrep.l), irrep, len(node.space.channels), argument, -1 if odd else 1)
        found[irrep] = [path]
    return found


def _pull(run: Paths, node: Pull) -> Value:
    return run.linear(node, node.wire, str(node.index_map))


def _sum(run: Paths, node: Sum) -> Value:
    return run.linear(node, node.wire, str(node.index_map), "" if node.by is None else _label(node.by))


def _split(run: Paths, node: Split) -> Value:
    return run.linear(node, node.wire, node.groups, node.axis % len(node.wire.space.channels))


def _merge(run: Paths, node: Merge) -> Value:
    return run.linear(node, node.wire, node.axis % len(node.wire.space.channels))


def _reorder(run: Paths, node: Reorder) -> Value:
    return run.linear(node, node.wire, renamed((node.pattern.operands[0], node.pattern.result)))


def _shuffle(run: Paths, node: Shuffle) -> Value:
    return run.linear(node, node.wire, node.order, node.axis % len(node.wire.space.channels))


def _apply(run: Paths, node: Apply) -> Value:
    """A network is an element of the coupling space of its ends: a combination of left combs."""
    ((_, out),) = node.space.irreps
    tensor = evaluate_network(node.network)
    tensor = tensor if node.network.outs else tensor[..., None]
    wires: list[tuple[Irrep, Combination, int]] = []
    for _, wire in node.wires:
        ((irrep, path),) = _flat(run.values[wire])
        wires.append((irrep, path, len(wire.space.channels)))
    if not wires:
        one = run.terms.make("one", (), out, 0)
        return {out: [{one: float(tensor.sum())} if out.l == 0 else {}]}
    singles = [run.terms.sum(path) for _, path, _ in wires]
    if any(single is None for single in singles):
        return {out: [{}]}
    order = sorted(range(len(wires)), key=lambda place: (run.terms[singles[place][1]].order, place))  # type: ignore[index]
    tensor = tensor.transpose(*order, len(order))
    found: Combination = {}
    for tree in enumerate_trees(left_comb(len(wires)), [wires[place][0] for place in order], out):
        coefficient = float(np.sum(tensor * tree.tensor())) / out.dim
        if abs(coefficient) <= NEGLIGIBLE * float(np.max(np.abs(tensor))):
            continue
        value, axes = wires[order[0]][1], wires[order[0]][2]
        lines = (*tree.inner, out)[: len(order) - 1]
        for place, line in zip(order[1:], lines, strict=True):
            _, path, more = wires[place]
            letters = "uvwxyz"[: max(axes, more)]
            pattern = Pattern((letters if axes else "", letters if more else ""), letters)
            value, axes = couple(run.terms, pattern, line, value, path), max(axes, more)
        accumulate(found, value, coefficient)
    return {out: [found]}


_RULES: Mapping[type[Wire], Callable[[Paths, object], Value]] = {  # type: ignore[assignment]
    Leg: _leg,
    Fuse: _fuse,
    Power: _power,
    Mix: _mix,
    Scale: _scale,
    Add: _add,
    Map: _map,
    Geometry: _geometry,
    Pull: _pull,
    Sum: _sum,
    DirectSum: _direct_sum,
    Select: _select,
    Split: _split,
    Merge: _merge,
    Reorder: _reorder,
    Shuffle: _shuffle,
    Apply: _apply,
}
"""The rule of every kind of wire."""
