"""Read the one-line notation back (see :mod:`fusion.printing`): a closed grammar, bounded in length and nesting.

    leg h: 0e+1o, u=64, on atom; label z: 4, on atom; t1 = h.mix(u->v); out energy = add(t1, 0.5 * h)

``@`` and ``.scale`` pull a wire implicitly where the operators in Python do; the print shows the pull. Nothing in a
text is executed. Every error carries the position and shows it with a caret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn, TypeVar

from fusion.arguments import identifier, letter_sizes_of, optional_identifier
from fusion.coefficients import LEARNED, Buffer, Coefficients, Constant, Nested, Tied
from fusion.diagram import (
    Diagram,
    DirectSum,
    Fuse,
    Label,
    Map,
    Mix,
    Power,
    Select,
    Shuffle,
    Wire,
    add,
    apply,
    label,
    leg,
    one,
    outputs,
)
from fusion.errors import FusionError, LimitError, NotationError, caret
from fusion.functions import ELEMENTWISE
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_CONSTANT, MAX_DEPTH, MAX_NODES, MAX_TEXT, MAX_TEXT_COMBS, MAX_TEXT_SHUFFLED
from fusion.network import Network, Vertex
from fusion.pattern import Pattern
from fusion.powers import comb_counts

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<arrow>->)"
    r"|(?P<number>-?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?(?![A-Za-z0-9_]))"  # ++: no way back
    r"|(?P<word>[A-Za-z0-9_]+)|(?P<mark>[-+@.,:;=*()\[\]{}<>^])",
    re.ASCII,
)
_INTEGER = re.compile(r"-?[0-9]{1,9}", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse(text: str) -> Wire | Diagram:
    """Read a diagram: a wire when it has the single output ``out``, else a :class:`Diagram`.

    Laws are not checked here (see :func:`fusion.check`), only the notation.

    Raises:
        NotationError: the text does not follow the notation; the message shows where.
        LimitError: the text, or something in it, is too large.
    """
    return _read(text, _Reader.diagram)


def parse_network(text: str) -> Network:
    """Read ``network[fuse a b > c, ...; a=1o b=1o c=0e]``.

    Raises:
        NotationError: the text does not follow the notation; the message shows where.
        LimitError: the text, or something in it, is too large.
    """
    return _read(text, _Reader.whole_network)


def _read(text: str, rule: Callable[[_Reader], T]) -> T:
    reader = _Reader(text)
    try:
        return rule(reader)
    except RecursionError:  # the caller has used up most of the stack
        raise LimitError("a diagram text is nested too deeply for the stack that is left") from None


class _Reader:
    """Recursive descent over a list of tokens."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise LimitError(f"a diagram text of {len(text)} characters is above the limit of {MAX_TEXT}")
        self.text = text
        self.tokens: list[_Token] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise NotationError(f"unexpected character {text[position]!r}", text, position)
            if match.lastgroup != "space":
                self.tokens.append(_Token(match.lastgroup or "", match.group(), position))
            position = match.end()
        self.place = 0
        self.depth = 0
        self.built = 0
        self.irrep_of: dict[str, Irrep] = {}
        self.combs = 0
        self.shuffled = 0
        self.names: dict[str, Wire | Label] = {}

    # tokens

    @property
    def next(self) -> _Token:
        if self.place < len(self.tokens):
            return self.tokens[self.place]
        return _Token("end", "", len(self.text))

    def fail(self, message: str, token: _Token | None = None) -> NoReturn:
        found = token or self.next
        raise NotationError(message, self.text or " ", min(found.position, max(0, len(self.text) - 1)))

    def take(self) -> _Token:
        token = self.next
        if token.kind == "end":
            self.fail("the text ends too early")
        self.place += 1
        return token

    def at(self, text: str) -> bool:
        return self.next.text == text

    def accept(self, text: str) -> bool:
        if self.at(text):
            self.place += 1
            return True
        return False

    def expect(self, text: str) -> _Token:
        if not self.at(text):
            self.fail(f"expected {text!r}")
        return self.take()

    def word(self, wanted: str = "") -> str:
        token = self.next
        if token.kind not in ("word", "number") or (wanted and token.text != wanted):
            self.fail(f"expected {wanted or 'a name'!r}" if wanted else "expected a name")
        return self.take().text

    def integer(self) -> int:
        token = self.take()
        if not _INTEGER.fullmatch(token.text):
            self.fail("expected an integer of at most nine digits", token)
        return int(token.text)

    def real(self) -> float:
        token = self.take()
        if token.kind != "number":
            self.fail("expected a number", token)
        return float(token.text)

    def end(self) -> None:
        if self.next.kind != "end":
            self.fail("expected the end")

    def guarded(self, token: _Token, build: Callable[[], T]) -> T:  # a library error gets the place in this text
        try:
            return build()
        except NotationError as error:
            if error.text == self.text:
                raise
            self.fail(str(error).splitlines()[0], token)
        except LimitError:
            raise
        except FusionError as error:
            self.fail(str(error).splitlines()[0], token)

    # statements

    def diagram(self) -> Wire | Diagram:
        found: dict[str, Wire] = {}
        while self.next.kind != "end":
            token = self.next
            if self._starts("leg"):
                self._declare_leg()
            elif self._starts("label"):
                self._declare_label()
            elif self._starts("out"):
                self._name_output(found)
            elif token.kind == "word" and self._peek(1) == "=":
                self._name_part()
            elif found:
                self.fail("after named outputs every output needs a name", token)
            else:
                wire = self.expression()
                self.accept(";")
                self.end()
                return wire
            if len(self.names) > MAX_NODES:
                raise LimitError(f"more than {MAX_NODES} names in a diagram text")
            if not self.accept(";"):
                break
        self.end()
        if not found:
            self.fail("a diagram text ends with an expression or with 'out name = expression'")
        return self.guarded(self.next, lambda: outputs(**found)) if set(found) != {"out"} else found["out"]

    def whole_network(self) -> Network:
        self.word("network")
        network = self.network()
        self.end()
        return network

    def _name_output(self, found: dict[str, Wire]) -> None:
        token = self.take()
        name = self.word()
        if name in found:
            self.fail(f"output {name!r} is given twice", token)
        self.expect("=")
        found[name] = self.expression()

    def _name_part(self) -> None:
        token = self.next
        name = self.word()
        self.expect("=")
        if name in self.names:
            self.fail(f"{name!r} is defined twice", token)
        self.names[name] = self.expression()

    def _peek(self, ahead: int) -> str:
        place = self.place + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def _starts(self, keyword: str) -> bool:
        return self.at(keyword) and self._peek(1) not in ("=", ".", "(", "@", "+", ";", "")

    def _declare_leg(self) -> None:
        start = self.take()
        name = self.word()
        self.expect(":")
        irreps = self.irreps()
        axes: dict[str, int] = {}
        on, same = "", ""
        while self.accept(","):
            word = self.word()
            if word == "on" and not self.at("="):
                on = self.dotted()
            elif word == "same" and not self.at("="):
                same = self.word()
            else:
                self.expect("=")
                if word in axes:
                    self.fail(f"channel axis {word!r} is given twice", start)
                axes[word] = self.integer()
        if not on:
            self.fail("a leg needs its index space, as in ', on atom'", start)
        if name in self.names:
            self.fail(f"{name!r} is declared twice", start)
        self.names[name] = self.guarded(start, lambda: leg(name, irreps, channels=axes or None, on=on, same=same))

    def _declare_label(self) -> None:
        start = self.take()
        name = self.word()
        self.expect(":")
        classes = self.integer()
        self.expect(",")
        self.word("on")
        on = self.dotted()
        if name in self.names:
            self.fail(f"{name!r} is declared twice", start)
        self.names[name] = self.guarded(start, lambda: label(name, classes, on=on))

    # expressions

    def expression(self) -> Wire:
        self._deeper()
        parts = [self.product()]
        while self.accept("+"):
            self._count()
            parts.append(self.product())
        self.depth -= 1
        if len(parts) == 1:
            return parts[0]
        first = parts[0]
        self._count(len(first.parts) if isinstance(first, DirectSum) else 0)  # its parts become parts of the whole
        return DirectSum(tuple(parts))

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LimitError(
                f"a diagram text is nested deeper than {MAX_DEPTH}\n{caret(self.text, self.next.position)}"
            )

    def _count(self, nodes: int = 1) -> None:
        self.built += nodes
        if self.built > MAX_NODES:
            raise LimitError(f"a diagram text has more than {MAX_NODES} nodes")

    def _spend(self, wire: Wire) -> None:
        """Bound what short texts make much of: the paths of powers and the entries of rolled axes."""
        if isinstance(wire, Power) and not wire.violations:
            parts = (comb_counts(wire.base.space.irreps, n, wire.coupled, wire.inner) for n in wire.orders)
            self.combs += sum(map(sum, parts))
            if self.combs > MAX_TEXT_COMBS:
                raise LimitError(f"the powers of a diagram text have more than {MAX_TEXT_COMBS} paths in all")
        elif isinstance(wire, Shuffle):
            self.shuffled += len(wire.order)
            if self.shuffled > MAX_TEXT_SHUFFLED:
                raise LimitError(f"the shuffles of a diagram text have more than {MAX_TEXT_SHUFFLED} entries in all")

    def product(self) -> Wire:
        wire = self.postfix()
        while self.accept("@"):
            self._count()
            wire = wire @ self.postfix()
        return wire

    def atom(self) -> Wire:
        token = self.next
        if self.accept("("):
            wire = self.expression()
            self.expect(")")
            return wire
        if token.kind != "word":
            self.fail("expected a leg, a shared part, add(...), network[...], one() or '('")
        if self.at("add") and self._peek(1) == "(":
            return self._add()
        if self.at("network") and self._peek(1) == "[":
            return self._network()
        if self.at("one") and self._peek(1) == "(":
            return self._one()
        self.take()
        found = self.names.get(token.text)
        if found is None:
            known = ", ".join(name[:40] for name in list(self.names)[:12])
            self.fail(f"unknown name {token.text[:40]!r}; declared so far: {known or 'nothing'}", token)
        if isinstance(found, Label):
            self.fail(f"{token.text!r} is a label; it can stand after per= or by= only", token)
        return found

    def _add(self) -> Wire:
        start = self.take()
        self.expect("(")
        terms: list[tuple[float, Wire]] = []
        while True:
            factor = 1.0
            if self.next.kind == "number":
                factor = self.real()
                self.expect("*")
                wire = self.postfix()
            else:
                wire = self.expression()
            terms.append((factor, wire))
            if not self.accept(","):
                break
        self.expect(")")
        return self.guarded(start, lambda: add(*terms))

    def _network(self) -> Wire:
        start = self.take()
        network = self.network()
        self.expect("(")
        wires: dict[str, Wire] = {}
        while not self.at(")"):
            name = self.dotted()
            self.expect("=")
            if name in wires:
                self.fail(f"end {name!r} is given twice")
            wires[name] = self.expression()
            if not self.accept(","):
                break
        self.expect(")")
        return self.guarded(start, lambda: apply(network, wires))

    def _one(self) -> Wire:
        start = self.take()
        self.expect("(")
        scalar = Irrep(0, 1) if self.at(")") else self.irrep()
        self.expect(")")
        return self.guarded(start, lambda: one(scalar))

    def network(self) -> Network:
        start = self.expect("[")
        vertices: list[Vertex] = []
        while not self.at(";"):
            begin = self.next
            kind = self.word()
            names: list[str] = []
            while not self.at(",") and not self.at(";"):
                if not self.accept(">"):
                    names.append(self.dotted())
            vertices.append(self.guarded(begin, lambda k=kind, n=tuple(names): Vertex(k, n)))
            if not self.accept(","):
                break
        self.expect(";")
        lines: list[tuple[str, Irrep]] = []
        while not self.at("]"):
            name = self.dotted()
            self.expect("=")
            lines.append((name, self.irrep()))
        self.expect("]")
        return self.guarded(start, lambda: Network(tuple(vertices), tuple(sorted(lines))))

    def postfix(self) -> Wire:
        wire = self.atom()
        while True:
            token = self.next
            if self.accept("["):
                irreps = self.irreps()
                self.expect("]")
                self._count()
                wire = self.guarded(token, partial(wire.__getitem__, irreps))
                self._spend(wire)
            elif self.at(".") and self.next.kind == "mark":
                self.take()
                method = self.word()
                reader = _METHODS.get(method)
                if reader is None:
                    self.fail(f"unknown operation {method[:40]!r}; known: {', '.join(sorted(_METHODS))}", token)
                self.expect("(")
                self._count()
                wire = self.guarded(token, partial(reader, self, wire))
                self._spend(wire)
                self.expect(")")
            else:
                return wire

    # parts

    def irreps(self) -> Irreps:
        start = self.next
        parts: list[str] = []
        while self.next.kind != "end" and self.next.text not in (",", "]", ")", ";"):
            parts.append(self.take().text)
        return self.guarded(start, lambda: Irreps.parse(" ".join(parts).replace(" + ", "+")))

    def irrep(self) -> Irrep:
        start = self.take()
        if start.text not in self.irrep_of:
            self.irrep_of[start.text] = self.guarded(start, lambda: Irrep.parse(start.text))
        return self.irrep_of[start.text]

    def dotted(self) -> str:
        out = self.word()
        while self.next.position == self._last_end():
            if self.next.text in (".", "^"):
                out += self.take().text + self.word()
            elif self.next.kind == "number" and self.next.text.startswith("."):
                out += self.take().text
            else:
                break
        return out

    def _last_end(self) -> int:
        last = self.tokens[self.place - 1]
        return last.position + len(last.text)

    def map_name(self) -> str:
        out = self.dotted()
        if self.accept(":"):
            source = self.dotted()
            self.expect(">")
            out += f":{source}>{self.dotted()}"
        return out

    def label_reference(self) -> Label:
        token = self.next
        found = self.names.get(self.word())
        if not isinstance(found, Label):
            self.fail(f"{token.text[:40]!r} is not a declared label", token)
        while self.at(".") and self._peek(1) == "pull":
            self._count()
            self.take()
            self.take()
            self.expect("(")
            found = self.guarded(token, partial(found.pull, self.map_name()))
            self.expect(")")
        return found

    def label_references(self) -> tuple[Label, ...]:
        found = [self.label_reference()]
        while self.next.kind == "word":
            found.append(self.label_reference())
        return tuple(found)

    def pattern(self, operands: int) -> Pattern:
        start = self.next
        text = ""
        while self.next.kind == "word" or self.at(","):
            text += self.take().text
        text += self.expect("->").text
        if self.next.kind == "word":
            text += self.take().text
        return self.guarded(start, lambda: Pattern.parse(text, operands))

    def nested(self, budget: list[int]) -> Nested:
        if self.accept("["):
            self._deeper()
            items: list[Nested] = []
            while not self.at("]"):
                items.append(self.nested(budget))
                if not self.accept(","):
                    break
            self.expect("]")
            self.depth -= 1
            return tuple(items)
        budget[0] -= 1
        if budget[0] < 0:
            raise LimitError(f"a constant with more than {MAX_CONSTANT} numbers")
        return self.real()


