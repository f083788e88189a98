"""contract: choose the contraction order of every group of fuses, and of every irrep of a weighted fuse."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.couplings import FusePath, fuse_paths
from fusion.diagram import Fuse, Wire
from fusion.irreps import Irrep
from fusion.node import Node
from fusion.parameters import letter_sizes, tensor_name
from fusion_compiler.contraction import ROWS
from fusion_compiler.errors import InternalError
from fusion_compiler.expansion import Expansion, Group, chosen_pattern
from fusion_compiler.layout import Layout, Path
from fusion_compiler.passes.demands import couplings_of
from fusion_compiler.plan import ContractionPlan, Operand, Plan, operand_keys
from fusion_compiler.search import Problem, best_order, declared_order
from fusion_compiler.tables import Table, coupling_table, weighted_table

_CHANNEL_POOL = "abcdefghijklmnopqrstuvwxyz"
_COMPONENT_POOL = "ABCDEFGHIJKLMOPQRSTUVWXYZ"  # without N, the row
_RESULT = 10**6
"""Results of steps are numbered from here on until the number of operands is known."""


def contract(expansion: Expansion) -> Plan:
    """Return the plan of an expansion, every contraction in the cheapest order that is found."""
    return _contracted(expansion, search=True)


def contract_as_declared(expansion: Expansion) -> Plan:
    """Return the plan of an expansion, every contraction in the declared order."""
    return _contracted(expansion, search=False)


def _contracted(expansion: Expansion, search: bool) -> Plan:
    plans: list[ContractionPlan] = []
    groups: dict[Node, Group] = {group.root: group for group in expansion.groups}
    for node in expansion.nodes:
        if isinstance(node, Fuse) and node.weighted:
            plans.extend(_weighted(node, search))
        elif node in groups and expansion.live.get(node):
            plans.append(_group(groups[node], expansion, search))
    return Plan(expansion, tuple(plans))


def _need(
    group: Group, root: Layout, zero: set[Path], couplings: dict[Fuse, dict[Path, FusePath]]
) -> dict[Wire, set[Path]]:
    """Return the paths that the group needs of its members and leaves, without the root's ``zero`` paths."""
    need: dict[Wire, set[Path]] = {group.root: set(root.paths)}
    for member in reversed(group.members):
        dropped = zero if member == group.root else set[Path]()
        used = [couplings[member][path] for path in need.get(member, ()) if path not in dropped]
        for wire, side in ((member.left, "left"), (member.right, "right")):
            paths = {(getattr(path, side), getattr(path, f"{side}_path")) for path in used}
            need.setdefault(wire, set()).update(paths)
    return need


def _group(group: Group, expansion: Expansion, search: bool) -> ContractionPlan:
    root_layout = Layout(expansion.live[group.root])
    zeros = {term.out for term in group.terms if term.zero}
    couplings = {member: couplings_of(member) for member in group.members}
    need = _need(group, root_layout, zeros, couplings)
    layouts: dict[Wire, Layout] = {wire: Layout.full(wire.space).keep(paths) for wire, paths in need.items()}
    layouts[group.root] = root_layout
    channels, components = iter(_CHANNEL_POOL), iter(_COMPONENT_POOL)
    sizes: dict[str, int] = {"N": ROWS}
    operands: list[Operand] = []
    steps: list[tuple[int, int]] = []  # the declared order; operands count from 0, results from _RESULT
    members = set(group.members)

    def fresh(pool: Iterator[str], size: int) -> str:
        letter = next(pool, "")
        if not letter:
            raise InternalError("a group has more lines than there are letters", str(expansion))
        sizes[letter] = size
        return letter

    def place(node: Wire, axes: str) -> tuple[int, str]:
        """Add the operands of ``node``, whose channel letters are ``axes``; return its value and component letter."""
        component = fresh(components, layouts[node].dim)
        if not (isinstance(node, Fuse) and node in members):
            operands.append(Operand(f"N{axes}{component}", wire=node, layout=layouts[node]))
            return len(operands) - 1, component
        pattern = chosen_pattern(node)
        local = dict(zip(pattern.result, axes, strict=True))
        for letter, size in letter_sizes(node).items():
            if letter not in local:
                local[letter] = fresh(channels, size)
        left, left_component = place(node.left, "".join(local[c] for c in pattern.operands[0]))
        right, right_component = place(node.right, "".join(local[c] for c in pattern.operands[1]))
        operands.append(Operand(left_component + right_component + component, vertex=node))
        table = len(operands) - 1
        steps.extend(((left, right), (_RESULT + len(steps), table)))
        return _RESULT + len(steps) - 1, component

    axes = "".join(fresh(channels, size) for size in group.root.space.sizes)
    _, component = place(group.root, axes)
    tables: dict[int, Table] = {}
    for position, operand in enumerate(operands):
        if operand.vertex is not None:
            vertex = operand.vertex
            wires = (layouts[vertex.left], layouts[vertex.right], layouts[vertex])
            tables[position] = coupling_table(couplings[vertex], *wires)
    result = f"N{axes}{component}"
    made = len(operands) - _RESULT
    declared = [(a + made if a >= _RESULT else a, b + made if b >= _RESULT else b) for a, b in steps]
    return _planned(group.root, tuple(operands), result, sizes, declared, tables, root_layout, search)


