"""lr="auto" where no curvature is known: D / (G √T), computed again in NumPy."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import QuantileRegressor

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)) * [1.0, 20.0, 0.1] + [5.0, 0.0, -1.0]
Y = X @ [1.0, -0.2, 3.0] + RNG.standard_t(3, size=60)


def absolute(prediction, target):
    return (prediction - target).abs()


def auto(model, X=X, y=Y, **fit_params):
    return model.set_params(lr="auto").fit(X, y, **fit_params).lr_


def rms(values, weight=None):
    return np.sqrt(np.average(values**2, weights=weight))


@pytest.mark.parametrize("epochs", [10, 1000])
def test_absolute_error_has_unit_slope(epochs):
    # D and G are 1 in whitened coordinates and units of the deviation
    lr = auto(GDLinearRegressor(loss="absolute_error", epochs=epochs))
    assert lr == pytest.approx(1 / np.sqrt(epochs), rel=1e-12)


def test_slopes_of_quantiles():
    quantile, residual = 0.9, Y - Y.mean()
    slope = np.where(residual > 0, quantile, quantile - 1)
    model = GDLinearRegressor(loss="quantile", loss_params={"quantile": quantile}, epochs=50)
    assert auto(model) == pytest.approx(1 / (rms(slope) * np.sqrt(50)), rel=1e-12)


def test_callables_in_any_units():
    """The descent is one of J/s², with s the deviation, as for every callable."""
    for unit in (1e-8, 1.0, 1e8):
        lr = auto(GDLinearRegressor(loss=absolute, epochs=100), y=Y * unit)
        assert lr == pytest.approx(Y.std() * unit / 10, rel=1e-9)
    named = GDLinearRegressor(loss="absolute_error", lr="auto", epochs=100).fit(X, Y)
    own = GDLinearRegressor(loss=absolute, lr="auto", epochs=100).fit(X, Y)
    np.testing.assert_allclose(own.coef_, named.coef_, rtol=1e-6)


def test_weights_and_several_targets():
    weight = RNG.uniform(size=60) * (RNG.uniform(size=60) > 0.3)
    two = np.column_stack([Y, np.exp(Y / 5)])
    two[weight == 0] = 1e9  # rows without weight have no influence
    expected = []
    for y in two.T:
        mean = np.average(y, weights=weight)
        residual = y - mean
        slope = rms(np.where(residual > 0, 0.2, -0.8), weight)
        expected.append(1 / (slope * np.sqrt(30)))
    model = GDLinearRegressor(loss="quantile", loss_params={"quantile": 0.2}, epochs=30)
    lr = auto(model, y=two, sample_weight=weight)
    assert lr == pytest.approx(min(expected), rel=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_textbook(fit_intercept):
    Z = np.column_stack([np.ones(60), X]) if fit_intercept else X
    largest = np.linalg.eigvalsh(Z.T @ Z / 60)[-1]
    model = GDLinearRegressor(
        loss="absolute_error", precondition=None, epochs=40, fit_intercept=fit_intercept
    )
    assert auto(model) == pytest.approx(rms(Y) / (largest * np.sqrt(40)), rel=1e-9)


def test_mini_batches():
    model = GDLinearRegressor(batch_size=16, epochs=5, random_state=0)
    steps = 5 * 4 * (1 + 3 / 16)  # 4 batches, 3 coordinates
    assert auto(model) == pytest.approx(0.5 / np.sqrt(steps), rel=1e-9)  # the slope is 2 r
    model = GDLinearRegressor(batch_size=16, epochs=5, random_state=0, loss="huber")
    slope = rms(np.clip(Y - Y.mean(), -1.35, 1.35)) / Y.std()
    steps = 5 * 4 * (1 + 4 / 16)  # the intercept is a coordinate
    assert auto(model) == pytest.approx(1 / (slope * np.sqrt(steps)), rel=1e-9)


def test_momentum_shortens_the_step():
    plain = auto(GDLinearRegressor(loss="absolute_error", epochs=9))
    for options, factor in [
        ({"momentum": 0.9}, 0.1),
        ({"momentum": 0.9, "dampening": 0.5}, 0.2),
        ({"momentum": 0.5, "nesterov": True}, 0.5),
    ]:
        model = GDLinearRegressor(loss="absolute_error", optimizer_params=options, epochs=9)
        assert auto(model) == pytest.approx(factor * plain, rel=1e-9)


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_a_strong_penalty_is_stable(kind):
    """In units of the deviation s of the target, this penalty has s times its weight."""
    model = kind(loss="absolute_error", alpha=1e4, lr="auto", epochs=50).fit(X, Y * 1e4)
    assert not model.diverged_
    # in raw coordinates the curvature of the penalty is alpha
    raw = kind(loss="absolute_error", alpha=1e4, precondition=None, epochs=5)
    assert auto(raw) <= 1e-4 * (1 + 1e-9)
    weak = kind(loss="absolute_error", alpha=1e-9, epochs=5)
    assert auto(weak) == pytest.approx(auto(kind(loss="absolute_error", epochs=5)), rel=1e-4)


def test_penalty_bound_is_exact():
    """Whitened coordinates w = s T u: the curvature is alpha s ‖T‖²."""
    alpha, unit = 50.0, 1e3
    centred = X - X.mean(axis=0)
    factor = np.linalg.cholesky(centred.T @ centred / 60 + alpha / 2 * np.eye(3)).T
    curvature = alpha * Y.std() * unit * np.linalg.norm(np.linalg.inv(factor), 2) ** 2
    lr = auto(GDLinearRegressor(loss="absolute_error", alpha=alpha, epochs=1), y=Y * unit)
    assert lr == pytest.approx(min(1.0, 1 / curvature), rel=1e-6)


def test_where_there_is_no_rule_it_is_001():
    params = {"loss": "absolute_error", "epochs": 5}
    assert auto(GDLinearRegressor(optimizer="adam", **params)) == 0.01
    assert auto(GDLinearRegressor(**params), y=np.ones(60)) == 0.01  # no slope
    params = {"loss": "epsilon_insensitive", "epochs": 5}
    inside = GDLinearRegressor(loss_params={"epsilon": 1e3}, **params)
    assert auto(inside) == 0.01
    stream = GDLinearRegressor(lr="auto", batch_size=8)
    assert stream.partial_fit(X, Y).lr_ == 0.01


@pytest.mark.parametrize(
    ("rows", "columns"), [(60, 3), (5, 40), (1, 3), (60, 1)], ids=["tall", "wide", "row", "column"]
)
@pytest.mark.parametrize("params", [{"loss": "absolute_error"}, {"batch_size": 4}, {"alpha": 0.1}])
def test_shapes_and_units(rows, columns, params):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, columns)) * np.logspace(-10, 10, columns)
    y = rng.normal(size=rows)
    model = GDLinearRegressor(**{"loss": absolute, **params}, lr="auto", epochs=30, random_state=0)
    model.fit(x, y)
    assert np.isfinite(model.lr_)
    assert not model.diverged_


def test_a_search_resolves_it_for_every_fold():
    params = {"loss": "absolute_error", "epochs": 100}
    search = GDLinearRegressorCV(lrs=("auto", 1e-4), alphas=(0.0, 0.1), cv=3, **params).fit(X, Y)
    assert search.lr_ == "auto" or search.lr_ == pytest.approx(0.1)
    alone = GDLinearRegressor(lr="auto", alpha=search.alpha_, **params).fit(X, Y)
    np.testing.assert_allclose(search.coef_, alone.coef_, rtol=1e-9)


def test_it_ends_nearer_to_the_optimum_than_001():
    oracle = QuantileRegressor(quantile=0.9, alpha=0.0).fit(X, Y)
    residual = Y - oracle.predict(X)
    lowest = np.mean(np.maximum(0.9 * residual, -0.1 * residual))
    params = {"loss": "quantile", "loss_params": {"quantile": 0.9}, "epochs": 200}
    by_rule = GDLinearRegressor(lr="auto", **params).fit(X, Y).loss_ - lowest
    constant = GDLinearRegressor(lr=0.01, **params).fit(X, Y).loss_ - lowest
    assert -1e-12 < by_rule < 0.02 * constant


def test_the_loss_is_asked_for_its_slope_once():
    calls = []

    def loss(prediction, target):
        calls.append(torch.is_grad_enabled())
        return (prediction - target).abs()

    GDLinearRegressor(loss=loss, lr=0.1, epochs=5).fit(X, Y)
    with_number = len(calls)
    calls.clear()
    GDLinearRegressor(loss=loss, lr="auto", epochs=5).fit(X, Y)
    assert len(calls) <= with_number + 2