def _on(reader: _Reader, wire: Wire) -> Wire:
    pattern = reader.pattern(2)
    sizes: dict[str, int] = {}
    name = ""
    while reader.accept(","):
        token = reader.next
        key = reader.word()
        reader.expect("=")
        if key == "name":
            name = reader.word()
        elif len(key) == 1 and key not in sizes:
            sizes[key] = reader.integer()
        else:
            reader.fail(f"on(...) has no option {key[:40]!r}, or it is given twice", token)
    own = optional_identifier(name)
    return replace(_fuse(reader, wire), pattern=pattern, sizes=letter_sizes_of(sizes), name=own)


def _paths(reader: _Reader, wire: Wire) -> Wire:
    fuse = _fuse(reader, wire)
    triples: list[tuple[Irrep, Irrep, Irrep]] = []
    while not reader.at(")"):
        left = reader.irrep()
        reader.expect("*")
        right = reader.irrep()
        reader.expect("->")
        triples.append((left, right, reader.irrep()))
        if not reader.accept(","):
            break
    return fuse.paths(*triples)


def _fuse(reader: _Reader, wire: Wire) -> Fuse:
    if not isinstance(wire, Fuse):
        reader.fail("this operation belongs to a fuse, as in (a @ b).on(u,v->uv)")
    return wire


