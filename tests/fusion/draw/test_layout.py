"""The layout: nothing overlaps, wires keep out of shapes, crossings are few."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from corpus import DIAGRAMS, NODES
from fusion import Diagram, LimitError, Network, Wire, add, findings, leg, outputs, vertex
from fusion.draw import dot, svg, text
from fusion.draw.items import Item, Link
from fusion.draw.layout import Layout, arrange
from fusion.draw.limits import PAGE_WIDTH
from fusion.draw.networks import network_picture
from fusion.draw.overlay import Overlay, overlay
from fusion.draw.packing import Known, arrange_parts, joined
from fusion.draw.picture import Picture
from fusion.draw.scene import compose
from fusion.draw.style import columns
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


def panels(drawn: Picture) -> list[Picture]:
    """Return a picture and those inside it."""
    return [drawn, *(inner for figure in drawn.figures if figure.panel is not None for inner in panels(figure.panel))]


Piece = tuple[float, float, float, float]


def pieces(drawn: Picture) -> dict[tuple[int, int], set[Piece]]:
    """Return the straight pieces (x1, y1, x2, y2) of the middle of every wire, by the port that it leaves."""
    found: dict[tuple[int, int], set[Piece]] = {}
    for stroke in drawn.layout.strokes:
        link = drawn.links[stroke.link]
        stops: list[tuple[float, float]] = []
        if not stroke.branch:
            stops.append((stroke.ways[0].x1, drawn.layout.y[link.source]))
        for way in stroke.ways:
            across = [] if way.level is None else [(way.x1, way.level), (way.x2, way.level)]
            stops.extend([(way.x1, way.y1), *across, (way.x2, way.y2)])
        if link.into not in drawn.items[link.target].sides:
            stops.append((stroke.ways[-1].x2, drawn.layout.y[link.target]))
        found.setdefault((link.source, link.out), set()).update((*a, *b) for a, b in pairwise(stops) if a != b)
    return found


def cross(a: Piece, b: Piece) -> bool:
    """Whether two pieces meet anywhere but at ends of both."""

    def side(piece: Piece, x: float, y: float) -> float:
        return (piece[2] - piece[0]) * (y - piece[1]) - (piece[3] - piece[1]) * (x - piece[0])

    return side(a, *b[:2]) * side(a, *b[2:]) < 0 and side(b, *a[:2]) * side(b, *a[2:]) < 0


def crossed_wires(drawn: Picture) -> list[tuple[Piece, Piece]]:
    """Return the places where wires from different ports cross."""
    nets = [sorted(net) for net in pieces(drawn).values()]
    return [
        (a, b) for number, net in enumerate(nets) for other in nets[:number] for a in net for b in other if cross(a, b)
    ]


def is_tree(drawn: Picture) -> bool:
    """Whether every wire has one user and nothing closes a loop."""
    used_once = len({(link.source, link.out) for link in drawn.links}) == len(drawn.links)
    return used_once and len(drawn.links) == len(drawn.items) - len(joined(len(drawn.items), drawn.links))


def label_boxes(drawn: str) -> list[tuple[str, Piece]]:
    """Return every text of an SVG drawing with its box, for a font whose characters are 0.6 of its size wide."""
    found: list[tuple[str, Piece]] = []

    def walk(element: ElementTree.Element, size: float, anchor: str) -> None:
        size, anchor = float(element.get("font-size", size)), element.get("text-anchor", anchor)
        if element.tag.endswith("}text"):
            x, y, text = float(element.attrib["x"]), float(element.attrib["y"]), element.text or ""
            width = 0.6 * size * columns(text)
            left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
            found.append((text, (left, y - 0.75 * size, left + width, y + 0.2 * size)))
        for child in element:
            walk(child, size, anchor)

    walk(ElementTree.fromstring(drawn), 11.0, "start")
    return found


def assert_labels_apart(drawn: str) -> None:
    found = sorted(label_boxes(drawn), key=lambda item: item[1][1])
    for number, (words, a) in enumerate(found):
        for other, b in found[number + 1 :]:
            if b[1] >= a[3]:
                break
            assert a[2] <= b[0] or b[2] <= a[0], (words, other, a, b)


def test_examples_are_clean(example: Drawn) -> None:
    assert_clean(picture(example))
    assert_labels_apart(svg(example))


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_corpus_is_clean(name: str) -> None:
    drawn = picture(DIAGRAMS[name])
    for inner in panels(drawn):
        assert_clean(inner)
    assert not is_tree(drawn) or not crossed_wires(drawn)
    assert drawn.layout.width <= PAGE_WIDTH
    assert_labels_apart(svg(DIAGRAMS[name]))


def test_most_corpus_diagrams_are_trees() -> None:
    assert sum(is_tree(picture(diagram)) for diagram in NODES.values()) > 40


@pytest.mark.parametrize("seed", range(3))
def test_large_diagrams_are_clean(large: Callable[..., Diagram], seed: int) -> None:
    assert_clean(picture(large(60, seed)))


def test_random_diagrams_are_clean() -> None:
    trees = 0
    for number, diagram in random_diagrams(100, seed=7):
        drawn = picture(diagram)
        for inner in panels(drawn):
            assert_clean(inner)
        if is_tree(drawn):
            trees += 1
            assert not crossed_wires(drawn)
        if number % 5 == 0:  # the boxes above hold the texts, too; this measures the texts themselves
            assert_labels_apart(svg(diagram))
    assert trees >= 5, "too few trees to say anything"


def comb(length: int) -> Wire:
    """A tree, every node of which is used once, wider than a page."""
    parts = [
        (leg(f"x{n}", "0e+1o", channels=4).mix("u->v", name=f"a{n}") @ leg(f"y{n}", "1o", channels=4))["0e+1o"]
        for n in range(length)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def test_wide_trees_are_cut_into_trees_that_fit() -> None:
    drawn = picture(comb(12))
    assert drawn.layout.width <= PAGE_WIDTH
    assert_clean(drawn)
    assert not crossed_wires(drawn)
    ends = [figure.words.inside[0] for figure in drawn.figures if figure.shape == "cut"]
    count = len(ends) // 2
    assert count >= 1
    assert sorted(ends) == sorted([*(f"→{n}" for n in range(1, count + 1)), *(f"{n}→" for n in range(1, count + 1))])


def test_shared_wires_of_wide_diagrams_are_broken_at_every_use() -> None:
    x = leg("x", "0e+1o", channels=4)
    shared = x.mix("u->v", name="shared")
    total = add(*((shared.mix("u->v", name=f"long_name_{n}") @ x)["0e+1o"].mix("u->v", v=4) for n in range(9)))
    drawn = picture(total)
    assert drawn.layout.width <= PAGE_WIDTH
    assert_clean(drawn)
    legs = [figure for figure in drawn.figures if figure.words.inside == ("x",)]
    assert len(legs) == 10 and sum(bool(figure.aside) for figure in legs) == 1, "its type is written once"
    ends = [figure.words.inside[0] for figure in drawn.figures if figure.shape == "cut"]
    assert ends.count("→1") == 1 and ends.count("1→") == 9
    assert "→1 goes on at 1→" in svg(total)
    assert sum(figure.shape == "box" and "shared" in figure.words.inside[-1] for figure in drawn.figures) == 1


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


def test_what_is_wrong_stays_marked_where_a_wide_diagram_is_broken() -> None:
    v = leg("v", "1o", channels=4)
    wrong = [(v @ leg(f"w{n}", "1o", channels=4))["3o"].mix("u->v", name=f"long_name_{n}") for n in range(9)]
    drawn = compose(add(*wrong), overlay(findings(add(*wrong))))
    assert drawn.layout.width <= PAGE_WIDTH
    assert_clean(drawn)
    numbers = [figure.mark.numbers for figure in drawn.figures if figure.mark is not None]
    assert sorted(numbers) == [(n,) for n in range(1, 10)]


def test_parts_are_packed_in_order_onto_the_page() -> None:
    box = Item(200, 200, 30, 30, ins=(0.0,))
    links = [Link(2 * n, 0, 2 * n + 1, 0) for n in range(5)]
    known: Known = {}
    layout = arrange_parts([box] * 10, links, range(10), known)
    assert len(known) == 1, "equal parts are laid out once"
    places = [(layout.x[2 * n], layout.y[2 * n]) for n in range(5)]
    assert [x for x, _ in places] == [places[0][0], places[1][0], *(places[0][0], places[1][0]), places[0][0]]
    assert places[0][1] == places[1][1] < places[2][1] == places[3][1] < places[4][1]
    assert layout.width <= PAGE_WIDTH
    wide = Item(900, 900, 30, 30)
    alone = arrange_parts([box, wide, box], [], range(3), {})
    assert alone.width > PAGE_WIDTH and alone.y[0] < alone.y[1] < alone.y[2]


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
