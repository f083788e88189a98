"""The passes, each a function from one level to the next (or to the same level, improved)."""
