"""Upper bounds on what is read or built, so that no text or file can allocate without bound."""

from __future__ import annotations

MAX_L = 16
"""Largest degree of an irrep."""
MAX_PATHS = 100_000
"""Largest number of paths of one wire."""
MAX_CHANNELS = 65_536
"""Largest size of one channel axis."""
MAX_CHANNEL_AXES = 4
MAX_CLASSES = 4_096
"""Largest number of classes of a label."""
MAX_NODES = 10_000
"""Largest number of distinct nodes of a diagram."""
MAX_TEXT = 150_000
"""Largest diagram text, in characters."""
MAX_DEPTH = 64
"""Deepest nesting of a diagram text; the printer stays below half of it."""
MAX_NAME = 64
MAX_CONSTANT = 50_000
"""Largest number of entries of a constant."""
MAX_PARAMETERS = 1_000_000_000
"""Largest number of learned numbers of one node."""
MAX_LABELS = 8
"""Largest number of labels that one mix takes its coefficients by."""
MAX_LABEL_MAPS = 16
"""Largest number of maps that one label is pulled along."""
MAX_ORDER = 6
"""Largest order of a power."""
MAX_COMBS = 20_000
"""Largest number of paths of one order of a power, and of what its inner lines are coupled from."""
MAX_TEXT_COMBS = 100_000
"""Largest number of these in all powers of a diagram text."""
MAX_TEXT_SHUFFLED = 1_000_000
"""Largest number of entries that all shuffles and rolls of a diagram text have together."""
MAX_REDUCED_ENTRIES = 2_000_000
"""Largest table of symmetric couplings that the reduced basis may build."""
MAX_NETWORK_TERMS = 100_000_000
"""Largest number of terms of one step in the contraction of a fusion network."""
