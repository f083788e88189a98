"""Small named diagrams that cover every node and every published block; many tests run over them.

``DIAGRAMS`` holds all, ``PUBLISHED`` the blocks of papers, each of which is a file in ``examples/diagrams``, too.
``python -m corpus FOLDER`` (with ``tests`` on the path) writes these files.
"""

from __future__ import annotations

from corpus.nodes import NODES
from corpus.published import DESCRIPTIONS, PUBLISHED
from fusion import Diagram, Wire

DIAGRAMS: dict[str, Wire | Diagram] = {**NODES, **PUBLISHED}
"""Every diagram of the corpus, by name."""

__all__ = ["DESCRIPTIONS", "DIAGRAMS", "NODES", "PUBLISHED"]
