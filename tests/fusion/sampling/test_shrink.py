"""Minimal reproducers: small, legal, and still showing what was looked for."""

from __future__ import annotations

import pytest

from fusion import Diagram, Wire, check, label, leg, outputs, walk_nodes
from fusion.diagram import Fuse, Mix, Power, Shuffle
from fusion.sampling import features, random_diagrams, shrink

KINDS = {"shuffle": 3, "power": 2, "pull": 2, "mix tied": 3, "map softmax": 3, "sum by label": 3, "fuse weighted": 3}


@pytest.mark.parametrize("feature", KINDS)
def test_random_diagrams_shrink_to_the_node_at_fault(feature: str) -> None:
    found = next(diagram for _, diagram in random_diagrams(60, 8) if feature in features(diagram))
    small = shrink(found, lambda diagram: feature in features(diagram))
    check(small)
    assert feature in features(small)
    assert len(walk_nodes(small)) <= KINDS[feature]
    assert len(walk_nodes(small)) < len(walk_nodes(found))


def test_is_deterministic() -> None:
    _, diagram = next(iter(random_diagrams(1, 3)))
    assert shrink(diagram, lambda _: True) == shrink(diagram, lambda _: True)


def test_keeps_what_does_not_fail_in_parts() -> None:
    h = leg("h", "0e+1o+2e", channels=3)
    wire = (h @ h.mix("u->v"))["1o+2e"].power(1, 2)["0e"].mix("u->v", per=label("z", 3))

    def fails(diagram: Wire | Diagram) -> bool:
        nodes = walk_nodes(diagram)
        return any(isinstance(n, Fuse) for n in nodes) and any(isinstance(n, Power) for n in nodes)

    small = shrink(wire, fails)
    assert fails(small)
    assert not any(isinstance(node, Mix) for node in walk_nodes(small))
    assert {size for node in walk_nodes(small) for size in node.space.sizes} <= {1}


def test_drops_outputs_that_do_not_matter() -> None:
    x = leg("x", "0e+1o", channels=4)
    small = shrink(
        outputs(a=x.roll(1), b=x @ x, c=x["0e"]), lambda d: any(isinstance(n, Shuffle) for n in walk_nodes(d))
    )
    assert isinstance(small, Shuffle)
    assert small.space.sizes == (2,) or small.space.sizes == (1,)


def test_stops_after_its_trials() -> None:
    calls: list[Wire | Diagram] = []

    def never(diagram: Wire | Diagram) -> bool:
        calls.append(diagram)
        return False

    _, diagram = next(iter(random_diagrams(1, 3)))
    assert shrink(diagram, never, trials=7) == diagram
    assert len(calls) == 7
