"""Fusion networks: open ends, joining, bending and closing, and the identities that make loops numbers.

Identities are numbered as in ``nbody_cormorant_fusion`` 1.4: I2 F-move, I4 9j move, I5 bubble, I6 completeness, I7
triangle, I8 tadpole, I9 bending (in its real form, 1.3).
"""

from __future__ import annotations

import importlib
import itertools
from math import prod, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusion import (
    LegError,
    LimitError,
    Network,
    NotationError,
    SelectionRuleError,
    apply,
    evaluate,
    evaluate_network,
    leg,
    line,
    parse_network,
    split_vertex,
    vertex,
)
from fusion.irreps import Irrep
from fusion.network import Vertex
from fusion.rules import coupled
from fusion.symbols import clebsch_gordan, ninej, sixj

SMALL = [(a, b, c) for a, b, c in itertools.product(range(3), repeat=3) if abs(a - b) <= c <= a + b]


def so3(**lines: int) -> list[str]:
    return [f"{name}={l}" for name, l in lines.items()]


def joined(*networks: Network) -> Network:
    found = networks[0]
    for network in networks[1:]:
        found = found.connect(network)
    return found


# ends


def test_a_vertex_and_its_transpose() -> None:
    fuse, split = vertex("a=1o", "b=2e", "c=1o"), split_vertex("c=1o", "a=1o", "b=2e")
    assert (fuse.ins, fuse.outs) == (("a", "b"), ("c",))
    assert (split.ins, split.outs) == (("c",), ("a", "b"))
    table = clebsch_gordan(1, 2, 1)
    assert np.array_equal(evaluate_network(fuse), table)
    assert np.array_equal(evaluate_network(split), table.transpose(2, 0, 1))


def test_a_bare_line_is_the_identity() -> None:
    bare = line("a=2e")
    assert (bare.ins, bare.outs) == (("a",), ("a",))
    assert np.array_equal(evaluate_network(bare), np.eye(5))
    assert evaluate_network(Network((), ())).shape == ()
    assert evaluate_network(Network((), ())) == 1.0


def test_networks_are_values() -> None:
    one = parse_network("network[fuse a b > c; a=1o b=2e c=1o]")
    assert one == vertex("a=1o", "b=2e", "c=1o") == eval(repr(one), {"parse_network": parse_network})
    assert len({one, vertex("a=1o", "b=2e", "c=1o")}) == 1
    assert one != vertex("b=1o", "a=2e", "c=1o")
    assert Network(one.vertices, tuple(reversed(one.lines))) == one  # lines are sorted


def test_two_vertices_side_by_side() -> None:
    both = vertex("a=1", "b=1", "c=0").connect(line("x=1"))
    assert (both.ins, both.outs) == (("a", "b", "x"), ("c", "x"))
    expected = np.einsum("abc,xy->abxcy", clebsch_gordan(1, 1, 0), np.eye(3))
    assert np.array_equal(evaluate_network(both), expected)


def test_a_chain_is_a_tree() -> None:
    tree = vertex("a=1", "b=2", "k=2").connect(vertex("k=2", "c=1", "out=3"))
    assert (tree.ins, tree.outs) == (("a", "b", "c"), ("out",))
    expected = np.einsum("abk,kcm->abcm", clebsch_gordan(1, 2, 2), clebsch_gordan(2, 1, 3))
    assert np.abs(evaluate_network(tree) - expected).max() < 1e-15


def test_axes_are_the_ends_by_name_ins_first() -> None:
    """Neither the order of the vertices nor that of their lines counts."""
    network = joined(
        split_vertex("m=2e", "y=1o", "c=3o"),
        vertex("z=1o", "b=1o", "m=2e"),
        line("q=1e"),
        vertex("p=2e", "d=1o", "a=1o"),
    )
    assert (network.ins, network.outs) == (("b", "d", "p", "q", "z"), ("a", "c", "q", "y"))
    tables = clebsch_gordan(1, 1, 2), clebsch_gordan(1, 3, 2), clebsch_gordan(2, 1, 1), np.eye(3)
    expected = np.einsum("zbm,ycm,pda,qr->bdpqzacry", *tables, optimize=True)
    found = evaluate_network(network)
    assert found.shape == (3, 3, 5, 3, 3, 3, 7, 3, 3)
    assert np.abs(found - expected).max() < 1e-15
    other = Network(network.vertices[::-1], network.lines)
    assert np.abs(evaluate_network(other) - expected).max() < 1e-15


