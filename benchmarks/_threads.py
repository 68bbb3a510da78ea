"""The same number of threads for all benchmarks, on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def two_threads() -> Iterator[None]:
    """Limit torch, BLAS and OpenMP to two threads each."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            yield
    finally:
        torch.set_num_threads(before)
