"""explain: what the compiler made of a diagram, what every pass changed and saved, and what it all costs."""

from fusion_compiler.explain.explanation import Explanation, explain
from fusion_compiler.explain.sizes import index_spaces

__all__ = ["Explanation", "explain", "index_spaces"]
