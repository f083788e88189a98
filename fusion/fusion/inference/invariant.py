"""Spaces and laws of map (functions of invariants) and geometry (functions of a displacement)."""

from __future__ import annotations

from fusion.index import IndexMap
from fusion.inference.common import Inferred, incoming
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_L
from fusion.space import Space
from fusion.violations import Violation


def infer_map(space: Space, function: str, over: IndexMap | None) -> Inferred:
    """Space of a function of invariants: that of its argument."""
    violations: list[Violation] = []
    wires = incoming(("wire", space))
    bad = tuple(irrep for _, irrep in space.irreps if not irrep.is_scalar)
    if bad:
        details = (
            "only even scalars may pass through a function: select them with [0e],",
            "or scale the other irreps by a function of an invariant (a gate)",
        )
        headline = f"{function} takes invariants only; this wire holds {', '.join(map(str, bad))}"
        violations.append(Violation("selection", headline, details, wires=wires, asked=bad))
    if over is not None and over.source != space.on:
        headline = f"softmax over {over.name} needs a wire on {over.source}, this one is on {space.on}"
        violations.append(Violation("index", headline, wires=wires))
    if function == "layer_norm" and not space.channels:
        violations.append(Violation("channel", "layer_norm needs a channel axis", wires=wires))
    return Inferred(space, tuple(violations))


def infer_geometry(space: Space, kind: str, count: int) -> Inferred:
    """Space of a function of one displacement; ``count`` is l_max of harmonics or the number of radial functions."""
    violations: list[Violation] = []
    single = space.irreps.paths == 1 and space.irreps.items[0][1].l == 1
    if not single or space.irreps.items[0][1].p == 1 or space.channels:
        headline = f"{kind} needs a displacement: a wire of one 1o (or 1 of SO(3)) without channels"
        violations.append(Violation("selection", headline, wires=incoming(("wire", space))))
    parity = space.irreps.items[0][1].p if single else -1
    if kind in ("harmonics", "solid_harmonics"):
        if not 0 <= count <= MAX_L:
            violations.append(Violation("limit", f"harmonics to l = {count}: l runs from 0 to {MAX_L}"))
            count = 0
        irreps = Irreps(tuple((1, Irrep(l, parity**l if parity else 0)) for l in range(count + 1)))
        return Inferred(Space(irreps, (), space.on), tuple(violations))
    scalar = Irreps(((1, Irrep(0, 0 if parity == 0 else 1)),))
    channels = (("n", count),) if kind in ("bessel", "gaussian") else ()
    return Inferred(Space(scalar, channels, space.on), tuple(violations))
