"""The rule of every instruction on small programs written by hand, to third order, in both emitters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from compiler.derivatives.derived import Problem, written
from fusion.functions import ELEMENTWISE
from fusion_compiler import program as ops
from fusion_compiler.cost import per_row
from fusion_compiler.derivatives.rules import RULES
from fusion_compiler.emit.interpret import _RULES as INTERPRETED
from fusion_compiler.emit.source import _RULES as WRITTEN
from fusion_compiler.program import Instruction, Shape
from fusion_compiler.writer import Writer

ROWS = {"atom": 3, "edge": 5}
Z = torch.tensor([1, 0, 1])
BOND = torch.tensor([0, 2, 2, 1, 0])
SENDER = torch.tensor([0, 2, 2, 0, 2])  # atom 1 has no edge
X, E = Shape("atom", (2, 4)), Shape("edge", (2, 4))
PULLED = ("z", ("sender",))
Made = tuple[Instruction, Shape]


def of(*made: Made, **shapes: Shape) -> Problem:
    """Return a program of instructions in a row; every input or coefficient (``c_``) has a shape."""
    writer = Writer()
    writer.labels = {"z": ("atom", 2), "bond": ("edge", 3)}
    writer.maps = {"sender": ("edge", "atom")}
    for name, shape in shapes.items():
        if name.startswith("c_"):
            writer.add_coefficients(name, shape)
        else:
            writer.add_input(name, shape)
    last = ""
    for instruction, shape in made:
        last = writer.add(instruction.renamed({"last": last}), shape)
    shape = writer.shapes[last]
    if isinstance(made[-1][0], ops.Function):
        return written(writer, {"out": last}, ROWS, z=Z, bond=BOND, sender=SENDER)
    # the square of a linear value, so that no derivative vanishes early
    letters = ("N" if shape.on else "") + "abcdefg"[: len(shape.axes)]
    squared = writer.add(ops.Contract("", last, last, f"{letters},{letters}->{letters}"), shape)
    return written(writer, {"out": squared}, ROWS, z=Z, bond=BOND, sender=SENDER)


def on_atoms(*axes: int) -> Shape:
    return Shape("atom", axes)


CASES: dict[str, Callable[[], Problem]] = {
    "take": lambda: of((ops.Take("", "x", (1, 2)), on_atoms(2, 2)), x=X),
    "take repeated": lambda: of((ops.Take("", "x", (3, 0, 3)), on_atoms(2, 3)), x=X),
    "take channels": lambda: of((ops.Take("", "x", (1, 0, 1), -2), on_atoms(3, 4)), x=X),
    "take coefficients": lambda: of((ops.Take("", "$c_w", (2, 0), -2), Shape("", (2, 2))), c_w=Shape("", (3, 2))),
    "place": lambda: of((ops.Place("", "x", (4, 0, 4, 1), 6), on_atoms(2, 6)), x=X),
    "place range": lambda: of((ops.Place("", "x", (1, 2), 5, -2), on_atoms(5, 4)), x=X),
    "place coefficients": lambda: of((ops.Place("", "$c_w", (1, 1), 3), Shape("", (2, 3))), c_w=Shape("", (2, 2))),
    "segment and join": lambda: of(
        (ops.Segment("", "x", 1, 1, 3), on_atoms(2, 1, 3)), (ops.Join("", ("last",)), on_atoms(2, 3)), x=X
    ),
    "concatenate": lambda: of((ops.Concatenate("", ("x", "y", "x")), on_atoms(2, 11)), x=X, y=on_atoms(2, 3)),
    "contract": lambda: of((ops.Contract("", "x", "y", "Nab,Nbc->Nac"), on_atoms(2, 3)), x=X, y=on_atoms(4, 3)),
    "contract with itself": lambda: of((ops.Contract("", "x", "x", "Nab,Nac->Nbc"), on_atoms(4, 4)), x=X),
    "contract of coefficients": lambda: of(
        (ops.Contract("", "x", "$c_w", "Nab,bc->Nac"), on_atoms(2, 3)), x=X, c_w=Shape("", (4, 3))
    ),
    "contract over rows": lambda: of((ops.Contract("", "x", "y", "Nab,Nac->bc"), Shape("", (4, 4))), x=X, y=X),
    "contract over rows of one": lambda: of(
        (ops.Contract("", "x", "$c_w", "Nab,c->bc"), Shape("", (4, 3))), x=X, c_w=Shape("", (3,))
    ),
    "contract with one row": lambda: of(
        (ops.Contract("", "x", "b", "Nab,Nb->Na"), on_atoms(2)), x=X, b=Shape("constant", (4,))
    ),
    "contract summing one operand": lambda: of(
        (ops.Contract("", "x", "y", "Nab,Nc->Nac"), on_atoms(2, 3)), x=X, y=on_atoms(3)
    ),
    "multiply": lambda: of((ops.Multiply("", "x", "y"), X), x=X, y=X),
    "multiply by scalars": lambda: of((ops.Multiply("", "x", "y"), X), x=X, y=on_atoms(2, 1)),
    "multiply both ways": lambda: of((ops.Multiply("", "x", "y"), X), x=on_atoms(1, 4), y=on_atoms(2, 1)),
    "multiply one row": lambda: of((ops.Multiply("", "b", "y"), X), b=Shape("constant", (1, 4)), y=on_atoms(2, 1)),
    "multiply square": lambda: of((ops.Multiply("", "x", "x"), X), x=X),
    "gather": lambda: of((ops.Gather("", "x", "sender"), E), x=X),
    "gather by label": lambda: of(
        (ops.Gather("", "x", "sender", "bond", (), 3), Shape("edge", (2,))), x=on_atoms(3, 2)
    ),
    "scatter": lambda: of((ops.Scatter("", "e", "sender"), X), e=E),
    "scatter by label": lambda: of((ops.Scatter("", "e", "sender", *PULLED, 2), on_atoms(2, 2, 4)), e=E),
    "lookup": lambda: of((ops.Lookup("", "$c_w", (PULLED, ("bond", ()))), E), c_w=Shape("", (2, 3, 2, 4))),
    "collect": lambda: of((ops.Collect("", "e", (PULLED, ("bond", ()))), Shape("", (2, 3, 2, 4))), e=E),
    "combine": lambda: of((ops.Combine("", ("x", "y", "x"), (2.0, -1.0, 0.5)), X), x=X, y=X),
    "reshape and transpose": lambda: of(
        (ops.Transpose("", "x", (2, 0, 1)), on_atoms(4, 2, 3)),
        (ops.Reshape("", "last", (8, 3)), on_atoms(8, 3)),
        x=on_atoms(2, 3, 4),
    ),
    "reshape and transpose coefficients": lambda: of(
        (ops.Transpose("", "$c_w", (1, 0)), Shape("", (4, 2))),
        (ops.Reshape("", "last", (8,)), Shape("", (8,))),
        c_w=Shape("", (2, 4)),
    ),
    "expand one row": lambda: of((ops.Expand("", "b"), E), b=Shape("constant", (2, 4))),
    "expand coefficients": lambda: of((ops.Expand("", "$c_w"), E), c_w=Shape("", (2, 4))),
    "total to one row": lambda: of((ops.Total("", "e"), Shape("constant", (2, 4))), e=E),
    "total to none": lambda: of((ops.Total("", "e"), Shape("", (2, 4))), e=E),
    "layer norm": lambda: of((ops.Function("", "x", "layer_norm", channels=2), on_atoms(3, 2, 1)), x=on_atoms(3, 2, 1)),
    "layer norm of groups": lambda: of(
        (ops.Function("", "x", "layer_norm", channels=1), on_atoms(2, 3, 1)), x=on_atoms(2, 3, 1)
    ),
    "softmax": lambda: of((ops.Function("", "e", "softmax", "sender"), E), e=E),
    **{
        f"function {name}": lambda name=name: of((ops.Function("", "x", name), X), x=X)
        for name in (*ELEMENTWISE, "step")
    },
}


def products(table: tuple[int, int], same: bool, learned: bool, channels: int = 2) -> Problem:
    """Products of 4 by 3 components (or of 4 with themselves) with a table of some products and results."""
    writer, rng = Writer(), np.random.default_rng(1)
    x = writer.add_input("x", Shape("atom", (2, 4)))
    y = x if same else writer.add_input("y", Shape("atom", (channels, 3)))
    left, right = (tuple(rng.integers(0, count, size=table[0]).tolist()) for count in (4, 4 if same else 3))
    weights = writer.add_coefficients("w", Shape("", table)) if learned else writer.constant(rng.normal(size=table))
    made = writer.add(ops.Products("", x, y, weights, left, right), Shape("atom", (2, table[1])))
    return written(writer, {"out": made}, ROWS)


CASES.update(
    {
        f"products {table} {same} {learned}": lambda table=table, same=same, learned=learned: products(
            table, same, learned
        )
        for table in ((3, 2), (40, 1), (2, 30))
        for same in (False, True)
        for learned in (False, True)
    }
)
CASES["products of one channel with two"] = lambda: products((5, 2), False, False, 1)
CASES["products of one channel with two, learned"] = lambda: products((5, 2), False, True, 1)


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    for emitter in ("interpret", "source"):
        assert max(CASES[name]().errors(3, emitter)) < 1e-12


@pytest.mark.parametrize("name", CASES)
def test_values_of_emitters_agree(name: str) -> None:
    found = CASES[name]()
    values = {name: found.tensors[name] for name in found.floating}
    first, second = (found.run(found.program, values, emitter)["out"] for emitter in ("interpret", "source"))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", CASES)
def test_one_row_and_none(name: str) -> None:
    found = CASES[name]()
    for count in (0, 1):
        small = {n: v[:count] if found.program_rows(n) else v for n, v in found.tensors.items()}
        small["sender"] = torch.zeros(count, dtype=torch.int64)
        errors = Problem(found.program, small, {"constant": 1, "atom": count, "edge": count}).errors(2, "source")
        assert max(errors) < 1e-12


def test_every_instruction_has_its_rules() -> None:
    kinds = {kind for kind in vars(ops).values() if isinstance(kind, type) and issubclass(kind, Instruction)}
    kinds.remove(Instruction)
    assert kinds == set(RULES) == set(INTERPRETED) == set(WRITTEN)


def test_costs_of_adjoints_by_hand() -> None:
    """Per row: 2 x 4 numbers of an edge; sums count one addition each, indices are read, tables once."""
    costs = {name: per_row(CASES[name]().program) for name in ("place", "collect", "total to none", "gather by label")}
    square = {"place": 12, "gather by label": 2}
    place = costs["place"]
    assert place["atom"].flops == 8 + square["place"]
    assert (place["atom"].numbers, place[""].indices) == (8 + 12 + 3 * 12, 4)
    collect = costs["collect"]
    assert (collect["edge"].flops, collect["edge"].numbers, collect["edge"].indices) == (8, 8, 2 + 1)
    assert (collect[""].flops, collect[""].numbers) == (48, 4 * 48)
    total = costs["total to none"]
    assert (total["edge"].flops, total["edge"].numbers, total[""].numbers) == (8, 8, 4 * 8)
    gather = costs["gather by label"]
    assert (gather["edge"].indices, gather["edge"].flops) == (2, square["gather by label"])
