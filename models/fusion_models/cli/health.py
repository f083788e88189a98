"""The examinations behind ``fusion doctor``. Each returns findings and survives whatever is broken."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from fusion_models.cli.installation import DISTRIBUTION, installation

OPTIONAL = ("e3nn", "triton", "llvmlite", "pyscf", "tblite")
"""Packages that only some parts use; their absence is no fault."""
TOLERANCE = 1e-12
"""Largest error of an emitter against the dense evaluation, in double precision."""


class State(Enum):
    """How serious a finding is."""

    FINE = 0
    INFORMATION = 1
    WARNING = 2
    BROKEN = 3


class Finding(NamedTuple):
    """One line of the doctor's report."""

    subject: str
    value: str
    state: State = State.FINE


Examination = Callable[[], Iterable[Finding]]


def run_section(title: str, examine: Examination) -> list[Finding]:
    """Return the findings of an examination; an exception in it is a finding, too."""
    found: list[Finding] = []
    try:
        found.extend(examine())
    except Exception as error:
        found.append(Finding(title, f"{type(error).__name__}: {_first_line(error)}", State.BROKEN))
    return found


def versions(requirements: Sequence[str] | None = None) -> Iterable[Finding]:
    """Python, the project, and every distribution it requires, each against the version it asks for."""
    yield Finding("python", f"{platform.python_version()} ({platform.system()} {platform.machine()}) {sys.executable}")
    if requirements is None:
        try:
            yield Finding(DISTRIBUTION, importlib.metadata.version(DISTRIBUTION))
            requirements = importlib.metadata.requires(DISTRIBUTION) or []
        except importlib.metadata.PackageNotFoundError:
            from fusion import __version__

            yield Finding(DISTRIBUTION, f"{__version__}, not installed: imported from a source tree", State.WARNING)
            requirements = ["torch>=2.13", "numpy>=2.0", "opt_einsum>=3.4"]
    for requirement in requirements:
        if ";" in requirement:  # belongs to an extra or to another platform
            continue
        yield _version(requirement)
    for name in OPTIONAL:
        try:
            yield Finding(name, f"{importlib.metadata.version(name)} (optional)")
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "not installed (optional)", State.INFORMATION)


def _version(requirement: str) -> Finding:
    match = re.match(r"([A-Za-z0-9._-]+)\s*(?:\[.*\])?\s*(.*)", requirement)
    name, wanted = match.groups() if match else (requirement, "")
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, f"not installed; needed: {requirement}", State.BROKEN)
    least = re.search(r">=\s*([\w.]+)", wanted)
    if least and _numbers(version) < _numbers(least.group(1)):
        return Finding(name, f"{version} is too old; needed: {requirement}", State.BROKEN)
    return Finding(name, version)


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in match.group().split(".")] if match else []
    while numbers and not numbers[-1]:  # 2.0 is 2
        numbers.pop()
    return tuple(numbers)


def devices() -> Iterable[Finding]:
    """The CPU with its threads, CUDA devices, and why there are none."""
    import torch

    threads = torch.get_num_threads()
    capability = torch.backends.cpu.get_cpu_capability()
    yield Finding("cpu", f"{os.cpu_count()} cores, torch uses {threads} thread{'s' * (threads > 1)}, {capability}")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(number)
            memory = device.total_memory / 2**30
            value = f"{device.name}, {memory:.0f} GiB, compute capability {device.major}.{device.minor}"
            yield Finding(f"cuda:{number}", f"{value}, CUDA {torch.version.cuda}")
    else:
        yield Finding("cuda", f"not available: {_why_no_cuda()}", State.INFORMATION)
    if torch.backends.mps.is_available():
        yield Finding("mps", "available, not used: it lacks double precision", State.INFORMATION)


def _why_no_cuda() -> str:
    import torch

    if torch.version.cuda is None:
        return f"torch {torch.__version__} is a build without CUDA"
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return "CUDA_VISIBLE_DEVICES is empty"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return _first_line(error)
    return "no device"


