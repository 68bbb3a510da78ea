"""Plain fits against other estimators of least squares: time, answer and memory."""

from __future__ import annotations

import warnings

import torch
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from benchmarks._data import linear_data, plain_loop
from benchmarks._report import Report
from benchmarks._timing import Task, compare
from benchmarks.cases import CASES, compare_case, compare_memory
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

PLAIN_EPOCHS = 10  # of the plain loop on 1,000,000 rows; the time is scaled to 1,000 epochs
WIDE = ("10,000 x 3,000", "2,000 x 20,000", "500 x 5,000, L2", "100 x 20,000, L2")


def tall(report: Report) -> None:
    """1,000,000 x 50, default parameters, 1,000 epochs."""
    X, y = CASES["1,000,000 x 50"].data(report.quick)
    plain = Task(
        f"plain torch loop (from {PLAIN_EPOCHS} epochs)",
        lambda: plain_loop(X, y, torch.optim.SGD, PLAIN_EPOCHS),
        fraction=PLAIN_EPOCHS / 1000,
        within=None,
    )
    compare_case(report, "1,000,000 x 50", rounds=5, more=[plain])


def noise_free(report: Report) -> None:
    """1,000,000 x 50, targets without noise: a second pass computes the residuals."""
    compare_case(report, "1,000,000 x 50, no noise", rounds=5)


def polynomial(report: Report) -> None:
    """1,000,000 x 10 at degree 3."""
    compare_case(report, "1,000,000 x 10, degree 3", rounds=2)


def memory(report: Report) -> None:
    """Peak memory beyond the data. Every fit runs in a new process (Linux only)."""
    compare_memory(report, list(CASES))


def error_bars(report: Report) -> None:
    """1,000,000 x 50: one pass for moments, a fit and the table of coefficients."""
    compare_case(report, "1,000,000 x 50, table", rounds=3)


def wide(report: Report) -> None:
    """As many columns as rows or more, and many columns: against Ridge."""
    for case in WIDE:
        compare_case(report, case, rounds=3)


def small(report: Report) -> None:
    """20 x 2, NAdam, 1,000 epochs, against a plain loop that calls `.item()` in each epoch."""
    X, y = linear_data(20, 2)
    model = GDLinearRegressor(optimizer="nadam", precondition=None)
    tasks = [
        Task("GDLinearRegressor", lambda: model.fit(X, y), within=1e-3),
        Task("plain torch loop", lambda: plain_loop(X, y, torch.optim.NAdam, 1000)),
        Task("LinearRegression", lambda: LinearRegression().fit(X, y), within=None),
    ]
    compare(report, "20 x 2, NAdam", tasks, rounds=15, exact="plain torch loop")


def many_terms(report: Report) -> None:
    """Diabetes at degree 6 (8,007 terms of 442 rows), against a pipeline with LinearRegression."""
    X, y = load_diabetes(return_X_y=True)
    degree = report.pick(6, 2)
    pipeline = make_pipeline(PolynomialFeatures(degree, include_bias=False), LinearRegression())
    tasks = [
        Task("GDPolynomialRegressor", lambda: GDPolynomialRegressor(degree=degree).fit(X, y)),
        Task("PolynomialFeatures + LinearRegression", lambda: pipeline.fit(X, y)),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(report, f"442 x 10, degree {degree}", tasks, rounds=3)
