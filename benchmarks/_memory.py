"""Peak memory of one fit beyond the data: ``python -m benchmarks._memory CASE NAME``.

Each is measured in a process of its own, by the Linux kernel: the most that was resident
during the fit, less what was resident before it.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes

from benchmarks import _threads
from benchmarks._data import made
from benchmarks.models import MODELS, SHAPES
from sklearn_gd import GDLinearRegressorCV


def extra_megabytes(case: str, name: str) -> float:
    """The peak of fitting a model on a case's data beyond what X and y take."""
    command = [sys.executable, "-m", "benchmarks._memory", case, name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def search_of_many(lrs: int, folds: int) -> tuple[float, float]:
    """Seconds and peak memory of a search over many learning rates on diabetes."""
    command = [sys.executable, "-m", "benchmarks._memory", "search", f"{lrs},{folds}"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, extra = map(float, printed.split())
    return seconds, extra


def _measure_search(lrs: int, folds: int) -> tuple[float, float]:
    """The same in this process."""
    X, y = load_diabetes(return_X_y=True)
    GDLinearRegressorCV(lrs=(0.1, 0.5), epochs=100).fit(X, y)  # loads what a fit loads
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before, start = _megabytes("VmRSS"), time.perf_counter()
    GDLinearRegressorCV(lrs=np.geomspace(1e-3, 0.9, lrs), cv=folds).fit(X, y)
    return time.perf_counter() - start, _megabytes("VmHWM") - before


def _measure(case: str, model: Any) -> float:
    """The same in this process."""
    n, p = SHAPES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*made(1000, p))  # loads what a fit loads
    X, y = made(n, p)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
    before = _megabytes("VmRSS")
    model.fit(X, y)
    return _megabytes("VmHWM") - before


def _megabytes(field: str) -> float:
    """A size that the Linux kernel reports of this process."""
    status = Path("/proc/self/status").read_text()
    kibibytes = status.partition(f"{field}:")[2].split()[0]
    return int(kibibytes) * 1024 / 1e6


if __name__ == "__main__":
    case, name = sys.argv[1:]
    with _threads.two():
        if case == "search":
            print(*_measure_search(*map(int, name.split(","))))
        else:
            print(_measure(case, MODELS[case][name]()))
