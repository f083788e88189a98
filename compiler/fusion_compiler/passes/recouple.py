"""recouple: weighted sums of trees take the cheapest shape, with the weights transformed by 6j symbols.

See :mod:`fusion_compiler.polynomial.reshape`. A sum whose weights lie behind no mix keeps its shape: there the
coefficients of recoupling would have to be carried out for every row.
"""

from __future__ import annotations

from fusion.diagram import Diagram, Mix, Wire
from fusion.errors import LimitError
from fusion_compiler.passes.mixes import moved
from fusion_compiler.passes.roots import rewritten
from fusion_compiler.polynomial.nodes import Weigh
from fusion_compiler.polynomial.reshape import best_shape, groups_of, reshaped
from fusion_compiler.polynomial.weighted import weighted_of


def recouple(diagram: Diagram) -> Diagram:
    """Return the diagram with weighted sums of trees in cheaper shapes, wherever the whole program gets cheaper."""
    return rewritten(diagram, recoupled_sum, then=moved)


def recoupled_sum(node: Mix | Weigh) -> Wire | None:
    """Return a weighted sum in its cheapest shapes, or ``None`` where it has them already."""
    found = weighted_of(node)
    if found is None or found.order < 3:
        return None
    chosen = {
        group: shape
        for group, trees in groups_of(found).items()
        if len(group.legs) > 2 and (shape := best_shape(group, trees, weights_first=found.diagonal)) != group.shape
    }
    if not chosen:
        return None
    try:
        new = reshaped(found, chosen)
    except LimitError:  # the way to the new shape needs a label that is too large: the trees stay as they are
        return None
    return None if new is None else new.node()
