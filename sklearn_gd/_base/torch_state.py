"""Where torch and the rest of the process meet: devices, global state, forked children."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from threading import Lock

import torch

# A child forked from a process that ran torch on several threads hangs in its first
# matrix product, because the thread pool's threads do not exist there.
os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def find_device(name: str) -> torch.device:
    """The torch device of a name; a sentence if this machine does not have it."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "mps":
        raise ValueError(
            "device='mps' cannot be used: it has no float64, which the descent needs. "
            "Use device='cpu'."
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ValueError(
            f"device={name!r} is not available: torch sees {count} CUDA devices. "
            "Use device='cpu', or 'auto' for CUDA where there is one."
        )
    return device


class _OneThread:
    """Sets torch to one thread while any fit of this process asks for it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.n_users = self.n_threads = 0

    def __enter__(self) -> None:
        with self.lock:
            if self.n_users == 0:
                self.n_threads = torch.get_num_threads()
                if self.n_threads > 1:
                    torch.set_num_threads(1)
            self.n_users += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.n_users -= 1
            if self.n_users == 0 and self.n_threads > 1:
                torch.set_num_threads(self.n_threads)


_SMALL = 2**18  # entries of the matrices of an operation, up to which threads do not help
one_thread = _OneThread()


def threads_for(entries: int) -> AbstractContextManager[object]:
    """One thread for operations on small matrices, else as many as the caller has set.

    Two threads wait for each other in every operation: on a busy machine for milliseconds.
    """
    return one_thread if entries <= _SMALL else nullcontext()


@contextmanager
def isolated() -> Iterator[None]:
    """Run neither changed by nor changing torch's global state.

    Each setting costs something per operation or touches all threads, so it is set only
    where the caller's differs.
    """
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        # torch.optim keeps step counts and NAdam's momentum product in this dtype
        if torch.get_default_dtype() != torch.float32:
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
        if torch.are_deterministic_algorithms_enabled():
            warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
            stack.callback(torch.use_deterministic_algorithms, True, warn_only=warn_only)
            torch.use_deterministic_algorithms(False)
        yield
