"""Time and peak memory of a function in a new process.

The peak is that of the resident memory during the call, minus the resident memory before it. The
Linux kernel reports both. On other systems no memory is reported.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from benchmarks._threads import limit_threads

_CLEAR = Path("/proc/self/clear_refs")


class Peak(NamedTuple):
    """Seconds of a call, and its peak memory beyond the memory before it."""

    seconds: float
    megabytes: float | None


def measure(prepare: Callable[..., Callable[[], object]], *arguments: object) -> Peak:
    """Call `prepare(*arguments)` in a new process, and measure the function that it returns.

    `prepare` is a function of a module, and the arguments can be written as JSON.
    """
    name = f"{prepare.__module__}:{prepare.__name__}"
    command = [sys.executable, "-m", "benchmarks._memory", name, json.dumps(arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=3600)
    return Peak(*json.loads(done.stdout.splitlines()[-1]))


def _measure_here(run: Callable[[], object]) -> Peak:
    """Measure a function in this process."""
    gc.collect()
    before = None
    if _CLEAR.exists():
        _CLEAR.write_text("5")  # resets VmHWM, the peak
        before = _megabytes("VmRSS")
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    return Peak(seconds, None if before is None else _megabytes("VmHWM") - before)


def _megabytes(field: str) -> float:
    """A memory size of this process, as reported by the Linux kernel."""
    status = Path("/proc/self/status").read_text()
    kibibytes = status.partition(f"{field}:")[2].split()[0]
    return int(kibibytes) * 1024 / 1e6


if __name__ == "__main__":
    module, _, function = sys.argv[1].partition(":")
    with limit_threads(2):
        run = getattr(import_module(module), function)(*json.loads(sys.argv[2]))
        print(json.dumps(_measure_here(run)))
