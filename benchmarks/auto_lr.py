"""lr="auto" against lr=0.01 where no curvature is known.

The tables are real. They come with scikit-learn and statsmodels, or are NIST's. A number is
the gap (J - J*) / (J0 - J*) of the objective J at the end, with J0 that of zero coefficients
and J* the lowest. J* is known from linear programs, from least squares, or from L-BFGS. The
table shows the largest gap and the geometric mean over the tables of data, and on how many of
them "auto" ends lower.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from scipy.optimize import linprog, minimize
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.exceptions import ConvergenceWarning

from benchmarks._peers import missing
from benchmarks._report import Report, Row
from sklearn_gd import GDLinearRegressor
from tests.reference import nist

Data = tuple[np.ndarray, np.ndarray]
_STATSMODELS = [
    "longley",
    "stackloss",
    "engel",
    "fair",
    "scotland",
    "star98",
    "grunfeld",
    "copper",
    "statecrime",
    "strikes",
]
_MAX_ROWS = 300  # a linear program of more rows takes long


def tables() -> dict[str, Data]:
    """The data by name: features and one target."""
    linnerud = load_linnerud()
    found: dict[str, Data] = {
        "diabetes": load_diabetes(return_X_y=True),
        "linnerud": (linnerud.data, linnerud.target[:, 0]),
        "norris": nist()["norris"][:2],
    }
    for name in () if "statsmodels" in missing() else _STATSMODELS:
        loaded = import_module(f"statsmodels.datasets.{name}").load_pandas()
        X = np.asarray(loaded.exog.select_dtypes("number"), dtype=float)
        y = np.asarray(loaded.endog, dtype=float).reshape(len(X), -1)[:, 0]
        X = X[:, X.std(axis=0) > 0]
        found[name] = X[:_MAX_ROWS], y[:_MAX_ROWS]
    return found


def lowest_quantile_loss(X: np.ndarray, y: np.ndarray, quantile: float, epsilon: float) -> float:
    """The lowest mean of max(q r, (q - 1) r) beyond an insensitive zone, by a linear program."""
    (n, p), ones = X.shape, np.ones((len(X), 1))
    Z = np.hstack([ones, (X - X.mean(axis=0)) / X.std(axis=0)])
    rows = np.block([[-Z, -np.eye(n), np.zeros((n, n))], [Z, np.zeros((n, n)), -np.eye(n)]])
    cost = np.r_[np.zeros(p + 1), np.full(n, quantile / n), np.full(n, (1 - quantile) / n)]
    bounds = [(None, None)] * (p + 1) + [(0, None)] * (2 * n)
    solved = linprog(cost, A_ub=rows, b_ub=np.r_[epsilon - y, epsilon + y], bounds=bounds)
    return float(solved.fun)


def lowest_power_loss(X: np.ndarray, y: np.ndarray, power: float) -> float:
    """The lowest mean of |r| to a power above 1."""
    U, s, _ = np.linalg.svd((X - X.mean(axis=0)) / X.std(axis=0), full_matrices=False)
    Z = np.hstack([np.ones((len(X), 1)), U[:, s > 1e-10 * s[0]] * np.sqrt(len(X))])
    unit = y.std()
    t = (y - y.mean()) / unit

    def value(u: np.ndarray) -> tuple[float, np.ndarray]:
        r = t - Z @ u
        slope = power * np.sign(r) * np.abs(r) ** (power - 1)
        return float(np.mean(np.abs(r) ** power)), -Z.T @ slope / len(t)

    options = {"maxiter": 5000, "gtol": 1e-12, "ftol": 1e-15}
    start = Z.T @ t / len(t)
    solved = minimize(value, start, jac=True, method="L-BFGS-B", options=options)
    return float(solved.fun) * unit**power


Lowest = Callable[[np.ndarray, np.ndarray], float]


class Setting:
    """A loss with its options, and its lowest value on a table."""

    def __init__(self, lowest: Lowest, **params: Any):
        self.lowest, self.params = lowest, params


def _quantile(q: float) -> Lowest:
    return lambda X, y: lowest_quantile_loss(X, y, q, 0.0)


def _least_absolute(X: np.ndarray, y: np.ndarray) -> float:
    return 2.0 * lowest_quantile_loss(X, y, 0.5, 0.0)


def _absolute(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (prediction - target).abs()


def _power(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (prediction - target).abs() ** 1.5


SETTINGS = {
    "absolute_error": Setting(_least_absolute, loss="absolute_error"),
    "quantile 0.9": Setting(_quantile(0.9), loss="quantile", loss_params={"quantile": 0.9}),
    "quantile 0.1": Setting(_quantile(0.1), loss="quantile", loss_params={"quantile": 0.1}),
    "epsilon_insensitive": Setting(
        lambda X, y: 2.0 * lowest_quantile_loss(X, y, 0.5, 0.1), loss="epsilon_insensitive"
    ),
    "callable |r|": Setting(_least_absolute, loss=_absolute),
    "callable |r|^1.5": Setting(lambda X, y: lowest_power_loss(X, y, 1.5), loss=_power),
    "squared error, batches of 8": Setting(
        lambda X, y: lowest_power_loss(X, y, 2.0), batch_size=8, random_state=0
    ),
    "absolute_error, batches of 8": Setting(
        _least_absolute, loss="absolute_error", batch_size=8, random_state=0
    ),
}


def gaps(data: Data, setting: Setting, epochs: Sequence[int]) -> np.ndarray:
    """The gaps (epochs, learning rates) on one table."""
    lowest = setting.lowest(*data)

    def fitted(**params: Any) -> Any:
        return GDLinearRegressor(**{**setting.params, **params}).fit(*data)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        at_zero = fitted(batch_size=None, epochs=1).loss_curve_[0]
        ends = [[fitted(lr=lr, epochs=n).loss_ for lr in (0.01, "auto")] for n in epochs]
    return (np.array(ends) - lowest) / (at_zero - lowest)


def auto_lr(report: Report) -> None:
    """lr="auto" against lr=0.01 on 13 tables of real data, where no curvature is known."""
    data = tables()
    if report.quick:
        data = {"diabetes": tuple(part[:40] for part in data["diabetes"])}
    rows: list[Row] = []
    for name, setting in SETTINGS.items():
        epochs = (10, 100) if "batch_size" in setting.params else (100, 1000)
        epochs = report.pick(epochs, (2, 5))
        all_gaps = np.array([gaps(table, setting, epochs) for table in data.values()])
        all_gaps = all_gaps.clip(1e-8)  # what is below is rounding
        for i, n in enumerate(epochs):
            found = all_gaps[:, i]
            worst, mean = found.max(axis=0), np.exp(np.log(found).mean(axis=0))
            rows.append(
                {
                    "loss": name,
                    "epochs": n,
                    "worst, 0.01": float(worst[0]),
                    "worst, auto": float(worst[1]),
                    "mean, 0.01": float(mean[0]),
                    "mean, auto": float(mean[1]),
                    "auto is lower": f"{(found[:, 1] < found[:, 0]).sum()} of {len(found)}",
                }
            )
    report.table("gaps", rows)
