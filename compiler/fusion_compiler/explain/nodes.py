"""What every node of a diagram costs, exactly: the instructions that were lowered for it, as notes for a drawing."""

from __future__ import annotations

from collections.abc import Iterable

from fusion.diagram import Diagram, Wire, walk_nodes
from fusion.node import Node
from fusion_compiler.cost import Cost, instruction_costs
from fusion_compiler.lowering.builder import Builder
from fusion_compiler.passes.expand import write_out
from fusion_compiler.passes.lower import RULES
from fusion_compiler.plan import Plan
from fusion_compiler.program import Instruction, Program


def node_instructions(plan: Plan) -> tuple[Program, dict[Node, tuple[Instruction, ...]]]:
    """Return the lowered program and the instructions of it that were made for every node.

    An instruction that several nodes share belongs to the first of them; a tree of vertices that is contracted together
    belongs to its last vertex.
    """
    build = Builder(plan)
    made: dict[Node, list[Instruction]] = {}
    for node in plan.expansion.nodes:
        if isinstance(node, Wire) and plan.expansion.live.get(node):
            before = len(build.instructions)
            build.values[node] = RULES[type(node)](build, node)
            made[node] = build.instructions[before:]
    program = build.finish()
    kept = {instruction.out for instruction in program.instructions}
    return program, {node: tuple(item for item in items if item.out in kept) for node, items in made.items()}


def node_costs(diagram: Diagram, plan: Plan) -> dict[Node, tuple[Cost, ...]]:
    """Return what every node of a diagram costs in its plan; nodes that cost nothing are left out.

    A cost is per row of an index space, or paid once (first); they are sorted by index space. All of them add up to the
    cost of the program as it was lowered, before passes on programs.
    """
    program, made = node_instructions(plan)
    owners = _owners(diagram)
    found: dict[Node, list[Instruction]] = {}
    for node, items in made.items():
        found.setdefault(owners[node], []).extend(items)
    costs = {
        node: _summed(cost for item in items for cost in instruction_costs(item, program))
        for node, items in found.items()
    }
    return {node: each for node, each in costs.items() if each}


def cost_notes(diagram: Diagram, plan: Plan, itemsize: int) -> dict[Node, str]:
    """Return a line for each index space that a node costs something on: operations and bytes, per row or once."""
    costs = node_costs(diagram, plan)
    return {node: "\n".join(_line(cost, itemsize) for cost in each) for node, each in costs.items()}


def _owners(diagram: Diagram) -> dict[Node, Node]:
    """Return the node of a diagram that every node of the written-out diagram comes from."""
    wires = [node for node in walk_nodes(diagram) if isinstance(node, Wire)]
    every = Diagram((*diagram.outputs, *((f"node {number}", wire) for number, wire in enumerate(wires))))
    written = write_out(every).outputs[len(diagram.outputs) :]
    found: dict[Node, Node] = {}
    for wire, (_, image) in zip(wires, written, strict=True):  # inputs first: what they own already is not new
        for node in walk_nodes(image):
            found.setdefault(node, wire)
    return found


def _summed(costs: Iterable[Cost]) -> tuple[Cost, ...]:
    found: dict[str, Cost] = {}
    for cost in costs:
        found[cost.on] = found.get(cost.on, Cost(cost.on)) + cost
    return tuple(found[space] for space in sorted(found))


def _line(cost: Cost, itemsize: int) -> str:
    parts = [f"{count} {unit}" for count, unit in ((cost.flops, "flop"), (cost.bytes(itemsize), "B")) if count]
    return f"{cost.on or 'once'}: {', '.join(parts)}"
