"""Memory that was given back is there for what comes next."""

from __future__ import annotations

import platform
import sys

import pytest
import torch

from fusion_models.allocation import keep_freed_memory

SIZE = 4 * 2**20


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="only glibc gives blocks back at once"
)
def test_repeated_blocks_are_not_fetched_page_by_page() -> None:
    """Eight times the same 20 MB; got from the system each time, they would take 40,000 page faults."""
    import resource

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        blocks = [torch.ones(SIZE // 8, dtype=torch.float64) for _ in range(5)]
        del blocks
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    keep_freed_memory()
    faults()
    assert sum(faults() for _ in range(8)) < 5 * SIZE // 4096
