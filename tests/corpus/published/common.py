"""What many blocks share: elements, displacements, their harmonics and radial weights, a linear layer with a bias."""

from __future__ import annotations

from fusion import Wire, add, label, leg, one, weights

Z = label("z", 3, on="atom")
D = leg("d", "1o", on="edge")
Y = D.harmonics(2)
R = weights("R", on="edge")


def linear(x: Wire, name: str, paths: int = 1, width: int = 0) -> Wire:
    """A linear layer with a bias, the learned image of the number one; as wide as its input unless told."""
    v = width or x.space.sizes[-1]
    return add(x.mix("u->v", v=v, paths=paths, name=name), one().mix("->v", v=v, paths=paths, name=f"{name}_bias"))
