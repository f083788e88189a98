"""What the validator finds: one record per broken law, with its facts, and how a list of them is worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fusion.errors import ChannelError, DiagramError, IndexSpaceError, LegError, SelectionRuleError, caret
from fusion.irreps import Irrep

if TYPE_CHECKING:
    from fusion.node import Node

ERROR_TYPES: Mapping[str, type[DiagramError]] = {
    "selection": SelectionRuleError,
    "channel": ChannelError,
    "index": IndexSpaceError,
    "leg": LegError,
    "limit": DiagramError,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken law (``severity="error"``) or one legal oddity (``"notice"``) at one node.

    Attributes:
        kind: ``selection``, ``channel``, ``index``, ``leg`` or ``limit``.
        headline: what was asked, in one line.
        details: the types of the incoming wires, the rule with its numbers, what is reachable, the repair.
        asked: the irreps that were asked for, where the law is a selection rule.
        reachable: the irreps that the vertex can give.
        reasons: for each asked irrep and pair of incoming irreps, why it fails.
        suggestion: the repair, when it is unique.
    """

    kind: str
    headline: str
    details: tuple[str, ...] = ()
    severity: str = "error"
    asked: tuple[Irrep, ...] = ()
    reachable: tuple[Irrep, ...] = ()
    reasons: tuple[str, ...] = ()
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation together with the node where it was found and its place in the diagram's text."""

    violation: Violation
    node: Node
    text: str
    start: int
    length: int

    def __str__(self) -> str:
        lines = [self.violation.headline, caret(self.text, self.start, self.length)]
        lines.extend(f"    {line}" for line in self.violation.details)
        return "\n".join(lines)


def raise_errors(findings: tuple[Finding, ...]) -> None:
    """Raise one exception that reports every error among ``findings``; do nothing when there is none."""
    errors = [finding for finding in findings if finding.violation.severity == "error"]
    if not errors:
        return
    kinds = {finding.violation.kind for finding in errors}
    error_type = ERROR_TYPES[kinds.pop()] if len(kinds) == 1 else DiagramError
    text = "\n".join(str(finding) for finding in errors)
    if len(errors) > 1:
        text = f"{len(errors)} violations\n{text}"
    raise error_type([finding.violation for finding in errors], text)
