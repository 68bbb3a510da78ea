"""Searches by cross-validation against single fits, RidgeCV, LassoCV and glum."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LassoCV, RidgeCV, SGDRegressor
from sklearn.model_selection import GridSearchCV

from benchmarks._data import correlated, linear_data
from benchmarks._memory import measure
from benchmarks._peers import glum_cv, if_installed, skorch_regressor
from benchmarks._report import Report
from benchmarks._timing import Task, coefficients, compare
from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV

FOLDS = 5
SKORCH_LRS, SKORCH_FOLDS = 1, 2  # of the search with skorch; the time is scaled to all fits
HUBER = {"loss": "huber", "loss_params": {"delta": 50.0}}


def search(report: Report) -> None:
    """20 learning rates x 5 folds x 1,000 epochs: all fits at once, against single fits."""
    epochs = report.pick(1000, 20)
    lrs = np.geomspace(0.001, 0.9, report.pick(20, 3))
    X, y = load_diabetes(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grid = {"lr": lrs}
        ours = Task("GDLinearRegressorCV", lambda: _by_lr(lrs, epochs).fit(X, y))
        tasks = [
            ours,
            _grid_task("GDLinearRegressor", GDLinearRegressor(epochs=epochs), grid, X, y),
            _grid_task(
                "SGDRegressor (20 alphas)",
                SGDRegressor(),
                {"alpha": np.geomspace(1e-6, 1e-1, len(lrs))},
                X,
                y,
                within=None,
            ),
        ]
        exact = "GridSearchCV, GDLinearRegressor"
        compare(report, "diabetes, 442 x 10", tasks, rounds=5, exact=exact, answer=_best)
        for make in if_installed("skorch", "", lambda: _skorch_task(X, y, lrs, epochs)).values():
            compare(report, "diabetes, skorch", [ours, make()], rounds=3)
        huber = [
            Task("GDLinearRegressorCV", lambda: _by_lr(lrs, epochs, **HUBER).fit(X, y)),
            _grid_task("GDLinearRegressor", GDLinearRegressor(epochs=epochs, **HUBER), grid, X, y),
        ]
        compare(report, "diabetes, Huber's loss", huber, rounds=1, exact=exact, answer=_best)
        tall_X, tall_y = linear_data(report.pick(100_000, 1000), 50)
        one = [
            Task("GDLinearRegressor, one fit", lambda: GDLinearRegressor().fit(tall_X, tall_y)),
            Task("GDLinearRegressorCV", lambda: _by_lr(lrs, epochs).fit(tall_X, tall_y)),
        ]
        compare(report, "100,000 x 50, against one plain fit", one, rounds=7)
    n_lrs = report.pick(1000, 5)
    peak = measure(prepare_search, n_lrs, 10)
    row = {"learning rates": n_lrs, "folds": 10, "s": peak.seconds, "extra MB": peak.megabytes}
    report.table("many learning rates, diabetes", [row])


def alphas(report: Report) -> None:
    """50 penalties x 5 folds on 20,000 x 50, lr="auto": against RidgeCV, LassoCV and glum."""
    n_rows = report.pick(20_000, 500)
    X, y = linear_data(n_rows, 50, noise=5.0)
    n_train = n_rows * (FOLDS - 1) / FOLDS
    ridge_alphas = np.logspace(-3, 3, report.pick(50, 5))
    tasks = [
        # alpha is 2/n times the alpha of Ridge
        Task("GDLinearRegressorCV", lambda: _by_alpha(2.0 * ridge_alphas / n_train, 0.0).fit(X, y)),
        Task("RidgeCV, leave one out", lambda: RidgeCV(ridge_alphas).fit(X, y), within=None),
        Task("RidgeCV(cv=5)", lambda: RidgeCV(ridge_alphas, cv=FOLDS).fit(X, y)),
    ]
    # the answer is the penalty, because ours fits all rows with the same penalty of a mean
    compare(
        report,
        "L2",
        tasks,
        rounds=3,
        exact="RidgeCV(cv=5)",
        answer=lambda model: _ridge_alpha(model, n_train),
    )
    for correlation in (0.0, 0.9):
        _compare_l1(report, f"L1, correlation {correlation}", correlated(X, correlation), y)


def _compare_l1(report: Report, title: str, X: np.ndarray, y: np.ndarray) -> None:
    """The path of LassoCV, with the same alphas in all searches."""
    n_alphas = report.pick(50, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        def lasso() -> LassoCV:
            n_jobs = report.pick(2, 1)
            model = LassoCV(alphas=n_alphas, cv=FOLDS, tol=1e-10, max_iter=10_000, n_jobs=n_jobs)
            return model.fit(X, y)

        grid = lasso().alphas_
        tasks = [
            # alpha is twice the alpha of Lasso
            Task(
                "GDLinearRegressorCV",
                lambda: _by_alpha(2.0 * grid, 1.0).fit(X, y),
                within=1e-4,
            ),
            Task("LassoCV(tol=1e-10, n_jobs=2)", lasso),
        ]
        for name, make in if_installed(
            "glum", "glum GeneralizedLinearRegressorCV", lambda: glum_cv(grid, 1.0, FOLDS)
        ).items():
            tasks.append(Task(name, lambda make=make: make().fit(X, y), within=1e-4))
        compare(report, title, tasks, rounds=3, exact="LassoCV(tol=1e-10, n_jobs=2)")


def _by_lr(lrs: np.ndarray, epochs: int, **params: Any) -> GDLinearRegressorCV:
    """A search over learning rates."""
    return GDLinearRegressorCV(lrs=lrs, epochs=epochs, cv=FOLDS, **params)


def _by_alpha(alphas: np.ndarray, l1_ratio: float) -> GDLinearRegressorCV:
    """A search over penalties.

    With an L1 penalty, correlated columns and no momentum, ``tol=1e-9`` stops when the objective is
    near enough, but some coefficients are still 10 % away. So there the descent has momentum and a
    smaller `tol`.
    """
    params: dict[str, Any] = {"tol": 1e-9}
    if l1_ratio:
        params = {"tol": 1e-12, "optimizer_params": {"momentum": 0.9, "nesterov": True}}
    return GDLinearRegressorCV(lrs=("auto",), alphas=alphas, l1_ratio=l1_ratio, cv=FOLDS, **params)


def _grid_task(
    name: str, model: Any, grid: dict[str, np.ndarray], X: Any, y: Any, within: float | None = 1e-6
) -> Task:
    """GridSearchCV over a model."""
    return Task(
        f"GridSearchCV, {name}",
        lambda: GridSearchCV(model, grid, cv=FOLDS).fit(X, y),
        within=within,
    )


def _best(search: Any) -> np.ndarray:
    """The coefficients of the best model."""
    return coefficients(search.best_estimator_)


def _ridge_alpha(model: Any, n_train: float) -> float:
    """The penalty that was chosen, in the units of Ridge."""
    is_ours = isinstance(model, GDLinearRegressorCV)
    return float(model.alpha_ * n_train / 2 if is_ours else model.alpha_)


def _skorch_task(X: np.ndarray, y: np.ndarray, lrs: np.ndarray, epochs: int) -> Task:
    """GridSearchCV over a few fits of skorch."""
    targets = y.astype(np.float32)[:, None]
    net = skorch_regressor(X.shape[1], max_epochs=epochs, batch_size=-1)
    grid = {"lr": lrs[:SKORCH_LRS]}
    return Task(
        f"GridSearchCV, skorch (from {SKORCH_LRS} lrs, {SKORCH_FOLDS} folds)",
        lambda: GridSearchCV(net, grid, cv=SKORCH_FOLDS, refit=False).fit(
            X.astype(np.float32), targets
        ),
        fraction=SKORCH_LRS * SKORCH_FOLDS / (len(lrs) * FOLDS + 1),
    )


def prepare_search(n_lrs: int, n_folds: int) -> Callable[[], object]:
    """A search over many learning rates on the diabetes data."""
    X, y = load_diabetes(return_X_y=True)
    GDLinearRegressorCV(lrs=(0.1, 0.5), epochs=100).fit(X, y)  # imports all modules
    model = GDLinearRegressorCV(lrs=np.geomspace(1e-3, 0.9, n_lrs), cv=n_folds)
    return lambda: model.fit(X, y)
