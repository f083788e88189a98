"""The second level: the order in which every group of fuses is contracted, step by step, with exact costs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from fusion.diagram import Fuse, Wire
from fusion.irreps import Irrep
from fusion_compiler.contraction import Order
from fusion_compiler.errors import InternalError
from fusion_compiler.expansion import Expansion
from fusion_compiler.layout import Layout
from fusion_compiler.steps import Dense, Pieces, Selected, Step, steps
from fusion_compiler.tables import Table


@dataclass(frozen=True, slots=True)
class Operand:
    """One tensor of a contraction: a wire, the coupling table of a vertex, or the weights of a weighted fuse.

    Exactly one of ``wire``, ``vertex`` and ``weight`` is set. ``layout`` says which paths of a wire enter.
    """

    letters: str
    wire: Wire | None = None
    layout: Layout | None = None
    vertex: Fuse | None = None
    weight: str = ""


def operand_keys(operands: Sequence[Operand]) -> list[Hashable]:
    """Return what each operand is: equal for two operands that are one value."""
    return [(o.wire, o.layout) if o.wire is not None else number for number, o in enumerate(operands)]


@dataclass(frozen=True, eq=False)
class ContractionPlan:
    """One contraction: operands, result letters, sizes of all letters, the chosen order, and what it costs.

    ``flops`` and ``declared_flops`` count the operations of the chosen and of the declared order as they are carried
    out, for ``contraction.ROWS`` rows. ``tables`` are the coupling tables by position of the operand. ``irrep`` is set
    for a weighted fuse, whose irreps are contracted one by one.
    """

    root: Fuse
    operands: tuple[Operand, ...]
    result: str
    sizes: tuple[tuple[str, int], ...]
    order: Order
    flops: int
    declared_flops: int
    tables: dict[int, Table]
    layout: Layout
    irrep: Irrep | None = None

    def steps(self) -> Iterator[Step]:
        """Return the steps in which the contraction is carried out."""
        letters = [operand.letters for operand in self.operands]
        return steps(letters, operand_keys(self.operands), self.tables, self.order.pairs, dict(self.sizes))

    def equation(self) -> str:
        """The whole contraction as einsum text."""
        return ",".join(operand.letters for operand in self.operands) + "->" + self.result


@dataclass(frozen=True)
class Plan:
    """An expansion together with the contraction plans of its fuses."""

    expansion: Expansion
    contractions: tuple[ContractionPlan, ...]

    def verify(self) -> None:
        """Check that every step uses each value once and that no order costs more than the declared one."""
        for plan in self.contractions:
            count = len(plan.operands)
            used: set[int] = set()
            for number, pair in enumerate(plan.order.pairs):
                if pair.left in used or pair.right in used or max(pair.left, pair.right) >= count + number:
                    raise InternalError("a contraction step uses a value twice or too early", str(self))
                used.update((pair.left, pair.right))
            if len(plan.order.pairs) != count - 1 or plan.order.pairs[-1].result != plan.result:
                raise InternalError("a contraction is not complete", str(self))
            if plan.flops > plan.declared_flops:
                raise InternalError("a contraction costs more than the declared order", str(self))

    def __str__(self) -> str:
        lines = [
            f"plan: {len(self.contractions)} contractions, {sum(p.flops for p in self.contractions)} flops for 64 rows"
        ]
        for number, plan in enumerate(self.contractions):
            sizes = " ".join(f"{letter}={size}" for letter, size in plan.sizes)
            lines.append(f"contraction {number}: {plan.equation()}   {sizes}")
            lines.append(f"  {plan.order.strategy}: {plan.flops} flops, declared order {plan.declared_flops}")
            letters = [operand.letters for operand in plan.operands]
            for step in plan.steps():
                lines.append(f"  {letters[step.pair.left]},{letters[step.pair.right]}->{step.pair.result}")
                letters.append(step.pair.result)
                if isinstance(step, Dense):
                    continue
                letters.append(step.follow.result)
                what = "outer product"
                if isinstance(step, Selected):
                    what = f"{len(step.products.rows)} selected products"
                elif isinstance(step, Pieces):
                    what = f"{len(step.parts)} pieces"
                lines[-1] += f"->{step.follow.result}   {what}"
        return "\n".join(lines)
