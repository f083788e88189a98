"""One broken law, with its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fusion.irreps import Irrep
from fusion.space import Space


class Incoming(NamedTuple):
    """One wire that enters a node: what it is there (``left``), its type, and its place among the node's inputs."""

    side: str
    space: Space
    place: int


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken law (``severity="error"``) or one legal oddity (``"notice"``) at one node.

    Attributes:
        kind: ``selection``, ``channel``, ``index``, ``leg`` or ``limit``.
        headline: what was asked, in one line.
        details: the rule with its numbers, what is reachable, the repair.
        wires: the incoming wires that matter here.
        asked: the irreps that were asked for, where the law is a selection rule.
        reachable: the irreps that the vertex can give.
        reasons: for each asked irrep and pair of incoming irreps, why it fails.
        suggestion: the repair, when it is unique.
        quote: the part of the node's text that is wrong, where it is not the whole.
    """

    kind: str
    headline: str
    details: tuple[str, ...] = ()
    severity: str = "error"
    wires: tuple[Incoming, ...] = ()
    asked: tuple[Irrep, ...] = ()
    reachable: tuple[Irrep, ...] = ()
    reasons: tuple[str, ...] = ()
    suggestion: str = ""
    quote: str = ""
