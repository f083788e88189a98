"""The selection rules of a vertex: the one place that allows a coupling or explains why not.

Triangle: ``|l1 - l2| <= l <= l1 + l2``. Parity, for O(3): ``p = p1 p2``.
"""

from __future__ import annotations

from functools import lru_cache

from fusion.errors import FusionError
from fusion.irreps import Irrep
from fusion.limits import MAX_L

_WORD = {1: "e", -1: "o"}


@lru_cache(maxsize=4096)
def coupled(left: Irrep, right: Irrep) -> tuple[Irrep, ...]:
    """Return every irrep contained in ``left (x) right``, in ascending degree up to ``MAX_L``.

    Raises:
        FusionError: one irrep is of O(3), the other of SO(3).
    """
    if (left.p == 0) != (right.p == 0):
        raise FusionError(f"{left} of {left.group} and {right} of {right.group} cannot be coupled; use one group")
    top = min(left.l + right.l, MAX_L)
    return tuple(Irrep(l, left.p * right.p) for l in range(abs(left.l - right.l), top + 1))


def violation(left: Irrep, right: Irrep, asked: Irrep) -> str | None:
    """Return why ``left x right -> asked`` is forbidden, with the rule's numbers, or ``None`` when it is allowed."""
    if len({left.group, right.group, asked.group}) > 1:
        return f"mixes groups: {left} is of {left.group}, {right} of {right.group}, {asked} of {asked.group}"
    reasons: list[str] = []
    low, high = abs(left.l - right.l), left.l + right.l
    if not low <= asked.l <= high:
        reasons.append(f"fails triangle: {low} <= l <= {high}, asked {asked.l}")
    if asked.p != left.p * right.p:
        reasons.append(
            f"fails parity: {_WORD[left.p]} x {_WORD[right.p]} = {_WORD[left.p * right.p]}, asked {_WORD[asked.p]}"
        )
    return "; ".join(reasons) or None


def exchange_odd(left: Irrep, right: Irrep, out: Irrep) -> bool:
    """Whether the coupling changes sign when its two factors are exchanged: ``l1 + l2 + l`` odd.

    A product of a wire with itself vanishes on such a coupling of two equal irreps.
    """
    return (left.l + right.l + out.l) % 2 == 1
