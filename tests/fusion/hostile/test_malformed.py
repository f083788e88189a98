"""Malformed texts and files: one of our errors in under a second each, or a diagram; no crash, no unbounded memory."""

from __future__ import annotations

import math
import signal
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from fusion import FusionError, findings, parse, parse_network
from fusion.files import read_file
from fusion.index import resolve_map
from fusion.irreps import Irreps
from fusion.pattern import Pattern
from malformed import Input, malformed, texts

COUNT, SEED = 5_200, 1
LOTS = 8
SECONDS = 1.0
"""Longest processor time that one input may take."""
HANGS = 20.0
MEMORY = 100e6
"""Bytes that a text of up to 30,000 characters may need."""


class Hang(BaseException):
    """Not an ``Exception``, so that nothing on the way swallows it."""


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """Stop an input that does not end, wherever it is."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@cache
def inputs_of_the_run() -> list[Input]:
    return list(malformed(COUNT, SEED))


def outcome(item: Input, folder: Path) -> str:
    """Read an input and judge it; return ``legal``, ``illegal`` or the name of our error."""
    suffix, content = item
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        if suffix:
            path = folder / f"input.{suffix}"
            path.write_bytes(content)
            value = read_file(path).diagram
        else:
            value = parse(content.decode("utf-8", "surrogatepass"))
        return "illegal" if any(found.violation.severity == "error" for found in findings(value)) else "legal"
    except FusionError as error:
        assert len(str(error)) < 2_000
        return type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


@pytest.mark.parametrize("lot", range(LOTS))
def test_every_input_gives_one_of_our_errors_or_a_diagram(lot: int, tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    inputs = inputs_of_the_run()[lot::LOTS]
    for item in inputs:
        begin = time.process_time()
        found[outcome(item, tmp_path)] += 1
        if time.process_time() - begin > SECONDS:  # once more: the collector or a neighbour may have been at work
            begin = time.process_time()
            outcome(item, tmp_path)
            assert time.process_time() - begin < SECONDS, (item[0], item[1][:200], len(item[1]))
    assert found.total() == len(inputs) >= COUNT // LOTS
    assert set(found) <= {"NotationError", "FileFormatError", "LimitError", "legal", "illegal"}
    assert min(found["NotationError"], found["FileFormatError"]) > len(inputs) // 6
    assert found["legal"] < len(inputs) // 5


def test_inputs_are_malformed_in_many_ways() -> None:
    inputs = inputs_of_the_run()
    assert len(inputs) == COUNT
    assert len(set(inputs)) > 0.95 * COUNT
    assert {suffix for suffix, _ in inputs} == {"", "json", "yaml", "yml"}
    assert list(malformed(300, SEED)) == inputs[:300]
    assert len(texts()) > 20


def test_memory_is_bounded(tmp_path: Path) -> None:
    for item in inputs_of_the_run()[:130:2]:
        if len(item[1]) > 30_000:  # a large text takes memory, and here much time, for itself
            continue
        tracemalloc.start()
        outcome(item, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < MEMORY, (item[0], item[1][:200])


@pytest.mark.parametrize("read", [parse_network, Irreps.parse, resolve_map, lambda text: Pattern.parse(text, 2)])
def test_small_readers_give_our_errors(read: Callable[[str], Any]) -> None:
    for suffix, content in malformed(300, 2):
        if not suffix and len(content) < 20_000:
            text = content.decode("utf-8", "surrogatepass")
            for part in (text, text.partition("network")[2], text[-40:], text.partition(": ")[2]):
                try:
                    read(part)
                except FusionError as error:
                    assert len(str(error)) < 2_000


GROWING: dict[str, Callable[[int], str]] = {
    "digits": lambda n: "leg h: " + "9" * n + "x0e, on atom; h",
    "dots": lambda n: "leg h: 0e, on atom; h" + "." * n,
    "opening brackets": lambda n: "(" * n,
    "sums of sums": lambda n: (
        "leg h: 0e, on atom; t1 = h; "
        + "; ".join(f"t{i + 1} = t{i} + t{i}" for i in range(1, n // 20))
        + f"; t{n // 20}"
    ),
    "splits": lambda n: "leg h: 0e, u=4, on atom; h" + ".split(1)" * (n // 9),
    "rolls": lambda n: "leg h: 0e, u=65536, on atom; h" + ".roll(1)" * (n // 8),
    "fuses of many paths": lambda n: (
        "leg h: 30x0e+30x1o+30x2e, on atom; " + "add(" + ", ".join(["(h @ h)[0e].mix(->)"] * (n // 20)) + ")"
    ),
    "names": lambda n: "; ".join(f"leg h{i}: 0e, on atom" for i in range(n // 20)) + "; h0 @ k",
}


@pytest.mark.parametrize("name", GROWING)
def test_time_grows_no_faster_than_the_text(name: str) -> None:
    """A text four times as long takes about four times as long, not sixteen times."""

    def seconds(length: int) -> float:
        best = math.inf
        for _ in range(2):
            begin = time.process_time()
            outcome(("", GROWING[name](length).encode()), Path())
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(80_000) < 9 * max(seconds(20_000), 0.06)
