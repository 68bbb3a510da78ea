"""As many threads for everybody, whatever the machine has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def limited(count: int) -> Iterator[None]:
    """Let torch, BLAS and OpenMP use so many threads each."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def two() -> AbstractContextManager[None]:
    """Two threads."""
    return limited(2)