# identities


@pytest.mark.parametrize(("a", "b", "c"), SMALL)
def test_bubble(a: int, b: int, c: int) -> None:
    """I5: splitting and fusing again is the identity, and zero between different irreps."""
    for other in range(abs(a - b), a + b + 1):
        bubble = split_vertex(*so3(c=c, a=a, b=b)).connect(vertex(*so3(a=a, b=b, d=other)))
        found = evaluate_network(bubble)
        expected = np.eye(2 * c + 1) if other == c else np.zeros((2 * c + 1, 2 * other + 1))
        assert np.abs(found - expected).max() < 1e-14


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, 1), (2, 1), (2, 2)])
def test_completeness(a: int, b: int) -> None:
    """I6: fusing and splitting again, summed over the middle line, is the identity on two lines."""
    total = np.zeros((2 * a + 1, 2 * b + 1, 2 * a + 1, 2 * b + 1))
    for c in range(abs(a - b), a + b + 1):
        total += evaluate_network(vertex(*so3(a=a, b=b, c=c)).connect(split_vertex(*so3(c=c, d=a, e=b))))
    assert np.abs(total - np.einsum("ad,be->abde", np.eye(2 * a + 1), np.eye(2 * b + 1))).max() < 1e-14


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, 1), (2, 1), (2, 2)])
def test_completeness_closed(a: int, b: int) -> None:
    """I6 with both lines closed: the numbers of the middle line add up to the loops of the two."""
    total = 0.0
    for c in range(abs(a - b), a + b + 1):
        closed = parse_network(f"network[fuse a b > c, split c > a b; a={a} b={b} c={c}]")
        assert (closed.ins, closed.outs) == ((), ())
        total += float(evaluate_network(closed))
    loops = line(f"a={a}").close("a", "a").connect(line(f"b={b}").close("b", "b"))
    assert total == pytest.approx(float(evaluate_network(loops)), abs=1e-13)
    assert total == pytest.approx((2 * a + 1) * (2 * b + 1), abs=1e-13)


@pytest.mark.parametrize(("j", "l"), [(0, 0), (1, 0), (2, 0), (1, 1), (1, 2), (2, 1), (2, 4)])
def test_tadpole(j: int, l: int) -> None:
    """I8: the trace of a vertex over one line is zero unless the other line is a scalar."""
    closed = vertex(*so3(j=j, l=l, k=j)).close("k", "j")
    assert (closed.ins, closed.outs) == (("l",), ())
    expected = np.zeros(2 * l + 1)
    expected[0] = 2 * j + 1 if l == 0 else 0.0
    assert np.abs(evaluate_network(closed) - expected).max() < 1e-14


@pytest.mark.parametrize(("j", "k", "l"), [(1, 1, 0), (2, 1, 0), (1, 1, 1), (1, 2, 2), (2, 2, 4), (0, 3, 0)])
def test_two_tadpoles_closed_on_each_other(j: int, k: int, l: int) -> None:
    """I8 without open ends: d_j d_k when a scalar joins the two loops, else zero."""
    closed = parse_network(f"network[fuse j l > j, split k > l k; j={j} k={k} l={l}]")
    assert (closed.ins, closed.outs) == ((), ())
    assert evaluate_network(closed) == pytest.approx((2 * j + 1) * (2 * k + 1) if l == 0 else 0.0, abs=1e-13)


@pytest.mark.parametrize(("a", "b", "c"), SMALL)
def test_theta(a: int, b: int, c: int) -> None:
    """A split and a fuse closed on each other: the dimension of the line between them."""
    theta = split_vertex(*so3(c=c, a=a, b=b)).connect(vertex(*so3(a=a, b=b, d=c))).close("d", "c")
    assert (theta.ins, theta.outs) == ((), ())
    assert evaluate_network(theta) == pytest.approx(2 * c + 1, abs=1e-13)


