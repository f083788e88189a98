"""Equality up to rewriting: a digest that exchange (and recoupling) cannot change, and the map between the weights."""

from fusion.equality.form import Canonical, canonical, equivalence
from fusion.equality.weights import WeightMap

__all__ = ["Canonical", "WeightMap", "canonical", "equivalence"]