def _planned(
    root: Fuse,
    operands: tuple[Operand, ...],
    result: str,
    sizes: dict[str, int],
    declared: list[tuple[int, int]],
    tables: dict[int, Table],
    layout: Layout,
    search: bool,
    irrep: Irrep | None = None,
) -> ContractionPlan:
    """Return the plan with the order that the search takes, or with the declared one."""
    keys = operand_keys(operands)
    problem = Problem(
        tuple(operand.letters for operand in operands),
        result,
        tuple(sorted(sizes.items())),
        tuple(tables.items()),
        tuple(keys.index(key) for key in keys),
        tuple(declared),
    )
    planned = best_order(problem) if search else declared_order(problem)
    return ContractionPlan(
        root,
        operands,
        result,
        problem.sizes,
        planned.order,
        planned.flops,
        planned.declared_flops,
        tables,
        layout,
        irrep,
    )


def _weighted(node: Fuse, search: bool) -> list[ContractionPlan]:
    """One contraction per coupled irrep: left, right, table (i, j, path, m), weights (path, letters)."""
    pattern = chosen_pattern(node)
    size = letter_sizes(node)
    names = dict(zip(pattern.letters, _CHANNEL_POOL, strict=False))
    plans: list[ContractionPlan] = []
    counts: dict[Irrep, int] = {}
    used: dict[Irrep, tuple[set[Path], set[Path]]] = {}
    every = fuse_paths(node.left.space.irreps, node.right.space.irreps, node.coupled, node.triples)
    for path in every:
        counts[path.out] = counts.get(path.out, 0) + 1
        left, right = used.setdefault(path.out, (set(), set()))
        left.add((path.left, path.left_path))
        right.add((path.right, path.right_path))
    for irrep, count in counts.items():
        left = Layout.full(node.left.space).keep(used[irrep][0])
        right = Layout.full(node.right.space).keep(used[irrep][1])
        sizes = {"N": ROWS, "A": left.dim, "B": right.dim, "K": count, "M": irrep.dim}
        sizes.update({names[letter]: size[letter] for letter in pattern.letters})
        axes = ["".join(names[c] for c in part) for part in (*pattern.operands, pattern.letters, pattern.result)]
        operands = (
            Operand(f"N{axes[0]}A", wire=node.left, layout=left),
            Operand(f"N{axes[1]}B", wire=node.right, layout=right),
            Operand("ABKM", vertex=node),
            Operand(f"K{axes[2]}", weight=tensor_name(node, node.name, irrep)),
        )
        couplings = [path for path in every if path.out == irrep]
        tables = {2: weighted_table(couplings, left, right)}
        declared = [(0, 1), (4, 2), (5, 3)]
        layout = Layout(((irrep, 0),))
        plans.append(_planned(node, operands, f"N{axes[3]}M", sizes, declared, tables, layout, search, irrep))
    return plans
