"""The MACE-like potential against its formula, written out in numpy with e3nn's couplings and harmonics.

A wire of the formula is a list of paths for every irrep (l, parity), each of shape (rows, channels, 2 l + 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from formulas import TOLERANCE, Array, bessel, couple, draw, envelope, harmonics, scatter_sum, silu
from fusion import Irreps, check
from fusion_models.architectures import mace
from fusion_models.config import PotentialConfig
from fusion_models.potential import Potential

Kind = tuple[int, int]
Paths = dict[Kind, list[Array]]
SILU_MOMENT = 1.6765324703310907


def ordered(kinds: set[Kind]) -> list[Kind]:
    """Degree ascending, natural parity first."""
    return sorted(kinds, key=lambda kind: (kind[0], kind[1] != (-1) ** kind[0]))


def named(kind: Kind) -> str:
    return f"{kind[0]}{'e' if kind[1] == 1 else 'o'}"


def fuse(left: Paths, right: Paths, wanted: set[Kind] | None = None) -> Paths:
    """All couplings: for every coupled irrep the left paths in order, for each the right paths in order."""
    found: Paths = {}
    for a in ordered(set(left)):
        for x in left[a]:
            for b in ordered(set(right)):
                for y in right[b]:
                    for l in range(abs(a[0] - b[0]), a[0] + b[0] + 1):
                        kind = (l, a[1] * b[1])
                        if wanted is None or kind in wanted:
                            found.setdefault(kind, []).append(couple(x, y, l))
    return found


def power(x: Paths, order: int) -> Paths:
    """Left combs of ``order`` factors."""
    found = x
    for _ in range(order - 1):
        found = fuse(found, x)
    return found


def independent(example: Paths, order: int, kind: Kind) -> list[int]:
    """Numbers of the combs that are no combination of earlier ones, by their rank on random values."""
    random = np.random.default_rng(order)
    values: Paths = {k: [random.normal(size=(300, 1, 2 * k[0] + 1))] for k in example}
    kept: list[int] = []
    columns: list[Array] = []
    for number, path in enumerate(power(values, order).get(kind, [])):
        column = path.ravel() / max(float(np.linalg.norm(path)), 1e-300)
        if np.linalg.norm(path) > 1e-10 and np.linalg.matrix_rank(np.stack([*columns, column]), tol=1e-8) > len(kept):
            kept.append(number)
            columns.append(column)
    return kept


def formula(config: PotentialConfig, given: Callable[[str], NDArray[Any]], systems: int) -> Array:
    """The energy of every system in units of the scale, shape (S, 1)."""
    d, z, sender, receiver = (given(name) for name in ("displacement", "z", "sender", "receiver"))
    r = np.linalg.norm(d, axis=-1)
    basis = bessel(r, config.radial, config.cutoff) * envelope(r, config.cutoff, config.envelope)[:, None]
    natural = {(l, (-1) ** l) for l in range(config.l_max + 1)}
    sphere: Paths = {kind: [harmonics(kind[0], d)[:, None, :]] for kind in natural}
    hidden = {(irrep.l, irrep.p) for irrep in Irreps.parse(config.hidden).kinds()}
    h: Paths = {(0, 1): [given("embedding_0e")[z, 0, 0][:, :, None]]}
    energy, scalars = np.zeros((len(z), 1)), np.zeros((len(z), config.channels))
    for layer in range(1, config.layers + 1):
        result = {(0, 1)} if layer == config.layers else hidden
        up: Paths = {k: [np.einsum("nui,uv->nvi", h[k][0], given(f"up{layer}_{named(k)}")[0, 0])] for k in h}
        message = fuse(sphere, {k: [x[sender] for x in up[k]] for k in up}, natural)
        x = basis
        for number in range(1, len(config.radial_widths) + 1):
            weight = given(f"radial{layer}_{number}_0e")[0, 0]
            x = SILU_MOMENT * silu(x @ weight / np.sqrt(len(weight)))
        last = given(f"radial{layer}_{len(config.radial_widths) + 1}_0e")[:, 0]
        radial = iter(np.einsum("nk,pku->pnu", x, last) / np.sqrt(last.shape[1]))
        a: Paths = {}
        for k in ordered(set(message)):
            summed = [
                scatter_sum(path * next(radial)[:, :, None], receiver, len(z)) / config.neighbours
                for path in message[k]
            ]
            a[k] = [np.einsum("pnui,puv->nvi", np.stack(summed), given(f"message{layer}_{named(k)}")[0])]
        new: Paths = {}
        for k in result:
            paths: list[Array] = []
            for order in config.powers:
                combs = power(a, order).get(k, [])
                kept = range(len(combs)) if config.basis == "full" else independent(a, order, k)
                paths.extend(combs[number] for number in kept)
            weight = given(f"product{layer}_{named(k)}")[z, 0]
            mixed = np.einsum("pnui,npu->nui", np.stack(paths), weight)
            value = np.einsum("nui,uv->nvi", mixed, given(f"update{layer}_{named(k)}")[0, 0])
            if k in h:
                value = value + np.einsum("nui,nuv->nvi", h[k][0], given(f"skip{layer}_{named(k)}")[z, 0, 0])
            new[k] = [value]
        h = new
        scalars = h[0, 1][0][:, :, 0]
        if layer < config.layers:
            energy += (scalars @ given(f"readout{layer}_0e")[0, 0])[:, None]
    inner = SILU_MOMENT * silu(scalars @ given("readout_in_0e")[0, 0])
    energy += (inner @ given("readout_out_0e")[0, 0])[:, None]
    return scatter_sum(energy, given("system"), systems)


SETTINGS: list[Mapping[str, Any]] = [
    {},
    {"basis": "full", "powers": (2, 1)},
    {"hidden": "0e+1o+2e", "layers": 3, "powers": (1, 2), "radial_widths": (5, 4)},
    {"hidden": "0e", "layers": 1, "powers": (1,), "radial_widths": ()},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_diagram_is_the_formula(settings: Mapping[str, Any]) -> None:
    given = {"elements": (1, 6, 8), "cutoff": 4.0, "channels": 3, "radial": 4, "radial_widths": (6,)}
    config = PotentialConfig.model_validate({**given, "readout_width": 5, "neighbours": 7.0, **settings})
    diagram = mace.energy(config)
    check(diagram)
    drawn = draw(diagram, rows=(6, 7, 8))
    systems = drawn.sizes["system"]
    assert drawn.error(formula(config, drawn.__getitem__, systems)) < TOLERANCE
    potential = Potential(config, dtype=torch.float64)
    names = list(potential.block.coefficients)
    potential.block.load_coefficients({name: drawn[name] for name in names})
    inputs = {name: torch.from_numpy(value) for name, value in drawn.given.items() if name not in names}
    value = potential.block(inputs, sizes={"system": systems})
    assert isinstance(value, torch.Tensor)
    assert drawn.error(value.detach().numpy()) < TOLERANCE


def test_weights_begin_so_that_every_layer_keeps_magnitudes() -> None:
    """The radial network divides by its number of inputs in the diagram, everything else in its first weights."""
    torch.manual_seed(0)
    potential = Potential(PotentialConfig(elements=(1, 8), channels=64))
    deviations = {name: float(value.detach().std()) for name, value in potential.block.coefficients.items()}
    for name, expected in (("radial1_2_0e", 1.0), ("radial2_3_0e", 1.0), ("embedding_0e", 1.0), ("up1_0e", 1 / 8)):
        assert abs(deviations[name] / expected - 1) < 0.2
    assert abs(deviations["message2_1o"] * 192**0.5 - 1) < 0.1
