"""Labels: text form, order, dimensions, and what a malformed text says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.errors import FusionError, LimitError, NotationError
from fusion.irreps import Irrep, Irreps, irreps_of
from fusion.limits import MAX_L, MAX_PATHS

O3 = st.builds(Irrep, st.integers(0, MAX_L), st.sampled_from([1, -1]))
SO3 = st.builds(Irrep, st.integers(0, MAX_L), st.just(0))


def lists(irrep: st.SearchStrategy[Irrep]) -> st.SearchStrategy[Irreps]:
    items = st.lists(st.tuples(st.integers(1, 200), irrep), max_size=8)
    return items.map(lambda found: Irreps(tuple(found)))


@given(st.one_of(lists(O3), lists(SO3)))
def test_text_and_repr_give_the_irreps_back(irreps: Irreps) -> None:
    assert Irreps.parse(str(irreps)) == irreps
    assert eval(repr(irreps)) == irreps


@given(st.one_of(O3, SO3))
def test_text_and_repr_give_the_irrep_back(irrep: Irrep) -> None:
    assert Irrep.parse(str(irrep)) == irrep
    assert eval(repr(irrep)) == irrep
    assert Irreps.parse(irrep) == Irreps(((1, irrep),))


@given(st.text(max_size=20) | st.text(alphabet="0123456789xeo+ ", max_size=20))
def test_any_text_is_read_or_refused_with_our_errors(text: str) -> None:
    try:
        found = Irreps.parse(text)
    except FusionError:
        return
    assert Irreps.parse(str(found)) == found


@given(lists(O3))
def test_canonical_keeps_the_content(irreps: Irreps) -> None:
    found = irreps.canonical()
    assert found.canonical() == found
    assert (found.dim, found.paths) == (irreps.dim, irreps.paths)
    assert [irrep for _, irrep in found] == list(irreps.kinds())
    assert all(found.count(irrep) == irreps.count(irrep) for irrep in irreps.kinds())
    assert irreps_of(irreps.kinds()) == Irreps(tuple((1, irrep) for irrep in irreps.kinds()))


def test_order_is_by_degree_then_natural_parity() -> None:
    texts = ["0e", "0o", "1o", "1e", "2e", "2o", "3o", "3e"]
    irreps = [Irrep.parse(text) for text in texts]
    for shuffled in itertools.permutations(irreps, 3):
        assert sorted(shuffled) == [irrep for irrep in irreps if irrep in shuffled]
    assert sorted(map(Irrep.parse, ["2", "0", "1"])) == [Irrep(0, 0), Irrep(1, 0), Irrep(2, 0)]


def test_facts_of_an_irrep() -> None:
    assert [Irrep(l, 1).dim for l in range(4)] == [1, 3, 5, 7]
    assert (Irrep(1, -1).group, Irrep(1, 0).group) == ("O(3)", "SO(3)")
    assert [str(i) for i in map(Irrep.parse, ["0e", "0o", "0", "2e"]) if i.is_scalar] == ["0e", "0"]
    assert Irreps.parse("8x0e + 4x1o+2e").dim == 8 + 12 + 5
    assert len(Irreps.parse("8x0e+1o")) == 2


def test_a_multiplicity_of_zero_disappears() -> None:
    assert str(Irreps.parse("0x1o+2x2e")) == "2x2e"
    assert Irreps.parse("0x1o") == Irreps(()) == Irreps.parse(str(Irreps(())))
    assert not Irreps(())


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("x", 0),
        ("1z", 1),
        ("8x", 1),
        ("8y0e", 1),
        ("0e+", 3),
        ("0e++1o", 3),
        ("0e 1o", 3),
        ("0e,1o", 2),
        ("-1x0e", 0),
        ("+0e", 0),
        ("1.5x0e", 1),
        ("１o", 0),  # a full-width digit  # noqa: RUF001
        ("1٣x0e", 1),  # an Arabic digit
        ("0e\n+1o", 2),
        ("0E", 1),
    ],
)
def test_a_malformed_text_shows_the_place(text: str, position: int) -> None:
    with pytest.raises(NotationError) as caught:
        Irreps.parse(text)
    assert caught.value.position == position
    assert str(caught.value).endswith("^")


def test_the_message_in_full() -> None:
    with pytest.raises(NotationError) as caught:
        Irreps.parse("8x0e+4y1o")
    assert str(caught.value) == "expected '+' or the end\n    8x0e+4y1o\n          ^"


def test_groups_do_not_mix() -> None:
    with pytest.raises(NotationError, match=r"O\(3\) and SO\(3\) do not mix: 0e\+1"):
        Irreps.parse("0e+1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{MAX_L + 1}o", "degree l = 17 is above the limit of 16"),
        ("9999e", "degree l = 9999"),
        (f"{MAX_PATHS + 1}x0e", "multiplicity 100001 is above"),
        ("99999999999x0e", "a number of 11 digits"),
        ("9" * 5000 + "e", "a number of 5000 digits"),
        (f"{MAX_PATHS}x0e+1o", "more than 100000 paths"),
        ("1o+" * 400_000 + "1o", "characters are above the limit"),
    ],
)
def test_limits(text: str, message: str) -> None:
    with pytest.raises(LimitError, match=message):
        Irreps.parse(text)


@pytest.mark.parametrize("bad", [(-1, 1), (1.0, 1), (1, 2), (True, 1), (1, 0.0), ("1", 1)])
def test_an_irrep_needs_a_degree_and_a_parity(bad: tuple[int, int]) -> None:
    with pytest.raises(NotationError, match="an irrep needs a degree"):
        Irrep(*bad)


@pytest.mark.parametrize("count", [0, -1, 1.0, True])
def test_multiplicities_are_positive_integers(count: int) -> None:
    with pytest.raises(NotationError, match="multiplicities must be positive integers"):
        Irreps(((count, Irrep(0, 1)),))


def test_one_irrep_is_one_irrep() -> None:
    for text in ("2x1o", "0e+1o", "0x0e"):
        with pytest.raises(NotationError, match="expected one irrep such as 1o"):
            Irrep.parse(text)


def test_long_messages_are_cut() -> None:
    with pytest.raises(LimitError) as caught:
        Irreps.parse("+".join(["99999x0e"] * 10_000))
    assert len(str(caught.value)) < 200
