"""The same diagram gives byte-equal levels, programs and sources in other processes and with other hash seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DIGESTS = """
import hashlib, json
from corpus import DIAGRAMS
from fusion.sampling import random_diagrams
from fusion_compiler import compile

def digests(diagram):
    block = compile(diagram)
    texts = {**block.levels, "source": block.source, "coefficients": repr(list(block.state_dict()))}
    return {level: hashlib.sha256(text.encode()).hexdigest() for level, text in texts.items()}

drawn = {f"random {number}": diagram for number, diagram in random_diagrams(25, 17)}
print(json.dumps({name: digests(diagram) for name, diagram in (DIAGRAMS | drawn).items()}))
"""


def _started(hash_seed: int) -> subprocess.Popen[str]:
    """Start a process that compiles the corpus and some random diagrams, and prints digests of every text."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("fusion", "compiler", "models", "tests"))
    surroundings = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": paths}
    command = [sys.executable, "-c", DIGESTS]
    return subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def runs() -> list[dict[str, dict[str, str]]]:
    """Run with two hash seeds, both at once."""
    found: list[dict[str, dict[str, str]]] = []
    for process in [_started(seed) for seed in (1, 2)]:
        with process:
            printed, complaint = process.communicate(timeout=300)
        assert process.returncode == 0, complaint[-2000:]
        found.append(json.loads(printed))
    return found


@pytest.mark.parametrize("level", ["diagram", "expansion", "plan", "program", "source", "coefficients"])
def test_every_level_is_byte_equal_in_other_processes(level: str, runs: list[dict[str, dict[str, str]]]) -> None:
    first, second = ({name: found[level] for name, found in run.items()} for run in runs)
    assert len(first) > 60
    assert [name for name in first if first[name] != second[name]] == []
