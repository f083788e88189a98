"""Mutations planted in our own code, one at a time: fuzzing catches each within 2,000 cases (most within a few).

Each replaces one function where it is used. The diagrams are drawn once and shared, so that only checking them costs.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch

import fusion.couplings
import fusion.inference.coupling
import fusion.inference.index
import fusion.inference.invariant
import fusion.inference.linear
import fusion.validate
from fusion import Diagram, NotationError, Wire, parse, powers, walk_nodes
from fusion.sampling import random_cases, random_diagrams
from fusion_compiler import fuzz, geometry, search, steps, tables
from fusion_compiler import program as ops
from fusion_compiler.derivatives import invariant, rules
from fusion_compiler.emit import kernels
from fusion_compiler.fuzz import KINDS, FuzzResult, Settings, run_fuzz
from fusion_compiler.lowering import builder, linear
from fusion_compiler.passes import demands, expand, prune, recouple, worth
from fusion_compiler.polynomial import reshape, sharing

interpret = importlib.import_module("fusion_compiler.emit.interpret")  # the package has a function of this name
LIMIT, LOT = 2_000, 20
Patch = pytest.MonkeyPatch
Numbered = tuple[int, Wire | Diagram]


class _Drawn:
    """Cases of one seed, drawn when they are first asked for and kept as text, which is read by the code under test."""

    def __init__(self, cases: Iterator[Numbered]) -> None:
        self._cases, self._kept = cases, list[tuple[int, str]]()

    def texts(self, start: int, end: int) -> list[tuple[int, str]]:
        while len(self._kept) < end:
            number, diagram = next(self._cases)
            with contextlib.suppress(NotationError):  # a text cannot declare one name twice
                self._kept.append((number, str(parse(str(diagram)))))
        return self._kept[start:end]


@cache
def _drawn(legal: bool) -> _Drawn:
    return _Drawn((random_diagrams if legal else random_cases)(2 * LIMIT, 11))


def _read(texts: list[tuple[int, str]], count: int, seed: int) -> Iterator[Numbered]:
    return ((number, parse(text)) for number, text in texts)


def _forget() -> None:
    """Empty the caches of what mutations change: none may hide one, or keep what it left."""
    for known in (
        *(powers.combs, powers.comb_counts, powers.independent, powers.vanishing, fusion.couplings.meetings),
        *(tables.nonzero, tables.entries, tables.named_products, tables.selection, steps.vertex_form),
        *(search.best_order, search.declared_order, demands.couplings_of, worth.program_of, expand.write_out),
        *(reshape._labelled, sharing.vertex_counts, recouple._alone),
    ):
        known.cache_clear()


@pytest.fixture(autouse=True)
def fresh_tables() -> Iterator[None]:
    """Forget what a mutation left in caches."""
    yield
    _forget()


def _caught(patch: Patch, what: str, mutate: Callable[[Patch], None], **options: Any) -> tuple[int, FuzzResult]:
    """Return after how many cases a mutation is met, and the run; every lot of cases is drawn by the true code."""
    for start in range(0, LIMIT, LOT):
        texts = _drawn(KINDS[what].legal).texts(start, start + LOT)
        with patch.context() as planted:
            mutate(planted)
            _forget()
            kind = replace(KINDS[what], draw=partial(_read, texts))
            planted.setitem(fuzz.KINDS, what, kind)
            result = run_fuzz(what, LOT, 11, emitters=["interpret"], stop=1, **options)
        _forget()
        if result.mismatches:
            return start + result.cases, result
    pytest.fail(f"not met in {LIMIT} cases")


def _wrong_sign(patch: Patch) -> None:
    real = tables.clebsch_gordan
    patch.setattr(tables, "clebsch_gordan", lambda a, b, c: -real(a, b, c) if (a, b, c) == (1, 2, 1) else real(a, b, c))


def _wrong_order_of_components(patch: Patch) -> None:
    real = tables.clebsch_gordan
    patch.setattr(tables, "clebsch_gordan", lambda a, b, c: np.roll(real(a, b, c), int(c == 2), axis=2))


def _dropped_path(patch: Patch) -> None:
    real = expand.power_paths
    patch.setattr(
        expand, "power_paths", lambda *given: [(n, trees, kept[:-1] or kept) for n, trees, kept in real(*given)]
    )


def _exchange_sign_turned_round(patch: Patch) -> None:
    patch.setattr(prune, "exchange_odd", lambda a, b, c: (a.l + b.l + c.l) % 2 == 0)


def _swapped_map(patch: Patch) -> None:
    real = builder.Builder.use_map
    other = {"sender": "receiver", "receiver": "sender"}
    patch.setattr(
        builder.Builder, "use_map", lambda self, item: real(self, replace(item, name=other.get(item.name, item.name)))
    )


def _forgotten_factors(patch: Patch) -> None:
    real = kernels.combine
    patch.setattr(kernels, "combine", lambda values, factors: real(values, [1.0] * len(factors)))


def _scale_by_irrep_instead_of_path(patch: Patch) -> None:
    real = linear._scale_owner

    def owner(node: Any, wanted: Any) -> tuple[int, ...]:
        first: dict[Any, int] = {}
        return tuple(first.setdefault(path[0], number) for path, number in _owners(node, wanted))

    def _owners(node: Any, wanted: Any) -> list[tuple[Any, int]]:
        return list(zip((p for p in wanted.paths for _ in range(p[0].dim)), real(node, wanted), strict=True))

    patch.setattr(linear, "_scale_owner", owner)


def _transposed_mix(patch: Patch) -> None:
    real = linear._coefficients

    def coefficients(build: Any, node: Any, irrep: Any, kept: Any) -> str:
        name = real(build, node, irrep, kept)
        shape = build.shapes[name]
        if len(shape.axes) < 3 or shape.axes[-1] != shape.axes[-2]:
            return name
        order = (*range(len(shape.axes) - 3), len(shape.axes) - 2, len(shape.axes) - 3)
        return build.emit(lambda out: ops.Transpose(out, name, order), shape)

    patch.setattr(linear, "_coefficients", coefficients)


def _softmax_over_all_rows(patch: Patch) -> None:
    real = interpret.softmax
    patch.setattr(interpret, "softmax", lambda x, index, count: real(x, torch.zeros_like(index), count))


def _rolled_backwards(patch: Patch) -> None:
    real = interpret._RULES[ops.Take]

    def take(item: ops.Take, run: Any) -> Any:
        if item.axis == -1:
            return real(item, run)
        return run.values[item.x].index_select(item.axis, torch.tensor(np.argsort(item.index)))

    patch.setitem(interpret._RULES, ops.Take, take)


def _classes_shifted(patch: Patch) -> None:
    real = kernels.scatter_by
    patch.setattr(
        kernels, "scatter_by", lambda x, index, count, label, n: real(x, index, count, (label + 1) % max(n, 1), n)
    )


def _mean_instead_of_sum(patch: Patch) -> None:
    real = kernels.scatter

    def scatter(x: Any, index: Any, count: int) -> Any:
        number = torch.bincount(index, minlength=count).clamp(min=1).to(x.dtype)
        return real(x, index, count) / number.reshape(-1, *(1 for _ in x.shape[1:]))

    patch.setattr(kernels, "scatter", scatter)


def _live_path_pruned(patch: Patch) -> None:
    real = prune.zero_paths

    def zero_paths(expansion: Any) -> Any:
        marked: dict[Any, Any] = real(expansion)
        return {node: found | set(sorted(prune.couplings_of(node))[1:2]) for node, found in marked.items()}

    patch.setattr(prune, "zero_paths", zero_paths)


def _harmonics_without_their_norm(patch: Patch) -> None:
    real = geometry.harmonics
    patch.setattr(geometry, "harmonics", lambda l_max, vector, normalization: real(l_max, vector, "norm"))


def _other_derivative(patch: Patch, name: str, derivative: tuple[tuple[float, tuple[str, ...]], ...]) -> None:
    known = dict(invariant.ELEMENTWISE)
    known[name] = replace(known[name], derivative=derivative)
    patch.setattr(invariant, "ELEMENTWISE", known)


def _derivative_without_square(patch: Patch) -> None:
    _other_derivative(patch, "tanh", ((1.0, ()), (-1.0, ("tanh",))))


def _no_second_derivative(patch: Patch) -> None:
    """The cosine that is the derivative of a sine has none itself."""
    _other_derivative(patch, "cos", ((0.0, ("sin",)),))


def _other_rule(patch: Patch, kind: type[ops.Instruction], rule: Callable[[Any, Any, str], Any]) -> None:
    patch.setitem(rules.RULES, kind, rule)


def _repeats_forgotten(patch: Patch) -> None:
    """Every row is taken to be gathered once: its cotangent is one of those that it should add up."""
    real = rules.RULES[ops.Gather]

    def rule(calculus: Any, item: ops.Gather, cotangent: str) -> Any:
        return (replace(part, factor=0.5 * part.factor) for part in real(calculus, item, cotangent))

    _other_rule(patch, ops.Gather, rule)


def _detached_wire(patch: Patch) -> None:
    """One of the two wires of a vertex is taken for a constant."""
    real = rules.RULES[ops.Products]

    def rule(calculus: Any, item: ops.Products, cotangent: str) -> Any:
        for part in real(calculus, item, cotangent):
            if item.x == item.y:
                yield replace(part, factor=0.5 * part.factor)
            elif part.to == item.x:
                yield part

    _other_rule(patch, ops.Products, rule)


def _detached_coefficients(patch: Patch) -> None:
    _other_rule(patch, ops.Lookup, lambda c, item, g: iter(()))


def _detached_length(patch: Patch) -> None:
    """A direction changes with the vector as if its length stayed the same."""
    patch.setattr(invariant, "_tangent", lambda c, x, g: c.multiply(g, invariant._geometry(c, x, "inverse_length", 0)))


VALUES: dict[str, Callable[[Patch], None]] = {
    "wrong sign": _wrong_sign,
    "wrong order of components": _wrong_order_of_components,
    "dropped path": _dropped_path,
    "exchange sign turned round": _exchange_sign_turned_round,
    "swapped map": _swapped_map,
    "forgotten factors": _forgotten_factors,
    "scale by irrep instead of path": _scale_by_irrep_instead_of_path,
    "transposed mix": _transposed_mix,
    "softmax over all rows": _softmax_over_all_rows,
    "rolled backwards": _rolled_backwards,
    "classes shifted": _classes_shifted,
    "mean instead of sum": _mean_instead_of_sum,
    "live path pruned": _live_path_pruned,
    "harmonics without their norm": _harmonics_without_their_norm,
}


GRADIENTS: dict[str, Callable[[Patch], None]] = {
    "derivative without square": _derivative_without_square,
    "no second derivative": _no_second_derivative,
    "repeats forgotten": _repeats_forgotten,
    "detached wire": _detached_wire,
    "detached coefficients": _detached_coefficients,
    "detached length": _detached_length,
}


def _parity_forgotten(patch: Patch) -> None:
    real = fusion.inference.coupling.violation
    patch.setattr(
        fusion.inference.coupling,
        "violation",
        lambda a, b, c: None if "triangle" not in (real(a, b, c) or "") else real(a, b, c),
    )


def _triangle_one_too_narrow(patch: Patch) -> None:
    real = fusion.couplings.coupled
    patch.setattr(fusion.couplings, "coupled", lambda a, b: real(a, b)[: max(1, 2 * min(a.l, b.l))])


def _even_squares_noticed(patch: Patch) -> None:
    patch.setattr(fusion.inference.coupling, "exchange_odd", lambda a, b, c: c.l % 2 == 0)


def _sizes_not_compared(patch: Patch) -> None:
    real = fusion.inference.coupling.bind
    patch.setattr(fusion.inference.coupling, "bind", lambda *given: (real(*given)[0], ()))


def _target_taken_for_source(patch: Patch) -> None:
    real = fusion.inference.index.index_space_of
    patch.setattr(
        fusion.inference.index, "index_space_of", lambda what, on, item, end, wires=(): real(what, on, item, "target")
    )


def _index_spaces_not_compared(patch: Patch) -> None:
    for module in (fusion.inference.linear, fusion.inference.coupling):
        patch.setattr(module, "same_index_space", lambda what, sides: (sides[0][1].on, ()))


def _names_not_compared(patch: Patch) -> None:
    patch.setattr(fusion.validate, "_legs", lambda nodes: iter(()))


def _power_reaches_too_little(patch: Patch) -> None:
    real = fusion.inference.coupling._power_reach
    patch.setattr(fusion.inference.coupling, "_power_reach", lambda *given: real(*given)[:-1])


RULES: dict[str, Callable[[Patch], None]] = {
    "parity forgotten": _parity_forgotten,
    "triangle one too narrow": _triangle_one_too_narrow,
    "even squares noticed": _even_squares_noticed,
    "sizes not compared": _sizes_not_compared,
    "target taken for source": _target_taken_for_source,
    "index spaces not compared": _index_spaces_not_compared,
    "names not compared": _names_not_compared,
    "power reaches too little": _power_reaches_too_little,
}


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, result = _caught(monkeypatch, "values", VALUES[name], reproducers=0)
    assert cases < LIMIT
    assert result.mismatches == 1


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_wrong_derivative_is_caught_by_gradients_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, result = _caught(monkeypatch, "gradients", GRADIENTS[name], reproducers=1, trials=20)
    assert cases < LIMIT
    (found,) = result.reproducers
    assert "second derivative" in found.outcome.where or name != "no second derivative"
    GRADIENTS[name](monkeypatch)
    settings = Settings(torch.float64, ("interpret",), 1e-12)
    original = parse(found.original)
    assert KINDS["values"].check(original, np.random.default_rng((11, found.number, 0)), settings).error < 1e-12


@pytest.mark.parametrize("name", RULES)
def test_a_wrong_rule_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, result = _caught(monkeypatch, "rules", RULES[name], reproducers=0)
    assert cases < LIMIT
    assert result.mismatches == 1


@pytest.mark.parametrize(
    ("what", "mutate", "kinds"),
    [
        ("values", _wrong_order_of_components, {"leg", "fuse"}),
        ("values", _softmax_over_all_rows, {"leg", "map"}),
        ("gradients", _no_second_derivative, {"leg", "map"}),
        ("rules", _parity_forgotten, {"leg", "fuse"}),
        ("rules", _target_taken_for_source, {"leg", "sum"}),
    ],
)
def test_the_reproducer_is_small_and_fails_again(
    what: str, mutate: Callable[[Patch], None], kinds: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, result = _caught(monkeypatch, what, mutate, reproducers=1)
    (found,) = result.reproducers
    assert found.text in str(result)
    assert {node.kind for node in walk_nodes(parse(found.text))} == kinds
    settings = Settings(torch.float64, ("interpret",), 1e-12)
    assert KINDS[what].check(parse(found.text), np.random.default_rng(found.draw), settings).error < 1e-12
    mutate(monkeypatch)
    _forget()
    again = KINDS[what].check(parse(found.text), np.random.default_rng(found.draw), settings)
    assert again.error > 1e-12
    assert again == found.outcome
