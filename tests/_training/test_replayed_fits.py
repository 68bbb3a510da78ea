"""Fits whose epochs are replayed, by the twin of a CUDA graph, equal fits without."""

import numpy as np
import pytest
import scipy.sparse
import torch

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressor, losses
from sklearn_gd._moments import tensor_data
from tests._solver import recorder

# a few epochs are enough here
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
Y = X @ rng.normal(size=(3, 2)) + rng.normal(size=(30, 2))
EPOCHS = 36


@pytest.fixture
def counts(monkeypatch):
    return recorder.install(monkeypatch)


def both(model, monkeypatch, X=X, y=Y, **fit_params):
    """The model fitted by replayed epochs and, without a recorder, by the plain loop."""
    replayed = model.fit(X, y, **fit_params)
    coef, intercept = replayed.coef_, replayed.intercept_
    curve = getattr(replayed, "loss_curve_", None)
    monkeypatch.undo()
    plain = model.fit(X, y, **fit_params)
    np.testing.assert_allclose(coef, plain.coef_, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(intercept, plain.intercept_, rtol=1e-12, atol=1e-14)
    if curve is not None:
        np.testing.assert_allclose(curve, plain.loss_curve_, rtol=1e-12)


SETTINGS = [{"loss": loss} for loss in losses.__all__ if loss != "squared_error"] + [
    {},
    {"precondition": None, "lr": 0.001},
    {"precondition": "standardize", "alpha": 0.1},
    {"fit_intercept": False},
    {"loss": "huber", "alpha": 0.1, "precondition": None, "optimizer": "adam"},
    {"optimizer": "adam"},
    {"early_stopping": True, "n_iter_no_change": EPOCHS, "random_state": 0},
    {"loss": "huber", "early_stopping": True, "n_iter_no_change": EPOCHS, "random_state": 0},
]


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_linear_fits(params, counts, monkeypatch):
    model = GDLinearRegressor(epochs=EPOCHS).set_params(**params)
    both(model, monkeypatch, sample_weight=rng.uniform(0.5, 2.0, 30))
    assert counts == [3]


@pytest.mark.parametrize(
    ("model", "X", "expected"),
    [
        (GDLinearRegressor(epochs=EPOCHS), rng.normal(size=(30, 50)), [3]),
        (GDLinearRegressor(epochs=EPOCHS, loss="huber"), rng.normal(size=(30, 50)), [3]),
        (GDLinearRegressor(epochs=EPOCHS), X * [1e-10, 1.0, 1e10], [3]),
        (GDPolynomialRegressor(epochs=EPOCHS, degree=3), X, [3]),
        (GDPolynomialRegressor(epochs=EPOCHS, loss="log_cosh"), X, [3]),
        (GDLinearRegressorCV(epochs=EPOCHS, alphas=(0.0, 0.1)), X, [3]),
    ],
)
def test_shapes(model, X, expected, counts, monkeypatch):
    both(model, monkeypatch, X)
    assert counts == expected


@pytest.mark.parametrize(
    "params",
    [
        {"loss": lambda prediction, target: (prediction - target).abs()},
        {"batch_size": 10, "random_state": 0},
        {"alpha": 0.1, "l1_ratio": 0.5},
        {"positive": True},
        {"average": True},
        {"lr_scheduler": torch.optim.lr_scheduler.LinearLR},
    ],
    ids=lambda params: next(iter(params)),
)
def test_fits_that_python_must_step(params, counts, monkeypatch):
    both(GDLinearRegressor(epochs=EPOCHS).set_params(**params), monkeypatch)
    assert counts == []


def test_sparse_rows_are_not_recorded(counts, monkeypatch):
    both(GDLinearRegressor(epochs=EPOCHS, loss="huber"), monkeypatch, scipy.sparse.csr_array(X))
    assert counts == []


@pytest.mark.parametrize("largest", [0, 500])  # 500 entries: only the validation rows are larger
def test_rows_that_every_epoch_expands_are_not_recorded(largest, counts, monkeypatch):
    """Their blocks may come from the host."""
    monkeypatch.setattr(tensor_data, "_MAX_EXPANDED_ENTRIES", largest)
    model = GDPolynomialRegressor(epochs=EPOCHS, loss="huber", early_stopping=True)
    X_val, y_val = rng.normal(size=(90, 3)), rng.normal(size=(90, 2))
    both(model, monkeypatch, X_val=X_val, y_val=y_val)
    assert counts == []
