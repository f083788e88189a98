"""Backward passes over many cotangents at once, as ``is_grads_batched=True`` and ``vectorize=True`` ask for.

Those run the backward under torch's first ``vmap``, which lacks rules for operations that programs use. ``torch.vmap``
has them, so the batch is handed over to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch import _add_batch_dim as batched  # pyright: ignore[reportPrivateImportUsage]  (no public name)
from torch import _remove_batch_dim as unbatched  # pyright: ignore[reportPrivateImportUsage]
from torch._C._functorch import is_legacy_batchedtensor

Tensors = tuple[Tensor | None, ...]


def is_vectorised(tensors: Sequence[Tensor | None]) -> bool:
    """Whether some tensors are batches of torch's first ``vmap``."""
    return any(is_legacy_batchedtensor(item) for item in tensors if item is not None)


def vectorised(function: Callable[..., Tensors], tensors: Sequence[Tensor | None]) -> Tensors:
    """Call a function of tensors, some of them batches of torch's first ``vmap``, and return such batches.

    Tensors that are ``None`` are given and returned as they are.
    """
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    given = [item for item in tensors if item is not None]
    size = next(unbatched(item, level, 1, 0).shape[0] for item in given if is_legacy_batchedtensor(item))
    batches = [unbatched(item, level, size, 0) for item in given]
    present: list[bool] = []

    def run(*values: Tensor) -> tuple[Tensor, ...]:
        left = iter(values)
        found = function(*(None if item is None else next(left) for item in tensors))
        present[:] = [item is not None for item in found]
        return tuple(item for item in found if item is not None)

    made = iter(torch.vmap(run)(*batches))
    return tuple(batched(next(made), 0, level) if there else None for there in present)
