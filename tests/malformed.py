# ruff: noqa: E501  (long lists of short inputs)
"""Malformed diagram texts and files, made with fixed seeds from readable ones: what hostile input may look like.

Each is ``(suffix, content)``: the suffix of a diagram file, or ``""`` for a text of the notation.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

Input = tuple[str, bytes]

EXAMPLES = Path(__file__).parents[1] / "examples" / "diagrams"
_MARKS = "()[]{}@+-*.,:;=><^ \n\t\0%&!|'\"#~?/\\$"
_WORDS = (
    "leg", "label", "out", "add", "network", "on", "same", "all", "one", "fuse", "split", "cap", "cup", "per=z", "t1",
    "99999e", "1x", "0x0e", "-1o", "1e308", "1e309", "-", "--", "->", "nan", "inf", "1_0", "0x10", "\u0661o", "\uff11o", "é", "\U0001d7d9",
    "mix(", ".power(6)", ".pull(receiver^9.9)", ".sum(", ".split(0)", ".roll(-999999999)", ".merge(axis=-9)", "name=",
    "constant=[[", "tied=[", "buffer=", "inner=", "basis=", "paths=each", "u=65537", "u=0", "u=-1", "axis=999999999",
    "__class__", "import os", "eval(1)", "${HOME}", "{{", "\u202e", "\ufeff", "\u2028", "\x7f",
)  # fmt: skip
_NUMBERS = ("0", "-1", "00", "1" * 9, "9" * 10, "9" * 40, "9" * 3_000, "1e9", "1.5", "1e-400", "-0", "1e999", "0.0")


def texts() -> list[str]:
    """Return the texts of the example files, in the order of their names."""
    paths = sorted(EXAMPLES.glob("*.yaml"))
    return ["; ".join(yaml.safe_load(path.read_text(encoding="utf-8"))["diagram"]) for path in paths]


def malformed(count: int, seed: int) -> Iterator[Input]:
    """Return ``count`` inputs: first those written by hand, then random ones, about half of them files."""
    rng = random.Random(seed)
    originals = texts()
    written = [*_written_texts(), *_written_files()]
    yield from written[:count]
    for _ in range(len(written), count):
        text = rng.choice(originals)
        for _change in range(rng.choice((1, 1, 1, 2, 3, 8))):
            text = rng.choice(TEXT_CHANGES)(rng, text)
        if rng.random() < 0.5:
            yield "", text.encode("utf-8", "surrogatepass")
            continue
        suffix = rng.choice(("json", "yaml", "yml"))
        yield suffix, rng.choice(FILE_CHANGES)(rng, _file(rng, suffix, text))


# changes of a text


def _truncated(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _deleted(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + text[start + rng.randrange(1, 20) :]


def _doubled(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    end = start + rng.randrange(1, 40)
    return text[:end] + text[start:end] * rng.choice((1, 1, 2, 50)) + text[end:]


def _inserted(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice((rng.choice(_MARKS), rng.choice(_WORDS))) + text[place:]


def _swapped(rng: random.Random, text: str) -> str:
    a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    c = min(len(text), b + rng.randrange(1, 12))
    return text[:a] + text[b:c] + text[a:b] + text[c:]


def _number(rng: random.Random, text: str) -> str:
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + rng.choice(_NUMBERS) + text[place + 1 :]


def _nested(rng: random.Random, text: str) -> str:
    depth = rng.choice((3, 40, 63, 64, 65, 200, 1_000))
    opening, closing = rng.choice((("(", ")"), ("[", "]"), ("{", "}"), ("add(", ")"), ("h.scale(", ")")))
    place = rng.randrange(len(text) + 1)
    return text[:place] + opening * depth + rng.choice(("h", "", "1")) + closing * rng.choice((0, depth)) + text[place:]


def _repeated(rng: random.Random, text: str) -> str:
    piece = rng.choice(
        (".pull(receiver)", " @ h", " + h", ".map(silu)", "[0e]", ".roll(1)", ".split(1)", ".mix(u->v)", "; h")
    )
    return text + piece * rng.choice((10, 100, 400))


def _letter(rng: random.Random, text: str) -> str:
    if not text:
        return text
    place = rng.randrange(len(text))
    return (
        text[:place]
        + chr(rng.choice((rng.randrange(128), rng.randrange(0xD800), 0x10FFFF, 0xD800)))
        + text[place + 1 :]
    )


def _mixed_up(rng: random.Random, text: str) -> str:
    parts = text.split("; ")
    rng.shuffle(parts)
    return "; ".join(parts)


TEXT_CHANGES: tuple[Callable[[random.Random, str], str], ...] = (
    _truncated, _deleted, _doubled, _inserted, _swapped, _number, _nested, _repeated, _letter, _mixed_up,
)  # fmt: skip


# files and changes of their bytes


def _file(rng: random.Random, suffix: str, text: str) -> bytes:
    text = text.encode("utf-8", "replace").decode("utf-8")
    body: dict[str, object] = {"format": "fusion-diagram", "version": 1, "name": "x", "diagram": text.split("; ")}
    key = rng.choice((*body, "description", "extra", "<<", "", "__proto__", "1"))
    odd: list[object] = [
        None,
        1,
        -1,
        1.0,
        True,
        [],
        {},
        [[]],
        {"a": {"b": []}},
        "",
        "x" * 5_000,
        10**30,
        ["x", 1],
        "null",
    ]
    if rng.random() < 0.4:
        body[key] = rng.choice(odd)
    if rng.random() < 0.1:
        del body[rng.choice(list(body))]
    return (json.dumps(body) if suffix == "json" else yaml.safe_dump(body, allow_unicode=True)).encode()


def _as_it_is(rng: random.Random, content: bytes) -> bytes:
    return content


def _bits(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 3, 30))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _joined(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    pieces = (
        b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\x85", b"\t", b"---\n", b"...\n", b"&a ", b"*a", b"<<: *a\n", b"!!str ",
        b"!!python/object/apply:os.system ['true']", b"!!python/name:os.system", b"!!binary aGk=", b"? [a]\n: b\n", b"%YAML 9.9\n",
        b"[" * 300, b"{" * 300, b'{"a":' * 300, b"- " * 300, b"&a [*a]", b"NaN", b"-Infinity", b"\\ud800", b"1" * 6_000, b"# ", b"'", b'"',
        b"|\n", b">\n", b": ", b", ", b'"format": 1,', b"version: 1\n", b"@", b"`", b"2026-99-99", b"0o777", b"1:30", b"=", b"~", b"1e999",
    )  # fmt: skip
    return content[:place] + rng.choice(pieces) + content[place:]


def _windows(rng: random.Random, content: bytes) -> bytes:
    return b"\xef\xbb\xbf" * rng.randrange(2) + content.replace(b"\n", b"\r\n")


def _wide(rng: random.Random, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "cp500")), "replace")


FILE_CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _as_it_is,
    _bits,
    _cut,
    _joined,
    _joined,
    _windows,
    _wide,
)


# written by hand: what grows out of little


def _written_texts() -> Iterator[Input]:
    legs = "leg h: 0e+1o, u=4, on atom; leg w: 1o, u=65536, on atom; leg b: 220x0e, on atom; label z: 4, on atom; "
    high = "leg d: 1o, on edge; t1 = d.harmonics(16, norm); "
    lines = range(4_000)
    doubling = "; ".join(f"t{n + 1} = t{n} @ t{n}" for n in range(1, 2_000))
    yield from (
        ("", text.encode())
        for text in (
            "",
            " ",
            ";",
            ";" * 10_000,
            "\0",
            "leg",
            "leg h",
            "leg h:",
            "out",
            "out x",
            "h",
            "1",
            "->",
            "(" * 500_000,
            "leg h: " + "9" * 100_000 + "x0e, on atom; h",
            "leg h: 0e" + "0" * 100_000 + ", on atom; h",
            "leg h: 0e, on atom; h.mix(->, constant=" + "9" * 100_000 + ")",
            "leg h: 0e, on atom; h.mix(->, constant=" + "[" * 400_000,
            "leg h: 0e, on atom; h.mix(->, constant=[" + "1," * 300_000,
            "leg h: 0e, on atom; " + "-" * 200_000 + "h",
            "leg h: 0e, on atom; h" + "." * 200_000,
            "leg " + "c" * 900_000 + ": 0e, on atom; c",
            "leg h: " + "+".join(["0e"] * 90_000) + ", on atom; h",
            "leg h: 0e" + "".join(f", u{n}=2" for n in range(60_000)) + ", on atom; h",
            "leg h: 0e, u=65536, v=65536, w=65536, x=65536, on atom; h.merge()",
            "leg h: 100000x16e, u=65536, v=65536, on atom; h",
            "leg h: 100000x0e, on atom; h.select(0e: " + "99999 " * 90_000 + ")",
            "leg h: 0e, on atom; t1 = t1 @ t1; t1",
            "leg h: 0e, on atom; t1 = t2; t2 = t1; t1",
            f"leg h: 0e, on atom; t1 = h @ h; {doubling}; t2000",
            f"leg h: 0e+1o, on atom; t1 = h @ h; {doubling}; t2000",
            "leg h: 0e, on atom; t1 = h; " + "; ".join(f"t{n + 1} = t{n} + t{n}" for n in range(1, 3_000)) + "; t3000",
            "leg h: 0e, on atom; h" + " @ h" * 30_000,
            "leg h: 0e, on atom; h" + ".mix(->, paths=99999)" * 2_000,
            "leg h: 0e, on atom; h.mix(->, paths=99999) @ h.mix(->, paths=99999)",
            "; ".join(f"leg h{n}: 0e, on atom" for n in range(25_000)) + "; h1",
            "leg h: 0e, on atom; " + "; ".join(f"out o{n} = h" for n in range(40_000)),
            legs + "w" + ".roll(1)" * 3_000,
            legs + "add(" + ", ".join(["(b @ b)[0e].mix(->)"] * 2_000) + ")",
            legs + "b.power(6)",
            legs + "h.power(6, basis=reduced)",
            legs
            + "add("
            + ", ".join(f"h.power({n}, inner={a}e+{b}o)" for n in (4, 5, 6) for a in range(9) for b in range(9))
            + ")",
            legs + "h.mix(u->u, per=" + "z " * 50_000 + ")",
            legs + "h.mix(u->u, per=z" + ".pull(sender)" * 20_000 + ")",
            legs + "h.shuffle(" + "0 " * 200_000 + ")",
            legs + "(h @ h).paths(" + "1o*1o->0e, " * 40_000 + ")",
            legs + "h.pull(receiver^9.9).sum(receiver^2.0^2.0^2.0^2.0^2.0)",
            legs + "h.pull(" + "receiver^2.0" + "^2.0" * 100_000 + ")",
            "leg h: 16e, on atom; h.power(6, basis=reduced)[0e]",
            "leg h: 4x0e+4x1o+4x2e, on atom; h.power(4, basis=reduced)[0e]",
            "leg h: 16x0e, on atom; h.power(3, basis=reduced)",
            "leg h: 10x0e, on atom; h.power(4, basis=reduced)",
            high + "add(" + ", ".join(["(t1 @ t1)[0e]"] * 1_500) + ")",
            "network["
            + ", ".join(f"fuse a{n} b{n} > c{n}" for n in lines)
            + "; "
            + " ".join(f"a{n}=1o b{n}=1o c{n}=5o" for n in lines)
            + "]()",
            "network["
            + ", ".join(f"fuse a{n} a{n} > a{n}" for n in lines)
            + "; "
            + " ".join(f"a{n}=1o" for n in lines)
            + "]()",
            "network[fuse a b > c, fuse c b > a; a=0e b=0e c=0e]()",
            "network[cup a b, cap a b; a=16e b=16e]()",
            "network[; " + " ".join(f"a{n}=16e" for n in lines) + "]()",
            "network[" + "fuse " * 100_000,
            "network[;;]()",
            "network[fuse a b; a=1o b=1o]()",
            "network[; a=1o](a=",
        )
    )


def _written_files() -> Iterator[Input]:
    head = b"format: fusion-diagram\nversion: 1\n"
    levels = b"".join(b"l%d: &l%d [%s]\n" % (n, n, b", ".join([b"*l%d" % (n - 1)] * 9)) for n in range(1, 30))
    yield from (
        ("json", b""), ("json", b"[" * 400_000), ("json", b'{"a":' * 300_000), ("json", b'{"version": ' + b"1" * 100_000 + b"}"),
        ("json", b'"' + b"\\u0000" * 100_000 + b'"'), ("json", b"{" + b",".join(b'"k%d":0' % n for n in range(100_000)) + b"}"),
        ("json", b'{"format": "fusion-diagram", "version": 1, "diagram": [' + b'"x",' * 200_000 + b'"x"]}'),
        ("json", b'{"format": "fusion-diagram", "version": NaN, "diagram": "x"}'),
        ("json", b"\xef\xbb\xbf{}"), ("json", b"#" * 2_000_001), ("json", b"null"), ("json", b"1e999"),
        ("yaml", b""), ("yaml", b"[" * 100_000), ("yaml", b"- " * 100_000), ("yaml", b"? " * 50_000), ("yaml", b"a: &a [*a]\n"),
        ("yaml", b"l0: &l0 [x]\n" + levels), ("yaml", head + b"diagram: &d [*d]\n"), ("yaml", head + b"<<: {diagram: h}\n"),
        ("yaml", head + b"diagram: !!python/object/apply:os.system ['exit 1']\n"), ("yaml", head + b"diagram: !!binary aGk=\n"),
        ("yaml", head + b"diagram: !!set {a, b}\n"), ("yaml", head + b"diagram: " + b"'" * 99_999), ("yaml", b"%TAG ! !" * 9_999),
        ("yaml", head + b"diagram:\n" + b"- x\n" * 15_000), ("yaml", b"".join(b"k%d: 0\n" % n for n in range(15_000))),
        ("yaml", head + b"diagram: |\n" + b"  h\n" * 50_000), ("yaml", head + b"diagram: \"" + b"\\x41" * 50_000 + b'"\n'),
        ("yaml", head + b"version: 1\n"), ("yaml", head + b"? version\n: 1\ndiagram: h\n"), ("yaml", head + b"diagram: 2026-99-99\n"),
        ("yaml", b"\xff\xfe" + (head + b"diagram: h\n").decode().encode("utf-16-le")), ("yaml", b"\0" * 1_000), ("yaml", b"#" * 1_999_999),
        ("yml", b" " * 500_000), ("yml", b"\n" * 500_000), ("yml", b"&" * 100_000), ("yml", b"!" * 100_000), ("yml", b"*" * 100_000),
        ("yml", b"a" * 1_500_000), ("yml", b"'" * 500_000), ("yml", b"{a: " * 20_000), ("yml", b"a: " * 100_000), ("yml", b"[]" * 100_000),
    )  # fmt: skip
