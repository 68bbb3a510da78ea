"""coef_init and intercept_init: where the descent starts."""

import re

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._data.polynomial import polynomial_features

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3)) + np.array([3.0, 0.0, -1.0])
Y = X @ [1.0, -2.0, 0.5] + 4.0 + RNG.normal(size=30)
TWO = np.column_stack([Y, X[:, 0] ** 2])
START = np.array([2.0, -1.0, 3.0])
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


def absolute(prediction, target):
    return (prediction - target).abs()


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", absolute])
def test_the_textbook_from_a_given_start(loss):
    x, y = torch.tensor(X), torch.tensor(Y)
    w = torch.tensor(START, requires_grad=True)
    c = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
    optimizer, curve = torch.optim.SGD([w, c], lr=0.01, momentum=0.5), []
    for _ in range(20):
        optimizer.zero_grad()
        residual = x @ w + c - y
        value = (residual.square() if loss == "squared_error" else residual.abs()).mean()
        value.backward()
        optimizer.step()
        curve.append(value.item())
    options = {"optimizer_params": {"momentum": 0.5}, "precondition": None, "epochs": 20}
    model = GDLinearRegressor(loss=loss, **options).fit(X, Y, coef_init=START, intercept_init=5.0)
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-10)
    np.testing.assert_allclose(model.coef_, w.detach().numpy(), rtol=1e-10)
    assert model.intercept_ == pytest.approx(c.item(), rel=1e-10)


OPTIONS = {
    "whitened": {},
    "huber": {"loss": "huber", "lr": 0.1},
    "ridge": {"alpha": 0.1},
    "lasso": {"alpha": 0.1, "l1_ratio": 1.0},
    "no intercept": {"fit_intercept": False},
    "batches": {"batch_size": 7, "random_state": 0},
    "float32": {},
}


@pytest.mark.parametrize("y", [Y, TWO], ids=["one target", "two targets"])
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_the_start_that_a_warm_start_has(name, kind, y):
    rows = X.astype(np.float32) if name == "float32" else X
    model = kind(epochs=8, **OPTIONS[name])
    before = kind(epochs=5, **OPTIONS[name]).fit(rows, y)
    by_hand = kind(epochs=8, warm_start=True, **OPTIONS[name])
    by_hand.coef_, by_hand.intercept_ = before.coef_, before.intercept_
    by_hand.fit(rows, y)
    model.fit(rows, y, coef_init=before.coef_, intercept_init=before.intercept_)
    np.testing.assert_array_equal(model.coef_, by_hand.coef_)
    np.testing.assert_array_equal(model.loss_curve_, by_hand.loss_curve_)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("loss", ["squared_error", "huber", absolute])
def test_without_an_intercept_predictions_are_centred(kind, loss):
    rows = X if kind is GDLinearRegressor else polynomial_features(3, 2, False).transform(X)
    coef = RNG.normal(size=rows.shape[1])
    model = kind(epochs=1, loss=loss, lr=1e-12).fit(X, Y, coef_init=coef)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-7)
    assert model.intercept_ == pytest.approx(Y.mean() - rows.mean(axis=0) @ coef, rel=1e-7)


def test_an_intercept_alone_starts_at_zero_coefficients():
    model = GDLinearRegressor(epochs=1, loss=absolute, lr=1e-12).fit(X, Y, intercept_init=7.0)
    np.testing.assert_allclose(model.coef_, 0.0, atol=1e-10)
    assert model.loss_curve_[0] == pytest.approx(np.abs(Y - 7.0).mean(), rel=1e-12)


def test_it_wins_over_a_warm_start():
    model = GDLinearRegressor(warm_start=True, epochs=3, precondition=None).fit(X, Y)
    model.fit(X, Y, coef_init=START, intercept_init=0.0)
    assert model.loss_curve_[3] == pytest.approx(np.mean((Y - X @ START) ** 2), rel=1e-10)


def test_negative_coefficients_are_projected():
    model = GDLinearRegressor(positive=True, epochs=200, lr=0.1)
    model.fit(X, Y, coef_init=[-5.0, -5.0, -5.0])
    assert not model.diverged_
    np.testing.assert_allclose(model.coef_, model.fit(X, Y).coef_, atol=1e-6)


def test_divergence_is_judged_against_the_start():
    """An end above the start has diverged, also where it is below the objective of zeros."""
    best = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y)
    model = GDLinearRegressor(precondition=None, lr=0.2, epochs=2)
    far = best.coef_ + 1e-3
    model.fit(X, Y, coef_init=far, intercept_init=best.intercept_)
    assert model.diverged_
    assert model.loss_ <= np.mean((Y - X @ far - best.intercept_) ** 2) * (1 + 1e-9)
    np.testing.assert_allclose(model.coef_, far, rtol=1e-2)


@pytest.mark.parametrize(
    ("kind", "y", "options", "given", "words"),
    [
        (GDLinearRegressor, Y, {}, {"coef_init": [1.0]}, "coef_init of GDLinearRegressor has shape (1,), and coef_ of this fit has shape (3,)"),  # noqa: E501
        (GDLinearRegressor, Y, {}, {"coef_init": [[1.0, 2.0, 3.0]]}, "has shape (1, 3)"),
        (GDLinearRegressor, TWO, {}, {"coef_init": START}, "shape (2, 3)"),
        (GDPolynomialRegressor, Y, {}, {"coef_init": START}, "shape (9,)"),
        (GDLinearRegressor, Y, {}, {"intercept_init": [1.0]}, "intercept_ of this fit has"),
        (GDLinearRegressor, TWO, {}, {"intercept_init": 1.0}, "has shape (2,)"),
        (GDLinearRegressor, Y, {}, {"coef_init": [1.0, np.nan, 0.0]}, "NaN or infinity"),
        (GDLinearRegressor, Y, {}, {"coef_init": ["a", "b", "c"]}, "must be numbers"),
        (GDLinearRegressor, Y, {"fit_intercept": False}, {"intercept_init": 1.0}, "must be None or 0"),  # noqa: E501
    ],
)  # fmt: skip
def test_refusals_leave_the_estimator_as_it_was(kind, y, options, given, words):
    model = kind(**options)
    with pytest.raises(ValueError, match=re.escape(words)):
        model.fit(X, y, **given)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "n_features_in_")
