"""Losses, penalties and mini-batches against the estimators people use for them."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import torch
from sklearn.linear_model import HuberRegressor, Lasso, SGDRegressor

from benchmarks._data import made
from benchmarks._timing import Contestant, race, table
from sklearn_gd import GDLinearRegressor, _regressor

SKORCH_ROWS = 50_000  # skorch's epoch is measured on these and scaled


def mini_batch() -> None:
    """1,000,000 x 50 in batches of 256: a further epoch, and a fit of one epoch."""
    X, y = made(1_000_000, 50)

    def ours(epochs: int) -> None:
        GDLinearRegressor(batch_size=256, epochs=epochs, random_state=0).fit(X, y)

    def peer(epochs: int) -> None:
        SGDRegressor(max_iter=epochs, tol=None, random_state=0).fit(X, y)

    contestants = [
        Contestant("GDLinearRegressor, 1 epoch", lambda: ours(1)),
        Contestant("GDLinearRegressor, 4 epochs / 4", lambda: ours(4), share=4),
        Contestant("SGDRegressor, 1 epoch", lambda: peer(1)),
        Contestant("SGDRegressor, 4 epochs / 4", lambda: peer(4), share=4),
    ]
    net = _skorch()
    if net is not None:
        rows = X[:SKORCH_ROWS].astype(np.float32), y[:SKORCH_ROWS, None].astype(np.float32)
        contestants.append(
            Contestant(
                f"skorch, 1 epoch (from {SKORCH_ROWS:,} rows)",
                lambda: net.fit(*rows),
                share=SKORCH_ROWS / 1_000_000,
            )
        )
    race(contestants, rounds=3)


def huber() -> None:
    """200,000 x 20, heavy tails, full batch, to 1e-6 of the optimum."""
    X, y = made(200_000, 20)
    y = y + 10 * np.random.default_rng(1).standard_t(2, size=len(y))
    peer = HuberRegressor(alpha=0.0, tol=1e-4, max_iter=1000).fit(X, y)
    delta = float(peer.epsilon * peer.scale_)  # the same loss, with the scale found

    def value(model: Any) -> float:
        r = np.abs(X @ model.coef_ + model.intercept_ - y)
        return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).mean())

    def ours(optimizer: str, epochs: int) -> GDLinearRegressor:
        return GDLinearRegressor(
            loss="huber",
            loss_params={"delta": delta},
            optimizer=optimizer,
            lr="auto",
            epochs=epochs,
        ).fit(X, y)

    best = value(ours("lbfgs", 60))
    print(f"gap to the optimum: HuberRegressor {value(peer) / best - 1:.1e}", end="")
    chosen = {}
    for optimizer in ("lbfgs", "sgd"):
        epochs = next(e for e in range(2, 200) if value(ours(optimizer, e)) / best - 1 < 1e-6)
        chosen[optimizer] = epochs
        print(f", {optimizer} in {epochs} epochs", end="")
    print("\n")
    race(
        [
            Contestant(f"GDLinearRegressor {name}", lambda n=name, e=epochs: ours(n, e))
            for name, epochs in chosen.items()
        ]
        + [
            Contestant(
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
        peer = _skglm()
        if peer is not None:
            models["skglm Lasso"] = lambda peer=peer: peer(alpha=0.05, tol=1e-6)
        exact = Lasso(0.05, tol=1e-12, max_iter=100_000).fit(X, y)

        def gap(model: Any, X: np.ndarray = X, y: np.ndarray = y) -> float:
            residual = y - X @ model.coef_ - model.intercept_
            return float(np.mean(residual**2) / 2 + 0.05 * np.abs(model.coef_).sum())

        print(f"correlation {correlation}\n")
        fitted = {name: make().fit(X, y) for name, make in models.items()}  # numba compiles here
        table(
            ["", "gap to the optimum", "same support"],
            [
                [
                    name,
                    f"{gap(model) / gap(exact) - 1:.1e}",
                    str(bool(np.array_equal(model.coef_ != 0, exact.coef_ != 0))),
                ]
                for name, model in fitted.items()
            ],
        )
        race(
            [
                Contestant(name, lambda make=make, X=X, y=y: make().fit(X, y))
                for name, make in models.items()
            ],
            rounds=3,
        )


def callbacks() -> None:
    """20 x 2, 1,000 epochs, no callback set, with and without the support for callbacks."""
    X, y = made(20, 2)
    model = GDLinearRegressor()

    def without() -> None:
        with (
            mock.patch.object(_regressor, "FitTask", _NoTask),
            mock.patch.object(_regressor, "with_progress_bar", lambda estimator, fit: fit()),
        ):
            model.fit(X, y)

    race(
        [
            Contestant("with support", lambda: model.fit(X, y)),
            Contestant("without", without),
        ],
        rounds=41,
    )


class _NoTask:
    """A task of a fit that tells nobody."""

    is_watched = False

    def __init__(self, *args: Any):
        pass

    def end(self, attributes: dict[str, Any]) -> None:
        """Nothing."""


def _skorch() -> Any:
    """Skorch's regressor on one linear layer, if it is installed."""
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


def _skglm() -> Any:
    """Skglm's Lasso, if it is installed."""
    try:
        from skglm import Lasso as Peer
    except ImportError:
        print("skglm is not installed\n")
        return None
    return Peer
