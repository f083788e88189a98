"""What the validator finds: one record per broken law, with its facts, and how a list of them is worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fusion.errors import ChannelError, DiagramError, IndexSpaceError, LegError, SelectionRuleError, caret
from fusion.irreps import Irrep

if TYPE_CHECKING:
    from fusion.node import Node
    from fusion.space import Space

ERROR_TYPES: Mapping[str, type[DiagramError]] = {
    "selection": SelectionRuleError,
    "channel": ChannelError,
    "index": IndexSpaceError,
    "leg": LegError,
    "limit": DiagramError,
}


MAX_WIRES = 8
"""Incoming wires that one message describes."""


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


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation together with the node where it was found and its place in the diagram's text.

    Attributes:
        text: the statement of the diagram's text that holds the node.
        start: where in it the node stands.
        length: number of characters that stand for the node.
        inputs: short texts of the expressions that enter the node, in the order of its inputs.
    """

    violation: Violation
    node: Node
    text: str
    start: int
    length: int
    inputs: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self.violation.headline, caret(self.text, self.start, self.length)]
        wires = self.violation.wires
        for side, space, place in wires[:MAX_WIRES]:
            name = f"{self.inputs[place]}: " if place < len(self.inputs) else ""
            lines.append(f"    {side:<6} {name}{space}")
        if len(wires) > MAX_WIRES:
            lines.append(f"    ... and {len(wires) - MAX_WIRES} more wires")
        lines.extend(f"    {line}" for line in self.violation.details)
        return "\n".join(lines)


def raise_errors(findings: tuple[Finding, ...]) -> None:
    """Raise one exception that reports every error among ``findings``; do nothing when there is none."""
    errors = [finding for finding in findings if finding.violation.severity == "error"]
    if not errors:
        return
    kinds = {finding.violation.kind for finding in errors}
    error_type = ERROR_TYPES[kinds.pop()] if len(kinds) == 1 else DiagramError
    texts = [str(finding) for finding in errors]
    if len(errors) > 1:
        texts = [f"{len(errors)} violations", *(f"{number}. {text}" for number, text in enumerate(texts, 1))]
    raise error_type([finding.violation for finding in errors], "\n".join(texts), errors)
