"""Folds of all kinds: sparse, small, repeated, of deficient rank."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import KFold, LeaveOneOut

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV
from sklearn_gd._training import coordinates
from tests._model_selection.reference import LRS, MSE, WEIGHT, X, Y, assert_same, grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_sparse_rows(loss):
    search = GDLinearRegressorCV(lrs=LRS, epochs=20, loss=loss).fit(sparse.csr_matrix(X), Y)
    assert_same(search, grid_search(clone(search)))


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_sparse_rows_too_wide_for_a_factor(loss, monkeypatch):
    monkeypatch.setattr(coordinates, "_MAX_FACTOR_ENTRIES", 10)
    rows = sparse.csr_matrix(np.where(X > 0.03, X, 0.0))
    search = GDLinearRegressorCV(lrs=LRS, epochs=20, loss=loss, alphas=(0.0, 0.1), cv=3)
    search.fit(rows, Y, sample_weight=WEIGHT)
    assert search.precondition_ == "standardize"
    assert_same(search, grid_search(clone(search), {"sample_weight": WEIGHT}, X=rows))


def test_a_loss_that_is_not_finite_on_rows_held_out():
    """The rows of a fold that it does not train on must not be looked at."""

    def barrier(prediction, target):
        return (prediction - target) ** 2 - 1e-3 * torch.log(prediction)

    rows, cv = X[:60].copy(), [(np.arange(50), np.arange(50, 60))]
    rows[50:] *= -1000.0  # predictions are far below zero there, once training has begun
    search = GDLinearRegressorCV(lrs=(0.01, 0.02), epochs=20, loss=barrier, cv=cv, refit=False)
    search.fit(rows, Y[:60])
    plain = GDLinearRegressor(lr=0.02, epochs=20, loss=barrier).fit(rows[:50], Y[:50])
    assert plain.predict(rows[50:]).min() < 0
    assert not plain.diverged_
    assert search.cv_results_["diverged"].tolist() == [0, 0]
    assert search.cv_results_["split0_test_score"][1] == pytest.approx(
        plain.score(rows[50:], Y[50:60]), rel=1e-8
    )


@pytest.mark.parametrize(("loss", "rows"), [("squared_error", 24), ("huber", 20)])
def test_leave_one_out(loss, rows):
    search = GDLinearRegressorCV(lrs=(0.1,), epochs=8, cv=LeaveOneOut(), scoring=MSE, loss=loss)
    search.fit(X[:rows], Y[:rows])
    assert_same(search, grid_search(clone(search), X=X[:rows], y=Y[:rows]))


def test_deficient_rank_in_some_folds_only():
    rows = X[:60].copy()
    rows[:20, 3] = 2 * rows[:20, 2]
    rows[20:, 3] = rows[20:, 2] * 3
    rows[:40, 5] = 1.0
    search = GDLinearRegressorCV(lrs=LRS, epochs=15, cv=KFold(3)).fit(rows, Y[:60])
    assert_same(search, grid_search(clone(search), X=rows, y=Y[:60]))


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_splits_that_repeat_rows(loss):
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(Y), len(Y)) for _ in range(4)]
    cv = [(rows, np.setdiff1d(np.arange(len(Y)), rows)) for rows in draws]
    search = GDLinearRegressorCV(lrs=LRS, epochs=15, cv=cv, loss=loss).fit(X, Y)
    assert_same(search, grid_search(clone(search)))


def test_splits_of_any_sequence():
    halves = tuple(range(200)), tuple(range(200, len(Y)))
    search = GDLinearRegressorCV(epochs=5, cv=[halves, halves[::-1]]).fit(X, Y)
    arrays = [tuple(map(np.asarray, halves)), tuple(map(np.asarray, halves[::-1]))]
    oracle = clone(search).set_params(cv=arrays).fit(X, Y)
    np.testing.assert_array_equal(search.coef_, oracle.coef_)
    for wrong in ([0.5, 1.5], [900]):
        with pytest.raises(ValueError, match="Split 0 of GDLinearRegressorCV does not name rows"):
            clone(search).set_params(cv=[(np.arange(5), wrong)]).fit(X, Y)


def test_bagging_by_weights():
    """Bootstrap fits as the folds of one search equal as many separate fits."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(Y), len(Y)) for _ in range(40)]
    everyone = np.arange(len(Y))
    models = []

    def keep(model, rows, target):
        models.append(model)
        return 0.0

    search = GDLinearRegressorCV(
        lrs=(0.1,), epochs=20, cv=[(rows, everyone) for rows in draws], scoring=keep, refit=False
    ).fit(X, Y)
    assert search.n_splits_ == len(models) == 40
    for rows, model in zip(draws, models, strict=True):
        alone = GDLinearRegressor(lr=0.1, epochs=20).fit(X[rows], Y[rows])
        np.testing.assert_allclose(model.coef_, alone.coef_, rtol=1e-9)
        np.testing.assert_allclose(model.intercept_, alone.intercept_, rtol=1e-12)
