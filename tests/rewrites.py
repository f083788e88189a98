"""Moves that leave the meaning of a diagram alone: exchange, recoupling, names, the order of direct sums.

Each move returns a diagram with an equal value, up to an invertible map of its coefficients. Written independently of
``fusion.equality``: on nodes, with constant mixes that undo signs and orders of paths.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from fusion import Diagram, Irrep, Wire
from fusion.coefficients import Buffer, Constant
from fusion.couplings import FusePath, fuse_paths, numbered
from fusion.diagram import DirectSum, Fuse, Mix, Power, Select, walk_nodes
from fusion.inference.common import default_pattern
from fusion.irreps import irreps_of
from fusion.node import Node
from fusion.parameters import node_names
from fusion.pattern import Pattern
from fusion.rules import exchange_odd
from fusion.sampling.substitute import substitute
from fusion.symbols import f_matrix


def named(value: Wire | Diagram, rng: np.random.Generator | None = None) -> Wire | Diagram:
    """Name all coefficients, so that no rewrite can merge two sets; with a generator, by new names."""
    names = node_names(value)
    order = list(names)
    numbers = list(range(len(order))) if rng is None else rng.permutation(len(order)).tolist()
    new: dict[Node, Node] = {}
    stem = "" if rng is None else "renamed"
    # Nodes hold their inputs, so the names are given one node after the other, users after inputs.
    for place, node in enumerate(order):
        now = _current(node, new)
        name = f"{stem or 'named'}{numbers[place]}"
        if isinstance(now, Mix) and isinstance(now.coefficients, Buffer):
            new[node] = replace(now, coefficients=Buffer(name))
        elif isinstance(now, Mix | Fuse):
            new[node] = replace(now, name=name)
    return _put(value, new)


def _current(node: Node, new: dict[Node, Node]) -> Node:
    if not isinstance(node, Wire):
        return node
    found = substitute(Diagram.of(node), {old: now for old, now in new.items() if old != node})
    assert isinstance(found, Wire)
    return found


def _put(value: Wire | Diagram, new: dict[Node, Node]) -> Wire | Diagram:
    found = substitute(Diagram.of(value), new)
    assert found is not None
    return found


def exchange(value: Wire | Diagram, rng: np.random.Generator) -> Wire | Diagram:
    """Exchange the legs of some fuses, and undo signs and orders unless a learned map takes them up."""
    users = _users(value)
    outputs = {wire for _, wire in Diagram.of(value).outputs}
    new: dict[Node, Node] = {}
    for node in walk_nodes(value):
        if not isinstance(node, Fuse) or rng.random() < 0.4:
            continue
        now = _current(node, new)
        assert isinstance(now, Fuse)
        turned = _turned(now)
        absorbed = node not in outputs and all(_learns(user) for user in users[node])
        new[node] = turned if now.weighted or (absorbed and rng.random() < 0.7) else _undone(now, turned)
    return _put(value, new)


def _learns(user: Node) -> bool:
    """Whether a node can take up any signs and any order of its paths."""
    if not isinstance(user, Mix) or isinstance(user.coefficients, Constant):
        return False
    return not user.each and not user.shared


def _users(value: Wire | Diagram) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = defaultdict(list)
    for node in walk_nodes(value):
        for child in node.inputs:
            found[child].append(node)
    return found


def _turned(node: Fuse) -> Fuse:
    pattern = node.pattern and Pattern((node.pattern.operands[1], node.pattern.operands[0]), node.pattern.result)
    triples = node.triples and tuple((b, a, out) for a, b, out in node.triples)
    return replace(node, left=node.right, right=node.left, pattern=pattern, triples=triples)


def _paths(node: Fuse) -> dict[tuple[Irrep, int], FusePath]:
    return numbered(fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples))


def _undone(old: Fuse, new: Fuse) -> Wire:
    """Put the paths of an exchanged fuse back as they were."""
    places: dict[FusePath, list[tuple[Irrep, int]]] = defaultdict(list)
    for place, path in _paths(new).items():
        places[path].append(place)
    tables: dict[Irrep, list[list[float]]] = {}
    for (out, _), path in _paths(old).items():
        twin = FusePath(path.right, path.right_path, path.left, path.left_path, path.out)
        row = [0.0] * new.space.irreps.count(out)
        row[places[twin].pop(0)[1]] = -1.0 if exchange_odd(path.left, path.right, out) else 1.0
        tables.setdefault(out, []).append(row)
    return _combined(new, tables)


def _combined(wire: Wire, tables: dict[Irrep, list[list[float]]]) -> Wire:
    """Return, per irrep, the paths ``table @ paths``."""
    letters = "uvwx"[: len(wire.space.channels)]
    parts: list[Wire] = []
    for irrep, table in sorted(tables.items()):
        array = np.reshape(table, (len(table), -1, *(1 for _ in letters)))
        chosen = Select(wire, ((irrep, None),))
        parts.append(chosen.mix(f"{letters}->{letters}", paths=len(table), constant={str(irrep): array}))
    return parts[0] if len(parts) == 1 else DirectSum(tuple(parts))


def reorder_sums(value: Wire | Diagram, rng: np.random.Generator) -> Wire | Diagram:
    """Change the order of direct sums that only learned maps take in."""
    users, outputs = _users(value), {wire for _, wire in Diagram.of(value).outputs}
    new: dict[Node, Node] = {}
    for node in walk_nodes(value):
        free = node not in outputs and users[node] and all(_learns(user) for user in users[node])
        if isinstance(node, DirectSum) and free:
            now = _current(node, new)
            assert isinstance(now, DirectSum)
            parts = [now.parts[place] for place in rng.permutation(len(now.parts)).tolist()]
            if not isinstance(parts[0], DirectSum):
                new[node] = DirectSum(tuple(parts))
    return _put(value, new)


def recouple(value: Wire | Diagram, rng: np.random.Generator) -> Wire | Diagram:
    """Apply an F-move to some vertices: ``(a @ b) @ c`` becomes ``a @ (b @ c)``, with the 6j symbols written out."""
    new: dict[Node, Node] = {}
    for node in walk_nodes(value):
        if not isinstance(node, Fuse) or node.weighted or rng.random() < 0.2:
            continue
        now = _current(node, new)
        assert isinstance(now, Fuse)
        moved = _moved(now)
        if moved is not None:
            new[node] = moved
    return _put(value, new)


def _moved(node: Fuse) -> Wire | None:
    inner = node.left
    if not isinstance(inner, Fuse) or inner.weighted:
        return None
    a, b, c = inner.left, inner.right, node.right
    patterns = _patterns(inner, node)
    if patterns is None:
        return None
    below = _paths(inner)
    rows: list[tuple[Irrep, dict[tuple[object, ...], float]]] = []
    needed: set[Irrep] = set()
    for (out, _), path in _paths(node).items():
        first = below[path.left, path.left_path]
        labels, columns, matrix = f_matrix(first.left.l, first.right.l, path.right.l, out.l)
        row: dict[tuple[object, ...], float] = {}
        for column, factor in zip(columns, matrix[labels.index(path.left.l)].tolist(), strict=True):
            if column > 10:
                return None
            middle = Irrep(column, first.right.p * path.right.p)
            needed.add(middle)
            row[first.left, first.left_path, first.right, first.right_path, path.right, path.right_path, middle] = (
                factor
            )
        rows.append((out, row))
    pair = Fuse(b, c, patterns[0], coupled=irreps_of(needed))
    whole = Fuse(a, pair, patterns[1], coupled=irreps_of({out for out, _ in rows}))
    if any(item.severity == "error" for item in (*pair.violations, *whole.violations)):
        return None
    above = _paths(pair)
    places: dict[tuple[object, ...], tuple[Irrep, int]] = {}
    for place, path in _paths(whole).items():
        second = above[path.right, path.right_path]
        legs = (path.left, path.left_path, second.left, second.left_path, second.right, second.right_path)
        places[(*legs, path.right, place[0])] = place
    tables: dict[Irrep, list[list[float]]] = {}
    for out, row in rows:
        line = [0.0] * whole.space.irreps.count(out)
        for key, factor in row.items():
            if factor:
                line[places[(*key, out)][1]] += factor
        tables.setdefault(out, []).append(line)
    return _combined(whole, tables)


def _patterns(inner: Fuse, outer: Fuse) -> tuple[Pattern, Pattern] | None:
    """Return the channel patterns of ``b @ c`` and ``a @ (b @ c)``, when no wire then needs more than four axes."""
    below = inner.pattern or default_pattern(inner.left.space, inner.right.space)
    above = outer.pattern or default_pattern(outer.left.space, outer.right.space)
    assert below is not None and above is not None
    pool = iter("abcdefghijklmnopqrstuvwxyz")
    below_names = {letter: next(pool) for letter in below.letters}
    line = {old: below_names[new] for old, new in zip(above.operands[0], below.result, strict=True)}
    above_names = line | {letter: next(pool) for letter in above.letters if letter not in line}
    a, b = ("".join(below_names[x] for x in group) for group in below.operands)
    c, result = "".join(above_names[x] for x in above.operands[1]), "".join(above_names[x] for x in above.result)
    kept = "".join(x for x in dict.fromkeys(b + c) if x in a or x in result)
    return None if len(kept) > 4 else (Pattern((b, c), kept), Pattern((a, kept), result))


def powers_as_fuses(value: Wire | Diagram) -> Wire | Diagram:
    """Write full powers of order two as products of a wire with itself."""
    new: dict[Node, Node] = {}
    for node in walk_nodes(value):
        if isinstance(node, Power) and node.orders == (2,) and node.basis == "full":
            now = _current(node, new)
            assert isinstance(now, Power)
            new[node] = Fuse(now.base, now.base, coupled=now.coupled)
    return _put(value, new)
