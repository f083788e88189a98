"""Published blocks as diagrams, each one readable expression, with few channels. Papers are named with each block."""

from __future__ import annotations

from corpus.published import convolutions, cormorant, densities, edges, freecg, mace, nbody, networks, readouts
from fusion import Diagram, Wire

_FILES = (nbody, cormorant, mace, convolutions, freecg, densities, edges, readouts, networks)
_BLOCKS = tuple(block for file in _FILES for block in file.BLOCKS)

PUBLISHED: dict[str, Wire | Diagram] = {block.__name__: block() for block in _BLOCKS}
"""Every published block, by name."""

DESCRIPTIONS: dict[str, str] = {block.__name__: (block.__doc__ or "").splitlines()[0] for block in _BLOCKS}
"""One line about each of them, with its source."""
