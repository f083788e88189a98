"""Diagrams as networkx graphs: nothing is lost there and back, edits mean what they say, nonsense is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import fusion
from corpus import DIAGRAMS
from fusion import (
    Diagram,
    FusionError,
    LimitError,
    Network,
    Node,
    NotationError,
    Wire,
    add,
    apply,
    check,
    findings,
    from_graph,
    index_map,
    label,
    leg,
    line,
    outputs,
    parse_network,
    split_vertex,
    to_graph,
    vertex,
    walk_nodes,
)
from fusion.diagram import Add, Fuse, Mix, Scale
from fusion.draw import svg
from fusion.graph.diagrams import DERIVED, KINDS
from fusion.graph.fields import schema
from fusion.graph.networks import ENTERS, LEAVES
from fusion.limits import MAX_NODES
from fusion.network import KINDS as VERTEX_KINDS
from fusion.pattern import Pattern
from fusion.sampling import NODE_KINDS, random_diagrams

H = leg("h", "0e+1o", channels=4)
Y = leg("y", "0e+1o+2e", on="edge")
S = leg("s", "0e", channels=4)
Z = label("z", 3)
Value = Wire | Diagram | Network
Graph = Any  # networkx.MultiDiGraph, whose attributes have no static types


def saved(graph: Graph) -> Graph:
    """The graph after a journey through JSON."""
    data = nx.node_link_data(graph, edges="edges")
    text = json.dumps(data, allow_nan=False)
    assert json.loads(text) == data, "an attribute is not plain data"
    return nx.node_link_graph(json.loads(text), edges="edges")


def journey(value: Value) -> Value:
    found = from_graph(saved(to_graph(value)))
    assert type(found) is type(value)
    assert found == value
    assert hash(found) == hash(value)
    return found


def error_of(value: Wire | Diagram) -> str:
    with pytest.raises(FusionError) as caught:
        check(value)
    return f"{type(caught.value).__name__}: {caught.value}"


def read_wire(graph: Graph) -> Wire:
    found = from_graph(graph)
    assert isinstance(found, Wire)
    return found


# nothing is lost


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_corpus_comes_back(name: str) -> None:
    value = DIAGRAMS[name]
    found = journey(value)
    assert str(found) == str(value)
    if len(walk_nodes(value)) <= 16:  # drawing takes time
        assert svg(found) == svg(value)


def test_random_diagrams_come_back() -> None:
    for _, value in random_diagrams(200, seed=41):
        assert str(journey(value)) == str(value)


ILLEGAL: dict[str, Wire | Diagram] = {
    "filter": (H @ H)["3o+1e"],
    "index spaces": H @ Y,
    "channels": H @ leg("x", "1o", channels=7),
    "listed paths": (H @ H).paths("1o*1o->3e", "2e*1o->1o"),
    "no paths": (H @ H).paths(),
    "function": H.map("silu"),
    "softmax": S.softmax("sender"),
    "power": H.power(9),
    "harmonics": leg("r", "1o").harmonics(40),
    "selected path": H.select({"1o": [3], "2e": []}),
    "pattern": H.mix("uw->v"),
    "constant": H.mix("u->u", constant={"0e": [[1.0, 2.0]], "4e": 0.5}),
    "tied": H.mix("u->v", tied=([1.0, 2.0, 3.0], "u", "w")),
    "label": S.mix("u->u", per=(Z.pull("sender"), label("z", 4))),
    "declared twice": outputs(a=leg("x", "1o"), b=leg("x", "2e")),
    "same tensor": leg("x", "1o") @ leg("y", "2e", same="x"),
    "maps declared twice": outputs(a=H.pull("sender"), b=S.pull(index_map("sender", "bond", "atom"))),
    "network": apply(vertex("a=1o", "b=1o", "c=5e"), {"a": H["1o"], "q": H["2e"]}),
    "axes": H.split(3).merge(2).roll(1, axis=7),
    "terms": add((0.5, H), (-2.0, H["1o"]), H),
    "parts": H + Y + leg("x", "1", channels=4),
    "two errors": ((H @ H)["5o"] @ (H @ H)["6e"]).sum("receiver", by=Z),
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_diagrams_come_back_with_their_errors(name: str) -> None:
    value = ILLEGAL[name]
    found = journey(value)
    assert isinstance(found, Wire | Diagram)
    assert error_of(found) == error_of(value)
    assert svg(found, findings=findings(found)) == svg(value, findings=findings(value))


NETWORKS: dict[str, Network] = {
    "empty": Network((), ()),
    "line": line("a=1o"),
    "vertex": vertex("a=1o", "b=1o", "c=2e"),
    "split": split_vertex("c=2e", "a=1o", "b=1o"),
    "order of vertices": vertex("c=1o", "b=1o", "d=0e").connect(vertex("x=1o", "y=0e", "c=1o")),
    "bent": split_vertex("c=2e", "a=1o", "b=1o").bend("a", "z").bend("c", "y"),
    "loop": line("a=3").close("a", "a"),
    "self-loop": Network((vertex("a=1o", "b=0e", "c=1o").vertices[0],), vertex("a=1o", "b=0e", "c=1o").lines).close(
        "c", "a"
    ),
    "many ends": parse_network("network[split c > a b, fuse d a > e; a=1o b=1e c=1o d=2e e=2o w=4e w.x^2=0e]"),
    "closed": parse_network(
        "network[split t > a bc, split bc > b c, fuse a b > ab, fuse ab c > t; a=1o ab=2e b=1o bc=1e c=1o t=1o]"
    ),
    "illegal": parse_network("network[fuse a b > c, cap c d, cup e f; a=1o b=1o c=3e d=2e e=0e f=0o]"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_come_back(name: str) -> None:
    value = NETWORKS[name]
    found = journey(value)
    assert isinstance(found, Network)
    assert (str(found), found.ins, found.outs) == (str(value), value.ins, value.outs)
    assert found.violations() == value.violations()
    assert svg(found) == svg(value)


def test_a_wire_and_a_diagram_of_one_output_stay_apart() -> None:
    assert isinstance(journey(H), Wire)
    assert journey(Diagram.of(H)) == Diagram.of(H)
    assert journey(outputs(b=H, a=S)) != outputs(a=S, b=H)  # outputs keep their order
    assert journey(outputs(b=H, a=H, c=Y)) == outputs(b=H, a=H, c=Y)


def test_nodes_are_shared_and_used_twice() -> None:
    twice = H["1o"]
    value = (twice @ twice).on("u,u->u") + add((0.5, twice @ twice), (0.25, twice @ twice))
    graph = to_graph(value)
    assert sum(kind == "select" for _, kind in graph.nodes(data="kind")) == 1
    assert graph.number_of_edges("select1", "fuse1") == 2
    journey(value)


def test_deep_and_wide_diagrams_come_back_without_recursion() -> None:
    wire: Wire = S
    for step in range(3 * sys.getrecursionlimit()):
        wire = wire.mix("u->u", name=f"w{step}")
    journey(wire)
    journey(add(*((1.0 / (1 + n), S) for n in range(5000))))


def test_a_graph_says_what_it_is() -> None:
    value = (H.pull("sender") @ Y)["1o+3o"].mix("u->v", v=8, per=Z.pull("sender"))
    graph = to_graph(value)
    assert graph.graph == {"format": "fusion-graph", "version": 1, "value": "wire"}
    stated = {node: {k: v for k, v in given.items() if k not in DERIVED} for node, given in graph.nodes(data=True)}
    assert stated == {
        "leg1": {"kind": "leg", "name": "h", "declared": "0e+1o, u=4, on atom"},
        "pull1": {"kind": "pull", "index_map": "sender"},
        "leg2": {"kind": "leg", "name": "y", "declared": "0e+1o+2e, on edge"},
        "fuse1": {"kind": "fuse", "coupled": "1o+3o"},
        "label1": {"kind": "label", "name": "z", "classes": 3, "on": "atom", "maps": ["sender"]},
        "mix1": {"kind": "mix", "pattern": "u->v", "sizes": [["v", 8]]},
        "output1": {"kind": "output", "name": "out", "place": 0},
    }
    assert list(graph.edges(keys=True, data=True)) == [
        ("leg1", "pull1", "wire", {"role": "wire"}),
        ("pull1", "fuse1", "left", {"role": "left"}),
        ("leg2", "fuse1", "right", {"role": "right"}),
        ("fuse1", "mix1", "wire", {"role": "wire"}),
        ("label1", "mix1", "per 0", {"role": "per", "place": 0}),
        ("mix1", "output1", "wire", {"role": "wire"}),
    ]
    space = value.space
    derived = {name: graph.nodes["mix1"][name] for name in DERIVED}
    assert derived == {
        "space": str(space),
        "irreps": str(space.irreps),
        "channels": [["v", 8]],
        "index_space": "edge",
        "errors": [],
        "notices": [],
    }


def test_errors_and_notices_stand_at_their_nodes() -> None:
    graph = to_graph((H @ H)["5o"] + (H @ H)["1e"])
    assert {node: found for node, found in graph.nodes(data="errors") if found} == {
        "fuse1": ["no path couples the two wires to 5o"]
    }
    assert [len(graph.nodes[node]["notices"]) for node in ("fuse1", "fuse2")] == [0, 1]
    graph = to_graph(NETWORKS["illegal"])
    assert [len(found) for _, found in graph.nodes(data="errors", default=[])][:3] == [1, 1, 1]


def test_every_kind_of_node_has_a_schema() -> None:
    assert set(KINDS) == set(NODE_KINDS)
    for kind in KINDS.values():
        known = schema(kind)
        assert not {*known.values, *known.slots} & {*DERIVED, "kind", "role", "place"}
    for kind, (enters, leaves) in VERTEX_KINDS.items():
        assert (len(ENTERS[kind]), len(LEAVES[kind])) == (enters, leaves)


def test_networkx_is_loaded_when_it_is_needed() -> None:
    root = str(Path(fusion.__file__).parents[1])
    code = "import sys, fusion; print('networkx' in sys.modules); fusion.to_graph(fusion.leg('x', '1o'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "False\n"


# edits


def test_an_edited_filter_has_the_errors_of_a_written_one() -> None:
    graph = to_graph((H @ H)["0e"].mix("u->v", v=2))
    graph.nodes["fuse1"]["coupled"] = "3o"
    found, written = read_wire(graph), (H @ H)["3o"].mix("u->v", v=2)
    assert found == written
    assert error_of(found) == error_of(written)
    assert to_graph(found).nodes["fuse1"]["errors"] == ["no path couples the two wires to 3o"]


def test_the_inputs_of_a_fuse_are_swapped() -> None:
    a, b = leg("a", "1o"), leg("b", "2e")
    graph = to_graph((a @ b)["1o"])
    graph.edges["leg1", "fuse1", "left"]["role"] = "right"
    graph.edges["leg2", "fuse1", "right"]["role"] = "left"
    assert read_wire(graph) == (b @ a)["1o"]


def test_a_node_is_put_between_two_others() -> None:
    graph: Graph = to_graph(H.mix("u->v", v=2))
    graph.remove_edge("leg1", "mix1")
    graph.add_node(17, kind="pull", index_map="chain:edge>atom")
    graph.add_edge("leg1", 17, role="wire")
    graph.add_edge(17, "mix1", role="wire")
    assert read_wire(graph) == H.pull(index_map("chain", "edge", "atom")).mix("u->v", v=2)


def test_a_subdiagram_is_cut_out_with_networkx() -> None:
    value = outputs(energy=(H @ H)["0e"].mix("u->"), forces=(H @ S).on("u,v->w", w=1)["1o"])
    graph = to_graph(value)
    keep = nx.ancestors(graph, "output2") | {"output2"}
    part = graph.subgraph(keep).copy()
    part.nodes["output2"]["place"] = 0
    assert from_graph(part) == outputs(forces=(H @ S).on("u,v->w", w=1)["1o"])


def test_stale_annotations_and_their_absence_do_not_matter() -> None:
    graph = to_graph(H["0e"])
    graph.nodes["leg1"]["space"] = 7
    graph.nodes["leg1"]["errors"] = ["made up"]
    for name in DERIVED:
        del graph.nodes["select1"][name]
    assert from_graph(graph) == H["0e"]


def test_a_diagram_is_written_as_a_graph_by_hand() -> None:
    graph: Graph = nx.MultiDiGraph(format="fusion-graph", version=1, value="diagram")
    graph.add_node("h", kind="leg", name="h", declared="0e+1o, u=4, on atom")
    graph.add_node("r", kind="leg", name="r", declared="1o, on atom", tensor="q")
    graph.add_node("z", kind="label", name="z", classes=3, on="node", maps=["pair.a"])
    graph.add_node("Y", kind="geometry", function="harmonics", count=2, normalization="norm")
    graph.add_node("c", kind="geometry", function="cutoff", count=1, lengths=[5, 6])
    graph.add_node("p", kind="fuse", pattern="u,->u", triples=["1o*1o->0e", "0e*0e->0e"])
    graph.add_node("m", kind="mix", pattern="u->v", sizes=[["v", 2]], coefficients="constant={0e: 1.5}", out_paths=3)
    graph.add_node("x", kind="select", keep=[["0e", [0, 2]]])
    graph.add_node("s", kind="sum", index_map="system")
    graph.add_node("a", kind="add")
    graph.add_node("o", kind="output", name="energy", place=0)
    graph.add_node("l", kind="geometry", function="length", count=1)
    graph.add_edges_from([("r", "Y", {"role": "wire"}), ("r", "l", {"role": "wire"}), ("l", "c", {"role": "wire"})])
    graph.add_edges_from([("h", "p", {"role": "left"}), ("Y", "p", {"role": "right"}), ("p", "m", {"role": "wire"})])
    graph.add_edges_from([("z", "m", {"role": "per", "place": 0}), ("m", "x", {"role": "wire"})])
    graph.add_edge("x", "a", role="terms", place=1, factor=2)
    graph.add_edge("x", "a", role="terms", place=0, factor=-0.5)
    graph.add_edge("a", "s", role="wire")
    graph.add_edge("s", "o", role="wire")
    r = leg("r", "1o", same="q")
    with pytest.raises(NotationError, match=r"graph node 'c' \(geometry\): nothing uses it; connect it to an output"):
        from_graph(graph)
    graph.add_edge("c", "o2", role="wire")
    graph.add_node("o2", kind="output", name="cut", place=1)
    fused = (H @ r.harmonics(2, "norm")).on("u,->u", paths=["1o*1o->0e", "0e*0e->0e"])
    per = label("z", 3, on="node").pull("pair.a")
    mixed = fused.mix("u->v", v=2, constant={"0e": 1.5}, paths=3, per=per)
    kept = mixed.select({"0e": [0, 2]})
    assert from_graph(graph) == outputs(energy=add((-0.5, kept), (2, kept)).sum("system"), cut=r.length().cutoff(5))


def test_a_network_is_edited_as_a_graph() -> None:
    graph = to_graph(split_vertex("c=2e", "a=1o", "b=1o"))
    graph.remove_nodes_from(["out1", "out2"])
    graph.add_node("new", kind="fuse", place=1)
    graph.add_edge("vertex1", "new", name="a", irrep="1o", start="left", end="right")
    graph.add_edge("vertex1", "new", name="b", irrep="1o", start="right", end="left")
    graph.add_node("end", kind="out")
    graph.add_edge("new", "end", name="d", irrep="2e", start="coupled")
    assert from_graph(graph) == split_vertex("c=2e", "a=1o", "b=1o").connect(vertex("b=1o", "a=1o", "d=2e"))


# nonsense is refused

BASE = ((H @ H)["0e+1o"].scale(S) + add((0.5, H), H)).mix("u->v", v=2, per=(Z, label("w", 2)))
ENDS = parse_network("network[fuse a b > c, cap c d; a=1o b=1o c=2e d=2e]")
RADIAL = leg("r", "1o").length().bessel(4, 5.0)


def given(node: str, **attributes: object) -> Callable[[Graph], None]:
    return lambda graph: graph.nodes[node].update(attributes)


def edge(source: str, target: str, key: str, **attributes: object) -> Callable[[Graph], None]:
    return lambda graph: graph.edges[source, target, key].update(attributes)


def without(node: str, name: str) -> Callable[[Graph], None]:
    return lambda graph: graph.nodes[node].pop(name)


def header(**attributes: object) -> Callable[[Graph], None]:
    return lambda graph: graph.graph.update(attributes)


BAD: dict[str, tuple[Value, Callable[[Graph], object], str]] = {
    "no header": (BASE, lambda g: g.graph.clear(), "the graph has no 'format'; graph.graph must be {'format': "),
    "header": (BASE, header(name="x"), "unknown graph attribute 'name'; graph.graph must be {'format': 'fusion-graph'"),
    "version": (BASE, header(version=2), "version 2: this program reads 'fusion-graph', version 1"),
    "value": (BASE, header(value="tree"), "a graph stands for one of wire, diagram, network, not 'tree'"),
    "value of a list": (BASE, header(value=["wire"]), "one of wire, diagram, network, not a value of type list"),
    "value of another": (BASE, header(value="network"), "graph node 'leg1': unknown kind 'leg'; known: fuse, split, "),
    "no kind": (BASE, without("fuse1", "kind"), "graph node 'fuse1': attribute 'kind' is missing"),
    "kind": (BASE, given("fuse1", kind="fuze"), "graph node 'fuse1': unknown kind 'fuze'; known: leg, label, fuse, "),
    "kind of a list": (BASE, given("fuse1", kind=["fuse"]), "'fuse1': unknown kind a value of type list"),
    "a bare node": (BASE, lambda g: g.add_edge("leg1", "new", role="wire"), "'new': attribute 'kind' is missing"),
    "name of a node": (BASE, lambda g: g.add_node(1.5), "graph nodes are named by texts or integers"),
    "large name": (BASE, lambda g: g.add_node(10**5000), "named by texts or integers of at most nine digits, not an "),
    "name of an attribute": (
        BASE, lambda g: g.nodes["fuse1"].update({3: 1}), "node 'fuse1': the name of an attribute is a text, not 3"
    ),
    "attribute": (
        BASE,
        given("fuse1", axis=1),
        "graph node 'fuse1' (fuse): unknown attribute 'axis'; it can have kind, pattern, sizes, coupled, triples, name",
    ),
    "attribute missing": (BASE, without("mix1", "pattern"), "graph node 'mix1' (mix): attribute 'pattern' is missing"),
    "irreps": (BASE, given("fuse1", coupled="1q"), "(fuse): coupled = '1q': expected "),
    "no irreps": (BASE, given("fuse1", coupled="0x0e"), "coupled = '0x0e': a selection needs at least one irrep"),
    "filter and list": (BASE, given("fuse1", triples=["1o*1o->0e"]), "a filter on the coupled irreps or an explicit"),
    "degree": (BASE, given("fuse1", coupled="99e"), "coupled = '99e': degree l = 99 is above the limit of 16"),
    "coupling": (BASE, given("fuse1", triples=["1o"]), "a coupling is written left*right->coupled"),
    "type of a list": (BASE, given("fuse1", triples="1o*1o->0e"), "triples = '1o*1o->0e': expected a list, got "),
    "pattern": (BASE, given("mix1", pattern="u=>v"), "pattern = 'u=>v': a channel pattern is letters, commas and '->'"),
    "operands": (BASE, given("mix1", pattern="u,v->u"), "this pattern needs 1 operand(s), got 2"),
    "sizes": (BASE, given("mix1", sizes=[["v", 0]]), "sizes are given as letter=positive integer; got v=0"),
    "size": (BASE, given("mix1", sizes=[["v", 10**6]]), "channel axis 'v' has size 1000000, above the limit"),
    "size twice": (BASE, given("mix1", sizes=[["v", 2], ["v", 3]]), "the size of 'v' is given twice"),
    "triple of sizes": (BASE, given("mix1", sizes=[["v", 2, 3]]), "expected a list of two items, got 3"),
    "integer": (BASE, given("mix1", out_paths=1.0), "out_paths = 1.0: expected an integer of at most nine digits"),
    "truth": (BASE, given("mix1", out_paths=True), "out_paths = True: expected an integer of at most nine digits"),
    "large integer": (BASE, given("mix1", out_paths=10**5000), "of at most nine digits, got an integer of more digits"),
    "each and paths": (BASE, given("mix1", each=True, out_paths=2), "a mix of each path by itself gives one path for"),
    "no truth": (BASE, given("mix1", shared=1), "shared = 1: expected True or False, got 1"),
    "zero paths": (BASE, given("mix1", out_paths=0), "a mix gives 1 to 100000 paths of each irrep, not 0"),
    "coefficients": (BASE, given("mix1", coefficients="name=w"), "coefficients are learned, constant=..., buffer=name"),
    "more than coefficients": (
        BASE, given("mix1", coefficients="buffer=b).mix(u->u, buffer=c"), "coefficients are learned, constant=..."
    ),
    "name": (BASE, given("mix1", name="a b"), "name = 'a b': a name must be an ASCII name"),
    "reserved name": (BASE, given("leg1", name="out"), "graph node 'leg1' (leg): name = 'out': 'out' cannot name a le"),
    "nameless leg": (BASE, given("leg1", name=""), "(leg): a name must be an ASCII name"),
    "space": (BASE, given("leg1", declared="0e, u=0, on atom"), "declared = '0e, u=0, on atom': channel axis 'u' need"),
    "space without index space": (BASE, given("leg1", declared="0e"), "a leg needs its index space"),
    "more than a space": (BASE, given("leg1", declared="0e, on atom; x"), "a space is written as in '0e+1o, u=8, on "),
    "space with a tensor": (BASE, given("leg1", declared="0e, on atom, same y"), "a space is written as in"),
    "null": (BASE, given("leg1", declared=None), "declared = None: expected a text, got None"),
    "classes": (BASE, given("label1", classes=10**6), "label 'z' has 1000000 classes, above the limit"),
    "map": (BASE, given("label1", maps=["up"]), "maps = a value of type list: unknown index map 'up'; known: sender"),
    "many maps": (BASE, given("label1", maps=["reverse"] * 99), "is pulled along more than 16 maps"),
    "role missing": (BASE, lambda g: g.edges["leg1", "fuse1", "left"].clear(), "'fuse1': attribute 'role' is missing"),
    "role": (
        BASE,
        edge("leg1", "fuse1", "left", role="lift"),
        "graph node 'fuse1' (fuse): edge 'leg1' -> 'fuse1': unknown role 'lift'; roles here: left, right",
    ),
    "no roles": (BASE, lambda g: g.add_edge("leg1", "leg2", role="wire"), "'leg2': unknown role 'wire'; roles here: n"),
    "one place": (BASE, edge("leg1", "fuse1", "left", role="right"), "edge 'leg1' -> 'fuse1': a second input as right"),
    "attribute of an edge": (BASE, edge("leg1", "fuse1", "left", factor=2.0), "unknown attribute 'factor'; it can hav"),
    "missing edge": (
        BASE,
        lambda g: g.remove_edge("leg1", "fuse1", key="right"),
        "graph node 'fuse1' (fuse): the input right is missing; draw an edge to it with role='right'",
    ),
    "gap": (BASE, lambda g: g.remove_edge("leg1", "add1", key="terms 0"), "terms have the places 0 to 0; one has 1, n"),
    "place twice": (BASE, edge("leg1", "add1", "terms 0", place=1), "two inputs terms have place 1"),
    "place": (BASE, edge("leg1", "add1", "terms 0", place="0"), "place = '0': expected an integer"),
    "no place": (BASE, lambda g: g.edges["leg1", "add1", "terms 0"].pop("place"), "attribute 'place' is missing"),
    "factor": (BASE, edge("leg1", "add1", "terms 0", factor=float("nan")), "factor = nan: expected a finite number"),
    "no factor": (BASE, lambda g: g.edges["leg1", "add1", "terms 0"].pop("factor"), "attribute 'factor' is missing"),
    "no terms": (BASE, lambda g: g.remove_edges_from(list(g.in_edges("add1", keys=True))), "the input terms is missin"),
    "one part": (
        BASE, lambda g: g.remove_edge("add1", "directsum1", key="parts 1"), "a direct sum has at least two parts"
    ),
    "label for a wire": (
        BASE,
        lambda g: (g.remove_edge("leg1", "fuse1", key="left"), g.add_edge("label1", "fuse1", role="left")),
        "edge 'label1' -> 'fuse1': a wire belongs here, 'label1' is a label",
    ),
    "wire for a label": (
        BASE,
        lambda g: (g.remove_edge("label1", "mix1"), g.add_edge("leg1", "mix1", role="per", place=0)),
        "edge 'leg1' -> 'mix1': a label belongs here, 'leg1' is a leg",
    ),
    "unused": (
        BASE,
        lambda g: g.add_node("new", kind="leg", name="q", declared="0e, on atom"),
        "graph node 'new' (leg): nothing uses it; connect it to an output, or remove it",
    ),
    "cycle": (
        BASE,
        lambda g: (g.remove_edge("leg1", "fuse1", key="left"), g.add_edge("mix1", "fuse1", role="left")),
        "'fuse1' form a cycle; a diagram has none",
    ),
    "loop": (BASE, lambda g: g.add_edge("mix1", "mix1", role="wire"), "graph nodes 'mix1' -> 'mix1' form a cycle"),
    "after an output": (BASE, lambda g: g.add_edge("output1", "mix1", role="wire"), "is an output, nothing can follow"),
    "no output": (
        BASE, lambda g: g.remove_node("output1"), "graph node 'mix1' (mix): nothing uses it; connect it to an output"
    ),
    "nothing": (BASE, lambda g: g.remove_nodes_from(list(g)), "one output, called 'out'; this one has none"),
    "no outputs": (
        outputs(a=H), lambda g: g.remove_nodes_from(list(g)), "a diagram needs at least one output"
    ),
    "output of a wire": (BASE, given("output1", name="energy"), "one output, called 'out'; this one has 'energy'"),
    "name of an output": (outputs(a=H, b=S), given("output2", name="out"), "output 'out': 'out' cannot name a leg"),
    "outputs of one name": (outputs(a=H, b=S), given("output2", name="a"), "two outputs share a name: a, a"),
    "place of an output": (outputs(a=H, b=S), given("output2", place=0), "two outputs have place 0"),
    "gap of outputs": (outputs(a=H, b=S), given("output2", place=5), "outputs have the places 0 to 1; one has 5, none"),
    "two inputs of an output": (
        outputs(a=H), lambda g: g.add_edge("leg1", "output1", role="wire"), "a second input as wire"
    ),
    "function": (RADIAL, given("geometry2", function="bassel"), "unknown function 'bassel' of a displacement; known: "),
    "lengths": (RADIAL, given("geometry2", lengths=[]), "bessel has 1 lengths, got 0"),
    "length": (RADIAL, given("geometry2", lengths=[-1.0]), "a cutoff must be a positive length, got -1.0"),
    "length of a list": (RADIAL, given("geometry2", lengths=[[1.0]]), "expected a finite number, got a value of type "),
    "count": (RADIAL, given("geometry2", count=0), "a radial basis needs 1 to 1024 functions, got 0"),
    "idle count": (RADIAL, given("geometry1", count=3), "length has count 1, got 3"),
    "softmax": (S.map("silu"), given("map1", function="softmax"), "a softmax, and nothing else, has 'over'"),
    "silu over": (S.map("silu"), given("map1", over="sender"), "a softmax, and nothing else, has 'over'"),
    "elementwise": (S.map("silu"), given("map1", function="relu"), "unknown elementwise function 'relu'; known: cos"),
    "paths": (H.select({"1o": [0]}), given("select1", keep=[["1o", ["0"]]]), "expected an integer of at most nine dig"),
    "unweighted sizes": (H @ H, given("fuse1", name="w"), "a fuse has sizes and a name together with a pattern only"),
    "network": (
        apply(line("a=1o"), {"a": leg("x", "1o")}), given("apply1", network="a"), "(apply): network = 'a': expected 'ne"
    ),
    "in-end": (
        apply(line("a=1o"), {"a": leg("x", "1o")}),
        edge("leg1", "apply1", "wires 0", end="a b"),
        "end = 'a b': the name of an in-end must be an ASCII name",
    ),
    "vertex": (ENDS, given("vertex1", kind="leg"), "unknown kind 'leg'; known: fuse, split, cap, cup, in, out"),
    "attribute of a vertex": (ENDS, given("vertex1", role=1), "unknown attribute 'role'; it can have kind, place, err"),
    "attribute of an end": (ENDS, given("in1", place=1), "graph node 'in1': unknown attribute 'place'; it can have ki"),
    "place of a vertex": (ENDS, given("vertex1", place=1), "two vertices have place 1"),
    "no place of a vertex": (ENDS, without("vertex1", "place"), "'vertex1' (fuse): attribute 'place' is missing"),
    "missing line": (
        line("a=1o"), lambda g: g.remove_edge("in1", "out1"), "graph node 'in1' (in): no line starts here"
    ),
    "missing end": (
        ENDS, lambda g: g.remove_node("in1"), "graph node 'vertex1' (fuse): no line ends here as left"
    ),
    "line called twice": (ENDS, edge("in1", "vertex1", "a", name="b"), "a second line is called 'b'"),
    "lines at one place": (
        ENDS, edge("in1", "vertex1", "a", end="right"), "lines 'a' and 'b' both end at one fuse as right"
    ),
    "role at a vertex": (
        ENDS, edge("in1", "vertex1", "a", end="up"), "edge 'in1' -> 'vertex1': end = 'up': a line ends at a fuse as lef"
    ),
    "no role at a vertex": (ENDS, lambda g: g.edges["in1", "vertex1", "a"].pop("end"), "attribute 'end' is missing"),
    "role at an end": (ENDS, edge("in1", "vertex1", "a", start="left"), "attribute 'start' belongs to lines that star"),
    "a line into an in-end": (
        ENDS,
        lambda g: g.add_edge("vertex1", "in1", name="x", irrep="0e", start="coupled"),
        "lines 'c' and 'x' both start at one fuse as coupled",
    ),
    "lines from one end": (
        line("a=1o"), lambda g: g.add_edge("in1", "out1", name="b", irrep="1o"), "lines 'a' and 'b' both start at one i"
    ),
    "a start at an out-end": (
        line("a=1o"), lambda g: g.add_edge("out1", "in1", name="b", irrep="1o"), "no line starts at a vertex of kind 'o"
    ),
    "irrep of a line": (ENDS, edge("in1", "vertex1", "a", irrep="1o+2e"), "irrep = '1o+2e': expected one irrep"),
    "no irrep of a line": (ENDS, lambda g: g.edges["in1", "vertex1", "a"].pop("irrep"), "attribute 'irrep' is missing"),
    "name of a line": (ENDS, edge("in1", "vertex1", "a", name=""), "the name of a line must be an ASCII name"),
    "groups": (ENDS, edge("in1", "vertex1", "a", irrep="1"), "are of O(3) or of SO(3), not both"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_malformed_graphs_are_refused(name: str) -> None:
    value, spoil, message = BAD[name]
    graph = to_graph(value)
    spoil(graph)
    with pytest.raises(FusionError) as caught:
        from_graph(graph)
    assert type(caught.value) in (NotationError, LimitError)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "graph", [None, {}, "leg1", nx.DiGraph(), nx.MultiGraph(), nx.Graph()], ids=lambda g: type(g).__name__
)
def test_only_a_directed_multigraph_is_read(graph: Any) -> None:
    with pytest.raises(NotationError, match=r"a diagram's graph is a networkx\.MultiDiGraph, not "):
        from_graph(graph)


@pytest.mark.parametrize("value", [None, "h", Z, 3.0])
def test_only_diagrams_and_networks_are_written(value: Any) -> None:
    with pytest.raises(NotationError, match="a diagram takes a wire here"):
        to_graph(value)


@pytest.mark.parametrize("kind", ["leg", "output"])
def test_too_many_nodes_are_refused(kind: str) -> None:
    graph: Graph = nx.MultiDiGraph(format="fusion-graph", version=1, value="wire")
    graph.add_nodes_from(range(MAX_NODES + 1), kind=kind)
    with pytest.raises(LimitError, match=f"the limit is {MAX_NODES} of each"):
        from_graph(graph)
    graph.add_nodes_from(range(2 * MAX_NODES + 1))
    with pytest.raises(LimitError, match="is above the limits of"):
        from_graph(graph)


def test_too_many_vertices_and_edges_are_refused() -> None:
    graph: Graph = nx.MultiDiGraph(format="fusion-graph", version=1, value="network")
    graph.add_nodes_from(range(MAX_NODES + 1), kind="in")
    with pytest.raises(LimitError, match=f"the limit for a network is {MAX_NODES}"):
        from_graph(graph)
    graph = to_graph(H["0e"])
    graph.add_edges_from([("leg1", "select1")] * (10 * MAX_NODES))
    with pytest.raises(LimitError, match="is above the limits of"):
        from_graph(graph)


def test_long_texts_and_lists_are_refused() -> None:
    graph = to_graph(S.shuffle([0, 1, 2, 3]))
    graph.nodes["shuffle1"]["order"] = [0] * 150_001
    with pytest.raises(LimitError, match="a list of 150001 items is above the limit"):
        from_graph(graph)
    graph.nodes["shuffle1"]["order"] = [0, 1, 2, 3]
    graph.nodes["leg1"]["declared"] = "0e" * 75_001
    with pytest.raises(LimitError, match=r"\(leg\): declared = '0e0e.*\.\.\.': a text of 150002 characters"):
        from_graph(graph)


def test_a_long_cycle_is_named_in_part() -> None:
    graph: Graph = to_graph(S)
    for step in range(5000):
        graph.add_node(step, kind="mix", pattern="u->u")
        graph.add_edge((step - 1) % 5000, step, role="wire")
    with pytest.raises(NotationError, match=r"^graph nodes( [0-9]+ ->){8} \.\.\. form a cycle"):
        from_graph(graph)


ODD: tuple[object, ...] = (
    "", "0e", "3o+2e", "u->v", "sender", "learned", "buffer=b", "0e, on atom", "left", "wire", "leg", "mix", "output",
    "x)", ";", "\ud800", "a\nb", 0, 1, -1, 10**6, 10**400, 1.5, float("nan"), True, None, [], [[]], [0, 0], ["sender"],
    [["u", 2]], [["1o", "all"]], ["0e*1o->1o"], (1, 2), {"a": 1}, object(),
)  # fmt: skip


def spoiled(graph: Graph, rng: np.random.Generator) -> Graph:
    """A copy of the graph with one thing changed at random."""

    def one(items: Any) -> Any:
        listed = list(items)
        return listed[int(rng.integers(len(listed)))]

    found = graph.copy()
    node, (source, target, key) = one(found.nodes), one(found.edges(keys=True))
    attributes, beside = found.nodes[node], found.edges[source, target, key]
    change = int(rng.integers(7))
    if change <= 1:
        attributes[one(attributes)] = one(ODD)
    elif change == 2:
        attributes[one(found.nodes[one(found.nodes)])] = one(ODD)
    elif change == 3:
        del attributes[one(attributes)]
    elif change == 4:
        beside[one(beside)] = one(ODD)
    elif change == 5:
        found.remove_edge(source, target, key)
        found.add_edge(node, target, **beside)
    else:
        found.remove_node(node)
    return found


def test_whatever_is_changed_is_read_or_refused_in_our_words() -> None:
    rng = np.random.default_rng(5)
    graphs = [to_graph(value) for value in (*DIAGRAMS.values(), *list(NETWORKS.values())[1:], BASE)]
    kept = 0
    for number in range(1000):
        graph = spoiled(graphs[number % len(graphs)], rng)
        try:
            value = from_graph(graph)
        except (NotationError, LimitError) as error:
            assert str(error)
            continue
        kept += 1
        assert from_graph(to_graph(value)) == value
        if not isinstance(value, Network):
            findings(value)
    assert 50 < kept < 500


def test_values_made_by_hand_of_their_classes_come_back() -> None:
    """Nodes that the operators would have written otherwise: no implicit pull, no flattening."""
    values: list[Node] = [
        Fuse(H, leg("x", "1o", on="system")),
        Scale(H, leg("x", "0e", on="system")),
        Add(((1.0, Add(((0.5, H),))), (1.0, H))),
        Mix(H, Pattern.parse("u->u", 1)),
    ]
    for value in values:
        assert isinstance(value, Wire)
        journey(value)
