"""What the validator finds: violations with their places, how they are worded, and the exceptions that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fusion.errors import FusionError, caret
from fusion.node import Node
from fusion.violations import Violation

MAX_WIRES = 8
"""Incoming wires that one message describes."""


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


class DiagramError(FusionError):
    """A diagram breaks at least one law. All violations are reported at once.

    Attributes:
        violations: every violation found, in the order of the diagram.
        findings: the same with the node of each and its place in the text; empty where there is no diagram.
    """

    def __init__(self, violations: Sequence[Violation], text: str, findings: Sequence[Finding] = ()) -> None:
        self.violations = tuple(violations)
        self.findings = tuple(findings)
        self.text = text
        super().__init__(text)


class SelectionRuleError(DiagramError):
    """Every violation is one of the triangle or parity rule."""


class ChannelError(DiagramError):
    """Every violation is one of channel axes, sizes or patterns."""


class IndexSpaceError(DiagramError):
    """Every violation is one of index spaces or index maps."""


class LegError(DiagramError):
    """Every violation is one of legs: names, declarations, labels."""


ERROR_TYPES: Mapping[str, type[DiagramError]] = {
    "selection": SelectionRuleError,
    "channel": ChannelError,
    "index": IndexSpaceError,
    "leg": LegError,
    "limit": DiagramError,
}


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
