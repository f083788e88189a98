"""A brute-force judge of diagrams, independent of the selection rules and of the inference of spaces."""

from fusion.sampling.oracle.judge import Verdict, judge

__all__ = ["Verdict", "judge"]
