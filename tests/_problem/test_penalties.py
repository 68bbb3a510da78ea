"""Losses and penalties arrive where scikit-learn's own estimators arrive."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize
from sklearn.datasets import load_diabetes
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    QuantileRegressor,
    Ridge,
    SGDRegressor,
)
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

rng = np.random.default_rng(0)
N = 120
X = rng.normal(size=(N, 6)) @ (np.eye(6) + 0.4 * rng.normal(size=(6, 6))) + [3, 0, 0, -1, 0, 0]
X = X * [1.0, 10.0, 0.1, 1.0, 1.0, 1.0]
Y = X @ [1.0, 0.3, 0.0, -2.0, 0.0, 0.5] + 2.0 + rng.standard_t(3, size=N)
WEIGHT = rng.uniform(0.2, 2.0, size=N)
FAST = {"optimizer_params": {"momentum": 0.9, "nesterov": True}, "lr": "auto", "epochs": 2500}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("alpha", [1e-4, 0.3, 100.0])
def test_ridge(alpha, weighted, precondition):
    weight = WEIGHT if weighted else None
    total = WEIGHT.sum() if weighted else N
    options = FAST if precondition != "whiten" else {"lr": 0.1}
    if precondition is None:
        options = {"optimizer": "lbfgs", "lr": "auto", "epochs": 200}
    model = GDLinearRegressor(alpha=alpha, precondition=precondition, **options)
    model.fit(X, Y, weight)
    reference = Ridge(alpha * total / 2).fit(X, Y, weight)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=1e-8)
    penalty = alpha / 2 * np.sum(reference.coef_**2)
    loss = np.average((reference.predict(X) - Y) ** 2, weights=weight)
    assert model.loss_ == pytest.approx(loss + penalty, rel=1e-12)


@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e6])
def test_any_lr_below_one_converges_whatever_the_penalty(alpha):
    model = GDLinearRegressor(alpha=alpha, lr=0.99, epochs=3000).fit(X, Y)
    assert model.max_stable_lr_ == pytest.approx(1.0)
    reference = Ridge(alpha * N / 2).fit(X, Y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8, atol=1e-12)


def test_ridge_of_wide_data_and_several_targets():
    rng = np.random.default_rng(1)
    wide, y = rng.normal(size=(20, 50)), rng.normal(size=(20, 2))
    model = GDLinearRegressor(alpha=0.2).fit(wide, y)
    np.testing.assert_allclose(model.coef_, Ridge(0.2 * 10).fit(wide, y).coef_, rtol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("precondition", ["whiten", "standardize"])
def test_a_constant_column_has_no_coefficient(precondition, loss):
    """Rounding of its mean is no gradient, which Adam would make a full step of."""
    data = np.column_stack([X, np.full(N, 1000 / 3)])
    options = {"alpha": 0.3, "optimizer": "adam", "lr": 0.1, "epochs": 40, "loss": loss}
    model = GDLinearRegressor(precondition=precondition, **options).fit(data, Y)
    assert model.coef_[-1] == 0.0
    without = GDLinearRegressor(precondition=precondition, **options).fit(X, Y)
    np.testing.assert_allclose(model.coef_[:-1], without.coef_, rtol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_of_a_polynomial_is_on_original_coefficients(fit_intercept):
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 4, size=(80, 2))
    y = np.sin(x[:, 0]) + x[:, 1]
    model = GDPolynomialRegressor(degree=3, alpha=0.05, lr="auto", fit_intercept=fit_intercept)
    powers = PolynomialFeatures(3, include_bias=False).fit_transform(x)
    reference = Ridge(0.05 * 40, fit_intercept=fit_intercept).fit(powers, y)
    np.testing.assert_allclose(model.fit(x, y).coef_, reference.coef_, rtol=1e-7)


@pytest.mark.parametrize("momentum", [{}, {"momentum": 0.9}, FAST["optimizer_params"]])
@pytest.mark.parametrize("precondition", ["auto", "standardize", None])
@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.5, 1.0), (0.2, 0.5), (0.05, 0.9)])
def test_lasso_and_elastic_net(alpha, l1_ratio, precondition, momentum):
    scaled = StandardScaler().fit_transform(X) + (0.2 if precondition is None else 0.0)
    model = GDLinearRegressor(
        alpha=alpha,
        l1_ratio=l1_ratio,
        precondition=precondition,
        optimizer_params=momentum,
        lr="auto",
        epochs=2500,
    ).fit(scaled, Y)
    kind = Lasso if l1_ratio == 1.0 else ElasticNet
    options = {} if l1_ratio == 1.0 else {"l1_ratio": l1_ratio}
    reference = kind(alpha / 2, tol=1e-14, max_iter=100_000, **options).fit(scaled, Y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=1e-6)
    assert model.loss_ == pytest.approx(
        np.mean((reference.predict(scaled) - Y) ** 2)
        + alpha * l1_ratio * np.abs(reference.coef_).sum()
        + alpha * (1 - l1_ratio) / 2 * np.sum(reference.coef_**2),
        rel=1e-9,
    )


def test_lasso_on_raw_units_and_weights():
    model = GDLinearRegressor(alpha=0.8, l1_ratio=1.0, **FAST).fit(X, Y, WEIGHT)
    reference = Lasso(0.4, tol=1e-14, max_iter=100_000).fit(X, Y, WEIGHT)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


def test_lasso_of_highly_correlated_columns():
    rng = np.random.default_rng(1)
    common = rng.normal(size=(300, 1))
    data = 0.1 * rng.normal(size=(300, 30)) + common
    y = data[:, :3] @ [1.0, -1.0, 2.0] + 0.1 * rng.normal(size=300)
    momentum = {"momentum": 0.98, "nesterov": True}
    model = GDLinearRegressor(
        alpha=0.02, l1_ratio=1.0, optimizer_params=momentum, lr="auto", epochs=3000
    ).fit(data, y)
    reference = Lasso(0.01, tol=1e-14, max_iter=1_000_000).fit(data, y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6, atol=1e-8)


def test_lasso_of_a_polynomial():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 2))
    y = x[:, 0] ** 2 - x[:, 1] + 0.1 * rng.normal(size=100)
    model = GDPolynomialRegressor(degree=3, alpha=0.2, l1_ratio=1.0, **FAST).fit(x, y)
    powers = PolynomialFeatures(3, include_bias=False).fit_transform(x)
    reference = Lasso(0.1, tol=1e-14, max_iter=1_000_000).fit(powers, y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_positive(fit_intercept):
    model = GDLinearRegressor(positive=True, fit_intercept=fit_intercept, **FAST).fit(X, Y)
    reference = LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, Y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_huber_with_its_scale_fixed(optimizer, alpha):
    def objective(w):
        r = np.abs(X @ w[1:] + w[0] - Y)
        loss = np.where(r <= 0.8, r**2 / 2, 0.8 * (r - 0.4))
        return loss @ WEIGHT / WEIGHT.sum() + alpha / 2 * np.sum(w[1:] ** 2)

    model = GDLinearRegressor(
        loss="huber",
        loss_params={"delta": 0.8},
        alpha=alpha,
        optimizer=optimizer,
        lr="auto",
        epochs=3000 if optimizer == "sgd" else 200,
    ).fit(X, Y, WEIGHT)
    start = np.zeros(7)
    reference = scipy_minimize(objective, start, tol=1e-14, method="BFGS")
    assert model.loss_ <= reference.fun * (1 + 1e-9)
    np.testing.assert_allclose([model.intercept_, *model.coef_], reference.x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_quantile(quantile):
    def pinball(prediction):
        r = Y - prediction
        return np.mean(np.maximum(quantile * r, (quantile - 1) * r))

    from functools import partial

    from torch.optim.lr_scheduler import ExponentialLR

    model = GDLinearRegressor(
        loss="quantile",
        loss_params={"quantile": quantile},
        optimizer="adam",
        lr=0.1,
        epochs=4000,
        lr_scheduler=partial(ExponentialLR, gamma=0.997),
    ).fit(X, Y)
    reference = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, Y)
    assert pinball(model.predict(X)) <= pinball(reference.predict(X)) * (1 + 1e-4)
    assert model.loss_ == pytest.approx(pinball(model.predict(X)))


@pytest.mark.parametrize("loss", ["epsilon_insensitive", "squared_epsilon_insensitive"])
def test_lower_than_sgd_regressor(loss):
    scaled = StandardScaler().fit_transform(X)
    alpha = 0.01

    def objective(model):
        loss_of = np.maximum(np.abs(model.predict(scaled) - Y) - 0.1, 0)
        power = 2 if loss.startswith("squared") else 1
        return np.mean(loss_of**power) + alpha / 2 * np.sum(model.coef_**2)

    peer = SGDRegressor(loss=loss, epsilon=0.1, alpha=alpha, random_state=0).fit(scaled, Y)
    model = GDLinearRegressor(loss=loss, alpha=alpha, optimizer="adam", lr=0.03, epochs=2000)
    model.fit(scaled, Y)
    assert objective(model) < objective(peer)
    assert model.loss_ == pytest.approx(objective(model))


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("loss", ["huber", "log_cosh", "squared_epsilon_insensitive"])
def test_losses_and_l2_arrive_at_one_place_on_every_road(loss, precondition):
    scaled = StandardScaler().fit_transform(X)
    options = {"loss": loss, "alpha": 0.1, "optimizer": "lbfgs", "lr": "auto", "epochs": 300}
    expected = GDLinearRegressor(**options).fit(scaled, Y)
    model = GDLinearRegressor(precondition=precondition, **options).fit(scaled, Y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-5)
    steady = GDLinearRegressor(**{**options, "optimizer": "sgd", "epochs": 3000})
    np.testing.assert_allclose(steady.fit(scaled, Y).coef_, expected.coef_, rtol=1e-5)


def test_median_of_a_constant_model():
    data = np.zeros((5, 1))
    y = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    model = GDLinearRegressor(loss="absolute_error", optimizer="adam", lr=0.01, epochs=3000)
    assert model.fit(data, y).intercept_ == pytest.approx(3.0, abs=0.5)


@pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile"])
def test_lr_means_the_same_in_all_units(loss, units):
    options = {"loss": loss, "lr": 0.05, "epochs": 30}
    expected = GDLinearRegressor(**options).fit(X, Y)
    model = GDLinearRegressor(**options).fit(X / units, Y * units)
    np.testing.assert_allclose(model.coef_, expected.coef_ * units**2, rtol=1e-9)
    power = 2 if loss == "squared_error" else 1
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_ * units**power)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"l1_ratio": 1.0, "alpha": 1.0, "optimizer": "adam"}, r"must be 'sgd'.*l1_ratio=1.0"),
        ({"positive": True, "optimizer": "lbfgs"}, "must be 'sgd'.*positive=True"),
        ({"positive": True, "precondition": "whiten"}, "cannot be combined with an L1.*'auto'"),
        ({"alpha": -1.0}, "'alpha' parameter of GDLinearRegressor must be a float in the range"),
        ({"l1_ratio": 1.5}, r"'l1_ratio' parameter .*\[0.0, 1.0\]"),
        ({"loss": "hubber"}, r"'loss' parameter .* one of \['absolute_error',.*Got 'hubber'"),
        ({"loss": "huber", "loss_params": {"epsilon": 1.0}}, r"dict of \['delta'\] for loss='hub"),
        ({"loss": "huber", "loss_params": {"delta": 0}}, "'loss_params'.*delta a float in the"),
        ({"loss_params": {"delta": 1}}, "dict of no options for loss='squared_error'"),
        ({"loss": lambda p, t: ((p - t) ** 2).mean()}, r"loss of each element.*\(\).*average"),
        ({"loss": lambda p, t: 3.0}, "loss of each element.*float"),
        ({"loss": lambda p: p}, "failed on a prediction.*TypeError"),
        ({"loss": lambda p, t: t * 2.0}, "has a gradient"),
        ({"loss": lambda p, t: p, "loss_params": {"k": 1}}, "failed on a prediction"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        GDLinearRegressor(**options).fit(X, Y)


def test_real_data():
    data, y = load_diabetes(return_X_y=True)
    model = GDLinearRegressor(alpha=2.0, l1_ratio=1.0, **FAST).fit(data, y)
    reference = Lasso(1.0, tol=1e-12).fit(data, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)
