"""Losses arrive where SciPy and scikit-learn arrive."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import minimize as scipy_minimize
from sklearn.linear_model import QuantileRegressor, SGDRegressor
from sklearn.preprocessing import StandardScaler
from torch.optim.lr_scheduler import ExponentialLR

from sklearn_gd import GDLinearRegressor, losses

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 120
X = rng.normal(size=(N, 6)) @ (np.eye(6) + 0.4 * rng.normal(size=(6, 6))) + [3, 0, 0, -1, 0, 0]
X = X * [1.0, 10.0, 0.1, 1.0, 1.0, 1.0]
Y = X @ [1.0, 0.3, 0.0, -2.0, 0.0, 0.5] + 2.0 + rng.standard_t(3, size=N)
WEIGHT = rng.uniform(0.2, 2.0, size=N)


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
        epochs=300 if optimizer == "sgd" else 50,
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

    model = GDLinearRegressor(
        loss="quantile",
        loss_params={"quantile": quantile},
        optimizer="adam",
        lr=0.1,
        epochs=800,
        lr_scheduler=partial(ExponentialLR, gamma=0.985),
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
    model = GDLinearRegressor(loss=loss, alpha=alpha, optimizer="adam", lr=0.1, epochs=400)
    model.fit(scaled, Y)
    assert objective(model) < objective(peer)
    assert model.loss_ == pytest.approx(objective(model))


@pytest.mark.parametrize("loss", ["huber", "log_cosh", "squared_epsilon_insensitive"])
def test_losses_and_l2_arrive_at_one_place_on_every_road(loss):
    scaled = StandardScaler().fit_transform(X)
    options = {"loss": loss, "alpha": 0.1, "lr": "auto"}
    expected = GDLinearRegressor(optimizer="lbfgs", epochs=40, **options).fit(scaled, Y)
    for road in [
        {"optimizer": "lbfgs", "epochs": 40, "precondition": "standardize"},
        {"optimizer": "lbfgs", "epochs": 40, "precondition": None},
        {"optimizer": "sgd", "epochs": 200},
    ]:
        model = GDLinearRegressor(**road, **options).fit(scaled, Y)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-5, err_msg=str(road))


def test_median_of_a_constant_model():
    data = np.zeros((5, 1))
    y = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    model = GDLinearRegressor(loss="absolute_error", optimizer="adam", lr=0.05, epochs=300)
    assert model.fit(data, y).intercept_ == pytest.approx(3.0, abs=0.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
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


# by definition, in plain NumPy
DEFINITIONS = {
    "squared_error": (lambda r: r**2, {}),
    "absolute_error": (np.abs, {}),
    "huber": (lambda r: np.where(abs(r) <= 0.7, r**2 / 2, 0.7 * (abs(r) - 0.35)), {"delta": 0.7}),
    "quantile": (lambda r: np.where(r < 0, -0.8 * r, 0.2 * r), {"quantile": 0.8}),
    "epsilon_insensitive": (lambda r: np.maximum(abs(r) - 0.3, 0.0), {"epsilon": 0.3}),
    "squared_epsilon_insensitive": (
        lambda r: np.maximum(abs(r) - 0.3, 0.0) ** 2,
        {"epsilon": 0.3},
    ),
    "log_cosh": (lambda r: np.log(np.cosh(r)), {}),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_values_are_those_of_the_definition(name):
    assert set(DEFINITIONS) == set(losses.__all__) == set(losses.SPECS)
    define, options = DEFINITIONS[name]
    prediction, target = np.linspace(-4.0, 4.0, 81), np.full(81, 0.5)
    spec = losses.find_loss(name, options, "test")
    values = spec.function(torch.from_numpy(prediction), torch.from_numpy(target))
    expected = define(prediction - target)
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-15)
    # it grows like the power that is known of it
    far, near = (spec.function(torch.tensor(r), torch.tensor(0.0)).item() for r in (2e6, 1e6))
    grows_like = 1 if name in ("huber", "log_cosh") else spec.power
    assert far / near == pytest.approx(2.0**grows_like, rel=1e-5)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_curvature_is_the_largest_second_difference(name):
    define, _ = DEFINITIONS[name]
    r = np.linspace(-4.0, 4.0, 8001)
    second = np.diff(define(r), n=2) / 0.001**2
    curvature = losses.SPECS[name].curvature
    if curvature is None:  # a kink
        assert second.max() > 100
    else:
        assert second.max() == pytest.approx(curvature, rel=1e-3)


def test_log_cosh_does_not_overflow():
    residual = torch.tensor([1000.0, -1e300], dtype=torch.float64)
    values = losses.log_cosh(residual, torch.zeros(2, dtype=torch.float64))
    np.testing.assert_allclose(values, [1000.0 - np.log(2.0), 1e300], rtol=1e-15)
