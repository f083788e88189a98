"""Channel patterns: einsum text over channel axes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.errors import FusionError, LimitError, NotationError
from fusion.pattern import Pattern


@pytest.mark.parametrize(
    ("text", "operands", "parts", "result", "letters", "new"),
    [
        ("u->v", 1, ("u",), "v", "uv", "v"),
        ("u,v->uv", 2, ("u", "v"), "uv", "uv", ""),
        ("gu,gv->gw", 2, ("gu", "gv"), "gw", "guvw", "w"),
        (" u , u -> u ", 2, ("u", "u"), "u", "u", ""),
        ("u,->u", 2, ("u", ""), "u", "u", ""),
        (",->", 2, ("", ""), "", "", ""),
        ("->v", 1, ("",), "v", "v", "v"),
    ],
)
def test_reading(text: str, operands: int, parts: tuple[str, ...], result: str, letters: str, new: str) -> None:
    found = Pattern.parse(text, operands)
    assert (found.operands, found.result, found.letters, found.new_letters) == (parts, result, letters, new)
    assert str(found) == text.replace(" ", "")
    assert Pattern.parse(str(found), operands) == found
    assert eval(repr(found)) == found


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("", 1),
        ("u", 1),
        ("u-v", 1),
        ("u->v->w", 1),
        ("U->V", 1),
        ("u1->v", 1),
        ("u,v,w->u", 3),
        ("é->u", 1),
        ("u\n->v", 1),
    ],
)
def test_what_is_no_pattern(text: str, operands: int) -> None:
    with pytest.raises(NotationError, match="a channel pattern is letters, commas and '->', such as u,v->uv"):
        Pattern.parse(text, operands)


def test_other_refusals() -> None:
    with pytest.raises(NotationError, match=r"needs 2 operand\(s\), got 1"):
        Pattern.parse("u->u", 2)
    with pytest.raises(NotationError, match="a letter stands twice in 'uu'"):
        Pattern.parse("uu->u", 1)
    with pytest.raises(NotationError, match="a letter stands twice in 'vv'"):
        Pattern.parse("u->vv", 1)
    with pytest.raises(LimitError, match="more than 4 channel axes"):
        Pattern.parse("abcde->a", 1)


@given(st.text(max_size=12) | st.text(alphabet="uvw,->", max_size=12))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    for operands in (1, 2):
        try:
            found = Pattern.parse(text, operands)
        except FusionError:
            continue
        assert Pattern.parse(str(found), operands) == found
