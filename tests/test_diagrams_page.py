"""docs/diagrams.md is true: its code and commands print what it shows, its table says what e3nn and einsum say.

All blocks run in order, in one namespace and one empty folder. Every expression of the table is a legal wire; rows with
a counterpart in e3nn, torch or einsum are compared with it (float64, 1e-10 of the largest number).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion import Wire, check, evaluate, leg, parameters
from fusion.sampling import random_tensors
from fusion.symbols import clebsch_gordan
from pages import Page, blocks_of, check_form, run

Array = NDArray[np.float64]
PAGE = Path(__file__).parents[1] / "docs" / "diagrams.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = blocks_of(TEXT)
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TEXT.splitlines() if line.startswith("| ")]
HEAD, TABLE = ROWS[0], {row[0]: row for row in ROWS[1:]}


@pytest.fixture(scope="module")
def page() -> Page:
    return run(TEXT)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_prints_what_the_page_says(number: int, page: Page) -> None:
    assert page.printed[number] == BLOCKS[number].shown
    assert page.printed[number].strip()


def test_every_block_is_run() -> None:
    check_form(TEXT, 16)


def test_the_table_has_its_columns() -> None:
    assert HEAD == ["to say", "e3nn", "MACE", "cuEquivariance", "einsum", "here"]
    assert all(len(row) == len(HEAD) for row in ROWS)
    assert len({row[-1] for row in ROWS}) == len(ROWS) == len(TABLE) + 1 > 30


def wire_of(row: str, page: Page) -> Wire:
    found = eval(TABLE[row][-1].strip("`"), dict(page.namespace))
    assert isinstance(found, Wire)
    return found


@pytest.mark.parametrize("row", TABLE)
def test_the_last_column_is_a_legal_wire(row: str, page: Page) -> None:
    check(wire_of(row, page))


@dataclass(frozen=True)
class Drawn:
    """A row's wire with random inputs: ``drawn["x"]`` is a tensor, label, map or coefficient."""

    wire: Wire
    given: dict[str, NDArray[Any]]
    value: Array

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.given[name]

    def flat(self, name: str = "") -> Array:
        """Return the value, or a leg of irreps 0e+1o, in e3nn's layout: irrep by irrep and path by path (copies, m)."""
        value = self.given[name] if name else self.value
        dims = [irrep.dim for paths, irrep in self.wire.space.irreps for _ in range(paths)] if not name else [1, 3]
        assert sum(dims) == value.shape[-1]
        parts = np.split(value, np.cumsum(dims)[:-1].tolist(), axis=-1)
        return np.concatenate([part.reshape(len(value), -1) for part in parts], axis=1)

    def theirs(self, name: str) -> Array:
        """Return the weights whose product with e3nn's factor, 1 / sqrt(fan-in), are our coefficients ``name``."""
        (found,) = (item for item in parameters(self.wire) if item.name == name)
        return self.given[name] * found.fan_in**0.5


def draw(row: str, page: Page) -> Drawn:
    wire = wire_of(row, page)
    inputs = random_tensors(wire, np.random.default_rng(7), (5, 6, 7))
    found = evaluate(wire, inputs.tensors, inputs.parameters, inputs.sizes)["out"].value
    return Drawn(wire, {**inputs.tensors, **inputs.parameters}, found)


def close(ours: Array, expected: Any) -> None:
    reference = np.asarray(expected)
    assert ours.shape == reference.shape
    assert np.abs(reference).max() > 0.01
    np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-10 * np.abs(reference).max())


@pytest.fixture(scope="module")
def e3nn() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its own deprecated functions when e3nn is imported
        found = pytest.importorskip("e3nn")
        pytest.importorskip("e3nn.nn")
        pytest.importorskip("e3nn.o3")
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield found
    torch.set_default_dtype(before)


def called(module: Any, *arrays: Array) -> Array:
    """Return what an e3nn or torch module makes of arrays."""
    import torch

    with torch.no_grad():
        return module(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)).numpy()


def flattened(*weights: Array) -> Array:
    """Return the weights of e3nn's instructions, one after another."""
    return np.concatenate([weight.ravel() for weight in weights])


X, Y, SPHERICAL = "8x0e+8x1o", "4x0e+4x1o", "0e+1o+2e"


def test_e3nn_has_what_the_table_names(e3nn: Any) -> None:
    named = re.findall(r"`(o3|nn)\.(\w+)`", " ".join(row[1] for row in TABLE.values()))
    assert len(set(named)) >= 7
    assert not [name for module, name in named if not hasattr(getattr(e3nn, module), name)]
    bare = set(re.findall(r"`(\w+TensorProducts?)`", " ".join(row[1] for row in TABLE.values())))
    assert len(bare) >= 4
    assert not [name for name in bare if not hasattr(e3nn.o3, name)]


