"""Generation: the complete layer that couples given legs to wanted irreps, as a diagram, with its counts."""

from fusion.generation.layer import Count, Generated, generate

__all__ = ["Count", "Generated", "generate"]
