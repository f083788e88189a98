"""Wires that many blocks share: elements, displacements, their harmonics and radial weights."""

from __future__ import annotations

from fusion import label, leg, weights

Z = label("z", 3, on="atom")
D = leg("d", "1o", on="edge")
Y = D.harmonics(2)
R = weights("R", on="edge")
