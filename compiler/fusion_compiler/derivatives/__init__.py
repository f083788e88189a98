"""Derivative programs: the vector-Jacobian product of a program is a program, so derivatives of any order are."""

from fusion_compiler.derivatives.differentiate import differentiate
from fusion_compiler.derivatives.halves import keeping, kept_names, reverse
from fusion_compiler.derivatives.vjp import cotangent_names, gradient, vjp

__all__ = ["cotangent_names", "differentiate", "gradient", "keeping", "kept_names", "reverse", "vjp"]
