"""The text form: what it accepts beside what we print, and that everything else ends in an error that shows where."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion import (
    Diagram,
    FusionError,
    Irreps,
    LimitError,
    NotationError,
    Wire,
    check,
    leg,
    parse,
    parse_network,
)
from fusion.irreps import Irrep
from fusion.limits import MAX_L, MAX_TEXT

X = "leg x: 0e+1o, u=2, on atom; "
E = "leg e: 0e+1o, u=2, on edge; "
Z = "label z: 3, on atom; "
D = "leg d: 1o, on edge; "


def read(text: str) -> Wire | Diagram:
    """Parse, and require that the print reads back as the same value."""
    found = parse(text)
    assert parse(str(found)) == found
    return found


IRREP = st.builds(Irrep, st.integers(0, MAX_L), st.sampled_from([1, -1]))
ITEMS = st.lists(st.tuples(st.integers(1, 99), IRREP), min_size=1, max_size=6)
BLANK = st.sampled_from(["", " ", "  "])


@given(ITEMS, BLANK, BLANK)
def test_irreps_as_users_write_them(items: list[tuple[int, Irrep]], before: str, after: str) -> None:
    text = f"{before}+{after}".join(f"{count}x{irrep}" if count > 1 else str(irrep) for count, irrep in items)
    found = read(f"leg x: {text}, u=2, on atom; x")
    assert found == leg("x", Irreps(tuple(items)), channels=2)
    assert str(found) == f"leg x: {Irreps(tuple(items)).canonical()}, u=2, on atom; x"


@pytest.mark.parametrize(
    ("loose", "printed"),
    [
        (X + "x", X + "x"),
        ("  leg x :0e+1o ,u = 2,on atom ;\n\tx ; ", X + "x"),
        (X + "(((x)))", X + "x"),
        (X + "(x@x)@x", X + "x @ x @ x"),
        (X + "x@(x@x)", X + "x @ (x @ x)"),
        (X + "x@(x+x)", X + "x @ (x + x)"),
        (X + "(x+x)+x", X + "x + x + x"),
        (X + "x+(x+x)", X + "x + (x + x)"),
        (X + "y = x@x; y[0e]", X + "(x @ x)[0e]"),
        (X + "x.select(1o:0,0e:all)", X + "x.select(0e: all, 1o: 0)"),
        (X + "x.select(1o: all)", X + "x[1o]"),
        (X + "x.roll(3)", X + "x.roll(1)"),
        (X + "x.mix( u -> v , v=3 )", X + "x.mix(u->v, v=3)"),
        (X + "x.mix(u->u, constant = [1,2.50])", X + "x.mix(u->u, constant=[1.0, 2.5])"),
        (X + "x.mix(u->u, constant={1o: 1, 0e: [1, -2e3]})", X + "x.mix(u->u, constant={0e: [1.0, -2000.0], 1o: 1.0})"),
        (X + "add(2*x, x, -.5 * x)", X + "add(2.0 * x, x, -0.5 * x)"),
        (X + "out a = x; out b = x;", X + "out a = x; out b = x"),
        (X + "out out = x", X + "x"),
        (D + "d.cutoff(5,6)", D + "d.cutoff(5.0, 6)"),
        (X + "leg s: 0e, on system; x @ s", X + "leg s: 0e, on system; x @ s.pull(system)"),
        ("leg out_1: 0, on atom; out_1", "leg out_1: 0, on atom; out_1"),
        ("leg x: 0e+1e, on a.1.b2; x.pull(m.0:p.3>a.1.b2)", "leg x: 0e+1e, on a.1.b2; x.pull(m.0:p.3>a.1.b2)"),
        (E + "e.pull(receiver^3.2)", E + "e.pull(receiver^3.2)"),
    ],
)
def test_loose_writing(loose: str, printed: str) -> None:
    assert str(read(loose)) == printed


def test_a_text_may_be_illegal_and_still_be_a_text() -> None:
    found = read(X + "(x @ x)[3o]")
    assert isinstance(found, Wire)
    with pytest.raises(FusionError, match="no path couples the two wires to 3o"):
        check(found)


def test_names_say_what_they_mean() -> None:
    assert read("leg leg_1: 0e, on atom; leg_1 @ leg_1") == leg("leg_1", "0e") @ leg("leg_1", "0e")
    with pytest.raises(NotationError, match="cannot name"):
        parse("leg out: 0e, on atom; out")


MALFORMED: dict[str, tuple[str, str]] = {
    "nothing": ("", "ends with an expression"),
    "blank": ("  \n ", "ends with an expression"),
    "only declarations": (X, "ends with an expression"),
    "unknown character": (X + "x $ x", "unexpected character '$'"),
    "unicode digit": ("leg x: ３x0e, on atom; x", "unexpected character"),  # noqa: RUF001
    "unicode letter": ("leg é: 0e, on atom; é", "unexpected character"),
    "arrow of another alphabet": (X + "x.mix(u→v)", "unexpected character"),
    "quotes": (X + "x.pull('sender')", "unexpected character"),
    "unknown name": (X + "y", "unknown name 'y'; declared so far: x"),
    "unknown operation": (X + "x.explode(3)", "unknown operation 'explode'; known: bessel"),
    "dunder": (X + "x.__class__()", "unknown operation '__class__'"),
    "attribute": (X + "x.space", "unknown operation 'space'"),
    "unclosed parenthesis": (X + "(x @ x", "expected ')'"),
    "too many parentheses": (X + "x)", "expected the end"),
    "dangling operator": (X + "x @", "expected a leg"),
    "leading operator": (X + "@ x", "expected a leg"),
    "two expressions": (X + "x; x", "expected the end"),
    "label as wire": (Z + "z", "'z' is a label; it can stand after per= or by= only"),
    "wire as label": (X + "x.mix(u->u, per=x)", "'x' is not a declared label"),
    "declared twice": (X + "leg x: 0e, on atom; x", "'x' is declared twice"),
    "label declared twice": (Z + "label z: 3, on atom; z", "'z' is declared twice"),
    "part defined twice": (X + "x = x; x", "'x' is defined twice"),
    "output twice": (X + "out a = x; out a = x", "output 'a' is given twice"),
    "output and expression": (X + "out a = x; x", "after named outputs every output needs a name"),
    "leg without space": ("leg x: 0e; x", "a leg needs its index space"),
    "leg without irreps": ("leg x: , on atom; x", "expected an irrep"),
    "empty leg": ("leg x: 0x0e, on atom; x", "needs at least one irrep"),
    "bad irreps": ("leg x: 1z, on atom; x", "expected '+' or the end"),
    "split irreps": ("leg x: 1 o, on atom; x", "expected '+' or the end"),
    "mixed groups": ("leg x: 0e+1, on atom; x", "do not mix"),
    "axis twice": ("leg x: 0e, u=2, u=3, on atom; x", "channel axis 'u' is given twice"),
    "size zero": ("leg x: 0e, u=0, on atom; x", "needs a positive integer size"),
    "size negative": ("leg x: 0e, u=-2, on atom; x", "needs a positive integer size"),
    "size float": ("leg x: 0e, u=2.0, on atom; x", "expected an integer"),
    "size huge": ("leg x: 0e, u=" + "9" * 5000 + ", on atom; x", "expected an integer of at most nine digits"),
    "label without classes": ("label z: , on atom; z", "expected an integer"),
    "label of no classes": ("label z: 0, on atom; z", "positive number of classes"),
    "bad map": (X + "x.pull(recv)", "unknown index map 'recv'"),
    "bad declared map": (X + "x.pull(m:a)", "expected '>'"),
    "tuple too far": (E + "e.pull(receiver^2.2)", "unknown index map"),
    "no pattern": (X + "x.mix()", "expected '->'"),
    "bad pattern": (X + "x.mix(uu->v)", "a letter stands twice"),
    "pattern upper case": (X + "x.mix(U->V)", "a channel pattern is letters"),
    "pattern operands": (X + "x.mix(u,u->u)", "needs 1 operand(s), got 2"),
    "mix option": (X + "x.mix(u->u, wat=3)", "a mix has no option 'wat'"),
    "mix option twice": (X + "x.mix(u->v, v=3, v=4)", "'v' is given twice"),
    "two coefficients": (X + "x.mix(u->u, constant=1, buffer=b)", "two kinds of coefficients"),
    "paths zero": (X + "x.mix(u->u, paths=0)", "a mix gives 1 to"),
    "paths all": (X + "x.mix(u->u, paths=all)", "expected an integer"),
    "paths twice": (X + "x.mix(u->u, paths=each, paths=2)", "'paths' is given twice"),
    "shared false": (X + "x.mix(u->u, shared=False)", "expected 'True'"),
    "shared constant": (X + "x.mix(u->u, constant=1, shared=True)", "leave out shared"),
    "reserved name": (X + "x.mix(u->v, name=out)", "cannot name"),
    "constant nan": (X + "x.mix(u->u, constant=nan)", "expected a number"),
    "constant inf": (X + "x.mix(u->u, constant=1e999)", "must be finite"),
    "constant underscore": (X + "x.mix(u->u, constant=1_0)", "expected a number"),
    "constant ragged": (X + "x.mix(u->u, constant=[[1], [1, 2]])", "sequences of equal length"),
    "constant empty": (X + "x.mix(u->u, constant=)", "expected a number"),
    "constant unclosed": (X + "x.mix(u->u, constant=[1", "expected ']'"),
    "constant irrep twice": (X + "x.mix(u->u, constant={0e: 1, 0e: 2})", "0e is given twice"),
    "constant no irreps": (X + "x.mix(u->u, constant={})", "each irrep once"),
    "tied letters": (X + "x.mix(u->u, tied=[1, 2] K u)", "distinct lower-case letters"),
    "on of a leg": (X + "x.on(u,u->u)", "this operation belongs to a fuse"),
    "on option": (X + "(x @ x).on(u,v->w, paths=3)", "on(...) has no option 'paths'"),
    "on self": (X + "(x @ x).on(u,v->w, self=3)", "on(...) has no option 'self'"),
    "filter and paths": (X + "(x @ x)[0e].paths(0e*0e->0e)", "not both"),
    "triple": (X + "(x @ x).paths(1o 1o -> 0e)", "expected '*'"),
    "triple without arrow": (X + "(x @ x).paths(1o*1o)", "expected '->'"),
    "triple irrep": (X + "(x @ x).paths(1o*1o->0q)", "expected '+' or the end"),
    "power order": (X + "x.power(1.5)", "expected an integer"),
    "power basis": (X + "x.power(2, basis=best)", "the basis of a power is full or reduced"),
    "power twice": (X + "x.power(2, 2)", "distinct orders"),
    "empty filter": (X + "x[]", "expected an irrep"),
    "filter of nothing": (X + "x[0x0e]", "at least one irrep"),
    "unclosed filter": (X + "x[0e", "expected ']'"),
    "function": (X + "x.map(erf)", "unknown function 'erf'; known: cos"),
    "normalisation": (D + "d.harmonics(2, physics)", "component, norm or integral"),
    "cutoff zero": (D + "d.cutoff(0, 6)", "must be a positive length"),
    "cutoff nan": (D + "d.cutoff(nan, 6)", "expected a number"),
    "cosine cutoff zero": (D + "d.cosine_cutoff(0)", "must be a positive length"),
    "one of another irrep": (X + "x @ one(1o)", "the number one is a 0e, or a 0 of SO(3), not a 1o"),
    "bessel many": (D + "d.bessel(5000, 5.0)", "1 to 1024"),
    "axis": (X + "x.split(2, axes=0)", "expected 'axis'"),
    "add nothing": (X + "add()", "expected a leg"),
    "factor outside add": (X + "0.5 * x", "expected a leg"),
    "factor infinite": (X + "add(1e999 * x)", "must be finite"),
    "network kind": (X + "network[knot a b > c; a=0e b=0e c=0e](a=x, b=x)", "a vertex is one of fuse, split, cap, cup"),
    "network lines": (X + "network[fuse a b; a=0e b=0e](a=x, b=x)", "a fuse vertex has 3 lines, got 2"),
    "network missing line": (X + "network[fuse a b > c; a=0e b=0e](a=x)", "lines without an irrep: c"),
    "network end twice": (X + "network[; a=0e](a=x, a=x)", "end 'a' is given twice"),
    "network unclosed": (X + "network[fuse a b > c; a=0e", "expected a name"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_text_says_what_and_where(name: str) -> None:
    text, message = MALFORMED[name]
    with pytest.raises(NotationError) as caught:
        parse(text)
    error = caught.value
    assert message in str(error)
    assert error.text == (text or " ")
    assert 0 <= error.position <= len(text)
    headline, line, marks = str(error).splitlines()
    assert len(headline) < 400
    assert len(line) <= 4 + 96 + 6
    assert set(marks.strip()) == {"^"}


def test_the_message_in_full() -> None:
    with pytest.raises(NotationError) as caught:
        parse("leg h: 0e+1o, on atom; (h @ h)[0e].summ(receiver)")
    assert str(caught.value).splitlines()[1:] == [
        "    leg h: 0e+1o, on atom; (h @ h)[0e].summ(receiver)",
        "                                      ^",
    ]


def test_long_lines_are_cut_around_the_place() -> None:
    with pytest.raises(NotationError) as caught:
        parse(X + "x + " * 100 + "y + " + "x + " * 100 + "x")
    _, line, marks = str(caught.value).splitlines()
    assert line.startswith("    ...")
    assert line.endswith("...")
    assert line[marks.index("^")] == "y"


def test_terminal_codes_are_not_echoed() -> None:
    with pytest.raises(NotationError) as caught:
        parse("\x1b[31m x \x07")
    assert "\x1b" not in str(caught.value)
    assert "?[31m x ?" in str(caught.value)


TOO_LARGE: dict[str, tuple[Callable[[], str], str]] = {
    "parentheses": (lambda: X + "(" * 70_000 + "x" + ")" * 70_000, "nested deeper than 64"),
    "unclosed parentheses": (lambda: X + "(" * 100_000, "nested deeper than 64"),
    "scales": (lambda: X + "x.scale(" * 15_000, "nested deeper than 64"),
    "adds": (lambda: X + "add(" * 20_000, "nested deeper than 64"),
    "networks": (lambda: X + "network[; a=0e](a=" * 8_000, "nested deeper than 64"),
    "constants": (lambda: X + "x.mix(u->u, constant=" + "[" * 100_000, "nested deeper than 64"),
    "long constant": (lambda: X + "x.mix(u->u, constant=[" + "1," * 50_001 + "1])", "more than 50000 numbers"),
    "text": (lambda: " " * (MAX_TEXT + 1), "characters is above the limit"),
    "names": (lambda: X + "".join(f"a{i}=x;" for i in range(10_001)), "more than 10000 names"),
    "operations": (lambda: X + "x" + "[0e]" * 10_001, "more than 10000 nodes"),
    "fuses": (lambda: "leg x: 0e, on atom; x" + "@x" * 10_001, "more than 10000 nodes"),
    "parts": (lambda: X + "x" + "+x" * 10_001, "more than 10000 nodes"),
    "pulls of a label": (
        lambda: X + Z + "x.mix(u->u, per=z" + ".pull(reverse)" * 17 + ")",
        "pulled along more than 16 maps",
    ),
    "degree": (lambda: "leg x: 99e, on atom; x", "degree l = 99 is above the limit of 16"),
    "multiplicity": (lambda: "leg x: 999999999x0e, on atom; x", "multiplicity 999999999 is above"),
    "digits": (lambda: "leg x: " + "9" * 5000 + "x0e, on atom; x", "a number of 5000 digits"),
    "channels": (lambda: "leg x: 0e, u=999999999, on atom; x", "has size 999999999, above the limit"),
    "axes": (lambda: "leg x: 0e, a=1, b=1, c=1, d=1, e=1, on atom; x", "at most 4 are allowed"),
    "classes": (lambda: "label z: 999999999, on atom; z", "above the limit of 4096"),
    "name": (lambda: "leg " + "x" * 1000 + ": 0e, on atom; x", "longer than 64 characters"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused_before_it_is_built(name: str) -> None:
    build, message = TOO_LARGE[name]
    with pytest.raises(LimitError, match=message) as caught:
        parse(build())
    assert len(str(caught.value)) < 500


def test_little_stack_left_is_an_error_of_ours() -> None:
    text = X + "x.scale(" * 60 + "x" + ")" * 60

    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        else:
            parse(text)

    limit = sys.getrecursionlimit()
    parse(text)
    frames = 0
    frame = sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    with pytest.raises(LimitError, match="nested too deeply for the stack that is left"):
        deep(limit - frames - 120)


WORDS = (
    *("leg", "label", "out", "x", "z", ":", "0e", "1o", "+", ",", "on", "atom", "edge", "u=2", "u", ";", "@", "(", ")"),
    *("[", "]", "{", "}", ".", "mix", "->", "v", "=", "3", "-1", "1e5", "power", "basis", "full", "sum", "receiver"),
    *("by", "pull", "sender", "scale", "add", "*", "network", "fuse", "split", "cap", "a", ">", "select", "all", "per"),
    *("constant", "tied", "name", "t1", "on(", "paths(", "1o*1o->2e", "softmax", "layer_norm()", "^", "roll", "same"),
)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.sampled_from(["", " "]))
def test_any_words_are_read_or_refused_with_our_errors(words: list[str], gap: str) -> None:
    try:
        found = parse(X + E + Z + gap.join(words))
    except FusionError:
        return
    assert parse(str(found)) == found


@settings(max_examples=150)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_our_errors(text: str) -> None:
    for read_text in (parse, parse_network):
        with pytest.raises(FusionError):
            read_text(text)


def mutations() -> st.SearchStrategy[str]:
    base = (
        X + E + Z + "t1 = (x.pull(sender) @ e)[0e+1o].scale(e[0e].map(silu)).sum(receiver, by=z.pull(sender)); "
        "out a = t1.merge().mix(u->v, v=2, per=z, constant=[[1.0]]); out b = x.power(1, 2, basis=reduced)[0e]"
    )
    place = st.integers(0, len(base) - 1)
    return st.builds(
        lambda i, j, insert: base[: min(i, j)] + insert + base[max(i, j) :],
        place,
        st.integers(0, 12).flatmap(lambda width: place.map(lambda i: min(i + width, len(base) - 1))),
        st.sampled_from(["", *WORDS]),
    )


@settings(max_examples=300)
@given(mutations())
def test_damaged_texts_are_read_or_refused_with_our_errors(text: str) -> None:
    try:
        found = parse(text)
    except FusionError:
        return
    assert parse(str(found)) == found


def test_networks_have_a_text_of_their_own() -> None:
    text = "network[fuse a b > c, split c > a b; a=1o b=2e c=1o]"
    assert str(parse_network(text)) == text
    assert str(parse_network("network[;]")) == "network[; ]"
    with pytest.raises(NotationError, match="expected 'network'"):
        parse_network("netwerk[;]")
    with pytest.raises(NotationError, match="expected the end"):
        parse_network("network[;] x")
