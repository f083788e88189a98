"""The type of a wire: channel axes as a user may write them, and where every component lies."""

from __future__ import annotations

import pytest

from fusion.errors import LimitError, NotationError
from fusion.irreps import Irrep, Irreps
from fusion.space import Channels, Segment, Space, channel_axes, free_axis_name


@pytest.mark.parametrize(
    ("written", "axes"),
    [
        (None, ()),
        (8, (("u", 8),)),
        ((2, 3), (("u", 2), ("v", 3))),
        ({"n": 8, "a": 3}, (("n", 8), ("a", 3))),
    ],
)
def test_channels_as_written(written: Channels, axes: tuple[tuple[str, int], ...]) -> None:
    assert channel_axes(written) == axes


@pytest.mark.parametrize("written", [0, -1, 1.5, True, "8", (2, 0), {"n": None}, {"1": 2}, {"": 2}, {"a.b": 2}])
def test_channels_that_are_none(written: Channels) -> None:
    with pytest.raises(NotationError):
        channel_axes(written)


@pytest.mark.parametrize("written", [65_537, (1, 1, 1, 1, 1), {"n": 10**9}])
def test_channels_are_bounded(written: Channels) -> None:
    with pytest.raises(LimitError):
        channel_axes(written)


def test_components_lie_irrep_by_irrep_then_path_then_m() -> None:
    space = Space(Irreps.parse("2x0e+1o+3x2e"), (("u", 4),), "atom")
    assert space.segments == (
        Segment(Irrep(0, 1), 2, 0),
        Segment(Irrep(1, -1), 1, 2),
        Segment(Irrep(2, 1), 3, 5),
    )
    assert [segment.size for segment in space.segments] == [2, 3, 15]
    assert (space.dim, space.sizes) == (20, (4,))
    assert str(space) == "2x0e+1o+3x2e [u=4] on atom"


def test_invariant_means_even_scalars_only() -> None:
    assert [Space(Irreps.parse(text), (), "atom").invariant for text in ("3x0e", "0", "0o", "0e+0o", "1o")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_replace_makes_irreps_canonical() -> None:
    space = Space(Irreps.parse("0e"), (), "atom").replace(irreps=Irreps.parse("1o+0e+1o"), on="edge")
    assert str(space) == "0e+2x1o on edge"


def test_a_space_is_a_value() -> None:
    space = Space(Irreps.parse("0e+1o"), (("u", 2),), "atom")
    assert eval(repr(space)) == space
    assert hash(eval(repr(space))) == hash(space)
    assert str(Space(Irreps(()), (), "atom")) == "nothing on atom"


def test_free_axis_names() -> None:
    assert free_axis_name(set()) == "g"
    assert free_axis_name({"g", "u"}) == "v"
    assert free_axis_name({"a"}, "a") == "u"
