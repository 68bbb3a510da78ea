"""tol="statistical": the descent ends within 0.01 standard errors, and not much later."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
    inference,
)
from tests._training.reference import WEIGHT, X, Y

DIABETES = load_diabetes(return_X_y=True)


def distances(model, X, y, weight=None):
    """Distances from the optimum of statsmodels, in its standard errors."""
    table = sm.add_constant(X) if model.fit_intercept else X
    theirs = sm.WLS(y, table, weights=1.0 if weight is None else weight).fit()
    coef = np.r_[model.intercept_, model.coef_] if model.fit_intercept else model.coef_
    return np.abs(coef - theirs.params) / theirs.bse


def test_epochs_saved_on_diabetes():
    model = GDLinearRegressor(lr=0.01, tol="statistical").fit(*DIABETES)
    assert model.n_iter_ < 400
    assert distances(model, *DIABETES).max() < 0.01
    # as soon as the bound is known to hold
    n, k, best = 442, 11, sm.OLS(DIABETES[1], sm.add_constant(DIABETES[0])).fit().ssr / 442
    is_near = GDLinearRegressor(lr=0.01).fit(*DIABETES).loss_curve_ <= best * (1 + 1e-4 / (n - k))
    assert model.n_iter_ == np.argmax(is_near)


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "adam"},
        {"optimizer": "nadam", "lr": 0.05},
        {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9}},
        {"precondition": "standardize", "lr": 0.2, "epochs": 20_000},
        {"precondition": None, "lr": "auto", "epochs": 50_000},
        {"lr": "auto"},
        {"fit_intercept": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [None, WEIGHT, 1000 * WEIGHT], ids=["no", "small", "large"])
def test_ends_near_the_optimum(params, weight):
    model = GDLinearRegressor(**{"epochs": 2000, "tol": "statistical", **params})
    model.fit(X, Y[:, 0], weight)
    assert model.n_iter_ < model.epochs
    assert distances(model, X, Y[:, 0], weight).max() < 0.01


def test_the_unit_of_weights_does_not_matter():
    few, many = (
        GDLinearRegressor(tol="statistical").fit(X, Y, weight).n_iter_
        for weight in (WEIGHT, 1000 * WEIGHT)
    )
    assert few == many


def test_targets_end_one_by_one():
    y = np.column_stack(
        [Y[:, 0], Y[:, 0] + 1e-3 * X[:, 0], X @ [1.0, 2.0, 3.0, 4.0] + 1e-3 * Y[:, 0]]
    )
    model = GDLinearRegressor(optimizer="adam", lr=0.05, tol="statistical", epochs=3000).fit(X, y)
    ends = []
    for k in range(3):
        alone = GDLinearRegressor(optimizer="adam", lr=0.05, tol="statistical", epochs=3000)
        ends.append(alone.fit(X, y[:, k]).n_iter_)
        np.testing.assert_allclose(model.coef_[k], alone.coef_, rtol=1e-8)
    assert model.n_iter_ == max(ends)
    assert len(set(ends)) > 1


def test_without_noise_all_epochs_are_run():
    y = X @ [1.0, 2.0, 3.0, 4.0]
    assert GDLinearRegressor(lr=0.1, epochs=300, tol="statistical").fit(X, y).n_iter_ == 300
    assert GDLinearRegressor(lr=0.1, epochs=300, tol="statistical").fit(X, y + 1e6).n_iter_ == 300


def test_a_start_that_is_near_enough_stays():
    model = GDLinearRegressor(optimizer="adam", lr=0.1, tol="statistical", warm_start=True)
    before = model.fit(X, Y[:, 0]).coef_
    n_iter = model.n_iter_
    np.testing.assert_allclose(model.fit(X, Y[:, 0]).coef_, before, rtol=1e-9)
    assert model.n_iter_ == n_iter + 1


def test_polynomials():
    y = Y[:, 0] + X[:, 0] ** 2
    model = GDPolynomialRegressor(lr=0.1, tol="statistical").fit(X, y)
    assert model.n_iter_ < 100
    assert inference(model, X, y).distance.max() < 0.01


def test_searches():
    X, y = DIABETES
    search = GDLinearRegressorCV(lrs=(0.01, 0.1), tol="statistical", cv=3).fit(X, y)
    assert search.n_iter_ < 400
    assert distances(search.best_estimator_, X, y).max() < 0.01
    plain = GDLinearRegressor(lr=search.lr_, tol="statistical").fit(X, y)
    np.testing.assert_allclose(search.coef_, plain.coef_, rtol=1e-9)
    few = X[:, 2:4]
    search = GDPolynomialRegressorCV(degrees=(1, 2), lrs=(0.1,), tol="statistical", cv=3)
    assert inference(search.fit(few, y), few, y).distance.max() < 0.01


def test_rows_that_are_drawn_twice_count_twice_in_searches():
    rows = np.random.default_rng(0).integers(0, 60, 60)
    rest = np.setdiff1d(np.arange(60), rows)
    search = GDLinearRegressorCV(lrs=(0.05,), cv=[(rows, rest)], tol="statistical", scoring="r2")
    score = search.fit(X, Y[:, 0]).cv_results_["split0_test_score"][0]
    plain = GDLinearRegressor(lr=0.05, tol="statistical").fit(X[rows], Y[rows, 0])
    assert score == pytest.approx(plain.score(X[rest], Y[rest, 0]), rel=1e-9)


def test_streams_count_all_rows():
    parts = np.array_split(np.arange(60), 3)
    model = GDLinearRegressor(lr=0.1, tol="statistical")
    for rows in parts:
        model.partial_fit(X[rows], Y[rows, 0])
    assert distances(model, X, Y[:, 0]).max() < 0.01


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0.1}, "alpha=0.1 is a penalty"),
        ({"positive": True}, "positive=True is a bound"),
        ({"loss": "huber"}, "with loss='huber' the formulas"),
        ({"batch_size": 10}, r"needs an objective on all rows, and batch_size=10\. Set batch_si"),
        ({"early_stopping": True}, r"early_stopping=True\. Set early_stopping=False\. Or set tol"),
    ],
)
def test_refusals(params, message):
    model = GDLinearRegressor(tol="statistical", **params)
    expected = f"tol='statistical' of GDLinearRegressor is not possible: .*{message}"
    with pytest.raises(ValueError, match=expected):
        model.fit(X, Y)
    assert not hasattr(model, "coef_")


def test_refusals_of_data():
    model = GDLinearRegressor(tol="statistical")
    dependent = pd.DataFrame(X, columns=list("abcd")).assign(e=X[:, 0] * 2)
    with pytest.raises(ValueError, match=r"have rank 4 and not 5.*set tol to a number or None\."):
        model.fit(dependent, Y)
    with pytest.raises(ValueError, match="there are 5 samples of positive weight for 5 coeffic"):
        model.fit(X[:5], Y[:5])
    with pytest.raises(ValueError, match="there are 5 samples of positive weight"):
        model.fit(X, Y, np.arange(60) < 5)


def test_sparse_columns_without_moments(monkeypatch):
    monkeypatch.setattr("sklearn_gd._training.coordinates._MAX_FACTOR_ENTRIES", 1)
    model = GDLinearRegressor(tol="statistical")
    with pytest.raises(ValueError, match="needs the moments of the data, and X is sparse"):
        model.fit(sparse.csr_array(X), Y)


def test_refusals_of_searches():
    with pytest.raises(ValueError, match="of GDLinearRegressorCV is not possible: alpha=1.0 is a"):
        GDLinearRegressorCV(tol="statistical", alphas=(0.0, 1.0)).fit(X, Y)
    with pytest.raises(ValueError, match="of GDLinearRegressorCV is .*there are 5 samples"):
        GDLinearRegressorCV(tol="statistical", cv=2).fit(X[:10], Y[:10])


@pytest.mark.parametrize("tol", ["statistic", -1.0, True])
def test_other_values(tol):
    with pytest.raises(ValueError, match=r"'tol' parameter of GDLinearRegressor must be a float"):
        GDLinearRegressor(tol=tol).fit(X, Y)


def test_epochs_that_do_not_suffice_are_told():
    model = GDLinearRegressor(epochs=300, tol="statistical")
    with pytest.warns(ConvergenceWarning, match="still far from the optimum at epoch 300"):
        model.fit(*DIABETES)
    assert distances(model, *DIABETES).max() > 0.01
    model.set_params(tol=None).fit(*DIABETES)  # without a warning