def _mix(reader: _Reader, wire: Wire) -> Wire:
    pattern = reader.pattern(1)
    sizes: dict[str, int] = {}
    paths, name, each, shared = 1, "", False, False
    per: tuple[Label, ...] = ()
    coefficients: Coefficients = LEARNED
    seen: set[str] = set()
    while reader.accept(","):
        token = reader.next
        key = reader.word()
        reader.expect("=")
        if key in seen:
            reader.fail(f"{key[:40]!r} is given twice", token)
        seen.add("coefficients" if key in _COEFFICIENTS else key)
        if key == "paths":
            each = reader.accept("each")
            paths = 1 if each else reader.integer()
        elif key == "shared":
            shared = reader.word("True") == "True"
        elif key == "name":
            name = reader.word()
        elif key == "per":
            per = reader.label_references()
        elif key in _COEFFICIENTS and coefficients is LEARNED:
            coefficients = _COEFFICIENTS[key](reader)
        elif len(key) == 1:
            sizes[key] = reader.integer()
        else:
            reader.fail(f"a mix has no option {key[:40]!r}, or it has two kinds of coefficients", token)
    own = optional_identifier(name)
    return Mix(wire, pattern, letter_sizes_of(sizes), paths, per, coefficients, own, each, shared)


def _constant(reader: _Reader) -> Constant:
    budget = [MAX_CONSTANT]
    if not reader.accept("{"):
        return Constant.of(reader.nested(budget))
    items: dict[str, Nested] = {}
    while not reader.at("}"):
        token = reader.next
        irrep = str(reader.irrep())
        reader.expect(":")
        if irrep in items:
            reader.fail(f"{irrep} is given twice", token)
        items[irrep] = reader.nested(budget)
        if not reader.accept(","):
            break
    reader.expect("}")
    return Constant.of(items)