def test_a_loop_is_the_dimension() -> None:
    loop = line("a=3o").close("a", "a")
    assert (loop.ins, loop.outs) == ((), ())
    assert evaluate_network(loop) == pytest.approx(7.0)


def allowed(*triads: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= c <= a + b for a, b, c in triads)


def test_triangle_for_every_label_set_up_to_two() -> None:
    """I7: sum over i, j, k of C(i, j -> e1) C(j, e2 -> k) C(i, k -> e3) is a 6j times C(e1, e2 -> e3)."""
    checked = 0
    for i, j, k, e1, e2, e3 in itertools.product(range(3), repeat=6):
        if not allowed((i, j, e1), (j, e2, k), (i, k, e3), (e1, e2, e3)):
            continue
        checked += 1
        open_ends = joined(
            split_vertex(*so3(e1=e1, i=i, j=j)), vertex(*so3(j=j, e2=e2, k=k)), vertex(*so3(i=i, k=k, e3=e3))
        )
        assert (open_ends.ins, open_ends.outs) == (("e1", "e2"), ("e3",))
        factor = (-1) ** (i + j + e2 + e3) * sqrt((2 * e1 + 1) * (2 * k + 1)) * sixj(i, j, e1, e2, e3, k)
        assert np.abs(evaluate_network(open_ends) - factor * clebsch_gordan(e1, e2, e3)).max() < 1e-14
        closed = open_ends.connect(split_vertex(*so3(e3=e3, e1=e1, e2=e2)))
        assert (closed.ins, closed.outs) == ((), ())
        assert evaluate_network(closed) == pytest.approx((2 * e3 + 1) * factor, abs=1e-13)
    assert checked == 127  # as in the notes


TETRAHEDRA = [(1, 1, 1, 1, 1, 1), (1, 1, 1, 2, 2, 1), (2, 1, 1, 1, 2, 2), (2, 2, 2, 2, 2, 2), (1, 2, 3, 2, 2, 3)]


