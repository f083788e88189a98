"""Run the demo from the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fusion.errors import FusionError
from fusion_models.allocation import keep_freed_memory
from fusion_models.demo.run import run_demo

parser = argparse.ArgumentParser(
    prog="python -m fusion_models.demo", description="Diagram to trained potential, on real data."
)
parser.add_argument("--short", action="store_true", help="train for about a minute instead of five")
parser.add_argument("--out", type=Path, default=Path("demo-output"), help="folder of the report (default: demo-output)")
arguments = parser.parse_args()
keep_freed_memory()
try:
    run_demo(arguments.out, short=arguments.short)
except (FusionError, OSError) as error:
    sys.exit(f"the demo stopped: {error}")
except KeyboardInterrupt:
    sys.exit(130)
