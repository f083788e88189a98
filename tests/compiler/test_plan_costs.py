"""What every diagram of the corpus costs is committed in ``plan_costs.json``, as the exact integers ``explain`` prints.

``FUSION_WRITE_GOLDEN=1`` writes the file anew; look at the difference before committing it. A rise is a regression of
a pass; a fall is an improvement that the file has to hold from now on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

import fusion_compiler
from corpus import DIAGRAMS
from fusion import Wire, leg
from fusion_compiler.cost import per_row

FILE = Path(__file__).parent / "plan_costs.json"
Costs = dict[str, dict[str, int]]


def _measured() -> dict[str, Costs]:
    """Return flops and bytes (float64) per row of every index space, and once per call, of every corpus diagram."""
    found: dict[str, Costs] = {}
    for name, diagram in sorted(DIAGRAMS.items()):
        program = fusion_compiler.compile(diagram, emitter="interpret", dtype=torch.float64).program
        costs = sorted(per_row(program).items())
        found[name] = {space or "once": {"flops": c.flops, "bytes": c.bytes(8)} for space, c in costs}
    return found


def _changes(before: dict[str, Costs], after: dict[str, Costs]) -> list[tuple[str, str, str, int, int]]:
    """Return every number that differs: diagram, index space, quantity, before, after; what is absent is 0."""
    found: list[tuple[str, str, str, int, int]] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, {}), after.get(name, {})
        for space in sorted({*old, *new}):
            for what in ("flops", "bytes"):
                numbers = (old.get(space, {}).get(what, 0), new.get(space, {}).get(what, 0))
                if numbers[0] != numbers[1]:
                    found.append((name, space, what, *numbers))
    return found


def _report(changes: list[tuple[str, str, str, int, int]], unlisted: list[str]) -> str:
    """Return the table of changes and what to do; empty when nothing differs."""
    if not changes and not unlisted:
        return ""
    lines = [f"{'diagram':<28} {'per row of':<16} {'':<6} {'before':>12} {'now':>12}"]
    lines += [f"{name:<28} {space:<16} {what:<6} {old:>12} {new:>12}" for name, space, what, old, new in changes]
    lines += [f"{name}: in one of corpus and {FILE.name} only" for name in unlisted]
    rises = sum(new > old for *_, old, new in changes)
    verdict = f"{rises} costs of the corpus rise" if rises else "no cost of the corpus rises"
    how = f"FUSION_WRITE_GOLDEN=1 pytest {FILE.parent.parent.name}/{FILE.parent.name}/{Path(__file__).name}"
    return "\n".join([verdict, *lines, f"when this is meant, write the new numbers with: {how}"])


def test_plan_costs_of_the_corpus_are_those_committed() -> None:
    found = _measured()
    if os.environ.get("FUSION_WRITE_GOLDEN"):
        blocks = (f"  {json.dumps(name)}: {json.dumps(costs)}" for name, costs in found.items())
        FILE.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")
    committed: dict[str, Costs] = json.loads(FILE.read_text(encoding="utf-8"))
    unlisted = sorted(set(found) ^ set(committed))
    common = [name for name in found if name in committed]
    changes = _changes({name: committed[name] for name in common}, {name: found[name] for name in common})
    report = _report(changes, unlisted)
    assert not report, report


@pytest.mark.parametrize(
    ("now", "verdict"),
    [(7, "no cost of the corpus rises"), (9, "1 costs of the corpus rise"), (8, "")],
)
def test_every_change_is_told_with_what_to_do(now: int, verdict: str) -> None:
    before, after = {"square": {"atom": {"flops": 8, "bytes": 4}}}, {"square": {"atom": {"flops": now, "bytes": 4}}}
    report = _report(_changes(before, after), [])
    assert report.startswith(verdict)
    assert (f"{8:>12} {now:>12}" in report) == bool(verdict)
    assert ("FUSION_WRITE_GOLDEN=1 pytest tests/compiler/test_plan_costs.py" in report) == bool(verdict)


def _chain(steps: int) -> Wire:
    """Fuse ``steps + 1`` legs of l = 3 one after the other, 64 channels, a single irrep kept at each step."""
    wire: Wire = leg("x0", "3o", channels=64)
    for step in range(1, steps + 1):
        wire = (wire @ leg(f"x{step}", "3o", channels=64)).on("c,c->c")["3e" if step % 2 else "3o"]
    return wire


def test_a_chain_of_twelve_fuses_stays_linear() -> None:
    """A greedy order takes 1e17 operations for 1000 rows (opt-einsum's ``auto``), the declared one 5.6e8."""
    declared = 64 * 12 * (7**2 + 2 * 7**3)  # each step: all products of components, then the dense table
    (cost,) = [c for c in per_row(fusion_compiler.compile(_chain(12), dtype=torch.float64).program).values() if c.on]
    assert declared * 1000 == 564_480_000
    assert cost.flops <= declared


def test_a_new_index_space_is_a_rise() -> None:
    changes = _changes({"square": {}}, {"square": {"edge": {"flops": 3, "bytes": 0}}})
    assert changes == [("square", "edge", "flops", 0, 3)]
    assert "square: in one of corpus and plan_costs.json only" in _report([], ["square"])
