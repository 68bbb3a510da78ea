"""The points of a fit against a bare torch loop and against fits of fewer epochs."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._inspection.fit_trace import PreparedEstimator, trace_fit
from tests._inspection.reference import LINE, X, Y, quietly
from tests.reference import torch_loop


def test_points_are_those_of_a_bare_loop():
    model = GDLinearRegressor(precondition=None, lr=0.01, epochs=30)
    trace = trace_fit(model, X, Y, "test")
    assert trace.coef.shape == (31, 3)
    for epochs in (0, 1, 7, 30):
        coef, intercept, _ = torch_loop(lambda p, lr: torch.optim.SGD(p, lr=lr), X, Y, 0.01, epochs)
        np.testing.assert_allclose(trace.coef[epochs], coef, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(trace.intercept[epochs], intercept, rtol=1e-10, atol=1e-12)
        loss = np.mean((X @ coef + intercept - Y) ** 2)
        assert trace.losses[epochs] == pytest.approx(loss, rel=1e-10)
        np.testing.assert_allclose(trace.predict(X, epochs), X @ coef + intercept, rtol=1e-9)
    assert trace.kept_epoch == 30
    assert not trace.diverged


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
@pytest.mark.parametrize("options", [{}, {"optimizer": "adam"}, {"tol": 1e-2, "lr": 0.1}])
def test_points_are_those_of_fits_of_fewer_epochs(kind, options):
    model = kind(**{"epochs": 40, **options})
    trace = trace_fit(model, X, Y, "test")
    whole = quietly(model.fit, X, Y)
    assert len(trace.losses) == whole.n_iter_ + 1
    np.testing.assert_allclose(trace.losses[:-1], whole.loss_curve_, rtol=1e-12)
    assert trace.losses[-1] == pytest.approx(whole.loss_, rel=1e-12)
    coef, intercept = trace.in_user_terms()
    for epochs in (1, whole.n_iter_):
        fitted = quietly(kind(**{**options, "epochs": epochs}).fit, X, Y)
        np.testing.assert_allclose(coef[epochs], fitted.coef_, rtol=1e-9)
        np.testing.assert_allclose(intercept[epochs], fitted.intercept_, rtol=1e-9)
        np.testing.assert_allclose(trace.predict(X, epochs), fitted.predict(X), rtol=1e-9)


@pytest.mark.parametrize("lr", [1.1, 1.5])
def test_a_diverging_descent_is_shown_to_its_end(lr):
    """Whitened, the coefficients are at (1 - (1 - 2·lr)^t) of the way; the start is kept."""
    model = GDLinearRegressor(lr=lr, epochs=6)
    trace = trace_fit(model, X, Y, "test")
    best = np.linalg.lstsq(X - X.mean(0), Y - Y.mean(), rcond=None)[0]
    share = 1 - (1 - 2 * lr) ** np.arange(7)
    np.testing.assert_allclose(trace.coef, share[:, None] * best, rtol=1e-9)
    residual = np.mean(((X - X.mean(0)) @ best - (Y - Y.mean())) ** 2)
    losses = residual + (1 - share) ** 2 * (Y.var() - residual)
    assert trace.diverged
    np.testing.assert_allclose(trace.losses, losses, rtol=1e-9)
    assert trace.kept_epoch == 0


@pytest.mark.parametrize("precondition", [None, "standardize", "whiten"])
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_losses_at_any_coefficients(loss, precondition):
    model = GDLinearRegressor(loss=loss, precondition=precondition, alpha=0.2, epochs=3, lr=1e-3)
    trace = trace_fit(model, X, Y, "test")
    rng = np.random.default_rng(1)
    coef, intercept = rng.normal(size=(5, 3)), rng.normal(size=5)
    r = np.abs(coef @ X.T + intercept[:, None] - Y)
    value = r**2 if loss == "squared_error" else np.where(r <= 1.35, r**2 / 2, 1.35 * (r - 0.675))
    expected = value.mean(axis=1) + 0.1 * (coef**2).sum(axis=1)
    np.testing.assert_allclose(trace.losses_at(coef, intercept), expected, rtol=1e-9)


def test_many_rates_are_fits_of_their_own():
    prepared = PreparedEstimator.of(GDLinearRegressor(epochs=20), LINE, Y, "test")
    lrs = [0.01, 0.3, 1.5]
    for lr, result in zip(lrs, prepared.results(lrs), strict=True):
        model = quietly(GDLinearRegressor(epochs=20, lr=lr).fit, LINE, Y)
        np.testing.assert_allclose(result.coef[0], model.coef_, rtol=1e-9)
        np.testing.assert_allclose(result.loss_curve, model.loss_curve_, rtol=1e-9)
        assert (result.lr, result.diverged) == (lr, model.diverged_)
    assert prepared.term_names == ["x0"]
