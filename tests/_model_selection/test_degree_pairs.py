"""Pairs of degrees in a search. The oracle is GridSearchCV over the plain estimator."""

import numpy as np
import pytest
import scipy.special
from sklearn.model_selection import KFold

from sklearn_gd import GDPolynomialRegressor, GDPolynomialRegressorCV, Moments
from tests._model_selection.reference import HUBER, Y, assert_same, grid_search
from tests._model_selection.reference import X as DIABETES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = DIABETES[:, 2:5]
DEGREES = ((2, 3), 3, (2, 2), (0, 1))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alphas": (0.0, 1e-3)},
        {"alphas": (1e-3,), "l1_ratio": 0.5},
        {"fit_intercept": False},
        {"precondition": None},
        HUBER,
        {**HUBER, "alphas": (1e-3,)},
        {"batch_size": 200, "random_state": 0},
    ],
    ids=str,
)
def test_pairs_beside_degrees(options):
    search = GDPolynomialRegressorCV(degrees=DEGREES, lrs=(0.1,), cv=2, epochs=5, **options)
    search.fit(X, Y)
    oracle = grid_search(search, X=X)
    for k in range(2):
        np.testing.assert_allclose(
            search.cv_results_[f"split{k}_test_score"],
            oracle.cv_results_[f"split{k}_test_score"],
            atol=1e-8,
        )
    degrees = oracle.cv_results_["param_degree"]
    assert search.cv_results_["param_degree"].tolist() == degrees.tolist()
    assert search.cv_results_["param_degree"].dtype == degrees.dtype == object
    assert search.degree_ == oracle.best_params_["degree"]
    np.testing.assert_allclose(search.coef_, oracle.best_estimator_.coef_, rtol=1e-6)


def test_only_a_nested_tuple_is_a_pair():
    two = GDPolynomialRegressorCV(degrees=(1, 2), lrs=(0.1,), epochs=5, cv=3).fit(X, Y)
    assert two.cv_results_["params"] == [{"degree": 1}, {"degree": 2}]
    one = GDPolynomialRegressorCV(degrees=((2, 3),), lrs=(0.1, 0.5), epochs=50, cv=3).fit(X, Y)
    assert_same(one, grid_search(one, X=X))
    assert one.degree_ == (2, 3)
    np.testing.assert_array_equal(one.get_feature_names_out(), one.feature_names_out_)
    with pytest.raises(ValueError, match="The 'degrees' parameter .* must be a non-empty seq"):
        GDPolynomialRegressorCV(degrees=[[2, 3]]).fit(X, Y)


def test_moments_of_parts():
    parts = np.array_split(np.arange(len(Y)), 3)
    moments = [Moments.of(X[rows], Y[rows], degree=4) for rows in parts]
    options = {"degrees": ((2, 3), 4), "lrs": (0.1,), "epochs": 30}
    by_moments = GDPolynomialRegressorCV(**options).fit(moments)
    folds = np.repeat(np.arange(3), [len(rows) for rows in parts])
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(3)]
    by_rows = GDPolynomialRegressorCV(cv=splits, **options).fit(X, Y)
    for key in ("split0_test_score", "mean_test_score"):
        np.testing.assert_allclose(by_moments.cv_results_[key], by_rows.cv_results_[key], 1e-7)


def test_the_best_is_the_plain_fit():
    search = GDPolynomialRegressorCV(degrees=((2, 3),), lrs=(0.1,), epochs=20, cv=3).fit(X, Y)
    plain = GDPolynomialRegressor(degree=(2, 3), lr=0.1, epochs=20).fit(X, Y)
    np.testing.assert_allclose(search.coef_, plain.coef_, rtol=1e-8)
    np.testing.assert_array_equal(search.to_sklearn()[0].powers_, plain.powers_)


@pytest.mark.parametrize("options", [{}, {"precondition": None}, {"alphas": (1e-3,)}], ids=str)
def test_pairs_that_leave_out_other_degrees_share_a_descent(options):
    """Each problem has its columns, in training and in its test losses."""
    search = GDPolynomialRegressorCV(
        degrees=((2, 3), (3, 3), (1, 1)), lrs=(0.1,), cv=3, epochs=10, refit=False, **HUBER
    )
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    search.set_params(**options).fit(rows, Y)
    oracle = grid_search(search, X=rows)
    scores = oracle.cv_results_["mean_test_score"]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], scores, rtol=1e-8)
    for train, test in list(KFold(3).split(rows))[:1]:
        for number, degree in enumerate(search.degrees):
            # a curve is of the points from which the epochs start
            plain = GDPolynomialRegressor(degree=degree, lr=0.1, epochs=9, **HUBER)
            plain.set_params(precondition=search.precondition, alpha=search.alphas[0])
            error = plain.fit(rows[train], Y[train]).predict(rows[test]) - Y[test]
            loss = scipy.special.huber(plain.loss_params["delta"], error).mean()
            found = search.test_loss_curves_[number, 0, -1]
            assert found == pytest.approx(loss, rel=1e-8)
