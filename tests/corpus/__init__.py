"""Small named diagrams that cover every node and every published block; many tests run over them.

``DIAGRAMS`` holds all, ``PUBLISHED`` the blocks of papers. ``python -m corpus FOLDER`` (with ``tests`` on the path)
writes the files of ``examples/diagrams``.
"""

from __future__ import annotations

from corpus.nodes import NODES
from corpus.published import DESCRIPTIONS, PUBLISHED
from fusion import Diagram, Wire

DIAGRAMS: dict[str, Wire | Diagram] = {**NODES, **PUBLISHED}
"""Every diagram of the corpus, by name."""

EXAMPLES = (
    "nbody_gate_order_1",
    "cormorant_edge_network",
    "cormorant_level",
    "mace_interaction",
    "mace_product_full",
    "mace_layer",
    "freecg_group_product",
    "acdc_power_spectrum",
    "acdc_message",
    "nequip_layer",
    "painn_update",
    "softmax_attention",
    "dipole_readout",
)
"""The published blocks that ``examples/diagrams`` shows as files."""

__all__ = ["DESCRIPTIONS", "DIAGRAMS", "EXAMPLES", "NODES", "PUBLISHED"]
