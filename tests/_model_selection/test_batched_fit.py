"""What one batched descent does for its candidates."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import KFold

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressorCV
from sklearn_gd._model_selection import batched_fit
from tests._model_selection.reference import LRS, X, Y, assert_same, grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_many_runs_are_done_in_groups(monkeypatch, loss):
    whole = GDLinearRegressorCV(lrs=LRS, alphas=(0.0, 0.1), epochs=8, cv=3, loss=loss).fit(X, Y)
    for runs in (2, 7):
        monkeypatch.setattr(batched_fit, "_CURVE_ENTRIES", runs * 8)
        parts = clone(whole).fit(X, Y)
        np.testing.assert_allclose(
            parts.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"], rtol=1e-12
        )
        np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"tol": 0.05}, {"loss": "huber"}, {"lrs": (0.1, 9.0)}])
def test_held_out_curves_are_those_of_plain_fits(settings):
    search = GDLinearRegressorCV(**{"lrs": (0.05, 0.5), "epochs": 12, "cv": 3, **settings})
    search.fit(X, Y)
    assert search.test_loss_curves_.shape == (2, 3, 12)
    for k, lr in enumerate(search.lrs):
        for fold, (rows, held) in enumerate(KFold(3).split(X)):
            for epochs in (1, 5, 11):
                plain = GDLinearRegressor(lr=lr, epochs=epochs, loss=search.loss, tol=search.tol)
                r = Y[held] - plain.fit(X[rows], Y[rows]).predict(X[held])
                loss = r**2
                if search.loss == "huber":
                    loss = np.where(abs(r) < 1.35, loss / 2, 1.35 * (abs(r) - 0.675))
                ours = search.test_loss_curves_[k, fold, epochs]
                if not plain.diverged_:
                    np.testing.assert_allclose(ours, loss.mean(), rtol=1e-8)


def test_a_loss_with_a_torch_parameter():
    weight = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    search = GDLinearRegressorCV(lrs=LRS, epochs=5, loss=lambda p, t: weight * (p - t) ** 2)
    search.fit(X, Y)
    assert_same(search, grid_search(clone(search)))
    assert weight.grad is None


def test_a_scheduler_that_looks_at_the_lr():
    def slower(optimizer):
        base = optimizer.param_groups[0]["lr"]
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: base / (base + 0.01 * t))

    search = GDLinearRegressorCV(lrs=LRS, epochs=15, lr_scheduler=slower).fit(X, Y)
    assert_same(search, grid_search(clone(search)))


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_problems_of_any_penalty_and_degree_share_a_descent(loss, monkeypatch):
    """However many there are in one: also where the widest has no penalty."""
    rows = X[:, [2, 8]] * 10
    search = GDPolynomialRegressorCV(
        lrs=(0.05, 0.2), alphas=(0.0, 0.1), degrees=(1, 2), epochs=5, cv=2, loss=loss
    )
    oracle = grid_search(search, X=rows)
    for n_problems in (1, 2, 3, 100):
        monkeypatch.setattr(batched_fit, "_CURVE_ENTRIES", n_problems * 2 * 5)
        assert_same(clone(search).fit(rows, Y), oracle)


def test_callbacks_are_told_of_the_longest_run_and_of_no_more():
    """Runs end by tol in different epochs; the descent ends with the last of them."""
    told = []

    class Counter:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            told.append(context.task_name)

    options = {"epochs": 300, "tol": 1e-3, "n_iter_no_change": 3}
    search = GDLinearRegressorCV(lrs=(0.05, 0.3), cv=3, **options).set_callbacks(Counter())
    search.fit(X, Y)
    lengths = [
        GDLinearRegressor(lr=lr, **options).fit(X[rows], Y[rows]).n_iter_
        for lr in search.lrs
        for rows in [*(train for train, _ in KFold(3).split(X)), slice(None)]
    ]
    assert told.count("epoch") == max(lengths) < 300
