"""Covariant polynomials of wires: sums of fusion trees with weights, and the nodes they are rewritten into."""
