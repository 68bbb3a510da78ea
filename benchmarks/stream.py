"""A long stream through ``partial_fit``: the time of a part and the memory must not grow."""

from __future__ import annotations

import gc
import pickle
import time
import tracemalloc

import numpy as np

from benchmarks._report import Report, Row
from sklearn_gd import GDLinearRegressor

ROWS, COLUMNS = 200, 10


def stream(report: Report) -> None:
    """1,000 parts of 200 x 10 rows through partial_fit, and the fit of all rows."""
    length = report.pick(250, 2)  # of a quarter of the stream
    model = GDLinearRegressor(lr="auto", tol=1e-12)
    table: list[Row] = []
    for quarter in range(4):
        seconds = []
        for number in range(quarter * length, (quarter + 1) * length):
            X, y = part(number)
            start = time.perf_counter()
            model.partial_fit(X, y)
            seconds.append(time.perf_counter() - start)
        size = len(pickle.dumps(model))
        milliseconds = 1e3 * float(np.median(seconds))
        table.append({"quarter": quarter + 1, "ms of a part": milliseconds, "model, bytes": size})
    report.table("a stream by quarters", table)
    parts = [part(number) for number in range(4 * length)]
    X, y = np.vstack([X for X, _ in parts]), np.concatenate([y for _, y in parts])
    whole = GDLinearRegressor(lr="auto", tol=1e-12).fit(X, y)
    difference = float(np.abs(whole.coef_ - model.coef_).max())
    report.table("at the end", [{"difference from fit": difference, "kB more": grown(length)}])
    report.check(difference < 1e-9, f"the stream differs from fit by {difference:.1e}")


def grown(length: int) -> float:
    """What Python has allocated more after so many further parts, in kB."""
    model = GDLinearRegressor(lr="auto", tol=1e-12).partial_fit(*part(0))
    tracemalloc.start()
    before = 0
    for number in range(length):
        model.partial_fit(*part(number))
        if number == length // 4:
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / 1e3


def part(number: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a part of the stream."""
    rng = np.random.default_rng(number)
    X = rng.normal(size=(ROWS, COLUMNS))
    return X, X @ np.linspace(-1.0, 1.0, COLUMNS) + rng.normal(size=ROWS)