def emitters() -> Iterable[Finding]:
    """Compile a small diagram with every emitter, run it, and compare with the dense evaluation."""
    import fusion_compiler
    from fusion_compiler.emit import EMITTERS

    for name in EMITTERS:
        try:
            error = _emitter_error(name)
        except Exception as problem:
            yield Finding(name, f"does not work: {type(problem).__name__}: {_first_line(problem)}", State.BROKEN)
            continue
        value = f"error {error:.1e} against the dense evaluation"
        yield Finding(name, value, State.FINE if error <= TOLERANCE else State.BROKEN)
    yield Finding("passes", " ".join(step.name for step in fusion_compiler.PIPELINE), State.INFORMATION)


def _emitter_error(emitter: str) -> float:
    import numpy as np
    import torch

    import fusion_compiler
    from fusion import evaluate, leg, weights
    from fusion.sampling import random_tensors

    vector, h = leg("d", "1o", on="edge"), leg("h", "0e+1o", channels=2, on="atom")
    density = (vector.harmonics(2) @ h.pull("sender"))["0e+1o"].scale(weights("R", on="edge")).sum("receiver")
    diagram = density.power(1, 2)["0e+1o"].mix("u->v")
    given = random_tensors(diagram, np.random.default_rng(1), rows=(5,))
    meaning = evaluate(diagram, given.tensors, given.parameters, given.sizes)["out"]
    block = fusion_compiler.compile(diagram, emitter=emitter, dtype=torch.float64)
    block.load_coefficients(given.parameters)
    tensors = {name: torch.as_tensor(value) for name, value in given.tensors.items()}
    return meaning.error(block(tensors, sizes=given.sizes).detach().numpy())


def modules() -> Iterable[Finding]:
    """Whether each of our packages is the one that was installed, or another distribution wrote over it."""
    for package in installation():
        state = State.BROKEN if package.faults else State.WARNING if package.rivals else State.FINE
        words = [package.location, *package.faults]
        if package.rivals:
            words.append(f"also installed by {', '.join(package.rivals)}; uninstall it, or use another environment")
        yield Finding(package.name, "; ".join(words), state)


def surroundings(environment: Mapping[str, str] | None = None) -> Iterable[Finding]:
    """Environment variables that change what happens, and the reference data."""
    environment = os.environ if environment is None else environment
    name = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
    if environment.get(name, "").lower() in ("1", "y", "yes", "true"):
        value = "set: torch.load runs code from files. Ours are never read so, those of other programs are"
        yield Finding(name, value, State.WARNING)
    else:
        yield Finding(name, "not set")
    yield _reference_data(environment.get("FUSION_DATA", ""))
    yield _shipped_data()
    yield _dot_program()


def _reference_data(folder: str) -> Finding:
    if not folder:
        return Finding("FUSION_DATA", "not set: reference data are found through --data only", State.INFORMATION)
    if not Path(folder).is_dir():
        return Finding("FUSION_DATA", f"{folder} is not a folder", State.BROKEN)
    sets = sorted(path.name for path in Path(folder).iterdir() if path.is_dir() and path.name[:1] != ".")
    listed = f"{len(sets)} folder{'s' * (len(sets) > 1)} of data: {', '.join(sets)}" if sets else "no data in it"
    return Finding("FUSION_DATA", f"{folder}: {listed}", State.FINE if sets else State.WARNING)


def _shipped_data() -> Finding:
    from fusion_models.data import find_data
    from fusion_models.errors import DataError

    try:
        return Finding("ethanol", f"the project's own data: {find_data('ethanol').path}")
    except DataError:
        value = "the project's own data are not here; a checkout has them in examples/data"
        return Finding("ethanol", value, State.INFORMATION)


def _dot_program() -> Finding:
    import shutil

    found = shutil.which("dot")
    if found:
        return Finding("graphviz", f"program dot: {found}")
    return Finding("graphviz", "no program dot: .dot files are written, not laid out", State.INFORMATION)


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else ""


SECTIONS: tuple[tuple[str, Examination], ...] = (
    ("Versions", versions),
    ("Modules", modules),
    ("Devices", devices),
    ("Emitters", emitters),
    ("Surroundings", surroundings),
)
"""The sections of the report, in order."""
