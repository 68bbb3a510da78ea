"""A long stream through ``partial_fit``: ``python -m benchmarks.stream [--parts N]``.

Each part has 200 x 10 rows. Printed are the time of a part and the size of the pickled model in
each quarter of the stream, what Python has allocated more than after the first quarter, and how
far the coefficients are from those of one ``fit``. The time should not grow.
"""

from __future__ import annotations

import argparse
import gc
import pickle
import time
import tracemalloc

import numpy as np

from benchmarks._threads import two_threads
from benchmarks._timing import print_table
from sklearn_gd import GDLinearRegressor

ROWS, COLUMNS = 200, 10


def part(number: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a part of the stream."""
    rng = np.random.default_rng(number)
    X = rng.normal(size=(ROWS, COLUMNS))
    return X, X @ np.linspace(-1.0, 1.0, COLUMNS) + rng.normal(size=ROWS)


def main() -> None:
    """Run the stream once for its times, and once more for its memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stream", description=__doc__)
    parser.add_argument("--parts", type=int, default=1000, help="default: 1000")
    n_parts = parser.parse_args().parts
    length = n_parts // 4
    model = GDLinearRegressor(lr="auto", tol=1e-12)
    seconds: list[float] = []
    sizes: list[int] = []
    for k in range(n_parts):
        X, y = part(k)
        start = time.perf_counter()
        model.partial_fit(X, y)
        seconds.append(time.perf_counter() - start)
        if (k + 1) % length == 0:
            sizes.append(len(pickle.dumps(model)))
    print_table(
        ["quarter", "median ms of a part", "pickled model"],
        [
            [str(q + 1), f"{1e3 * float(np.median(times)):.2f}", f"{size:,} bytes"]
            for q, (times, size) in enumerate(zip(np.array_split(seconds, 4), sizes, strict=False))
        ],
    )
    parts = [part(k) for k in range(n_parts)]
    whole = GDLinearRegressor(lr="auto", tol=1e-12).fit(
        np.vstack([X for X, _ in parts]), np.concatenate([y for _, y in parts])
    )
    difference = float(np.abs(whole.coef_ - model.coef_).max())
    print(f"largest difference from the coefficients of fit: {difference:.1e}")
    tracemalloc.start()
    for k in range(length):
        model.partial_fit(*part(k))
        if k == length // 4:
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    print(f"allocated more after {length - length // 4} further parts: {grown / 1e3:.1f} kB")


if __name__ == "__main__":
    with two_threads():
        main()
