"""What is not the descent: predictions, callbacks, the first fit of a process, a sparse epoch."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any
from unittest import mock

import numpy as np
from scipy import sparse
from sklearn.linear_model import LinearRegression

from benchmarks._data import linear_data
from benchmarks._report import Report, Row
from benchmarks._timing import Task, compare, seconds_of
from sklearn_gd import GDLinearRegressor
from sklearn_gd._estimators import base

FIRST_FIT = """
import time
start = time.perf_counter()
import torch
torch_import = time.perf_counter() - start
import numpy as np
import sklearn.linear_model
from sklearn_gd import GDLinearRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(100, 5))
y = X @ rng.normal(size=5) + rng.normal(size=100)
start = time.perf_counter()
GDLinearRegressor().fit(X, y)
print(torch_import, time.perf_counter() - start)
"""


def predict(report: Report) -> None:
    """Predictions for 1 row and for 1,000,000 rows, 50 features, time of one call."""
    X, y = linear_data(report.pick(1_000_000, 2000), 50)
    models = {
        "GDLinearRegressor": GDLinearRegressor(lr="auto").fit(X[:1000], y[:1000]),
        "LinearRegression": LinearRegression().fit(X[:1000], y[:1000]),
    }
    for rows, calls in ((X[:1], report.pick(500, 5)), (X, 1)):

        def repeat(model: Any, rows: np.ndarray = rows, calls: int = calls) -> np.ndarray:
            for _ in range(calls - 1):
                model.predict(rows)
            return model.predict(rows)

        tasks = [
            Task(name, lambda model=model: repeat(model), fraction=calls)
            for name, model in models.items()
        ]
        title = f"{len(rows):,} rows"
        compare(report, title, tasks, rounds=15, exact="LinearRegression", answer=np.asarray)


def callbacks(report: Report) -> None:
    """20 x 2, 1,000 epochs, no callbacks, with and without the code that supports callbacks."""
    X, y = linear_data(20, 2)
    model = GDLinearRegressor()

    def fit_without_support() -> GDLinearRegressor:
        with (
            mock.patch.object(base, "FitTask", _NoFitTask),
            mock.patch.object(base, "with_progress_bar", lambda estimator, fit: fit()),
        ):
            return model.fit(X, y)

    tasks = [
        Task("with support", lambda: model.fit(X, y)),
        Task("without support", fit_without_support),
    ]
    compare(report, "20 x 2", tasks, rounds=41, exact="without support")


class _NoFitTask:
    """Replaces `FitTask` and calls no callbacks."""

    is_watched = False

    def __init__(self, *args: Any):
        pass

    def end(self, attributes: dict[str, Any]) -> None:
        """Do nothing."""


def first_fit(report: Report) -> None:
    """The first fit of a process, 100 x 5, after the imports, against ``import torch``."""
    rows: list[Row] = []
    for _ in range(report.pick(3, 1)):
        command = [sys.executable, "-c", FIRST_FIT]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        imported, fitted = map(float, done.stdout.split())
        rows.append(
            {
                "s of import torch": imported,
                "s of the first fit": fitted,
                "ratio": fitted / imported,
            }
        )
    report.table("a new process", rows)


def sparse_epoch(report: Report) -> None:
    """An epoch of 100,000 x 50,000 with 5,000,000 entries, against the two products of SciPy."""
    n, p = report.pick((100_000, 50_000), (500, 400))
    epochs = report.pick(100, 2)  # beyond the first, of the sparse fit
    rng = np.random.default_rng(0)
    X = sparse.random(n, p, density=1e-3, format="csr", rng=rng)
    y = X @ rng.normal(size=p) + rng.normal(size=n)
    v, r = rng.normal(size=p), rng.normal(size=n)

    def products() -> None:
        for _ in range(epochs):
            X @ v
            X.T @ r

    def fit(n_epochs: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            GDLinearRegressor(epochs=n_epochs, lr="auto").fit(X, y)

    rows: list[Row] = []
    fit(1)  # the first fit of a process loads torch's optimizers
    for _ in range(report.pick(5, 1)):
        scipy = seconds_of(products) / epochs
        epoch = (seconds_of(lambda: fit(1 + epochs)) - seconds_of(lambda: fit(1))) / epochs
        rows.append(
            {"s of an epoch": epoch, "s of X·v and Xᵀ·r in SciPy": scipy, "ratio": epoch / scipy}
        )
    report.table(f"{n:,} x {p:,}", rows)
