"""Random diagrams, random inputs for them, and minimal reproducers: what fuzzing is made of."""

from fusion.sampling.cases import random_cases
from fusion.sampling.diagrams import random_diagram, random_diagrams
from fusion.sampling.report import NODE_KINDS, Distribution, digest, features
from fusion.sampling.shrink import shrink
from fusion.sampling.tensors import Inputs, random_tensors, transformed

__all__ = [
    "NODE_KINDS",
    "Distribution",
    "Inputs",
    "digest",
    "features",
    "random_cases",
    "random_diagram",
    "random_diagrams",
    "random_tensors",
    "shrink",
    "transformed",
]
