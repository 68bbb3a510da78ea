"""What the laws share: random tables, configurations, and what equal models are."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

KINDS = [GDLinearRegressor, GDPolynomialRegressor]
EPOCHS = 10

examples = partial(
    settings,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # a table comes from its seed, so that a failure does not shrink
    suppress_health_check=list(HealthCheck),
)


class Table(NamedTuple):
    """Training data."""

    X: np.ndarray  # (samples, features)
    y: np.ndarray  # (samples,) or (samples, targets)
    weight: np.ndarray  # (samples,), positive
    rng: np.random.Generator  # for whatever else a law draws


def make_table(seed: int, n: int, p: int, targets: int) -> Table:
    """A table of moderate scale, where the textbook's descent at lr 0.001 converges."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.3, 1.5, size=p) + rng.normal(size=p) / 2
    y = X @ rng.normal(size=(p, targets)) + rng.normal(size=(n, targets)) + rng.normal()
    return Table(X, y[:, 0] if targets == 1 else y, rng.uniform(0.2, 2.0, size=n), rng)


tables = st.builds(
    make_table,
    seed=st.integers(0, 2**32 - 1),
    # Hypothesis tries the first values first
    n=st.sampled_from([15, 6, 24, 9]),
    p=st.sampled_from([3, 2, 4, 1]),
    targets=st.sampled_from([2, 1]),
)

TEXTBOOK = {"precondition": None, "lr": 0.001}
MOMENTUM = {"optimizer_params": {"momentum": 0.9}}
BATCHES = {"batch_size": 4, "random_state": 0}

SGD = {
    "defaults": {},
    "lr_auto": {"lr": "auto"},
    "standardize": {"precondition": "standardize"},
    "textbook": TEXTBOOK,
    "no_intercept": {"fit_intercept": False},
    "ridge": {"alpha": 0.3},
    "lasso": {"alpha": 0.1, "l1_ratio": 1.0},
    "elastic_net": {"alpha": 0.1, "l1_ratio": 0.5, "lr": "auto"},
    "positive": {"positive": True},
    "bounds": {"bounds": (-0.3, 0.5)},
    "huber": {"loss": "huber", "lr": 0.1},
    "quantile": {"loss": "quantile", "loss_params": {"quantile": 0.8}},
    "log_cosh_ridge": {"loss": "log_cosh", "alpha": 0.1, "lr": "auto"},
}
MOMENTA = {
    "momentum": MOMENTUM,
    "nesterov": {"optimizer_params": {"momentum": 0.8, "nesterov": True}},
    "lasso_momentum": {"alpha": 0.1, "l1_ratio": 1.0, **MOMENTUM},
    "textbook_momentum": {**TEXTBOOK, **MOMENTUM},
}
# Adaptive optimizers divide a gradient by its size. Where a coordinate starts at its optimum, as
# the intercept of Huber's loss may, that is rounding divided by rounding. Squared error
# eliminates the intercept.
ADAPTIVE = {
    "adam": {"optimizer": "adam"},
    "adagrad": {"optimizer": "adagrad", "lr": 0.1},
    "rprop": {"optimizer": "rprop", "alpha": 0.1},
    "lbfgs": {"optimizer": "lbfgs", "lr": "auto"},
}
OTHERS = {
    "scheduler": {"lr_scheduler": partial(lr_scheduler.StepLR, step_size=5)},
    "tol": {"tol": 1e-4, "lr": 0.3},
    "own_loss": {"loss": torch.nn.SmoothL1Loss(reduction="none"), "lr": 0.1},
}
FULL_BATCH = {**SGD, **MOMENTA, **ADAPTIVE, **OTHERS}
DRAWN = {  # where random numbers decide
    "batches": BATCHES,
    "huber_batches": {**BATCHES, "loss": "huber"},
    "early_stopping": {"early_stopping": True, "random_state": 0, "validation_fraction": 0.3},
}


def over(configurations: dict[str, dict[str, Any]], kinds=KINDS):
    """Run a test over estimators and configurations."""
    return pytest.mark.parametrize(
        ("kind", "options"),
        [
            pytest.param(kind, {"epochs": EPOCHS, **options}, id=f"{kind.__name__[2:-9]}-{name}")
            for kind in kinds
            for name, options in configurations.items()
        ],
    )


def without(configurations: dict[str, Any], *names: str) -> dict[str, Any]:
    """Configurations without some of them."""
    return {name: options for name, options in configurations.items() if name not in names}


def assert_close(actual, expected, size, rtol):
    """Arrays that differ by at most ``rtol`` of the largest of ``size``."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(size).max())


def assert_same_model(model, other, X, rtol, other_X=None):
    """Two models with the same curves, and the same predictions on the same rows."""
    expected = other.predict(X if other_X is None else other_X)
    assert model.n_iter_ == other.n_iter_
    assert_close(model.predict(X), expected, expected, rtol)
    start = other.loss_curve_[0]
    assert_close(model.loss_curve_, other.loss_curve_, start, rtol)
    assert_close(model.loss_, other.loss_, start, rtol)
