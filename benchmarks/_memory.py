"""Peak memory of one fit beyond the data: ``python -m benchmarks._memory CASE NAME``.

Every fit runs in a new process. The result is the peak of the resident memory during the fit,
minus the resident memory before the fit. Both are reported by the Linux kernel.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes

from benchmarks._data import linear_data
from benchmarks._threads import two_threads
from benchmarks.models import MODELS, SHAPES
from sklearn_gd import GDLinearRegressorCV


def extra_megabytes(case: str, name: str) -> float:
    """Peak memory of a fit on the data of a case, without the memory of X and y."""
    command = [sys.executable, "-m", "benchmarks._memory", case, name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def search_of_many(lrs: int, folds: int) -> tuple[float, float]:
    """Seconds and extra megabytes of a search on the diabetes data."""
    command = [sys.executable, "-m", "benchmarks._memory", "search", f"{lrs},{folds}"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, extra = map(float, printed.split())
    return seconds, extra


def _measure_search(lrs: int, folds: int) -> tuple[float, float]:
    """Measure the search of `search_of_many` in this process."""
    X, y = load_diabetes(return_X_y=True)
    GDLinearRegressorCV(lrs=(0.1, 0.5), epochs=100).fit(X, y)  # imports all modules
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before, start = _megabytes("VmRSS"), time.perf_counter()
    GDLinearRegressorCV(lrs=np.geomspace(1e-3, 0.9, lrs), cv=folds).fit(X, y)
    return time.perf_counter() - start, _megabytes("VmHWM") - before


def _measure(case: str, model: Any) -> float:
    """Measure the fit of `extra_megabytes` in this process."""
    n, p = SHAPES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*linear_data(1000, p))  # imports all modules
    X, y = linear_data(n, p)
    return extra_megabytes_of(lambda: model.fit(X, y))


def extra_megabytes_of(run: Callable[[], object]) -> float:
    """Peak memory of a function beyond the memory before it, in this process."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, the peak
    before = _megabytes("VmRSS")
    run()
    return _megabytes("VmHWM") - before


def _megabytes(field: str) -> float:
    """A memory size of this process, as reported by the Linux kernel."""
    status = Path("/proc/self/status").read_text()
    kibibytes = status.partition(f"{field}:")[2].split()[0]
    return int(kibibytes) * 1024 / 1e6


if __name__ == "__main__":
    case, name = sys.argv[1:]
    with two_threads():
        if case == "search":
            print(*_measure_search(*map(int, name.split(","))))
        else:
            print(_measure(case, MODELS[case][name]()))
