"""How the time grows with rows, columns and candidates."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV, SGDRegressor
from sklearn.model_selection import GridSearchCV

from benchmarks._data import linear_data
from benchmarks._peers import StatsmodelsOLS, glum, if_installed
from benchmarks._report import Report, Row
from benchmarks._timing import coefficients, difference_of, seconds_of
from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV

ROUNDS = 3
MODELS: dict[str, Callable[[], Any]] = {
    "GDLinearRegressor": GDLinearRegressor,
    "Ridge(alpha=1e-6)": lambda: Ridge(alpha=1e-6),
    "LinearRegression": LinearRegression,
    **if_installed("glum", "glum", glum),
    **if_installed("statsmodels", "statsmodels OLS", StatsmodelsOLS),
}


def by_rows(report: Report) -> None:
    """Time against rows, 50 columns; one pass is the product of X with a vector."""
    numbers = report.pick((100, 1_000, 10_000, 100_000, 1_000_000), (100, 200))
    rows = [_fits(report, n, 50) for n in numbers]
    report.table("seconds, 50 columns", rows)


def by_columns(report: Report) -> None:
    """Time against columns, 20,000 rows; one pass is the product of X with a vector."""
    n_rows = report.pick(20_000, 200)
    numbers = report.pick((2, 5, 10, 20, 50, 100, 200, 500, 1_000), (2, 5))
    rows = [_fits(report, n_rows, p) for p in numbers]
    report.table(f"seconds, {n_rows:,} rows", rows)


def by_candidates(report: Report) -> None:
    """Time of a search against candidates, 5 folds of 20,000 x 50; one pass is a product."""
    X, y = linear_data(report.pick(20_000, 200), 50, noise=5.0)
    epochs = report.pick(1000, 10)
    limits = report.pick({"lr": 10, "sgd": 10, "ridge": 1000}, {"lr": 2, "sgd": 2, "ridge": 2})
    rows: list[Row] = []
    for n in report.pick((1, 3, 10, 30, 100, 300, 1000), (1, 2, 5)):
        lrs, alphas = np.geomspace(0.005, 0.9, n), np.logspace(-3, 3, n)
        ours = {"epochs": epochs, "cv": 5}
        searches: dict[str, Any] = {
            "GDLinearRegressorCV, learning rates": GDLinearRegressorCV(lrs=lrs, **ours),
            "GDLinearRegressorCV, L2 penalties": GDLinearRegressorCV(
                lrs=("auto",), alphas=2.0 * alphas / len(X), **ours
            ),
            "RidgeCV, leave one out": RidgeCV(alphas),
        }
        if n <= limits["lr"]:
            model = GDLinearRegressor(epochs=epochs)
            searches["GridSearchCV, GDLinearRegressor"] = GridSearchCV(model, {"lr": lrs})
        if n <= limits["ridge"]:
            searches["GridSearchCV, Ridge"] = GridSearchCV(Ridge(), {"alpha": alphas})
        if n <= limits["sgd"]:
            grid = {"alpha": np.geomspace(1e-6, 1e-1, n)}
            searches["GridSearchCV, SGDRegressor"] = GridSearchCV(SGDRegressor(), grid)
        seconds = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, search in searches.items():
                seconds[name] = _seconds(report, lambda search=search: search.fit(X, y))
        row: Row = {"candidates": n, "one pass": _one_pass(report, X)}
        rows.append(row | {name: seconds.get(name) for name in CANDIDATES})
    report.table("seconds, 20,000 x 50, 5 folds", rows)


CANDIDATES = (
    "GDLinearRegressorCV, learning rates",
    "GDLinearRegressorCV, L2 penalties",
    "RidgeCV, leave one out",
    "GridSearchCV, Ridge",
    "GridSearchCV, SGDRegressor",
    "GridSearchCV, GDLinearRegressor",
)


def _fits(report: Report, n: int, p: int) -> Row:
    """The seconds of every model on data of a shape, whose answers are compared."""
    X, y = linear_data(n, p)
    exact = coefficients(LinearRegression().fit(X, y))
    row: Row = {"rows": n, "columns": p, "one pass": _one_pass(report, X)}
    for name, make in MODELS.items():
        difference = difference_of(coefficients(make().fit(X, y)), exact)
        is_right = difference is not None and difference < 1e-6
        report.check(is_right, f"{n:,} x {p:,}: {name} differs by {difference}")
        row[name] = _seconds(report, lambda make=make: make().fit(X, y))
    return row


def _one_pass(report: Report, X: np.ndarray) -> float:
    """Seconds in which every number of X is read once."""
    v = np.ones(X.shape[1])
    return _seconds(report, lambda: X @ v)


def _seconds(report: Report, run: Callable[[], Any]) -> float:
    """The median of the seconds of some calls."""
    return statistics.median(seconds_of(run) for _ in range(report.pick(ROUNDS, 1)))
