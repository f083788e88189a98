"""Index spaces and maps: names, standard and derived maps, and the rows of product spaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.errors import FusionError, LimitError, NotationError
from fusion.index import STANDARD_MAPS, IndexMap, check_name, derived_from, index_map, resolve_map, tuples
from fusion.rows import product_rows


@pytest.mark.parametrize("name", sorted(STANDARD_MAPS))
def test_a_standard_map_is_its_name(name: str) -> None:
    found = resolve_map(name)
    assert str(found) == name
    assert found.standard
    assert resolve_map(found) is found
    assert eval(repr(found)) == found


def test_the_maps_of_the_design() -> None:
    ends = {name: (found.source, found.target) for name, found in STANDARD_MAPS.items()}
    assert ends["sender"] == ends["receiver"] == ("edge", "atom")
    assert ends["reverse"] == ("edge", "edge")
    assert ends["system"] == ("atom", "system")
    assert ends["triplet.first"] == ends["triplet.second"] == ("triplet", "edge")
    assert ends["pair.parent"] == ("pair", "parent")


def test_a_declared_map_carries_its_ends() -> None:
    found = index_map("child.parent", "child", "parent")
    assert str(found) == "child.parent:child>parent"
    assert resolve_map(str(found)) == found
    assert not found.standard
    assert not index_map("sender", "bond", "atom").standard
    assert str(index_map("sender", "bond", "atom")) == "sender:bond>atom"
    assert resolve_map("sender:edge>atom").standard


def test_tuples_of_a_map() -> None:
    first, second = tuples("receiver")
    assert (first.source, first.target) == ("receiver^2", "edge")
    assert [str(first), str(second)] == ["receiver^2.0", "receiver^2.1"]
    assert resolve_map("receiver^2.1") == second
    assert second.derived == ("receiver", 2, 1)
    nested = tuples(first, 3)[2]
    assert (str(nested), nested.derived, nested.target) == ("receiver^2.0^3.2", ("receiver^2.0", 3, 2), "receiver^2")
    assert resolve_map(str(nested)) == nested
    declared = tuples(index_map("m", "a", "b"), 2)[0]
    assert str(declared) == "m^2.0:m^2>a"
    assert declared.derived == ("m", 2, 0)
    assert index_map("m^2.0", "x", "a").derived is None  # another space than that of the pairs
    assert derived_from("receiver") is None


@pytest.mark.parametrize(
    "name", ["receiver^2.2", "receiver^9.0", "receiver^1.0", "unknown", "", "a:b", "m:a>", "receiver^2.0 "]
)
def test_unknown_maps_are_refused(name: str) -> None:
    with pytest.raises(NotationError):
        resolve_map(name)


def test_the_message_names_what_is_known() -> None:
    with pytest.raises(
        NotationError, match=r"unknown index map 'recv'; known: sender, receiver, .* name:source>target"
    ):
        resolve_map("recv")


@pytest.mark.parametrize("order", [1, 7])
def test_orders_are_bounded(order: int) -> None:
    with pytest.raises(LimitError, match="must be between 2 and 6"):
        tuples("receiver", order)


@pytest.mark.parametrize("name", ["", "1a", "a b", "a.", ".a", "a..b", "é", "a\n", "a-b", "a;b", "<a>"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(NotationError, match="must be an ASCII name"):
        check_name(name, "a name")


def test_names_are_bounded() -> None:
    assert check_name("a" * 64, "a name") == "a" * 64
    with pytest.raises(LimitError):
        check_name("a" * 65, "a name")


@given(st.text(max_size=30))
def test_any_text_is_a_map_or_refused(text: str) -> None:
    try:
        found = resolve_map(text)
    except FusionError:
        return
    assert resolve_map(str(found)) == found


def test_rows_of_pairs_include_coincident_ones() -> None:
    first, second = product_rows(np.array([1, 0, 1]), 2)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(1, 1), (0, 0), (0, 2), (2, 0), (2, 2)]


@given(st.lists(st.integers(0, 3), max_size=5), st.integers(2, 3))
def test_rows_of_tuples_are_all_rows_with_one_image(images: list[int], order: int) -> None:
    found = product_rows(np.array(images, dtype=np.int64), order)
    assert len(found) == order
    assert all(part.dtype == np.int64 and part.ndim == 1 for part in found)
    rows = list(zip(*(part.tolist() for part in found), strict=True))
    assert len(set(rows)) == len(rows) == sum(images.count(image) ** order for image in set(images))
    assert all(len({images[i] for i in row}) == 1 for row in rows)
    assert rows == sorted(rows, key=lambda row: (images[row[0]], row))


def test_an_index_map_is_a_value() -> None:
    assert IndexMap("m", "a", "b") == index_map("m", "a", "b")
    assert len({IndexMap("m", "a", "b"), index_map("m", "a", "b")}) == 1
