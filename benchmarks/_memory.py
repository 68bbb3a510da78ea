"""Peak memory of one fit beyond the data: ``python -m benchmarks._memory CASE NAME``.

Each is measured in a process of its own, as the growth of its peak during the fit. The
data are made without temporaries and after everything has been loaded, so that the peak
before the fit is what the process holds then.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import warnings
from typing import Any

from benchmarks import _threads
from benchmarks._data import made
from benchmarks.models import MODELS, SHAPES


def extra_megabytes(case: str, name: str) -> float:
    """The peak of fitting a model on a case's data beyond what X and y take."""
    command = [sys.executable, "-m", "benchmarks._memory", case, name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure(case: str, model: Any) -> float:
    """The same in this process."""
    n, p = SHAPES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*made(1000, p))
    X, y = made(n, p)
    before = _peak()
    model.fit(X, y)
    return _peak() - before


def _peak() -> float:
    """Most memory this process has held so far, in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024  # the others count in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    case, name = sys.argv[1:]
    with _threads.two():
        print(_measure(case, MODELS[case][name]()))