@pytest.mark.parametrize("row", ["linear layer", "linear, other width"])
def test_linear(row: str, page: Page, e3nn: Any) -> None:
    drawn = draw(row, page)
    width = drawn.value.shape[1]
    linear = e3nn.o3.Linear(X, f"{width}x0e+{width}x1o", internal_weights=False, shared_weights=True)
    weights = flattened(drawn.theirs("mix1_0e"), drawn.theirs("mix1_1o"))
    close(drawn.flat(), called(linear, drawn.flat("x"), weights))


def test_weights_per_element(page: Page, e3nn: Any) -> None:
    drawn = draw("weights per element", page)
    product = e3nn.o3.FullyConnectedTensorProduct(X, "3x0e", X, internal_weights=False, shared_weights=True)
    # e3nn counts the elements, of which only one is hot, as summed: its factor is 1 / sqrt(3 * 8)
    weights = [3**0.5 * drawn.theirs(f"mix1_{irrep}")[:, 0, 0].transpose(1, 0, 2) for irrep in ("0e", "1o")]
    close(drawn.flat(), called(product, drawn.flat("x"), np.eye(3)[drawn["z"]], flattened(*weights)))


def test_weightless_products(page: Page, e3nn: Any) -> None:
    drawn = draw("all couplings, all pairs of channels", page)
    close(drawn.flat(), called(e3nn.o3.FullTensorProduct(X, Y), drawn.flat("x"), drawn.flat("y")))
    drawn = draw("i-th irrep with i-th irrep", page)
    close(drawn.flat(), called(e3nn.o3.ElementwiseTensorProduct(X, X), drawn.flat("x"), drawn.flat("x2")))


def test_fully_connected(page: Page, e3nn: Any) -> None:
    drawn = draw("fully connected", page)
    product = e3nn.o3.FullyConnectedTensorProduct(X, Y, X, internal_weights=False, shared_weights=True)
    scalar, vector = drawn.theirs("fuse1_0e"), drawn.theirs("fuse1_1o")
    weights = flattened(scalar[0], vector[0], vector[1], scalar[1])  # 0e 0e, 0e 1o, 1o 0e, 1o 1o
    close(drawn.flat(), called(product, drawn.flat("x"), drawn.flat("y"), weights))


def test_weighted_products_into_one_slot(page: Page, e3nn: Any) -> None:
    for row, mode, second, right, node, width in (
        ("weighted, channels of x kept", "uvu", Y, "y", "mix1", 8),
        ("weighted, diagonal to w", "uuw", X, "x2", "fuse1", 16),
    ):
        drawn = draw(row, page)
        slots = "+".join(f"{width}x{irrep}" for irrep in ("0e", "1o", "1e", "2e"))
        couplings = [(0, 0, 0), (1, 1, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2), (1, 1, 3)]
        product = e3nn.o3.TensorProduct(
            X, second, slots, [(*item, mode, True) for item in couplings], internal_weights=False, shared_weights=True
        )
        weights = flattened(*(drawn.theirs(f"{node}_{irrep}") for irrep in ("0e", "1o", "1e", "2e")))
        close(drawn.flat(), called(product, drawn.flat("x"), drawn.flat(right), weights))


def _slots(e3nn: Any, second: str) -> tuple[str, list[tuple[int, int, int]]]:
    """Return one slot of 8 copies per coupling of 0e+1o with ``second``, in our order, and (left, right, slot)."""
    irreps = (e3nn.o3.Irreps("0e+1o"), e3nn.o3.Irreps(second))
    found = [(out, i, j) for i, (_, a) in enumerate(irreps[0]) for j, (_, b) in enumerate(irreps[1]) for out in a * b]
    found.sort(key=lambda item: (item[0].l, item[0].p != (-1) ** item[0].l))  # ours: natural parity first
    return "+".join(f"8x{out}" for out, _, _ in found), [(i, j, slot) for slot, (_, i, j) in enumerate(found)]


def test_convolution_with_given_weights(page: Page, e3nn: Any) -> None:
    drawn = draw("convolution with given weights", page)
    slots, couplings = _slots(e3nn, SPHERICAL)
    product = e3nn.o3.TensorProduct(
        X, SPHERICAL, slots, [(*item, "uvu", True) for item in couplings], internal_weights=False, shared_weights=False
    )
    edges = called(e3nn.o3.SphericalHarmonics(SPHERICAL, True, "component"), drawn["d"])
    weights = drawn["R"].transpose(0, 2, 1).reshape(len(edges), -1)  # edges, (paths, channels)
    close(drawn.flat(), called(product, drawn.flat("x")[drawn["sender"]], edges, weights))


def test_weighted_pairs(page: Page, e3nn: Any) -> None:
    drawn = draw("weighted pairs, paths kept", page)
    slots, couplings = _slots(e3nn, "0e+1o")
    slots = slots.replace("8x", "32x")
    product = e3nn.o3.TensorProduct(
        X, Y, slots, [(*item, "uvuv", True) for item in couplings], internal_weights=False, shared_weights=True
    )
    weights = np.concatenate([drawn[f"mix1_{irrep}"].ravel() for _, irrep in drawn.wire.space.irreps])  # paths, u, v
    close(drawn.flat(), called(product, drawn.flat("x"), drawn.flat("y"), weights))