def _buffer(reader: _Reader) -> Buffer:
    return Buffer(identifier(reader.word()))


def _tied(reader: _Reader) -> Tied:
    values = reader.nested([MAX_CONSTANT])
    tensor_letters, weight_letters = reader.word(), reader.word()
    return Tied.of(values, tensor_letters, weight_letters)


_COEFFICIENTS: dict[str, Callable[[_Reader], Coefficients]] = {"constant": _constant, "buffer": _buffer, "tied": _tied}


def _scale(reader: _Reader, wire: Wire) -> Wire:
    by = reader.expression()
    pattern = str(reader.pattern(2)) if reader.accept(",") else None
    return wire.scale(by, pattern)


def _sum(reader: _Reader, wire: Wire) -> Wire:
    name = reader.map_name()
    by = None
    if reader.accept(","):
        reader.word("by")
        reader.expect("=")
        by = reader.label_reference()
    return wire.sum(name, by)


def _power(reader: _Reader, wire: Wire) -> Wire:
    orders = [reader.integer()]
    basis, inner = "full", None
    while reader.accept(","):
        if reader.at("basis"):
            reader.take()
            reader.expect("=")
            basis = reader.word()
        elif reader.at("inner"):
            reader.take()
            reader.expect("=")
            inner = reader.irreps()
        else:
            orders.append(reader.integer())
    return wire.power(*orders, basis=basis, inner=inner)


