"""Fuzzing: random diagrams against the definition of what they mean, with minimal reproducers.

Every kind of fuzz is a :class:`Kind` in :data:`KINDS`: which diagrams it draws, and one function that tells how wrong
one of them comes out.
"""

from fusion_compiler.fuzz.result import FuzzResult, Outcome, Reproducer, Settings
from fusion_compiler.fuzz.run import KINDS, TOLERANCES, Kind, run_fuzz

__all__ = ["KINDS", "TOLERANCES", "FuzzResult", "Kind", "Outcome", "Reproducer", "Settings", "run_fuzz"]
