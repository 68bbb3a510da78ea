"""Losses, penalties, mini-batches and callbacks, against other estimators for the same models."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import torch
from sklearn.linear_model import HuberRegressor, Lasso, SGDRegressor

from benchmarks._data import linear_data
from benchmarks._timing import Task, compare, print_table
from sklearn_gd import GDLinearRegressor
from sklearn_gd._estimators import base

SKORCH_ROWS = 50_000  # one epoch of skorch is measured on these rows; the time is scaled


def mini_batch() -> None:
    """1,000,000 x 50 in batches of 256: fits of 1 epoch and of 4 epochs."""
    X, y = linear_data(1_000_000, 50)

    def fit_ours(epochs: int) -> None:
        GDLinearRegressor(batch_size=256, epochs=epochs, random_state=0).fit(X, y)

    def fit_sgd_regressor(epochs: int) -> None:
        SGDRegressor(max_iter=epochs, tol=None, random_state=0).fit(X, y)

    tasks = [
        Task("GDLinearRegressor, 1 epoch", lambda: fit_ours(1)),
        Task("GDLinearRegressor, 4 epochs / 4", lambda: fit_ours(4), fraction=4),
        Task("SGDRegressor, 1 epoch", lambda: fit_sgd_regressor(1)),
        Task("SGDRegressor, 4 epochs / 4", lambda: fit_sgd_regressor(4), fraction=4),
    ]
    skorch = _mini_batch_skorch()
    if skorch is not None:
        rows = X[:SKORCH_ROWS].astype(np.float32), y[:SKORCH_ROWS, None].astype(np.float32)
        tasks.append(
            Task(
                f"skorch, 1 epoch (from {SKORCH_ROWS:,} rows)",
                lambda: skorch.fit(*rows),
                fraction=SKORCH_ROWS / 1_000_000,
            )
        )
    compare(tasks, rounds=3)


def huber() -> None:
    """Huber's loss on 200,000 x 20, heavy tails, full batch, to within 1e-6 of the minimum."""
    X, y = linear_data(200_000, 20)
    y = y + 10 * np.random.default_rng(1).standard_t(2, size=len(y))
    reference = HuberRegressor(alpha=0.0, tol=1e-4, max_iter=1000).fit(X, y)
    delta = float(reference.epsilon * reference.scale_)  # the same loss at the estimated scale

    def loss(model: Any) -> float:
        error = np.abs(X @ model.coef_ + model.intercept_ - y)
        return float(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean())

    def fit_ours(optimizer: str, epochs: int) -> GDLinearRegressor:
        return GDLinearRegressor(
            loss="huber",
            loss_params={"delta": delta},
            optimizer=optimizer,
            lr="auto",
            epochs=epochs,
        ).fit(X, y)

    minimum = loss(fit_ours("lbfgs", 60))
    print(
        f"relative gap to the minimum: HuberRegressor {loss(reference) / minimum - 1:.1e}", end=""
    )
    epochs_of = {}
    for optimizer in ("lbfgs", "sgd"):
        epochs = next(e for e in range(2, 200) if loss(fit_ours(optimizer, e)) / minimum - 1 < 1e-6)
        epochs_of[optimizer] = epochs
        print(f", {optimizer} in {epochs} epochs", end="")
    print("\n")
    compare(
        [
            Task(f"GDLinearRegressor {name}", lambda n=name, e=epochs: fit_ours(n, e))
            for name, epochs in epochs_of.items()
        ]
        + [
            Task(
                "HuberRegressor",
                lambda: HuberRegressor(alpha=0.0, tol=1e-4, max_iter=1000).fit(X, y),
            )
        ],
        rounds=5,
    )


def lasso() -> None:
    """Lasso on 100,000 x 200, columns uncorrelated and correlated at 0.9."""
    rng = np.random.default_rng(0)
    for correlation in (0.0, 0.9):
        common = rng.standard_normal((100_000, 1))
        X = np.sqrt(1 - correlation) * rng.standard_normal((100_000, 200))
        X += np.sqrt(correlation) * common
        y = X[:, :20] @ rng.standard_normal(20) + rng.standard_normal(100_000)
        momentum = 0.5 if correlation == 0.0 else 0.98
        models = {
            "GDLinearRegressor": lambda m=momentum: GDLinearRegressor(
                alpha=0.1,
                l1_ratio=1.0,
                lr="auto",
                optimizer_params={"momentum": m, "nesterov": True},
                epochs=2000 if m > 0.9 else 200,
            ),
            "Lasso": lambda: Lasso(0.05, tol=1e-6),
        }
        skglm_lasso = _skglm_lasso()
        if skglm_lasso is not None:
            models["skglm Lasso"] = lambda make_model=skglm_lasso: make_model(alpha=0.05, tol=1e-6)
        exact = Lasso(0.05, tol=1e-12, max_iter=100_000).fit(X, y)

        def objective(model: Any, X: np.ndarray = X, y: np.ndarray = y) -> float:
            residual = y - X @ model.coef_ - model.intercept_
            return float(np.mean(residual**2) / 2 + 0.05 * np.abs(model.coef_).sum())

        print(f"correlation {correlation}\n")
        # numba compiles here, before the timing
        fitted = {name: make_model().fit(X, y) for name, make_model in models.items()}
        print_table(
            ["", "relative gap to the minimum", "same support"],
            [
                [
                    name,
                    f"{objective(model) / objective(exact) - 1:.1e}",
                    str(bool(np.array_equal(model.coef_ != 0, exact.coef_ != 0))),
                ]
                for name, model in fitted.items()
            ],
        )
        compare(
            [
                Task(name, lambda make_model=make_model, X=X, y=y: make_model().fit(X, y))
                for name, make_model in models.items()
            ],
            rounds=3,
        )


def callbacks() -> None:
    """20 x 2, 1,000 epochs, no callbacks, with and without the code that supports callbacks."""
    X, y = linear_data(20, 2)
    model = GDLinearRegressor()

    def fit_without_support() -> None:
        with (
            mock.patch.object(base, "FitTask", _NoFitTask),
            mock.patch.object(base, "with_progress_bar", lambda estimator, fit: fit()),
        ):
            model.fit(X, y)

    compare(
        [
            Task("with support", lambda: model.fit(X, y)),
            Task("without support", fit_without_support),
        ],
        rounds=41,
    )


class _NoFitTask:
    """Replaces `FitTask` and calls no callbacks."""

    is_watched = False

    def __init__(self, *args: Any):
        pass

    def end(self, attributes: dict[str, Any]) -> None:
        """Do nothing."""


def _mini_batch_skorch() -> Any:
    """A skorch regressor with one linear layer for batches of 256, or None without skorch."""
    try:
        from skorch import NeuralNetRegressor
    except ImportError:
        print("skorch is not installed\n")
        return None
    return NeuralNetRegressor(
        torch.nn.Linear,
        module__in_features=50,
        module__out_features=1,
        batch_size=256,
        max_epochs=1,
        lr=0.01,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=True,
    )


def _skglm_lasso() -> Any:
    """The class Lasso of skglm, or None without skglm."""
    try:
        from skglm import Lasso as SkglmLasso
    except ImportError:
        print("skglm is not installed\n")
        return None
    return SkglmLasso
