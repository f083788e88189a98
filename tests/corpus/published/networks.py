"""Closed networks: recoupling coefficients as diagrams without open ends."""

from __future__ import annotations

from fusion import Wire, apply, split_vertex, vertex


def sixj_network() -> Wire:
    """The 6j network (Racah 1942): three lines coupled as (12)3 and uncoupled as 1(23), closed to a number."""
    together = vertex("l1=1o", "l2=2e", "a=2o").connect(vertex("a=2o", "l3=1o", "L=2e"))
    apart = split_vertex("J=2e", "l1=1o", "b=3o").connect(split_vertex("b=3o", "l2=2e", "l3=1o"))
    return apply(together.connect(apart).close("L", "J"))


def ninej_network() -> Wire:
    """The 9j network (Wigner 1940): four lines coupled as (12)(34) and uncoupled as (13)(24), closed to a number."""
    rows = vertex("l1=1o", "l2=1o", "a=1e").connect(vertex("l3=2e", "l4=3o", "b=2o"))
    columns = split_vertex("c=2o", "l1=1o", "l3=2e").connect(split_vertex("e=3e", "l2=1o", "l4=3o"))
    together, apart = vertex("a=1e", "b=2o", "L=3o"), split_vertex("J=3o", "c=2o", "e=3e")
    return apply(rows.connect(together).connect(apart.connect(columns)).close("L", "J"))


BLOCKS = (
    sixj_network,
    ninej_network,
)
"""Every block of this file."""
