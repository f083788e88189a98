"""Values: the block against the definition of its diagram, and under rotations and inversions."""

from __future__ import annotations

import numpy as np

from fusion.diagram import walk_nodes
from fusion.sampling import transformed
from fusion.wigner import random_o3, random_rotation, representation
from fusion_compiler.verify.subject import Subject, numbers

FEW = ((0,), (1,))
"""Numbers of rows at which programs go wrong first."""
DRAWS = 3


def dense(subject: Subject, limit: float) -> tuple[float, str]:
    """Compare the block with brute-force evaluation: several rows, one row, and no rows."""
    every = [subject.draw(f"dense {number}", rows) for number, rows in enumerate((*[subject.rows] * DRAWS, *FEW))]
    worst = max(drawn.error(subject.run(drawn.tensors, drawn.inputs.sizes)) for drawn in every)
    reach = max(drawn.reach for drawn in every[:DRAWS])
    fitted = "" if subject.bound else "; fitted coefficients were not bound, random ones were used"
    how = f"brute-force evaluation, {DRAWS} draws of inputs, and 0 and 1 rows"
    return worst, f"{how}; outputs reach {reach:.0e} of their terms{fitted}"


def lacks_parity(subject: Subject) -> bool:
    """Whether some wire has no parity, so that the diagram is of SO(3)."""
    return any(irrep.p == 0 for node in walk_nodes(subject.diagram) for _, irrep in node.space.irreps)


def equivariance(subject: Subject, limit: float, elements: int) -> tuple[float, str]:
    """Compare outputs of transformed inputs with transformed outputs, for random elements of the group."""
    proper = lacks_parity(subject)
    rng, drawn, worst, improper = subject.random("elements"), subject.draw("equivariance"), 0.0, 0
    before = {name: numbers(value) for name, value in subject.run(drawn.tensors, drawn.inputs.sizes).items()}
    for _ in range(elements):
        matrix = random_rotation(rng) if proper else random_o3(rng)
        improper += bool(np.linalg.det(matrix) < 0)
        turned = transformed(subject.diagram, drawn.inputs, matrix).tensors
        after = subject.run({name: subject.tensor(array) for name, array in turned.items()}, drawn.inputs.sizes)
        for name, wire in subject.diagram.outputs:
            action = representation(wire.space.irreps, matrix)
            magnitude = np.maximum(drawn.dense[name].magnitude @ np.abs(action).T, 1e-300)
            difference = np.abs(before[name] @ action.T - numbers(after[name])) / magnitude
            worst = max(worst, float(np.max(difference, initial=0.0)) if np.isfinite(difference).all() else np.inf)
    group = "SO(3)" if proper else f"O(3), {improper} of them improper"
    return worst, f"{elements} random elements of {group}"
