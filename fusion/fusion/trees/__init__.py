"""Fusion trees: coupling trees with definite labels, their enumeration and counts, and the moves between them."""

from fusion.trees.enumeration import count_trees, enumerate_trees
from fusion.trees.moves import RecouplingError, f_move, inverse_f_move, r_move
from fusion.trees.recoupling import Recoupling, recoupled, recoupling
from fusion.trees.shapes import Shape, balanced, left_comb, shapes
from fusion.trees.tree import Combination, FusionTree

__all__ = [
    "Combination",
    "FusionTree",
    "Recoupling",
    "RecouplingError",
    "Shape",
    "balanced",
    "count_trees",
    "enumerate_trees",
    "f_move",
    "inverse_f_move",
    "left_comb",
    "r_move",
    "recoupled",
    "recoupling",
    "shapes",
]
