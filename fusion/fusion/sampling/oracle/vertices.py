"""What a fuse and a power compute, every coupling of every label tried."""

from __future__ import annotations

import numpy as np

from fusion.diagram import Fuse, Power
from fusion.irreps import Irreps
from fusion.limits import MAX_ORDER
from fusion.sampling.oracle.couplings import ZERO, Array, Label, coupling, label_text, products
from fusion.sampling.oracle.given import Given, channels_of
from fusion.sampling.oracle.values import Blocks, Refused, common_rows, product, spread

Triple = tuple[Label, Label, Label]
_Term = tuple[Array, Label]


def fuse(given: Given, node: Fuse) -> Blocks:
    """Return every coupling of the two wires that is asked for, as a path of its own, or their weighted sum."""
    left, right = given.shapes[node.left], given.shapes[node.right]
    sizes = dict(node.sizes)
    mine, theirs, result = channels_of(node.pattern, left.axes, right.axes)
    letters = dict.fromkeys(mine + theirs + result)
    if any(letter not in letters for letter in sizes):
        raise Refused("a size of no letter")
    weighted = any(letter not in mine + theirs for letter in result)
    rows = common_rows(left.rows, right.rows)
    known = {**dict(zip(mine, left.axes, strict=False)), **dict(zip(theirs, right.axes, strict=False))}
    if any(known.get(letter, size) != size for letter, size in sizes.items()):
        raise Refused("a size that the wires do not have")
    weights = given.numbers(*(({**sizes, **known}).get(letter, 0) for letter in letters)) if weighted else None
    if weights is not None and weights.size == 0:
        raise Refused("a new letter without a size")
    values = (given.values[node.left], given.values[node.right])
    found: dict[Label, list[Array]] = {}
    for a, b, out in _triples(node, left.labels, right.labels):
        tensor = coupling(a, b, out)
        if tensor is None:
            raise Refused(f"no coupling {label_text(a)} x {label_text(b)} -> {label_text(out)}")
        operands = [
            (spread(values[0][a], rows), ["batch", "row", *mine, "left path", "left m"]),
            (spread(values[1][b], rows), ["batch", "row", *theirs, "right path", "right m"]),
            (tensor, ["left m", "right m", "out m"]),
        ]
        if weights is not None:
            operands.append((weights, [*letters]))
        block = product(["batch", "row", *result, "left path", "right path", "out m"], *operands)
        _note_zeros(given, node, (a, b, out), block)
        block = block.reshape(*block.shape[:-3], -1, block.shape[-1])
        found.setdefault(out, []).append(block.sum(axis=-2, keepdims=True) if weighted else block)
    if not found:
        raise Refused("no coupling is left")
    joined = {label: np.concatenate(blocks, axis=-2) for label, blocks in found.items()}
    return {label: x.sum(axis=-2, keepdims=True) for label, x in joined.items()} if weighted else joined


def _triples(node: Fuse, left: tuple[Label, ...], right: tuple[Label, ...]) -> list[Triple]:
    """Return the couplings asked for; refuse what is asked but cannot be had."""
    if node.triples is not None:
        asked = [tuple((irrep.l, irrep.p) for irrep in triple) for triple in node.triples]
        for a, b, _ in asked:
            if a not in left or b not in right:
                raise Refused(f"{label_text(a)} or {label_text(b)} does not come in")
        return [(a, b, out) for a, b, out in asked]
    every = [(a, b, out) for a in left for b in right for out in products(a, b)]
    if node.coupled is None:
        return every
    wanted = {(irrep.l, irrep.p) for irrep in node.coupled.kinds()}
    if lacking := wanted - {out for _, _, out in every}:
        raise Refused(f"nothing couples to {' '.join(map(label_text, sorted(lacking)))}")
    return [triple for triple in every if triple[2] in wanted]


def _note_zeros(given: Given, node: Fuse, triple: Triple, block: Array) -> None:
    """Note whether a path of the block (..., p, q, m) is zero, which generic values that differ never give."""
    sizes = np.abs(block).max(axis=(*range(block.ndim - 3), block.ndim - 1))
    if np.any(sizes < ZERO):
        a, b, out = map(label_text, triple)
        given.zeros.terms.setdefault(node, set()).add(f"{a} x {b} -> {out}")


def power(given: Given, node: Power) -> Blocks:
    """Return every left comb of the wire with itself, or of each irrep as many as are linearly independent."""
    shape = given.shapes[node.base]
    if any(not 1 <= order <= MAX_ORDER for order in node.orders):
        raise Refused("an order out of range")
    samples = 8 if node.basis == "full" else 60  # several, so that no term is small by chance
    leaves = [(given.numbers(samples, 2 * label[0] + 1), label) for label, paths in shape.paths for _ in range(paths)]
    wanted = _labels(node.coupled)
    terms: list[_Term] = []
    reached: set[Label] = set()
    for order in node.orders:
        level = leaves
        for step in range(2, order + 1):
            kept = _labels(node.inner) if step < order else None
            level = [term for term in _step(level, leaves) if kept is None or term[1] in kept]
        reached |= {label for _, label in level}
        level = [term for term in level if wanted is None or term[1] in wanted]
        terms += level if node.basis == "full" else _independent(level)
    if wanted is not None and wanted - reached:
        raise Refused(f"nothing couples to {' '.join(map(label_text, sorted(wanted - reached)))}")
    if not terms:
        raise Refused("no term is left")
    zero = sum(float(np.abs(value).max()) < ZERO for value, _ in terms)
    if zero:
        given.zeros.combs[node] = (zero, len(terms))
    if absent := (wanted or set()) - {label for _, label in terms}:
        given.zeros.absent[node] = set(map(label_text, absent))
    counts = {label: sum(other == label for _, other in terms) for _, label in terms}
    size = (2, shape.rows, *shape.axes)
    return {label: np.zeros((*size, count, 2 * label[0] + 1), np.complex128) for label, count in counts.items()}


def _labels(irreps: Irreps | None) -> set[Label] | None:
    return None if irreps is None else {(irrep.l, irrep.p) for irrep in irreps.kinds()}


def _step(level: list[_Term], leaves: list[_Term]) -> list[_Term]:
    """Couple every term with one more factor in every way there is."""
    found: list[_Term] = []
    for left, a in level:
        for right, b in leaves:
            for out in products(a, b):
                tensor = coupling(a, b, out)
                if tensor is not None:
                    pairs = (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)
                    found.append((pairs @ tensor.reshape(-1, 2 * out[0] + 1), out))
    return found


def _independent(terms: list[_Term]) -> list[_Term]:
    """Return, of each irrep, as many terms as are linearly independent; those kept stand for the space they span."""
    kept: list[_Term] = []
    for label in dict.fromkeys(label for _, label in terms):
        table = np.array([value.reshape(-1) for value, other in terms if other == label])
        rank = int(np.linalg.matrix_rank(table, tol=1e-7))
        kept += [(np.ones((1, 1), dtype=np.complex128), label)] * rank
    return kept
