"""The layout: nothing overlaps, wires keep out of shapes, crossings are few."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from fusion import Diagram, LimitError, Network, Wire, add, leg, outputs, vertex
from fusion.draw import dot, svg, text
from fusion.draw.items import Item, Link
from fusion.draw.layout import Layout, arrange
from fusion.draw.overlay import Overlay
from fusion.draw.scene import Picture, compose, network_picture
from fusion.draw.tracks import Bus, assign_tracks
from fusion.sampling import random_diagrams

Drawn = Wire | Diagram | Network


def picture(value: Drawn) -> Picture:
    return network_picture(value) if isinstance(value, Network) else compose(value, Overlay())


def boxes(drawn: Picture) -> list[tuple[float, float, float, float]]:
    """Return (left, top, right, bottom) of every item with its texts."""
    layout = drawn.layout
    return [
        (x - item.left, y - item.up, x + item.right, y + item.down)
        for item, x, y in zip(drawn.items, layout.x, layout.y, strict=True)
    ]


def assert_clean(drawn: Picture) -> None:
    """Items keep apart and inside, and wires run where no item of another wire is."""
    found = boxes(drawn)
    layout = drawn.layout
    for left, top, right, bottom in found:
        assert left >= 0 and top >= 0 and right <= layout.width and bottom <= layout.height
    for number, a in enumerate(found):
        for b in found[:number]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (drawn.figures[number], a, b)
    for stroke in layout.strokes:
        link = drawn.links[stroke.link]
        for way in stroke.ways:
            if way.level is not None:  # the track lies between the rows
                assert way.y1 < way.level < way.y2
                low, high = sorted((way.x1, way.x2))
                for a in found:
                    assert not (a[0] < high and low < a[2] and a[1] < way.level < a[3])
        for first, second in pairwise(stroke.ways):
            assert first.x2 == second.x1 and first.y2 < second.y1
            for number, a in enumerate(found):  # down through a row
                inside = a[0] < first.x2 < a[2] and a[1] < second.y1 and first.y2 < a[3]
                assert number in (link.source, link.target) or not inside


def test_examples_are_clean(example: Drawn) -> None:
    assert_clean(picture(example))


@pytest.mark.parametrize("seed", range(3))
def test_large_diagrams_are_clean(large: Callable[..., Diagram], seed: int) -> None:
    assert_clean(picture(large(60, seed)))


def test_random_diagrams_are_clean() -> None:
    for _, diagram in random_diagrams(20, seed=7):
        assert_clean(picture(diagram))


def test_every_link_has_one_stroke_from_port_to_port(example: Drawn) -> None:
    drawn = picture(example)
    layout = drawn.layout
    assert sorted(stroke.link for stroke in layout.strokes) == list(range(len(drawn.links)))
    for stroke in layout.strokes:
        link = drawn.links[stroke.link]
        item = drawn.items[link.target]
        reach = abs(stroke.ways[-1].x2 - layout.x[link.target])
        assert reach in {abs(x) for x in item.ins}
        assert layout.y[link.source] < layout.y[link.target]


def test_a_shared_node_is_drawn_once() -> None:
    x = leg("x", "0e+1o", channels=4)
    twice = (x @ x)["0e"]
    drawn = compose(outputs(a=twice, b=twice, c=x["0e"]), Overlay())
    assert [figure.title for figure in drawn.figures].count("leg x: 0e+1o, u=4, on atom") == 1
    assert sum(figure.shape == "vertex" for figure in drawn.figures) == 1


def test_equal_networks_lie_alike_and_the_6j_network_is_planar(build: Callable[[str], Drawn]) -> None:
    first, second = picture(build("sixj")), picture(build("sixj"))
    assert first == second
    tracks = [
        (way.level, *sorted((way.x1, way.x2)), stroke.link)
        for stroke in first.layout.strokes
        for way in stroke.ways
        if way.level is not None
    ]
    verticals = [(a.x2, a.y2, b.y1, stroke.link) for stroke in first.layout.strokes for a, b in pairwise(stroke.ways)]
    crossed = [(t, v) for t in tracks for v in verticals if t[1] < v[0] < t[2] and v[1] < t[0] < v[2]]
    assert not crossed


def test_legs_float_to_their_first_use() -> None:
    x, late = leg("x", "0e", channels=4), leg("late", "0e", channels=4)
    chain = x.mix("u->u", name="a").mix("u->u", name="b").mix("u->u", name="c")
    drawn = compose(add(chain, late), Overlay())
    y = {figure.title.split(":")[0]: top for figure, top in zip(drawn.figures, drawn.layout.y, strict=True)}
    assert y["leg late"] > y["leg x"] + 100


def test_wide_rows_are_staggered() -> None:
    wires = [leg(f"x{i}", "0e+1o", channels=4) for i in range(40)]
    total = wires[0]
    for wire in wires[1:]:
        total = total + wire
    drawn = compose(total, Overlay())
    assert_clean(drawn)
    assert drawn.layout.width < 3000
    assert len({y for figure, y in zip(drawn.figures, drawn.layout.y, strict=True) if figure.shape == "terminal"}) > 4


def chain(length: int) -> list[Wire]:
    wires: list[Wire] = [leg("x", "0e", channels=2)]
    for number in range(length):
        wires.append(wires[-1].mix("u->u", name=f"w{number}"))
    return wires


def test_too_much_is_refused() -> None:
    long = chain(2000)
    for write in (svg, text, dot):
        with pytest.raises(LimitError, match="2001 nodes; at most 2000 are drawn"):
            write(long[-1], findings=())
    every = chain(110)
    total = outputs(**{f"o{number}": add(*every, wire) for number, wire in enumerate(every)})
    with pytest.raises(LimitError, match="wires; at most 10000 are drawn"):
        svg(total, findings=())
    with pytest.raises(LimitError, match="too many long wires"):
        svg(add(*chain(300)), findings=())
    network = vertex("a0=1o", "b0=1o", "a1=0e")
    for number in range(1, 3):
        network = network.connect(vertex(f"a{number}=0e", f"b{number}=0e", f"a{number + 1}=0e"))
    assert "7 lines" in svg(network)


def test_a_long_chain_with_many_skips_is_drawn() -> None:
    assert len(svg(add(*chain(100)), findings=())) < 200_000


def test_an_empty_layout_has_a_size() -> None:
    empty = arrange([], [])
    assert isinstance(empty, Layout) and empty.width > 0 and empty.height > 0


def test_a_side_port_is_mirrored_where_its_wire_comes_from_the_left() -> None:
    box = Item(30, 60, 15, 15, ins=(0.0, 50.0), sides=frozenset({1}))
    small = Item(10, 10, 10, 10)
    # the order of items 0 and 1 is fixed by their other users: 0 is on the left and enters the box from the side
    links = [Link(0, 0, 2, 0), Link(1, 0, 3, 0), Link(0, 0, 3, 1)]
    layout = arrange([small, small, Item(10, 10, 10, 10, ins=(0.0,)), box], links)
    stroke = next(stroke for stroke in layout.strokes if stroke.link == 2)
    assert (stroke.ways[-1].x2 < layout.x[3]) == (layout.x[0] < layout.x[1])


def test_tracks_of_wires_that_overlap_are_apart() -> None:
    right, left = Bus(0.0, 5.0, [100.0]), Bus(50.0, 5.0, [150.0])
    levels, height = assign_tracks([right, left])
    assert abs(levels[0] - levels[1]) >= 10
    assert levels[1] < levels[0], "the wire further right turns first, so that the two do not cross"
    assert min(levels) > 0 and max(levels) < height
    assert assign_tracks([]) == ([], 16.0)
