"""The report of a set of diagrams counts what it says and names what is missing."""

from __future__ import annotations

from fusion import apply, label, leg, outputs, parse_network
from fusion.sampling import Distribution, digest, features
from fusion.sampling.growth import count_vertices
from fusion.sampling.report import index_spaces, largest_degree


def test_vertices_count_fuses_powers_and_networks() -> None:
    a = leg("a", "1o", channels=2)
    assert count_vertices(a) == 0
    assert count_vertices(a @ a) == 1
    assert count_vertices((a @ a)["0e"] @ (a @ a)["0e"]) == 2  # one shared fuse, one of it with itself
    assert count_vertices(a.power(1, 2, 3)) == 0 + 1 + 2
    network = parse_network("network[split x > k1 k2, fuse k1 k2 > y, cap y z; k1=1o k2=1o x=0e y=0e z=0e]")
    assert count_vertices(apply(network, {"x": (a @ a)["0e"], "z": leg("s", "0e")})) == 3


def test_features_name_nodes_and_variants() -> None:
    x = leg("x", "0e+1o", channels=2, on="edge")
    wire = x["0e"].mix("u->v", per=label("z", 2).pull("sender"), buffer="pca").softmax("receiver")
    assert {"leg", "select", "mix", "mix buffer", "mix per label", "label pulled", "map", "map softmax"} <= features(
        wire
    )
    assert "several outputs" not in features(wire)
    assert "several outputs" in features(outputs(a=x, b=wire))
    assert index_spaces(wire) == {"atom", "edge"}
    assert largest_degree(wire) == 1


def test_digest_is_that_of_the_declaration() -> None:
    assert digest(leg("x", "1o")) == digest(leg("x", "1o"))
    assert digest(leg("x", "1o")) != digest(leg("y", "1o"))


def test_distribution_reports_shares_and_shortfalls() -> None:
    found = Distribution()
    for name in ("x", "y"):
        found.count(leg(name, "1o") @ leg("v", "4e", on="atom"))
    found.count(leg("d", "1o", on="edge").sum("receiver"))
    assert found.diagrams == 3
    assert found.share("fuse") == 2 / 3
    assert found.median_vertices == 1
    assert found.several_spaces == 1 / 3
    lacks = "; ".join(found.shortfalls())
    assert "shuffle in 0.0%" in lacks
    assert "median of 1 vertices" in lacks
    assert "fuse" not in lacks
    text = str(found)
    assert "3 diagrams, 3 distinct" in text
    assert "largest l      1: 33%, 5: 67%" in text
    assert "index spaces   1: 67%, 2: 33%" in text


def test_an_empty_distribution_prints() -> None:
    assert "0 diagrams" in str(Distribution())
    assert Distribution().shortfalls()
