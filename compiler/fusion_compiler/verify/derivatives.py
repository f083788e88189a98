"""Derivatives: the gradients that torch takes of a block against differences, and their work around a closed loop.

Differences are taken of the block in float64, central and of eighth order. With S the number of
:class:`fusion_compiler.verify.scalar.Scalar` the error of its gradient g along a direction v is
``|g v - difference| / (sum of |g_i v_i| + sum of |terms of S| + a)``. The allowance a lets pass ``ALLOWANCE`` rounding
errors of the sum of the absolute values of all terms of the outputs: where these cancel, a gradient has fewer digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch

from fusion_compiler.verify.scalar import Problem, Variables, along, derivatives, movable, pose
from fusion_compiler.verify.subject import ATTEMPTS, Subject

STENCIL = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
"""Central differences of eighth order: ``f'(0) = sum over n of c_n (f(n h) - f(-n h)) / h``."""
STEPS = (2e-3, 1e-2)
"""Distances h; the second only tells whether the first has converged."""
ALLOWANCE = 16
RADIUS, POINTS = 0.02, 32
"""The loop: an ellipse of about this size, small beside displacements, and the points of the trapezoid rule, which
converges geometrically on a loop."""
Errors = Iterator[tuple[str, float | None]]
"""What was moved, and the error; none where the differences have not converged, such as on a kink."""


def gradient(subject: Subject, limit: float) -> tuple[float, str]:
    """Compare the gradient of S with differences of S."""

    def errors(problem: Problem) -> Errors:
        found = problem.scalar.gradient(problem.scalar.start)
        with torch.no_grad():
            size = float(problem.twin.terms(problem.twin.start).abs().sum())
        size += ALLOWANCE * problem.rounding / limit
        for name, group in problem.groups.items():
            yield name, _error(along(found, group), size, problem.twin.value, problem.twin.start, group, limit)

    return _settled(subject, "gradient", errors, "differences of values")


def second_gradient(subject: Subject, limit: float) -> tuple[float, str]:
    """Compare the gradient of the derivative of S along a direction with differences of that derivative."""

    def errors(problem: Problem) -> Errors:
        moving = movable(problem.scalar.start)
        slope, first = problem.scalar.slope(moving, problem.direction)
        found, size = derivatives(slope, moving), along(first, problem.direction)[1]
        size += ALLOWANCE * problem.rounding / limit

        def value(variables: Variables) -> float:
            return along(problem.twin.gradient(variables), problem.direction)[0]

        for name, group in problem.groups.items():
            yield name, _error(along(found, group), size, value, problem.twin.start, group, limit)

    return _settled(subject, "second gradient", errors, "differences of gradients")


def work(subject: Subject, limit: float) -> tuple[float, str]:
    """Integrate the gradient of S around a closed loop of all legs, relative to the absolute values of the integrand.

    The loop is ``x + RADIUS ((cos t - 1) a + sin t b)`` with random directions a and b.
    """

    def errors(problem: Problem) -> Errors:
        start = problem.twin.start
        a = {name: value for group in problem.groups.values() for name, value in group.items() if name[0] != "$"}
        b = {name: problem.direction[name] for name in a}
        found: list[tuple[float, float]] = []
        for step in range(POINTS if a else 0):
            c, s = math.cos(2 * math.pi * step / POINTS), math.sin(2 * math.pi * step / POINTS)
            place = {**start, **{name: start[name] + RADIUS * ((c - 1) * a[name] + s * b[name]) for name in a}}
            found.append(along(problem.scalar.gradient(place), {name: c * b[name] - s * a[name] for name in a}))
        total, half = abs(sum(piece for piece, _ in found)), abs(2 * sum(piece for piece, _ in found[::2]))
        error = _ratio(total, sum(size for _, size in found))
        unsettled = error > limit and abs(total - half) > 0.1 * total
        yield "loop", None if unsettled else error

    return _settled(subject, "work", errors, f"trapezoid rule, {POINTS} points, all legs together")


def _error(
    expected: tuple[float, float],
    size: float,
    value: Callable[[Variables], float],
    start: Variables,
    group: Variables,
    limit: float,
) -> float | None:
    """Return the error of a derivative and its absolute terms against differences; none if these do not converge."""

    def at(distance: float) -> float:
        return value({**start, **{name: start[name] + distance * entry for name, entry in group.items()}})

    def difference(step: float) -> float:
        return sum(c * (at(n * step) - at(-n * step)) for n, c in enumerate(STENCIL, 1)) / step

    found, scale = difference(STEPS[0]), expected[1] + size
    error = _ratio(abs(expected[0] - found), scale)
    if error > limit and _ratio(abs(found - difference(STEPS[1])), scale) > limit:
        return None
    return error


def _ratio(error: float, scale: float) -> float:
    """Return a relative error; infinite where it is no number."""
    found = 0.0 if error == 0.0 else error / max(scale, 1e-300)
    return found if math.isfinite(found) else math.inf


def _settled(subject: Subject, purpose: str, errors: Callable[[Problem], Errors], detail: str) -> tuple[float, str]:
    """Return the worst error of the first draw of inputs whose differences converge."""
    for attempt in range(ATTEMPTS):
        found = dict(errors(pose(subject, purpose, attempt)))
        settled = {name: error for name, error in found.items() if error is not None}
        if not settled and not found:
            return 0.0, "nothing to differentiate"
        if len(settled) == len(found):
            where = max(settled, key=lambda name: settled[name])
            return settled[where], detail if purpose == "work" else f"{detail}; largest for {where}"
    return math.inf, f"{detail} did not converge in {ATTEMPTS} draws of inputs"