def _select(reader: _Reader, wire: Wire) -> Wire:
    keep: list[tuple[Irrep, tuple[int, ...] | None]] = []
    while not reader.at(")"):
        irrep = reader.irrep()
        reader.expect(":")
        if reader.accept("all"):
            keep.append((irrep, None))
        else:
            paths: list[int] = []
            while reader.next.kind == "number":
                paths.append(reader.integer())
            keep.append((irrep, tuple(paths)))
        if not reader.accept(","):
            break
    return Select(wire, tuple(sorted(keep, key=lambda item: item[0])))


def _map(reader: _Reader, wire: Wire) -> Wire:
    name = reader.word()
    if name not in ELEMENTWISE:
        reader.fail(f"unknown function {name[:40]!r}; known: {', '.join(sorted(ELEMENTWISE))}")
    return Map(wire, name)


def _axis(reader: _Reader) -> int:
    if reader.at(")"):
        return -1
    reader.word("axis")
    reader.expect("=")
    return reader.integer()


def _split(reader: _Reader, wire: Wire) -> Wire:
    parts = reader.integer()
    return wire.split(parts, _axis(reader) if reader.accept(",") else -1)


def _roll(reader: _Reader, wire: Wire) -> Wire:
    shift = reader.integer()
    return wire.roll(shift, _axis(reader) if reader.accept(",") else -1)


