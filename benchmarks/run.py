"""Run the benchmarks: ``python benchmarks/run.py [--plot FOLDER] [NAME ...]``, all of them when none is named."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import passes
import planning
import sums
import training

BENCHMARKS: dict[str, Callable[[Path | None], None]] = {
    "planning": planning.main,
    "sums": sums.main,
    "passes": passes.main,
    "training": training.main,
}
"""Every benchmark by name; each prints its table, and draws it into a folder when one is given."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the benchmarks, all of them when none is named.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks to run: {', '.join(BENCHMARKS)}")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw the tables as SVG files into this folder")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    if chosen.plot is not None:
        chosen.plot.mkdir(parents=True, exist_ok=True)
    for name in chosen.names or BENCHMARKS:
        BENCHMARKS[name](chosen.plot)


if __name__ == "__main__":
    main()