@pytest.mark.parametrize(("a", "b", "c", "d", "e", "f"), TETRAHEDRA)
def test_tetrahedron_is_a_sixj(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    """((a b)_e c)_d closed on (a (b c)_f)_d: the dimension of d times the F matrix of I2."""
    network = joined(
        vertex(*so3(a=a, b=b, e=e)),
        vertex(*so3(e=e, c=c, d=d)),
        split_vertex(*so3(d=d, a2=a, f=f)),
        split_vertex(*so3(f=f, b2=b, c2=c)),
    )
    for name in "abc":
        network = network.close(f"{name}2", name)
    assert (network.ins, network.outs) == ((), ())
    f_matrix = (-1) ** (a + b + c + d) * sqrt((2 * e + 1) * (2 * f + 1)) * sixj(a, b, e, c, d, f)
    assert evaluate_network(network) == pytest.approx((2 * d + 1) * f_matrix, abs=1e-13)


def test_golden_tetrahedron() -> None:
    """{111; 111} = 1/6, so F = 1/2 and the closed network is 3/2."""
    text = "network[fuse a b > e, fuse e c > d, split d > a f, split f > b c; a=1 b=1 c=1 d=1 e=1 f=1]"
    assert evaluate_network(parse_network(text)) == pytest.approx(1.5, abs=1e-14)


NINEJ = [
    (1, 1, 1, 1, 1, 1, 1, 1, 2),
    (1, 1, 1, 1, 1, 1, 1, 1, 1),
    (1, 1, 2, 1, 1, 2, 2, 2, 2),
    (1, 1, 2, 1, 1, 1, 0, 1, 1),
    (2, 1, 1, 1, 2, 2, 1, 2, 3),
    (2, 1, 3, 2, 2, 1, 1, 3, 2),
    (1, 2, 2, 2, 2, 3, 3, 1, 4),
    (2, 2, 2, 2, 2, 2, 2, 2, 2),
]


@pytest.mark.parametrize("labels", NINEJ)
def test_six_vertices_are_a_ninej(labels: tuple[int, ...]) -> None:
    """I4 closed: ((1 2)_a (3 4)_b)_L on ((1 3)_c (2 4)_e)_L gives d_L sqrt(d_a d_b d_c d_e) [1 2 a; 3 4 b; c e L]."""
    l1, l2, a, l3, l4, b, c, e, total = labels
    network = joined(
        vertex(*so3(p1=l1, p2=l2, a=a)),
        vertex(*so3(p3=l3, p4=l4, b=b)),
        vertex(*so3(a=a, b=b, total=total)),
        split_vertex(*so3(total=total, c=c, e=e)),
        split_vertex(*so3(c=c, p1=l1, p3=l3)),
        split_vertex(*so3(e=e, p2=l2, p4=l4)),
    )
    assert len(network.vertices) == 6
    assert (network.ins, network.outs) == ((), ())
    assert parse_network(str(network)) == network
    weight = (2 * total + 1) * sqrt(prod(2 * l + 1 for l in (a, b, c, e)))
    found = float(evaluate_network(network))
    assert found == pytest.approx(weight * ninej(l1, l2, a, l3, l4, b, c, e, total), abs=1e-13)
    sympy: Any = importlib.import_module("sympy.physics.wigner")
    assert found == pytest.approx(weight * float(sympy.wigner_9j(*labels)), abs=1e-13)


def test_golden_ninej() -> None:
    """[1 1 1; 1 1 1; 1 1 0] = {1 1 1; 1 1 1} / 3 = 1/18; parities on the lines do not change a number."""
    text = "fuse p q > a, fuse r s > b, fuse a b > t, split t > c e, split c > p r, split e > q s"
    found = evaluate_network(parse_network(f"network[{text}; p=1o q=1o r=1o s=1o a=1e b=1e c=1e e=1e t=0e]"))
    assert found == pytest.approx(9 / 18, abs=1e-14)


@pytest.mark.parametrize(("a", "b", "c"), SMALL)
def test_i9_a_vertex_turned_round(a: int, b: int, c: int) -> None:
    """Two bent ends make K(c, b -> a) of K(a, b -> c), up to a sign and the dimensions; likewise K(a, c -> b)."""
    fuse = vertex(*so3(a=a, b=b, c=c))
    first = fuse.bend("a", "up").bend("c", "down")
    assert (first.ins, first.outs) == (("b", "down"), ("up",))
    sign = (-1) ** (a + b + c)
    turned = sign * sqrt((2 * c + 1) / (2 * a + 1)) * evaluate_network(vertex(*so3(z=c, b=b, up=a)))
    assert np.abs(evaluate_network(first) - turned).max() < 1e-15
    second = fuse.bend("b", "up").bend("c", "down")
    turned = sign * sqrt((2 * c + 1) / (2 * b + 1)) * evaluate_network(vertex(*so3(a=a, down=c, up=b)))
    assert np.abs(evaluate_network(second) - turned).max() < 1e-15


# bending


def test_bending_keeps_the_numbers() -> None:
    fuse = vertex("a=1o", "b=2e", "c=1o")
    bent = fuse.bend("a", "z")
    assert (bent.ins, bent.outs) == (("b",), ("c", "z"))
    assert np.array_equal(evaluate_network(bent), clebsch_gordan(1, 2, 1).transpose(1, 2, 0))
    back = bent.bend("z", "a2")
    assert (back.ins, back.outs) == (("a2", "b"), ("c",))
    assert np.array_equal(evaluate_network(back), evaluate_network(fuse))
    down = fuse.bend("c", "c_in")
    assert (down.ins, down.outs) == (("a", "b", "c_in"), ())
    assert np.array_equal(evaluate_network(down), clebsch_gordan(1, 2, 1))


def test_a_bent_and_joined_line_is_straight() -> None:
    snake = joined(parse_network("network[cup a b; a=2e b=2e]"), parse_network("network[cap b c; b=2e c=2e]"))
    assert (snake.ins, snake.outs) == (("c",), ("a",))
    assert np.array_equal(evaluate_network(snake), np.eye(5))


def test_bending_is_the_vertex_to_a_scalar() -> None:
    for l in range(4):
        cap = evaluate_network(parse_network(f"network[cap a b; a={l} b={l}]"))
        assert np.abs(cap - sqrt(2 * l + 1) * clebsch_gordan(l, l, 0)[..., 0]).max() < 1e-15


def test_closing_on_a_bare_line_keeps_its_open_end() -> None:
    both = vertex("a=1o", "b=2e", "c=1o").connect(line("x=1o"))
    longer = both.close("c", "x")
    assert (longer.ins, longer.outs) == (("a", "b"), ("x",))
    assert np.array_equal(evaluate_network(longer), clebsch_gordan(1, 2, 1))
    longer = both.close("x", "a")
    assert (longer.ins, longer.outs) == (("b", "x"), ("c",))
    assert np.array_equal(evaluate_network(longer), clebsch_gordan(1, 2, 1).transpose(1, 0, 2))
    one = line("x=1o").connect(line("y=1o")).close("x", "y")
    assert (one.ins, one.outs) == (("y",), ("y",))
    assert np.array_equal(evaluate_network(one), np.eye(3))


# random networks: every operation on ends, against the same operation on a plain array

Ends = list[tuple[str, str]]


def reading(network: Network) -> NDArray[np.float64]:
    """Contract all vertices at once with one einsum, read off the vertices and lines; a bare line is an identity."""
    number = {name: place for place, (name, _) in enumerate(network.lines)}
    operands: list[Any] = []
    for item in network.vertices:
        labels = [network.irreps[name].l for name in item.table_lines]
        table = clebsch_gordan(*labels) if len(labels) == 3 else np.eye(2 * labels[0] + 1)
        operands.extend((table, [number[name] for name in item.table_lines]))
    bare = {name: len(number) + place for place, name in enumerate(sorted(set(network.ins) & set(network.outs)))}
    for name, place in bare.items():
        operands.extend((np.eye(network.irreps[name].dim), [number[name], place]))
    ends = [number[name] for name in network.ins] + [bare.get(name, number[name]) for name in network.outs]
    operands.extend((np.ones(()), []))
    return np.asarray(np.einsum(*operands, ends, optimize=True), dtype=np.float64)


def traced(array: NDArray[np.float64], ends: Ends, one: tuple[str, str], other: tuple[str, str]) -> Any:
    """Join two axes of an array."""
    rest = [end for end in ends if end not in (one, other)]
    return np.trace(array, axis1=ends.index(one), axis2=ends.index(other)), rest


@given(st.data())
@settings(max_examples=60)
def test_random_networks(data: st.DataObject) -> None:
    draw, names = data.draw, (f"{letter}{number}" for number in itertools.count() for letter in "pmx")
    irreps = [Irrep(l, p) for p in draw(st.sampled_from([(0,), (1, -1)])) for l in range(3)]
    network, array, ends = Network((), ()), np.ones(()), list[tuple[str, str]]()

    def add() -> None:
        nonlocal network, array, ends
        kind = draw(st.sampled_from(["fuse", "split", "line"]))
        first, second = draw(st.sampled_from(irreps)), draw(st.sampled_from(irreps))
        labels = [first] if kind == "line" else [first, second, draw(st.sampled_from(coupled(first, second)))]
        if array.size * prod(irrep.dim for irrep in labels) * (labels[0].dim if kind == "line" else 1) > 50_000:
            return
        sides = {"fuse": ["in", "in", "out"], "split": ["out", "out", "in"], "line": ["in"]}[kind]
        # An end may take the name of an open end of the other kind, and is then joined with it.
        chosen: list[str] = []
        for irrep, side in zip(labels, sides, strict=True):
            match = [name for other, name in ends if other != side and network.irreps[name] == irrep]
            match = [name for name in match if name not in chosen and ends.count((side, name)) == 0]
            chosen.append(draw(st.sampled_from(match)) if match and draw(st.booleans()) else next(names))
        texts = [f"{name}={irrep}" for name, irrep in zip(chosen, labels, strict=True)]
        if kind == "line":
            more, table = line(texts[0]), np.eye(labels[0].dim)
            new: Ends = [("in", chosen[0]), ("out", chosen[0])]
        else:
            table = clebsch_gordan(labels[0].l, labels[1].l, labels[2].l)
            more = vertex(*texts) if kind == "fuse" else split_vertex(texts[2], texts[0], texts[1])
            new = list(zip(sides, chosen, strict=True))
        network = network.connect(more)
        fresh = [(side, f"new {name}") for side, name in new]
        array, ends = np.multiply.outer(array, table), [*ends, *fresh]
        for side, name in new:
            joint = ("in" if side == "out" else "out", name)
            if joint in ends:
                array, ends = traced(array, ends, (side, f"new {name}"), joint)
        ends = [(side, name.removeprefix("new ")) for side, name in ends]

    def bend() -> None:
        nonlocal network, ends
        side, old = draw(st.sampled_from(ends))
        if (("in", old) in ends) != (("out", old) in ends):  # an end that is not of a bare line
            new = next(names)
            network = network.bend(old, new)
            ends = [("in" if side == "out" else "out", new) if end == (side, old) else end for end in ends]

    def close() -> None:
        nonlocal network, array, ends
        pairs = [
            (out, into)
            for (one, out), (other, into) in itertools.product(ends, ends)
            if (one, other) == ("out", "in") and network.irreps[out] == network.irreps[into]
        ]
        # Two bare lines become one, which has one name: see the test above.
        pairs = [
            (out, into) for out, into in pairs if out == into or ("in", out) not in ends or ("out", into) not in ends
        ]
        if pairs:
            out, into = draw(st.sampled_from(pairs))
            network = network.close(out, into)
            array, ends = traced(array, ends, ("out", out), ("in", into))

    for _ in range(draw(st.integers(1, 8))):
        draw(st.sampled_from([add, add, bend, close]) if ends else st.just(add))()
    order = sorted(ends)  # "in" before "out", each by name
    assert [("in", name) for name in network.ins] + [("out", name) for name in network.outs] == order
    expected = array.transpose([ends.index(end) for end in order])
    found = evaluate_network(network)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-13 * max(1.0, float(np.abs(expected).max()))
    assert np.abs(found - reading(network)).max() < 1e-13 * max(1.0, float(np.abs(expected).max()))
    assert parse_network(str(network)) == network


# as a node of an expression


def test_a_network_acts_row_by_row_and_channel_by_channel() -> None:
    x, y = leg("x", "1o", channels=2), leg("y", "2e", channels=2)
    random = np.random.default_rng(0)
    tensors = {"x": random.normal(size=(3, 2, 3)), "y": random.normal(size=(3, 2, 5))}
    node = apply(vertex("a=1o", "b=2e", "c=1o"), {"a": x, "b": y})
    assert node.space == (x @ y)["1o"].space
    assert evaluate(node, tensors)["out"].error(evaluate((x @ y)["1o"], tensors)["out"].value) < 1e-15


def test_a_closed_network_is_a_constant() -> None:
    theta = split_vertex("c=1", "a=1", "b=2").connect(vertex("a=1", "b=2", "d=1")).close("d", "c")
    node = apply(theta)
    assert str(node.space) == "0 on constant"
    assert evaluate(node, {})["out"].value == pytest.approx(3.0)
    x = leg("x", "0+1", channels=2)
    value = np.arange(8.0).reshape(1, 2, 4)
    assert np.allclose(evaluate(x.scale(node), {"x": value})["out"].value, 3.0 * value)


def test_a_vanishing_number_has_a_magnitude() -> None:
    zero = vertex("j=1", "l=2", "k=1").close("k", "j")
    found = evaluate(
        apply(zero.connect(line("x=0")), {"l": leg("l", "2"), "x": leg("x", "0")}), {"l": np.ones((1, 5)), "x": [[1.0]]}
    )
    assert abs(found["out"].value[0, 0]) < 1e-15
    assert found["out"].magnitude[0, 0] > 0.1


# errors


def test_selection_rules_of_all_vertices_are_reported() -> None:
    network = parse_network("network[fuse a b > c, split c > d e, cap d f; a=1o b=1o c=1o d=2e e=2e f=2o]")
    assert len(network.violations()) == 3
    with pytest.raises(SelectionRuleError) as caught:
        evaluate_network(network)
    assert str(caught.value).splitlines() == [
        "vertex 'fuse a b > c' asks for 1o x 1o -> 1o: fails parity: o x o = e, asked o",
        "    reachable from 1o x 1o: 0e, 1e, 2e",
        "vertex 'split c > d e' asks for 2e x 2e -> 1o: fails parity: e x e = e, asked o",
        "    reachable from 2e x 2e: 0e, 1e, 2e, 3e, 4e",
        "vertex 'cap d f >' bends a line of 2e into a line of 2o",
        "    a bend keeps the irrep",
        f"    in {network}",
    ]
    assert len(caught.value.violations) == 3
    vertex("a=1o", "b=1o", "c=1e").check()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network[fuse a b > c, fuse a d > e; a=0e b=0e c=0e d=0e e=0e]", "line 'a' ends at two vertices"),
        ("network[split a > b c, split d > b e; a=0e b=0e c=0e d=0e e=0e]", "line 'b' starts at two vertices"),
        ("network[fuse a b > c; a=0e b=0e]", "lines without an irrep: c"),
        ("network[; a=0e a=0e]", "lines declared twice: a"),
        ("network[; a=0e b=0]", "of O(3) or of SO(3), not both"),
        ("network[knot a b; a=0e b=0e]", "a vertex is one of fuse, split, cap, cup, not 'knot'"),
        ("network[fuse a > b; a=0e b=0e]", "a fuse vertex has 3 lines, got 2"),
    ],
)
def test_what_is_no_network(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_network(text)
    assert message in str(caught.value)


def test_lines_are_written_with_their_irrep() -> None:
    with pytest.raises(NotationError, match="a line is written name=irrep, such as a=1o"):
        line("a")
    with pytest.raises(NotationError, match="expected an irrep"):
        vertex("a=1o", "b=x", "c=0e")


def test_ends_that_do_not_join() -> None:
    fuse = vertex("a=1o", "b=2e", "c=1o")
    with pytest.raises(LegError, match="ends 'c' carry 1o and 2e and cannot be joined"):
        fuse.connect(vertex("c=2e", "d=0e", "e=2e"))
    with pytest.raises(LegError, match="both networks have a line 'a' that cannot be joined; rename one"):
        fuse.connect(vertex("a=1o", "d=0e", "e=1o"))
    with pytest.raises(LegError, match=r"ends 'c' \(1o\) and 'b' \(2e\) cannot be joined"):
        fuse.close("c", "b")
    with pytest.raises(LegError, match=r"'a' is not an open out-end of .*; open out-ends: c"):
        fuse.close("a", "b")
    with pytest.raises(LegError, match=r"'c' is not an open in-end of .*; open in-ends: a, b"):
        fuse.close("c", "c")
    with pytest.raises(LegError, match="'x' is not an open in or out-end"):
        fuse.bend("x", "y")
    with pytest.raises(NotationError, match="lines declared twice: b"):
        fuse.bend("a", "b")


def test_a_contraction_that_is_too_large_is_refused() -> None:
    chain = vertex("a0=16", "b0=16", "a1=16")
    for i in range(1, 6):
        chain = chain.connect(vertex(f"a{i}=16", f"b{i}=16", f"a{i + 1}=16"))
    with pytest.raises(LimitError, match="takes more than 100000000 terms in one step"):
        evaluate_network(chain)


def test_a_long_network_is_contracted_step_by_step() -> None:
    chain = line("x0=1o")
    for i in range(60):
        chain = chain.connect(split_vertex(f"x{i}=1o", f"a{i}=1o", f"b{i}=2e"))
        chain = chain.connect(vertex(f"a{i}=1o", f"b{i}=2e", f"x{i + 1}=1o"))
    assert len(chain.vertices) == 120
    assert np.abs(evaluate_network(chain) - np.eye(3)).max() < 1e-13


def test_facts_of_a_vertex() -> None:
    split = Vertex("split", ("c", "a", "b"))
    assert (split.enters, split.leaves, split.table_lines) == (("c",), ("a", "b"), ("a", "b", "c"))
    assert str(split) == "split c > a b"
    assert vertex("a=1o", "b=2e", "c=1o").irreps["b"] == Irrep(2, 1)
