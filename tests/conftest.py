"""What holds for every test: one thread per process, a fixed search by hypothesis, and e3nn present in CI."""

from __future__ import annotations

import importlib
import os

import hypothesis
import pytest

# Before numpy or torch is imported. Parallel test processes with a full thread pool each are slower, and sums over
# threads are not reproducible.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("fixed")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run in CI without e3nn: tests that skip themselves then would leave signs and orders unchecked."""
    on = {name for name in ("CI", "FUSION_REQUIRE_E3NN") if os.environ.get(name, "").lower() not in ("", "0", "false")}
    if not on or hasattr(config, "workerinput"):  # a worker of pytest-xdist: the main process has looked already
        return
    try:
        importlib.import_module("e3nn")
    except ImportError as error:
        reason = f"e3nn cannot be imported ({error}), and {' and '.join(sorted(on))} asks for its comparisons"
        raise pytest.UsageError(f"{reason}; install the extra 'test'") from error