def _shuffle(reader: _Reader, wire: Wire) -> Wire:
    order: list[int] = []
    while reader.next.kind == "number":
        order.append(reader.integer())
    return wire.shuffle(order, _axis(reader) if reader.accept(",") else -1)


def _harmonics(reader: _Reader, wire: Wire) -> Wire:
    l_max = reader.integer()
    reader.expect(",")
    return wire.harmonics(l_max, reader.word())


def _radial(method: str) -> Callable[[_Reader, Wire], Wire]:
    def read(reader: _Reader, wire: Wire) -> Wire:
        count = reader.integer()
        reader.expect(",")
        cutoff = reader.real()
        return wire.bessel(count, cutoff) if method == "bessel" else wire.gaussian(count, cutoff)

    return read


def _cutoff(reader: _Reader, wire: Wire) -> Wire:
    cutoff = reader.real()
    reader.expect(",")
    return wire.cutoff(cutoff, reader.integer())


_METHODS: dict[str, Callable[[_Reader, Wire], Wire]] = {
    "on": _on,
    "paths": _paths,
    "mix": _mix,
    "scale": _scale,
    "sum": _sum,
    "pull": lambda reader, wire: wire.pull(reader.map_name()),
    "power": _power,
    "select": _select,
    "map": _map,
    "layer_norm": lambda reader, wire: wire.layer_norm(),
    "softmax": lambda reader, wire: wire.softmax(reader.map_name()),
    "harmonics": _harmonics,
    "solid_harmonics": lambda reader, wire: wire.solid_harmonics(reader.integer()),
    "length": lambda reader, wire: wire.length(),
    "bessel": _radial("bessel"),
    "gaussian": _radial("gaussian"),
    "cutoff": _cutoff,
    "cosine_cutoff": lambda reader, wire: wire.cosine_cutoff(reader.real()),
    "split": _split,
    "merge": lambda reader, wire: wire.merge(_axis(reader)),
    "reorder": lambda reader, wire: wire.reorder(str(reader.pattern(1))),
    "roll": _roll,
    "shuffle": _shuffle,
}
