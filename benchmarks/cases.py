"""Fits of one data set by several models: time, answer and peak memory.

The first model of a case is ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from benchmarks._data import linear_data
from benchmarks._memory import measure
from benchmarks._peers import Maker, StatsmodelsOLS, glum, if_installed
from benchmarks._report import Report, Row
from benchmarks._timing import Answer, Task, coefficients, compare
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments, inference


class Case(NamedTuple):
    """A shape of data and the models that are fitted to it."""

    n_rows: int
    n_columns: int
    models: dict[str, Maker]
    exact: str  # the model whose answer is the reference
    noise: float = 1.0
    answer: Answer = coefficients

    def data(self, quick: bool) -> tuple[np.ndarray, np.ndarray]:
        """X and y, which are small under ``--quick``."""
        n, p = self.n_rows, self.n_columns
        if quick:
            n, p = n if n <= 500 else 200, max(p // 10, 3)
        return linear_data(n, p, noise=self.noise)


class MomentsTable:
    """Moments in one pass, a fit of them, and the table of the coefficients."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> MomentsTable:
        """Print nothing, but make the text."""
        moments = Moments.of(X, y)
        result = inference(GDLinearRegressor().fit(moments), moments)
        result.summary()
        self.bse_ = np.asarray(result.bse)
        return self


def standard_errors(model: Any) -> np.ndarray | None:
    """The standard errors of a model, if it has computed them."""
    return getattr(model, "bse_", None)


def _wide_l2(n: int) -> dict[str, Maker]:
    """Models with the same L2 penalty: our alpha is 2/n times the alpha of Ridge."""
    return {
        "GDLinearRegressor": lambda: GDLinearRegressor(alpha=2.0 / n),
        "Ridge": Ridge,
    }


_OLS: dict[str, Maker] = if_installed("statsmodels", "statsmodels OLS", StatsmodelsOLS)
_WIDE: dict[str, Maker] = {
    "GDLinearRegressor": GDLinearRegressor,
    "Ridge(alpha=1e-6)": lambda: Ridge(alpha=1e-6),
}
_LINEAR: dict[str, Maker] = {
    **_WIDE,
    "LinearRegression": LinearRegression,
    **if_installed("glum", "glum", glum),
    **_OLS,
}
_POLYNOMIAL: dict[str, Maker] = {
    "GDPolynomialRegressor": lambda: GDPolynomialRegressor(degree=3),
    "PolynomialFeatures + LinearRegression": lambda: make_pipeline(
        PolynomialFeatures(3, include_bias=False), LinearRegression()
    ),
}
_TABLES: dict[str, Maker] = {
    "Moments, GDLinearRegressor and inference": MomentsTable,
    "GDLinearRegressor alone": GDLinearRegressor,
    **if_installed("statsmodels", "statsmodels OLS", lambda: StatsmodelsOLS(summary=True)),
}

CASES: dict[str, Case] = {
    "1,000,000 x 50": Case(1_000_000, 50, _LINEAR, "LinearRegression"),
    "1,000,000 x 50, no noise": Case(1_000_000, 50, _LINEAR, "LinearRegression", noise=0.0),
    "1,000,000 x 10, degree 3": Case(1_000_000, 10, _POLYNOMIAL, list(_POLYNOMIAL)[-1]),
    "1,000,000 x 50, table": Case(
        1_000_000, 50, _TABLES, list(_TABLES)[-1 if _OLS else 0], answer=standard_errors
    ),
    "10,000 x 3,000": Case(10_000, 3_000, _WIDE, "Ridge(alpha=1e-6)"),
    "2,000 x 20,000": Case(2_000, 20_000, _WIDE, "Ridge(alpha=1e-6)"),
    "500 x 5,000, L2": Case(500, 5_000, _wide_l2(500), "Ridge"),
    "100 x 20,000, L2": Case(100, 20_000, _wide_l2(100), "Ridge"),
}


def compare_case(report: Report, name: str, rounds: int, *, more: Sequence[Task] = ()) -> None:
    """Time the models of a case, and further tasks on the same data."""
    case = CASES[name]
    X, y = case.data(report.quick)
    tasks = [Task(each, lambda make=make: make().fit(X, y)) for each, make in case.models.items()]
    title = report.pick(name, f"{name}, made small: {X.shape[0]:,} x {X.shape[1]:,}")
    compare(report, title, [*tasks, *more], rounds, exact=case.exact, answer=case.answer)


def compare_memory(report: Report, names: Sequence[str]) -> None:
    """Peak memory of the models of some cases. Every fit runs in a new process."""
    rows: list[Row] = []
    for name in report.pick(names, names[:1]):
        case = CASES[name]
        size = case.n_rows * case.n_columns * 8 / 1e6
        for model in report.pick(list(case.models), list(case.models)[:1]):
            extra = measure(prepare_fit, name, model, report.quick).megabytes
            relative = None if extra is None else extra / size
            rows.append({"X": name, "": model, "extra MB": extra, "of X": relative})
    report.table("peak memory beyond the data", rows)


def prepare_fit(name: str, model_name: str, quick: bool) -> Callable[[], object]:
    """The fit of a model of a case, whose modules are imported."""
    case = CASES[name]
    model = case.models[model_name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*case.data(quick=True))
    X, y = case.data(quick)
    return lambda: model.fit(X, y)
