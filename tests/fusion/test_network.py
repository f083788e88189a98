"""Fusion networks: open ends, joining, bending and closing, and the identities that make loops numbers.

Identities are numbered as in ``nbody_cormorant_fusion`` 1.4: I2 F-move, I5 bubble, I6 completeness, I7 triangle, I8
tadpole.
"""

from __future__ import annotations

import itertools
from math import sqrt

import numpy as np
import pytest

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
from fusion.symbols import clebsch_gordan, sixj

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


@pytest.mark.parametrize(("j", "l"), [(0, 0), (1, 0), (2, 0), (1, 1), (1, 2), (2, 1), (2, 4)])
def test_tadpole(j: int, l: int) -> None:
    """I8: the trace of a vertex over one line is zero unless the other line is a scalar."""
    closed = vertex(*so3(j=j, l=l, k=j)).close("k", "j")
    assert (closed.ins, closed.outs) == (("l",), ())
    expected = np.zeros(2 * l + 1)
    expected[0] = 2 * j + 1 if l == 0 else 0.0
    assert np.abs(evaluate_network(closed) - expected).max() < 1e-14


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


TRIANGLES = [(1, 1, 1, 1, 1, 1), (1, 2, 1, 2, 1, 2), (2, 1, 2, 1, 2, 2), (1, 1, 2, 1, 1, 1), (2, 2, 1, 2, 3, 2)]


@pytest.mark.parametrize(("i", "j", "k", "e1", "e2", "e3"), TRIANGLES)
def test_triangle(i: int, j: int, k: int, e1: int, e2: int, e3: int) -> None:
    """I7: sum over i, j, k of C(i, j -> e1) C(j, e2 -> k) C(i, k -> e3) is a 6j times C(e1, e2 -> e3)."""
    network = joined(split_vertex(*so3(e1=e1, i=i, j=j)), vertex(*so3(j=j, e2=e2, k=k)), vertex(*so3(i=i, k=k, e3=e3)))
    assert (network.ins, network.outs) == (("e1", "e2"), ("e3",))
    factor = (-1) ** (i + j + e2 + e3) * sqrt((2 * e1 + 1) * (2 * k + 1)) * sixj(i, j, e1, e2, e3, k)
    assert np.abs(evaluate_network(network) - factor * clebsch_gordan(e1, e2, e3)).max() < 1e-14


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
