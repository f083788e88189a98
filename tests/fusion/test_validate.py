"""Everything that is wrong with a diagram, in one exception, with the facts as attributes. Texts: ``golden/*.txt``.

``FUSION_WRITE_GOLDEN=1`` writes the golden texts anew; look at the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import fusion.validate
from fusion import (
    ChannelError,
    Diagram,
    DiagramError,
    IndexSpaceError,
    LegError,
    SelectionRuleError,
    Wire,
    add,
    apply,
    check,
    findings,
    index_map,
    label,
    leg,
    outputs,
    parse,
    parse_network,
    vertex,
    weights,
)
from fusion.diagram import Fuse, walk_nodes
from fusion.irreps import Irrep

GOLDEN = Path(__file__).parent / "golden"

V = leg("v", "1o", channels=16)
W = leg("w", "1o", channels=16)
H = leg("h", "0e+1o+2e", channels=8)
H_TOO = leg("k", "0e+1o+2e", channels=8, same="h")
N = leg("n", "0e+1o", channels={"n": 4})
Y = leg("Y", "0e+1o+2e+3o", on="edge")
D = leg("d", "1o", on="edge")
G = leg("g", "0e", channels=8)
Z = label("z", 4)
THREE = label("three", 3, on="triplet")
COMPLEX = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]]

Case = tuple[type[DiagramError], Callable[[], Wire | Diagram]]
CASES: dict[str, Case] = {
    # selection rules
    "parity": (SelectionRuleError, lambda: (V @ W)["0e+1o"]),
    "triangle": (SelectionRuleError, lambda: (V @ H["2e"].mix("u->v", v=16))["0o"]),
    "unreachable_output": (SelectionRuleError, lambda: (H @ H)["5o"]),
    "many_pairs": (SelectionRuleError, lambda: (Y @ Y)["7o"]),
    "path_forbidden": (SelectionRuleError, lambda: (H @ H).paths("1o*1o->2e", "1o*1o->1o")),
    "path_missing": (SelectionRuleError, lambda: (V @ H["0e"]).on("u,v->uv", paths=["1o*2e->1o"])),
    "groups_fused": (SelectionRuleError, lambda: V @ leg("s", "1", channels=16)),
    "groups_added": (SelectionRuleError, lambda: V + leg("s", "1", channels=16)),
    "groups_asked": (SelectionRuleError, lambda: (V @ W)["1"]),
    "power_unreachable": (SelectionRuleError, lambda: V.power(2, 4)["1o"]),
    "power_vanishes": (SelectionRuleError, lambda: leg("x", "1o").power(2, basis="reduced")["1e"]),
    "select_missing": (SelectionRuleError, lambda: H["0e+3o"]),
    "select_path": (SelectionRuleError, lambda: H.select({"1o": [0, 1]})),
    "map_of_covariant": (SelectionRuleError, lambda: H.map("silu")),
    "scale_by_covariant": (SelectionRuleError, lambda: H.scale(H["1o"])),
    "geometry_of_many": (SelectionRuleError, lambda: H.harmonics(2)),
    "add_of_different": (SelectionRuleError, lambda: add(H["0e"], 2 * H["0e+1o"])),
    "network_rule": (
        SelectionRuleError,
        lambda: apply(vertex("a=1o", "b=1o", "c=1o"), {"a": leg("x", "1o"), "b": leg("y", "1o")}),
    ),
    "network_wire": (SelectionRuleError, lambda: apply(vertex("a=1o", "b=1o", "c=0e"), {"a": H, "b": H["1o"]})),
    # channels
    "channels_differ": (ChannelError, lambda: V @ H),
    "pattern_sizes": (ChannelError, lambda: (V @ H).on("u,u->u")),
    "pattern_axes": (ChannelError, lambda: (V @ H).on("gu,u->gu")),
    "pattern_weight_size": (ChannelError, lambda: (V @ H).on("u,v->w")),
    "mix_size": (ChannelError, lambda: G.mix("u->uk")),
    "shared_paths": (ChannelError, lambda: leg("x", "2x0e+1o", channels=8).mix("u->v", shared=True)),
    "constant_shape_each": (ChannelError, lambda: G.mix("u->v", paths="each", per=Z, constant=[[[[1.0]]]] * 2)),
    "mix_size_contradicts": (ChannelError, lambda: G.mix("u->v", u=3, k=2)),
    "scale_paths": (ChannelError, lambda: H.scale(leg("r", "2x0e", channels=8))),
    "scale_channels": (ChannelError, lambda: V.scale(G)),
    "scale_changes_channels": (ChannelError, lambda: H.scale(G, "u,v->uv")),
    "direct_sum_channels": (ChannelError, lambda: V + H),
    "split_uneven": (ChannelError, lambda: H.split(3)),
    "merge_of_one": (ChannelError, lambda: H.merge()),
    "axis_missing": (ChannelError, lambda: H.split(2, axis=1)),
    "reorder_drops": (ChannelError, lambda: H.split(2).reorder("gu->g")),
    "shuffle_twice": (ChannelError, lambda: H.shuffle([0, 0, 1, 2, 3, 4, 5, 6])),
    "layer_norm_without_channels": (ChannelError, lambda: leg("x", "0e").layer_norm()),
    "constant_shape": (ChannelError, lambda: G.mix("u->v", per=Z, constant=[[1.0, 2.0]])),
    "constant_irreps": (ChannelError, lambda: H["0e+1o"].mix("u->u", constant={"0e": 1.0, "2e": 1.0})),
    "tied_sizes": (ChannelError, lambda: H.split(4).mix("uc->vd", d=3, v=3, tied=(COMPLEX, "kcd", "kuv"))),
    "tied_letters": (ChannelError, lambda: H.split(4).mix("uc->vd", d=2, v=3, tied=(COMPLEX, "kcd", "ku"))),
    "tied_size_unknown": (ChannelError, lambda: H.split(4).mix("uc->vd", d=2, v=3, tied=(COMPLEX, "kcd", "kuvw"))),
    "network_channels": (ChannelError, lambda: apply(vertex("a=1o", "b=1o", "c=0e"), {"a": V, "b": H["1o"]})),
    # index spaces
    "atom_meets_edge": (IndexSpaceError, lambda: (H @ Y)["0e"]),
    "no_map_known": (IndexSpaceError, lambda: H.scale(leg("b", "0e", channels=8, on="bond"))),
    "pull_wrong_map": (IndexSpaceError, lambda: Y.pull("sender")),
    "sum_wrong_map": (IndexSpaceError, lambda: H.sum("receiver")),
    "pull_unknown_space": (IndexSpaceError, lambda: leg("b", "0e", on="bond").pull("sender")),
    "label_on_wrong_space": (IndexSpaceError, lambda: H.mix("u->u", per=Z.pull("sender"))),
    "label_pulled_wrongly": (IndexSpaceError, lambda: Y.mix("->", per=THREE.pull("sender"))),
    "sum_by_label_on_wrong_space": (IndexSpaceError, lambda: Y.sum("receiver", by=Z)),
    "softmax_wrong_space": (IndexSpaceError, lambda: G.softmax("receiver")),
    "map_declared_twice": (
        IndexSpaceError,
        lambda: add(H.pull(index_map("m", "bond", "atom")).sum(index_map("m", "bond", "atom")), H).pull(
            index_map("m", "x", "atom")
        ),
    ),
    # legs
    "leg_declared_twice": (LegError, lambda: (leg("h", "1o", channels=8) @ H)["0e"]),
    "label_and_leg": (LegError, lambda: leg("z", "0e").mix("->", per=Z)),
    "one_tensor_two_spaces": (LegError, lambda: H @ leg("k", "0e+1o", channels=8, same="h")),
    "same_as_a_label": (LegError, lambda: leg("x", "0e", same="z").mix("->", per=Z)),
    "same_of_same": (LegError, lambda: leg("x", "0e", same="y") @ leg("y", "0e", same="h")),
    "leg_named_as_a_map": (LegError, lambda: leg("sender", "0e").pull("sender")),
    "shared_name": (LegError, lambda: add(H.mix("u->v", name="a"), H.mix("u->v", shared=True, name="a_1o"))),
    "weights_name_twice": (LegError, lambda: H.mix("u->v", name="lin") @ H.mix("u->u", name="lin")),
    "buffer_and_weights": (LegError, lambda: G.mix("u->v", buffer="lin").mix("u->v", name="lin")),
    "network_ends": (LegError, lambda: apply(vertex("a=1o", "b=1o", "c=0e"), {"a": H["1o"], "d": H["1o"]})),
    "network_two_outs": (
        LegError,
        lambda: apply(parse_network("network[split c > a b; a=1o b=1o c=0e]"), {"c": leg("x", "0e")}),
    ),
    # limits
    "too_many_paths": (DiagramError, lambda: leg("a", "300x0e") @ leg("b", "300x0e")),
    "too_high_degree": (DiagramError, lambda: leg("a", "9o") @ leg("b", "9o")),
    "power_order": (DiagramError, lambda: G.power(2, 7)),
    "power_paths": (DiagramError, lambda: Y.power(6)["0e"]),
    "harmonics_degree": (DiagramError, lambda: D.harmonics(17)),
    "too_many_weights": (DiagramError, lambda: leg("x", "0e", channels=65_536).mix("u->v")),
    "merged_axis": (DiagramError, lambda: leg("x", "0e", channels=(60_000, 2)).merge()),
    "too_many_axes": (DiagramError, lambda: leg("x", "0e", channels=(2, 2, 2, 2)).split(2)),
    # several at once
    "several": (
        DiagramError,
        lambda: outputs(
            first=((V @ W)["1o"].mix("u->v", v=8) @ H)["0e"].map("tanh"),
            second=H.pull("receiver").sum("system").scale(Y["0e"]),
            third=add(V, H).mix("uv->w", w=2),
        ),
    ),
    "several_of_one_kind": (SelectionRuleError, lambda: add((V @ W)["0o"], (V @ W)["3e"])),
    "deep_in_a_layer": (
        SelectionRuleError,
        lambda: (
            (Y @ H.mix("u->v").pull("sender"))["0e+1o+2e"]
            .scale(weights("R"))
            .sum("receiver")
            .mix("u->v", name="linear_after_the_density")
            .power(1, 2, 3)["0e+1o"]
            .mix("u->u", per=Z)["0e+2e"]
            .mix("u->v", name="linear_after_the_product")
        ),
    ),
    "shared_part": (
        SelectionRuleError,
        lambda: outputs(a=V.mix("u->v") @ V.mix("u->v"), b=(V.mix("u->v") @ (V @ W)["0e"])["0e"]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_golden_text(name: str) -> None:
    kind, build = CASES[name]
    with pytest.raises(DiagramError) as caught:
        check(build())
    error = caught.value
    assert type(error) is kind
    text = f"{type(error).__name__}: {error}\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("FUSION_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_illegal_diagrams_have_a_text_and_a_place_for_every_violation(name: str) -> None:
    value = CASES[name][1]()
    assert eval(repr(value), {"parse": parse}) == value if isinstance(value, Diagram) else True
    for finding in findings(value):
        assert finding.node in walk_nodes(value)
        assert finding.text in str(value)
        assert 0 <= finding.start < finding.start + finding.length <= len(finding.text)
        assert all(len(line) < 140 for line in str(finding).splitlines())
        assert all(wire.place < len(finding.inputs) for wire in finding.violation.wires)


def test_no_golden_text_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*CASES, *NOTICES}


NOTICES: dict[str, Callable[[], Wire | Diagram]] = {
    "notice_square": lambda: (H @ H)["0e+1e"],
    "notice_square_of_one_tensor": lambda: (H.mix("u->v") @ H_TOO.mix("u->v"))["0e+1e"],
    "notice_square_weighted": lambda: (H @ H).on("u,u->uw", w=2)["0e+1e"],
    "notice_square_summed": lambda: (H.split(2) @ H.split(2)).on("uv,uw->")["0e+1e"],
    "notice_power_full": lambda: leg("x", "0e+1o").power(1, 2, 3)["0e+1o+1e"],
    "notice_power_reduced": lambda: leg("x", "0e+1o").power(2, basis="reduced")["0e+1e"],
    "notice_unused_leg": lambda: (H @ G)["0e"],
    "notice_unused_weights": lambda: H.mix("u->v").mix("u->v")["1o"],
    "notice_unused_couplings": lambda: (H @ H).on("u,v->w", w=2)["0e+1o"]["0e"],
}


@pytest.mark.parametrize("name", NOTICES)
def test_oddities_are_legal_and_noticed(name: str) -> None:
    found = check(NOTICES[name]())
    assert {finding.violation.severity for finding in found} == {"notice"}
    text = "\n".join(map(str, found)) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("FUSION_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_shared_coefficients_are_used_where_any_irrep_is() -> None:
    shared, own = H.mix("u->v", shared=True), H.mix("u->v")
    assert [found.node for found in check(shared["1o"])] == [H]
    assert [found.node for found in check(own["1o"])] == [H, own]
    assert shared in [found.node for found in check((shared["1o"] + H["0e"])["0e"])]


def test_products_of_a_wire_with_itself_that_are_not_squares_have_no_notice() -> None:
    for square in ((H @ H).on("u,v->uv"), (H @ H).on("u,v->u"), (H @ H).on("u,v->w", w=2)):
        assert check(square["0e+1e+2e"]) == ()
    assert check((V @ leg("k", "1o", channels=16, same="w"))["1e"]) == ()


def test_facts_are_attributes() -> None:
    with pytest.raises(SelectionRuleError) as caught:
        check((V @ W)["0e+1o+5e"])
    error = caught.value
    first, second = error.violations
    assert first.asked == (Irrep(1, -1),)
    assert first.reachable == (Irrep(0, 1), Irrep(1, 1), Irrep(2, 1))
    assert first.reasons == ("1o x 1o -> 1o   fails parity: o x o = e, asked o",)
    assert (first.suggestion, second.suggestion) == ("1e", "")
    assert [(side, str(space)) for side, space, _ in first.wires] == [
        ("left", "1o [u=16] on atom"),
        ("right", "1o [u=16] on atom"),
    ]
    finding = error.findings[0]
    assert isinstance(finding.node, Fuse)
    assert finding.inputs == ("v", "w")
    assert finding.text[finding.start : finding.start + finding.length] == "1o"
    assert error.text == str(error)


def test_a_legal_diagram_has_no_findings() -> None:
    assert check((V @ W)["0e+1e+2e"]) == findings((V @ W)["0e+1e+2e"]) == ()


def test_one_mistake_is_reported_once() -> None:
    wrong = (V @ W)["0e+1o"]
    layer = add(wrong.mix("u->v"), wrong.mix("u->v", name="other"))
    assert len(findings(outputs(a=layer, b=layer["0e"] @ wrong["0e"]))) == 1


def test_a_diagram_with_too_many_nodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion.validate, "MAX_NODES", 3)
    with pytest.raises(DiagramError, match="4 nodes; the limit is 3"):
        check(((G @ G) @ G) @ G)


def test_a_long_list_of_wires_is_cut() -> None:
    with pytest.raises(ChannelError) as caught:
        check(sum((H for _ in range(20)), start=V + V))
    assert str(caught.value).count("part") < 12
    assert "... and 14 more wires" in str(caught.value)


def test_every_error_is_a_value_error_with_its_text() -> None:
    for kind in (SelectionRuleError, ChannelError, IndexSpaceError, LegError):
        assert issubclass(kind, DiagramError)
        assert issubclass(kind, ValueError)
        assert str(kind((), "text")) == "text"
