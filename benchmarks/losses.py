"""Losses, penalties and mini-batches, against other estimators for the same models."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.linear_model import HuberRegressor, Lasso, SGDRegressor

from benchmarks._data import correlated, linear_data
from benchmarks._peers import glum, if_installed, skglm_lasso, skorch_regressor
from benchmarks._report import Report
from benchmarks._timing import Task, compare
from sklearn_gd import GDLinearRegressor

SKORCH_ROWS = 50_000  # one epoch of skorch is measured on these rows; the time is scaled


def mini_batch(report: Report) -> None:
    """1,000,000 x 50 in batches of 256: fits of 1 and of 4 epochs. No answer is exact."""
    n_rows = report.pick(1_000_000, 1000)
    X, y = linear_data(n_rows, 50)
    exact = np.linalg.lstsq(np.c_[X, np.ones(n_rows)], y)[0]

    def fit_ours(epochs: int) -> GDLinearRegressor:
        return GDLinearRegressor(batch_size=256, epochs=epochs, random_state=0).fit(X, y)

    def fit_sgd_regressor(epochs: int) -> SGDRegressor:
        return SGDRegressor(max_iter=epochs, tol=None, random_state=0).fit(X, y)

    tasks = [
        Task("GDLinearRegressor, 1 epoch", lambda: fit_ours(1), within=None),
        Task("GDLinearRegressor, 4 epochs / 4", lambda: fit_ours(4), fraction=4, within=None),
        Task("SGDRegressor, 1 epoch", lambda: fit_sgd_regressor(1), within=None),
        Task("SGDRegressor, 4 epochs / 4", lambda: fit_sgd_regressor(4), fraction=4, within=None),
    ]
    compare(report, f"{n_rows:,} x 50", tasks, rounds=3, exact=exact)
    for make in if_installed("skorch", "", lambda: _skorch_task(X, y)).values():
        compare(report, "against skorch", [tasks[0], make()], rounds=3)


def _skorch_task(X: np.ndarray, y: np.ndarray) -> Task:
    """One epoch of skorch on a part of the rows."""
    rows = X[:SKORCH_ROWS].astype(np.float32), y[:SKORCH_ROWS, None].astype(np.float32)
    model = skorch_regressor(
        X.shape[1], batch_size=256, max_epochs=1, lr=0.01, iterator_train__shuffle=True
    )
    fraction = len(rows[0]) / len(X)
    return Task(f"skorch, 1 epoch (from {len(rows[0]):,} rows)", lambda: model.fit(*rows), fraction)


def huber(report: Report) -> None:
    """Huber's loss on 200,000 x 20, heavy tails, full batch, to within 1e-6 of the minimum."""
    n_rows = report.pick(200_000, 1000)
    X, y = linear_data(n_rows, 20)
    y = y + 10 * np.random.default_rng(1).standard_t(2, size=len(y))
    peer = HuberRegressor(alpha=0.0, tol=1e-4, max_iter=1000).fit(X, y)
    delta = float(peer.epsilon * peer.scale_)  # the same loss at the estimated scale

    def loss(coef: np.ndarray) -> float:
        error = np.abs(X @ coef[:-1] + coef[-1] - y)
        return float(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean())

    def fit_ours(optimizer: str, epochs: int) -> GDLinearRegressor:
        model = GDLinearRegressor(
            loss="huber",
            loss_params={"delta": delta},
            optimizer=optimizer,
            lr="auto",
            epochs=epochs,
        )
        with warnings.catch_warnings():  # few epochs are far from the optimum
            warnings.simplefilter("ignore")
            return model.fit(X, y)

    def at(model: GDLinearRegressor) -> np.ndarray:
        return np.append(model.coef_, model.intercept_)

    exact = at(fit_ours("lbfgs", 60))
    minimum = loss(exact)
    gap = loss(at(peer)) / minimum - 1
    report.check(abs(gap) < 1e-6, f"HuberRegressor ends {gap:.1e} from our minimum")

    def task(optimizer: str) -> Task:
        epochs = next(
            e for e in range(2, 200) if loss(at(fit_ours(optimizer, e))) / minimum - 1 < 1e-6
        )
        name = f"GDLinearRegressor {optimizer}, {epochs} epochs"
        return Task(name, lambda: fit_ours(optimizer, epochs), within=1e-2)

    tasks = [
        task("lbfgs"),
        task("sgd"),
        Task(
            "HuberRegressor",
            lambda: HuberRegressor(alpha=0.0, tol=1e-4, max_iter=1000).fit(X, y),
            within=1e-2,
        ),
    ]
    compare(report, f"{n_rows:,} x 20", tasks, rounds=5, exact=exact)


def lasso(report: Report) -> None:
    """Lasso on 100,000 x 200, columns uncorrelated and correlated at 0.9."""
    n_rows, p = report.pick((100_000, 200), (1000, 30))
    rng = np.random.default_rng(0)
    uncorrelated = rng.standard_normal((n_rows, p))
    for correlation in (0.0, 0.9):
        X = correlated(uncorrelated, correlation)
        y = X[:, :20] @ rng.standard_normal(20) + rng.standard_normal(n_rows)
        momentum, epochs = (0.5, 200) if correlation == 0.0 else (0.98, 2000)
        params = {"momentum": momentum, "nesterov": True}
        models = {
            "GDLinearRegressor": lambda params=params, epochs=epochs: GDLinearRegressor(
                alpha=0.1, l1_ratio=1.0, lr="auto", optimizer_params=params, epochs=epochs
            ),
            "Lasso(precompute=True)": lambda: Lasso(0.05, tol=1e-6, precompute=True),
            "Lasso": lambda: Lasso(0.05, tol=1e-6),
            **if_installed("skglm", "skglm Lasso", lambda: skglm_lasso(0.05)),
            **if_installed("glum", "glum", lambda: glum(0.05, 1.0)),
        }
        exact = Lasso(0.05, tol=1e-12, max_iter=100_000, precompute=True).fit(X, y)
        tasks = [
            Task(name, lambda make=make, X=X, y=y: make().fit(X, y), within=1e-4)
            for name, make in models.items()
        ]
        reference = np.append(exact.coef_, exact.intercept_)
        title = f"{n_rows:,} x {p}, correlation {correlation}"
        compare(report, title, tasks, rounds=3, exact=reference)
