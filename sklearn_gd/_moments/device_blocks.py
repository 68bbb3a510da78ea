"""Blocks of rows on their way to the device. While one is used, the next is copied.

So no more than two blocks of the data are on the device, and a CUDA device does not wait for
the host. What decides the order, `prefetched`, does not know what a copy is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_moments import Rows

Begin = Callable[[Rows], Callable[[], Rows]]  # begins a copy; the result waits for it


def prefetched(blocks: Iterable[Rows], begin: Begin) -> Iterator[Rows]:
    """The copies of all blocks. The copy of the next begins before one is given."""
    arrive: Callable[[], Rows] | None = None
    for block in blocks:
        following = begin(block)
        if arrive is not None:
            yield arrive()
        arrive = following
    if arrive is not None:
        yield arrive()


def copy_to(device: torch.device) -> Begin:
    """How a block comes from the host to a device."""
    return _CudaCopy(device) if device.type == "cuda" else _on_cpu


def _on_cpu(block: Rows) -> Callable[[], Rows]:
    """A block on the host, which need not be copied."""
    return lambda: block


class _CudaCopy:
    """Copies on a stream of their own, from pinned memory, which the device reads by itself."""

    def __init__(self, device: torch.device):
        self.device, self.stream = device, torch.cuda.Stream(device)

    def __call__(self, block: Rows) -> Callable[[], Rows]:
        x, y, weight = block
        with torch.cuda.stream(self.stream):
            copies = self._copy(x), self._copy(y), None if weight is None else self._copy(weight)
            has_come = self.stream.record_event()

        def arrive() -> Rows:
            user = torch.cuda.current_stream(self.device)
            user.wait_event(has_come)  # the device waits, and the host goes on
            for copy in copies:
                if copy is not None:
                    copy.record_stream(user)  # its memory is free after the last use there
            return copies

        return arrive

    def _copy(self, values: Tensor) -> Tensor:
        """A copy on the device, which may not have come yet."""
        return values.pin_memory().to(self.device, non_blocking=True)
