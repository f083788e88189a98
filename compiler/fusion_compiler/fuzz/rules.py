"""The validator against a brute-force judge: what is refused, at which nodes, and which terms are said to be zero."""

from __future__ import annotations

import math

import numpy as np

from fusion.diagram import Diagram, Fuse, Power, Wire, walk_nodes
from fusion.findings import Finding
from fusion.node import Node
from fusion.sampling.oracle import Verdict, judge
from fusion.validate import findings
from fusion_compiler.fuzz.result import Outcome, Settings


def rules(diagram: Wire | Diagram, rng: np.random.Generator, settings: Settings) -> Outcome:
    """Compare the findings of the validator with the verdict of :func:`fusion.sampling.oracle.judge`.

    A difference is a false accept, a false reject, blame on other nodes than those that cannot be computed (nodes
    behind one of these are left out), or a notice of zero terms that is wrong or missing.
    """
    try:
        found = findings(diagram)
    except Exception as error:  # the validator reports; whatever it raises is a finding
        return Outcome(math.inf, "validator", f"{type(error).__name__}: {error}")
    verdict = judge(diagram)
    errors = [item for item in found if item.violation.severity == "error"]
    marks = _marks(errors, found)
    exception, node = _difference(diagram, errors, verdict)
    if not exception:
        return Outcome(0.0, marks=marks)
    where = f"validator, {node.kind} {str(node)[-80:]!r}" if node is not None else "validator"
    return Outcome(math.inf, where, exception, marks)


def _marks(errors: list[Finding], found: tuple[Finding, ...]) -> tuple[str, ...]:
    kinds = {f"{item.violation.kind} at {item.node.kind}" for item in errors}
    notices = ["zero terms"] if not errors and any(_says_zero(item.node) for item in found) else []
    return ("illegal" if errors else "legal", *notices, *sorted(kinds))


def _says_zero(node: Node) -> bool:
    return isinstance(node, Fuse | Power) and any(item.severity == "notice" for item in node.violations)


def _difference(diagram: Wire | Diagram, errors: list[Finding], verdict: Verdict) -> tuple[str, Node | None]:
    """Return how the validator differs from the judge, in words, and at which node; empty when it does not."""
    refused = verdict.refused or verdict.coefficients
    if errors and verdict.legal:
        return f"false reject: {errors[0].violation.headline}", errors[0].node
    if refused and not errors:
        node, reason = next(iter(refused.items()))
        return f"false accept: {reason}", node
    blamed = {item.node: item for item in errors if item.node not in verdict.unjudged}
    for node, item in blamed.items():
        if node not in refused:
            return f"wrong blame: {item.violation.headline}", node
    for node, reason in refused.items():
        if node not in blamed:
            return f"missing blame: {reason}", node
    for node in walk_nodes(diagram) if verdict.legal else ():
        expected, said = _zeros(node, verdict), _notices(node)
        if said - expected:
            return f"false notice: {', '.join(sorted(said - expected))}", node
        if expected - said:
            return f"missing notice: {', '.join(sorted(expected - said))}", node
    return "", None


def _zeros(node: Node, verdict: Verdict) -> set[str]:
    """Return what the judge finds to be zero at a node."""
    found = set(verdict.zeros.terms.get(node, ())) | {f"no {irrep}" for irrep in verdict.zeros.absent.get(node, ())}
    if node in verdict.zeros.combs:
        found.add("{} of the {} paths".format(*verdict.zeros.combs[node]))
    return found


def _notices(node: Node) -> set[str]:
    """Return what the validator says to be zero at a node, in the same words."""
    found: set[str] = set()
    for item in node.violations:
        if item.severity == "notice":
            found.update(item.reasons)
            found.update(f"no {irrep}" for irrep in item.asked)
            if isinstance(node, Power) and not item.asked:
                found.add(item.headline.partition(" of this power")[0])
    return found