def test_harmonics(page: Page, e3nn: Any) -> None:
    drawn = draw("spherical harmonics", page)
    close(drawn.value, called(e3nn.o3.SphericalHarmonics(SPHERICAL, True, "component"), drawn["d"]))
    drawn = draw("solid harmonics", page)
    close(drawn.value, called(e3nn.o3.SphericalHarmonics(SPHERICAL, False, "norm"), drawn["d"]))


def test_gate_and_norms(page: Page, e3nn: Any) -> None:
    import torch

    drawn = draw("gate", page)
    gate = e3nn.nn.Gate("8x0e", [torch.nn.functional.silu], "8x0e", [torch.sigmoid], "8x1o")
    scalars, vectors = drawn.flat("x")[:, :8], drawn.flat("x")[:, 8:]
    found = called(gate, np.concatenate([scalars, drawn.flat("x2")[:, :8], vectors], axis=1))
    # e3nn divides its activations by their second moments
    silu, sigmoid = (e3nn.math.normalize2mom(act).cst for act in (torch.nn.functional.silu, torch.sigmoid))
    close(drawn.flat(), np.concatenate([found[:, :8] / silu, found[:, 8:] / sigmoid], axis=1))
    drawn = draw("norm", page)
    close(drawn.flat(), called(e3nn.o3.Norm("8x1o"), drawn["v"].reshape(-1, 24)))
    drawn = draw("norm activation", page)
    close(drawn.flat(), called(e3nn.nn.NormActivation("8x1o", torch.sigmoid), drawn["v"].reshape(-1, 24)))
    drawn = draw("layer norm of scalars", page)
    close(drawn.value[..., 0], called(torch.nn.LayerNorm(8, elementwise_affine=False), drawn["x"][..., 0]))


def test_symmetric_square(page: Page, e3nn: Any) -> None:
    found = wire_of("symmetric square", page).space.irreps
    for product in (e3nn.o3.TensorSquare(SPHERICAL), e3nn.o3.ReducedTensorProducts("ij=ji", i=SPHERICAL)):
        counted = {str(irrep): product.irreps_out.count(irrep) for _, irrep in product.irreps_out}
        assert counted == {str(irrep): count for count, irrep in found}


@pytest.mark.parametrize(("order", "weights"), [(1, 32), (2, 80), (3, 176)])
def test_reduced_powers_are_as_many_as_in_cuequivariance(order: int, weights: int) -> None:
    """Its documentation prints ``a=32x0+80x0+176x0`` for 16 copies of 0 + 1 + 2 contracted to 0 + 1."""
    assert 16 * leg("x", "0+1+2").power(order, basis="reduced")["0+1"].space.irreps.paths == weights


EINSUM: dict[str, Callable[[Drawn], list[Array]]] = {
    "weights on the diagonal": lambda drawn: [drawn["x"][..., 1:], drawn["mix1_1o"][0, 0]],
    "weights in groups": lambda drawn: [drawn["x"].reshape(-1, 2, 4, 4)[..., 1:], drawn["mix1_1o"][0, 0]],
    "element embedding": lambda drawn: [np.eye(3)[drawn["z"]], drawn["mix1_0e"][:, 0, 0]],
    "dot product of vectors": lambda drawn: [drawn["v"], drawn["v"]],
    "all dot products": lambda drawn: [drawn["v"], drawn["y"][..., 1:]],
    "cross product": lambda drawn: [drawn["v"], drawn["x2"][..., 1:], 2**0.5 * clebsch_gordan(1, 1, 1)],
}
"""The operands of a row's einsum text, made from its inputs; rows are the first axis of the first operands."""


@pytest.mark.parametrize("row", EINSUM)
def test_einsum_text_says_the_same(row: str, page: Page) -> None:
    drawn = draw(row, page)
    operands = EINSUM[row](drawn)
    left, result = TABLE[row][4].strip("`").split("->")
    rows = len(drawn.value)
    texts = [("n" if len(a) == rows else "") + text for text, a in zip(left.split(","), operands, strict=True)]
    expected = np.einsum(f"{','.join(texts)}->n{result}", *operands)
    ours = drawn.value[..., 1:] if row.startswith("weights") else drawn.value
    close(ours if "i" in result or "k" in result else ours[..., 0], expected)


def test_density_per_neighbour_element(page: Page) -> None:
    drawn = draw("density per neighbour element", page)
    hot = np.eye(3)[drawn["z"]][drawn["sender"]]
    to_atoms = np.eye(len(drawn.value))[drawn["receiver"]]
    close(drawn.value, np.einsum("en,ez,eui->nzui", to_atoms, hot, drawn["x"][drawn["sender"]]))
