"""A block under verification: random inputs for it, and its values beside those of the definition."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from fusion.dense import Evaluation, evaluate
from fusion.diagram import Diagram
from fusion.errors import FusionError
from fusion.index import derived_from
from fusion.rows import product_rows
from fusion.sampling import Inputs, random_tensors
from fusion.sampling.tensors import used_maps
from fusion_compiler.block import Block, declared_tensors

ATTEMPTS = 10
"""Draws of inputs before giving up, where a draw leaves the domain of a function or lies on a kink."""
REACH = 1e-6
"""Inputs are drawn again where all numbers of an output are smaller beside their magnitudes: errors would not show."""
Outputs = dict[str, Tensor]


@dataclass(frozen=True)
class Drawn:
    """Inputs of a diagram, complete for ``torch.export``: the maps of product spaces are among them.

    Attributes:
        inputs: arrays, rounded to the type of the block; ``sizes`` only of spaces on which no tensor stands.
        tensors: the same as tensors on the block's device.
        dense: the outputs by definition.
    """

    inputs: Inputs
    tensors: dict[str, Tensor]
    dense: dict[str, Evaluation]

    @property
    def finite(self) -> bool:
        """Whether all outputs are finite by definition."""
        found = self.dense.values()
        return all(np.isfinite(item.value).all() and np.isfinite(item.magnitude).all() for item in found)

    @property
    def reach(self) -> float:
        """The largest ``|value| / magnitude`` of each output, and the smallest of these; one where there are no rows.

        Below the limit of a check, the check could not tell the output from zero.
        """
        shares = (np.abs(item.value) / np.maximum(item.magnitude, 1e-300) for item in self.dense.values())
        return min((float(np.max(share)) for share in shares if share.size), default=1.0)

    def error(self, outputs: Mapping[str, Tensor]) -> float:
        """Return the largest ``|a - b| / magnitude`` of outputs."""
        if list(outputs) != list(self.dense):
            raise FusionError(f"the block gives the outputs {list(outputs)}, the diagram has {list(self.dense)}")
        return max((self.dense[name].error(numbers(value)) for name, value in outputs.items()), default=0.0)


class Subject:
    """A block with what the checks ask of it. The block is run as it is and never changed.

    Attributes:
        block: the block; a copy, with random fitted coefficients where nobody bound them, and without parametrisations.
        bound: whether all fitted coefficients were bound.
        twin: the same block in float64, of which differences are taken.
        seed: of all random numbers.
        rows: numbers of rows that inputs are drawn with.
    """

    def __init__(self, block: Block, seed: int, rows: tuple[int, ...]) -> None:
        self.diagram: Diagram = block.diagram
        self.seed, self.rows = seed, rows
        unbound = [name for name, buffer in block.fitted.items() if bool(block.get_buffer(buffer).isnan().any())]
        self.bound = not unbound
        computed = [name for name, value in block.coefficients.items() if not isinstance(value, nn.Parameter)]
        self.block = copy.deepcopy(block) if unbound or computed else block
        for name in computed:  # as they are now: what is verified is the block, not what computes its coefficients
            parametrize.remove_parametrizations(self.block.coefficients, name)
        if unbound:
            drawn = random_tensors(self.diagram, self.random("fitted"), rows).parameters
            self.block.load_coefficients({name: drawn[name] for name in unbound})
        self.twin = self.block if block.dtype == torch.float64 else copy.deepcopy(self.block).to(torch.float64)
        self.device = self.block.get_buffer("anchor").device
        fitted = {name: self.block.get_buffer(buffer) for name, buffer in self.block.fitted.items()}
        self.parameters = {name: numbers(value) for name, value in (*self.block.coefficients.items(), *fitted.items())}

    def random(self, purpose: str, attempt: int = 0) -> np.random.Generator:
        """Return random numbers of the seed for one purpose."""
        return np.random.default_rng([self.seed, attempt, *purpose.encode()])

    def draw(self, purpose: str, rows: Sequence[int] | None = None, attempt: int = 0) -> Drawn:
        """Draw inputs whose outputs are finite; of several, those at which outputs reach furthest.

        Raises:
            FusionError: every draw left the domain of a function.
        """
        best: Drawn | None = None
        for trial in range(attempt * ATTEMPTS, (attempt + 1) * ATTEMPTS):
            rng = self.random(purpose, trial)
            with np.errstate(all="ignore"):
                drawn = self.complete(random_tensors(self.diagram, rng, tuple(self.rows if rows is None else rows)))
            if drawn.finite and (best is None or drawn.reach > best.reach):
                best = drawn
            if best is not None and best.reach >= REACH:
                break
        if best is None:
            raise FusionError(f"none of {ATTEMPTS} random inputs gives finite outputs by definition")
        return best

    def complete(self, found: Inputs) -> Drawn:
        """Return random inputs as the block needs them."""
        maps = {item.name: _images(item.name, found.tensors) for item in used_maps(self.diagram)}
        declared = declared_tensors(self.diagram)
        arrays = {name: array for name, array in {**found.tensors, **maps}.items() if name in declared}
        told = {declared[name] for name in arrays}
        sizes = {space: count for space, count in found.sizes.items() if space not in told}
        tensors = {name: self.tensor(array) for name, array in arrays.items()}
        inputs = Inputs({name: numbers(value) for name, value in tensors.items()}, self.parameters, sizes)
        return Drawn(inputs, tensors, evaluate(self.diagram, inputs.tensors, inputs.parameters, sizes))

    def tensor(self, array: NDArray[Any]) -> Tensor:
        """Return an array as the block takes it."""
        found = torch.from_numpy(np.array(array))
        return found.to(self.device, self.block.dtype if found.is_floating_point() else torch.int64)

    def run(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, int]) -> Outputs:
        """Run the block, without gradients."""
        with torch.no_grad():
            return outputs_of(self.block(dict(tensors), sizes=dict(sizes)))

    @property
    def names(self) -> list[str]:
        """Legs that reach an output."""
        return [name for name, _ in self.block.program.inputs]


def call(block: Block, tensors: Mapping[str, Tensor], sizes: Mapping[str, int], given: Mapping[str, Tensor]) -> Outputs:
    """Run a block with other values of some coefficients."""
    values = {f"coefficients.{name}": value for name, value in given.items()}
    return outputs_of(functional_call(block, values, (dict(tensors),), {"sizes": dict(sizes)}))


def outputs_of(found: Any) -> Outputs:
    """Return what a block returned as a dict by output."""
    return cast("Outputs", found) if isinstance(found, dict) else {"out": found}


def numbers(value: Tensor) -> NDArray[Any]:
    """Return a tensor as an array, real numbers in float64."""
    found = value.detach().cpu()
    return (found.double() if found.is_floating_point() else found).numpy()


def _images(name: str, tensors: Mapping[str, NDArray[np.generic]]) -> NDArray[np.int64]:
    """Return the array of a map, computed when it is of a product space and not given."""
    derived = derived_from(name)
    if derived is None or name in tensors:
        return tensors[name].astype(np.int64)
    base, order, position = derived
    return product_rows(_images(base, tensors), order)[position]
