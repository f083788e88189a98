"""Write the example files: ``python -m corpus examples/diagrams``."""

from __future__ import annotations

import sys
from pathlib import Path

from corpus import DESCRIPTIONS, PUBLISHED
from fusion import save

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, diagram in PUBLISHED.items():
        save(diagram, folder / f"{name}.yaml", name=name, description=DESCRIPTIONS[name])
